"""Databases to test with, made for one test and dropped after it.

PostgreSQL and MariaDB are those of ``SIMULACRA_TEST_POSTGRESQL`` and ``SIMULACRA_TEST_MARIADB``,
else the local ones. Where they are not there tests are skipped; in CI they fail.
"""

import os
import secrets
from contextlib import contextmanager

import pytest

POSTGRESQL = os.environ.get("SIMULACRA_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1/test")
MARIADB = os.environ.get("SIMULACRA_TEST_MARIADB", "mysql://root@127.0.0.1/test")


def run_sql(url, *statements):
    """Run statements one by one, as they are, each committed at once; returns the last's rows."""
    from simulacra.connectors.sql.connections import engine
    from simulacra.connectors.sql.place import database_of

    made = engine(database_of(url))
    options = {"isolation_level": "AUTOCOMMIT", "no_parameters": True}
    with made.connect().execution_options(**options) as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


@contextmanager
def fresh_database(server, clause=""):
    """Give the URL of a new database on a server."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import SQLAlchemyError

    name = f"simulacra_{secrets.token_hex(6)}"
    try:
        run_sql(server, f"CREATE DATABASE {name} {clause}")
    except (SQLAlchemyError, OSError) as error:
        why = f"no database server at {make_url(server).host}: {error}"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        force = "WITH (FORCE)" if server.startswith("postgres") else ""
        run_sql(server, f"DROP DATABASE {name} {force}")


@pytest.fixture
def postgres_url():
    """The URL of an empty PostgreSQL database."""
    with fresh_database(POSTGRESQL) as url:
        yield url


@pytest.fixture
def mariadb_url():
    """The URL of an empty MariaDB database."""
    with fresh_database(MARIADB, "CHARACTER SET utf8mb4") as url:
        yield url


@pytest.fixture
def execute():
    """A function that runs statements on a database: ``execute(url, "CREATE TABLE …", …)``."""
    return run_sql
