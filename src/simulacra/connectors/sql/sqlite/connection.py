"""Connections to SQLite, by ADBC."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from simulacra.connectors.sql.place import Database

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection


def connect(database: Database, *, read_only: bool = False) -> Connection:
    """Return a connection; statements that begin and end transactions are the caller's.

    Args:
        database: The file.
        read_only: Whether it must be there and is not to be changed.
    """
    from adbc_driver_sqlite import dbapi

    mode = "ro" if read_only else "rwc"
    file = f"file:{quote(str(database.path.absolute()))}?mode={mode}"
    return dbapi.connect(file, autocommit=True)
