"""Connections: SQLAlchemy's for schemas; the drivers' own are in each database's ``connection``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from simulacra.connectors.sql.dialects import PACKAGES, Dialect
from simulacra.connectors.sql.place import INSTALL, Database
from simulacra.core.errors import PluginError

if TYPE_CHECKING:
    from sqlalchemy import Engine


def require(dialect: Dialect) -> None:
    """Refuse a dialect whose drivers are not installed.

    Raises:
        PluginError: They are not.
    """
    missing = [module for module in dialect.needs if find_spec(module) is None]
    if missing:
        raise PluginError(f"{dialect.title} needs {' and '.join(missing)}", mend=INSTALL)


def engine(database: Database, *, read_only: bool = False) -> Engine:
    """Return a SQLAlchemy engine without a pool: a connection closed is closed.

    Each begins its transactions itself (``with engine.begin()``), DDL included where the database
    can roll it back.

    Args:
        database: Not SQLite nor DuckDB, for which SQLAlchemy is not used.
        read_only: Whether a file must be there and is not to be changed.

    Raises:
        PluginError: A driver is not installed.
    """
    require(database.dialect)
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    dialect = database.dialect
    if dialect.driver is None:
        return _by_url(database)
    connect = dialect.part("connection").connect
    return create_engine(
        f"{dialect.driver}://",
        creator=lambda: connect(database, read_only=read_only),
        poolclass=NullPool,
    )


def _by_url(database: Database) -> Engine:
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
