"""Connections to PostgreSQL: pg8000 for statements and COPY, ADBC for rows as Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pg8000.dbapi

from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.postgresql.login import conninfo, pg8000_arguments

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection


def connect(database: Database, *, read_only: bool = False) -> Any:
    """Return a pg8000 connection.

    Args:
        database: Where to.
        read_only: Makes no difference here.
    """
    del read_only
    return pg8000.dbapi.connect(**pg8000_arguments(database.url))


def connect_arrow(database: Database) -> Connection:
    """Return an ADBC connection; statements that begin and end transactions are the caller's."""
    from adbc_driver_postgresql import dbapi

    made: Connection = dbapi.connect(conninfo(database.url), autocommit=True)
    return made
