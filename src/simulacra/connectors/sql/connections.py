"""Connections: SQLAlchemy's for schemas, the drivers' own for rows in bulk."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from simulacra.connectors.sql.dialects import MYSQL, PACKAGES, POSTGRESQL, SQLITE, Dialect
from simulacra.connectors.sql.logins import conninfo, pg8000_arguments
from simulacra.connectors.sql.place import INSTALL, Database
from simulacra.core.errors import PluginError

if TYPE_CHECKING:
    import duckdb
    from adbc_driver_manager.dbapi import Connection as AdbcConnection
    from sqlalchemy import Engine


def engine(database: Database, *, read_only: bool = False) -> Engine:
    """Return a SQLAlchemy engine without a pool: a connection closed is closed.

    Each begins its transactions itself (``with engine.begin()``), DDL included where the database
    can roll it back.

    Args:
        database: Not DuckDB, which has :func:`duckdb_connection`.
        read_only: Whether a file must be there and is not to be changed.

    Raises:
        PluginError: A driver is not installed.
    """
    require(database.dialect)
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    maker = _MAKERS.get(database.dialect.name)
    if maker is None:
        return _generic(database)
    made = create_engine(
        f"{database.dialect.driver}://",
        creator=lambda: maker(database, read_only),
        poolclass=NullPool,
    )
    if begin := database.dialect.begin:
        event.listen(made, "begin", lambda connection: connection.exec_driver_sql(begin))
    return made


def require(dialect: Dialect) -> None:
    """Refuse a dialect whose drivers are not installed.

    Raises:
        PluginError: They are not.
    """
    missing = [module for module in dialect.needs if find_spec(module) is None]
    if missing:
        raise PluginError(f"{dialect.title} needs {' and '.join(missing)}", mend=INSTALL)


def _generic(database: Database) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError
    from sqlalchemy.pool import NullPool

    scheme = database.url.drivername
    try:
        return create_engine(database.url, poolclass=NullPool)
    except (NoSuchModuleError, ImportError) as error:
        package = PACKAGES.get(scheme.partition("+")[0], f"the SQLAlchemy dialect of {scheme}")
        raise PluginError(
            f"{scheme} needs a driver",
            where=database.safe,
            why=database.scrubbed(error),
            mend=f"pip install {package}",
        ) from None


def _postgresql(database: Database, read_only: bool) -> Any:  # noqa: FBT001 - one of _MAKERS
    import pg8000.dbapi

    del read_only
    return pg8000.dbapi.connect(**pg8000_arguments(database.url))


def _mysql(database: Database, read_only: bool) -> Any:  # noqa: FBT001 - one of _MAKERS
    del read_only
    return mysql_connection(database)


def _sqlite(database: Database, read_only: bool) -> sqlite3.Connection:  # noqa: FBT001 - as above
    connection = sqlite3.connect(
        sqlite_uri(database, read_only=read_only),
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


_MAKERS = {POSTGRESQL.name: _postgresql, MYSQL.name: _mysql, SQLITE.name: _sqlite}


def sqlite_uri(database: Database, *, read_only: bool) -> str:
    """Return the file as SQLite's own URI."""
    return f"file:{quote(str(database.path.absolute()))}?mode={'ro' if read_only else 'rwc'}"


def mysql_connection(database: Database, **arguments: Any) -> Any:
    """Return a pymysql connection in UTC and UTF-8 to MySQL or MariaDB.

    Args:
        database: Where to.
        arguments: More arguments of ``pymysql.connect``.
    """
    require(database.dialect)
    import pymysql

    return pymysql.connect(**{**mysql_arguments(database), **arguments})


def mysql_arguments(database: Database) -> Mapping[str, Any]:
    """Return what ``pymysql.connect`` takes; ``~/.my.cnf`` gives what the URL leaves out."""
    from sqlalchemy.dialects.mysql.pymysql import dialect

    _, arguments = dialect().create_connect_args(database.url)
    file = Path("~/.my.cnf").expanduser()
    if not database.url.password and file.is_file():
        arguments["read_default_file"] = str(file)
    return {**arguments, "charset": "utf8mb4", "init_command": "SET time_zone = '+00:00'"}


def adbc_connection(database: Database, *, read_only: bool = False) -> AdbcConnection:
    """Return an ADBC connection to PostgreSQL or SQLite, in autocommit mode.

    Statements that begin and end transactions are the caller's own.

    Raises:
        PluginError: The driver is not installed.
    """
    require(database.dialect)
    connection: AdbcConnection = _ADBC[database.dialect.name](database, read_only)
    return connection


def _adbc_postgresql(database: Database, read_only: bool) -> Any:  # noqa: FBT001 - one of _ADBC
    from adbc_driver_postgresql import dbapi

    del read_only
    return dbapi.connect(conninfo(database.url), autocommit=True)


def _adbc_sqlite(database: Database, read_only: bool) -> Any:  # noqa: FBT001 - one of _ADBC
    from adbc_driver_sqlite import dbapi

    return dbapi.connect(sqlite_uri(database, read_only=read_only), autocommit=True)


_ADBC = {POSTGRESQL.name: _adbc_postgresql, SQLITE.name: _adbc_sqlite}


def duckdb_connection(database: Database, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection; more to the same file come from its ``cursor()``."""
    import duckdb

    return duckdb.connect(str(database.path), read_only=read_only)
