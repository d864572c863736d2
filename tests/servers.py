"""Database servers to test with, and databases made for one test and dropped after it.

PostgreSQL and MariaDB are those of ``SIMULACRA_TEST_POSTGRESQL`` and ``SIMULACRA_TEST_MARIADB``,
else the local ones. Where they are not there tests are skipped; in CI they fail.
"""

import os
import secrets
import sqlite3
from contextlib import closing, contextmanager, suppress

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from simulacra.connectors.sql.connections import engine
from simulacra.connectors.sql.duckdb.connection import connect as connect_duckdb
from simulacra.connectors.sql.place import database_of

POSTGRESQL = os.environ.get("SIMULACRA_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1/test")
MARIADB = os.environ.get("SIMULACRA_TEST_MARIADB", "mysql://root@127.0.0.1/test")


def run_sql(url, *statements):
    """Run statements one by one, as they are, each committed at once; returns the last's rows."""
    database = database_of(url)
    if database.dialect.name == "duckdb":
        with connect_duckdb(database) as connection:
            for statement in statements:
                found = connection.execute(statement)
            return found.fetchall()
    if database.dialect.name == "sqlite":
        with closing(sqlite3.connect(database.url.database, isolation_level=None)) as connection:
            for statement in statements:
                found = connection.execute(statement).fetchall()
            return found
    made = engine(database)
    options = {"isolation_level": "AUTOCOMMIT", "no_parameters": True}
    with made.connect().execution_options(**options) as connection:
        for statement in statements:
            result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


@contextmanager
def fresh_database(server, clause=""):
    """Give the URL of a new database on a server."""
    name = f"simulacra_{secrets.token_hex(6)}"
    try:
        run_sql(server, f"CREATE DATABASE {name} {clause}")
    except (SQLAlchemyError, OSError) as error:
        why = f"no database server at {make_url(server).host}: {error}"
        pytest.fail(why) if os.environ.get("CI") == "true" else pytest.skip(why)
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        drop(server, name)


def drop(server, name):
    """Drop a database, whoever is still connected to it."""
    if server.startswith("postgres"):
        run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")
        return
    _disconnect(server, name)
    run_sql(server, f"DROP DATABASE {name}")


def empty(server, url):
    """Drop all tables of a database, whoever is still connected to it: quicker than a new one."""
    name = make_url(url).database
    if server.startswith("postgres"):
        others = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        run_sql(server, others)
        schemas = (
            "SELECT quote_ident(nspname) FROM pg_namespace "
            "WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
        )
        drops = [f"DROP SCHEMA {schema} CASCADE" for (schema,) in run_sql(url, schemas)]
        run_sql(url, *drops, "CREATE SCHEMA public")
        return
    _disconnect(server, name)
    tables = (
        "SELECT if(table_type = 'VIEW', 'VIEW', 'TABLE'), table_name "
        f"FROM information_schema.tables WHERE table_schema = '{name}'"
    )
    drops = [f"DROP {kind} `{t.replace('`', '``')}`" for kind, t in run_sql(server, tables)]
    run_sql(url, "SET foreign_key_checks = 0", *drops)


def cut_others(url):
    """Cut all connections to a database of a server but one's own."""
    if url.startswith("postgres"):
        run_sql(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        return
    others = (
        "SELECT id FROM information_schema.processlist "
        "WHERE db = database() AND id <> connection_id()"
    )
    for (number,) in run_sql(url, others):
        run_sql(url, f"KILL {number}")


def _disconnect(server, name):
    connected = f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
    for (number,) in run_sql(server, connected):
        with suppress(SQLAlchemyError):  # it has just gone by itself
            run_sql(server, f"KILL {number}")
