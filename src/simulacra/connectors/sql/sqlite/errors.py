"""What SQLite says of rows that don't fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import adbc_driver_manager

from simulacra.connectors.sql.writing.store import Task, broken
from simulacra.connectors.sql.writing.tables import NewTable


@contextmanager
def explained(task: Task, table: NewTable | None) -> Iterator[None]:
    """Name the constraint that rows don't keep."""
    try:
        yield
    except adbc_driver_manager.Error as error:
        why = task.database.scrubbed(error)
        found = re.search(r"(\w[\w ]*) constraint failed(?:: (.*))?$", str(error))
        if table is None or found is None:
            raise
        name, columns = _constraint_in(found[1], found[2] or "", table)
        raise broken(name, table.where(columns) if columns else table.name, why) from None


def _constraint_in(kind: str, told: str, table: NewTable) -> tuple[str | None, list[str]]:
    """Return the constraint that a message names, and its columns."""
    if kind.endswith("CHECK"):
        return told or None, []
    for key in (table.primary_key, *table.unique):
        if key is not None and told == _listed(table, key.columns):
            return key.name, list(key.columns)
    return None, [name for name in table.columns if told == _listed(table, (name,))]


def _listed(table: NewTable, columns: Sequence[str]) -> str:
    return ", ".join(f"{table.place.table}.{column}" for column in columns)
