"""What MySQL and MariaDB say of rows that don't fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql

from simulacra.connectors.sql.writing.store import Task, broken
from simulacra.connectors.sql.writing.tables import Index, Key, NewTable, Reference
from simulacra.core.errors import OutputError

_BROKEN = {1062, 1452, 1048, 3819, 4025, 1216, 1586}
"""Errors that say that rows don't keep a constraint."""


@contextmanager
def explained(task: Task, table: NewTable | None) -> Iterator[None]:
    """Name the constraint, or the column, that rows don't fit."""
    try:
        yield
    except pymysql.Error as error:
        if table is None or len(error.args) != 2:
            raise
        raise explanation(task, int(error.args[0]), str(error.args[1]), table) from None


def explanation(task: Task, code: int, message: str, table: NewTable) -> OutputError:
    """Return what an error of the server means for a table.

    Args:
        task: What is written.
        code: The server's number of the error.
        message: Its words.
        table: What was written to.
    """
    # Until the end a table has another name.
    message = re.sub(r"_simulacra_[0-9a-f]{8}_\d+", lambda _: table.name, message)
    why = task.database.scrubbed(message)
    if code in _BROKEN:
        name, columns = _constraint_in(message, table)
        return broken(name, table.where(columns) if columns else table.name, why)
    column = re.search(r"column '?(?:`[^`]+`\.)*[`']?([^`']+)[`']", message)
    where = table.where([column[1]]) if column is not None else table.name
    return OutputError("can't write to the table", where=where, why=why)


def _constraint_in(message: str, table: NewTable) -> tuple[str | None, list[str]]:
    """Return the constraint that a message names, and its columns."""
    if column := re.search(r"[Cc]olumn '([^']+)' cannot be null", message):
        return None, [column[1]]
    found = re.search(r"CONSTRAINT `((?:[^`]|``)+)`|for key '([^']+)'", message)
    if found is None:
        return None, []
    name = (found[1] or found[2]).replace("``", "`").rpartition(".")[2]
    if name == "PRIMARY" and table.primary_key is not None:
        return "PRIMARY", list(table.primary_key.columns)
    keys: tuple[Key | Reference | Index, ...]
    keys = (*table.unique, *table.references, *table.indexes)
    for key in keys:
        if key.name == name:
            return name, [column for column in key.columns if column is not None]
    return name, []
