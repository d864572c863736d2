"""Databases to test with, each new; see ``tests/servers.py``."""

import pytest

from servers import MARIADB, POSTGRESQL, fresh_database, run_sql


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
def sqlite_url(tmp_path):
    """The URL of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path}/test.sqlite"


@pytest.fixture
def duckdb_url(tmp_path):
    """The URL of a DuckDB file that is not there yet."""
    return f"duckdb:///{tmp_path}/test.duckdb"


@pytest.fixture(params=["postgres", "mariadb", "sqlite", "duckdb"])
def any_url(request):
    """The URL of an empty database, of each kind in turn."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def execute():
    """A function that runs statements on a database: ``execute(url, "CREATE TABLE …", …)``."""
    return run_sql
