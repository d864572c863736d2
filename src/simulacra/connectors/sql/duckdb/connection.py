"""Connections to DuckDB."""

from __future__ import annotations

import duckdb

from simulacra.connectors.sql.place import Database


def connect(database: Database, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a connection; more to the same file come from its ``cursor()``.

    Args:
        database: The file.
        read_only: Whether it must be there and is not to be changed.
    """
    return duckdb.connect(str(database.path), read_only=read_only)
