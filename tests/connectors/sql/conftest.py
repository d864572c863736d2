"""Databases to test with, each new; see ``tests/servers.py``."""

from contextlib import ExitStack

import pytest

import simulacra
from servers import MARIADB, POSTGRESQL, empty, fresh_database, run_sql
from simulacra.connectors.locate import declared_tables, open_source
from simulacra.core.batches import read_all


@pytest.fixture(scope="session")
def server_databases():
    """A function that gives an empty database: ``(server, number)``; made once, then emptied."""
    with ExitStack() as open_ones:
        made = {}

        def give(server, number):
            if (server, number) in made:
                empty(server, made[server, number])
            else:
                clause = "" if server == POSTGRESQL else "CHARACTER SET utf8mb4"
                database = fresh_database(server, clause)
                made[server, number] = open_ones.enter_context(database)
            return made[server, number]

        yield give


@pytest.fixture
def postgres_url(server_databases):
    """The URL of an empty PostgreSQL database."""
    return server_databases(POSTGRESQL, 1)


@pytest.fixture
def mariadb_url(server_databases):
    """The URL of an empty MariaDB database."""
    return server_databases(MARIADB, 1)


@pytest.fixture
def sqlite_url(tmp_path):
    """The URL of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path}/test.sqlite"


@pytest.fixture
def duckdb_url(tmp_path):
    """The URL of a DuckDB file that is not there yet."""
    return f"duckdb:///{tmp_path}/test.duckdb"


@pytest.fixture
def second_postgres_url(server_databases):
    """The URL of another empty PostgreSQL database."""
    return server_databases(POSTGRESQL, 2)


@pytest.fixture
def second_mariadb_url(server_databases):
    """The URL of another empty MariaDB database."""
    return server_databases(MARIADB, 2)


@pytest.fixture
def second_sqlite_url(tmp_path):
    """The URL of another SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path}/second.sqlite"


@pytest.fixture
def second_duckdb_url(tmp_path):
    """The URL of another DuckDB file that is not there yet."""
    return f"duckdb:///{tmp_path}/second.duckdb"


@pytest.fixture(params=["postgres", "mariadb", "sqlite", "duckdb"])
def any_url(request):
    """The URL of an empty database, of each kind in turn."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def execute():
    """A function that runs statements on a database: ``execute(url, "CREATE TABLE …", …)``."""
    return run_sql


@pytest.fixture
def declared(ctx):
    """A function that gives the origins of a database's tables: ``declared(url, views=True)``."""

    def of(url, **options):
        tables = declared_tables(url, options=options, ctx=ctx)
        return {name: table.origin for name, table in tables.items()}

    return of


@pytest.fixture
def rows(ctx):
    """A function that gives the rows of a database's tables, sorted: ``rows(url)``."""

    def of(url, **options):
        found = open_source(url, options=options, ctx=ctx)
        return {
            name: sorted(read_all(source).to_pylist(), key=lambda row: str(list(row.values())))
            for name, source in found.items()
        }

    return of


@pytest.fixture
def copy(ctx):
    """A function that copies a whole database: ``copy(source, target, if_exists="append")``."""

    def whole(source, target, *, options=None, include=(), exclude=(), **how):
        read = simulacra.source(source, include=include, exclude=exclude, **(options or {}))
        return simulacra.subset(read, scale=1.0, ctx=ctx).write(target, **how)

    return whole
