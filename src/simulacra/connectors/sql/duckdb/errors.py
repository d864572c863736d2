"""What DuckDB says of rows that don't fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from simulacra.connectors.sql.writing.store import Task, broken
from simulacra.connectors.sql.writing.tables import NewTable
from simulacra.core.errors import OutputError


@contextmanager
def explained(task: Task, table: NewTable | None) -> Iterator[None]:
    """Name the constraint, or the column, that rows don't fit."""
    try:
        yield
    except duckdb.ConstraintException as error:
        if table is None:
            raise
        name, columns = _constraint_in(str(error), table)
        where = table.where(columns) if columns else table.name
        raise broken(name, where, task.database.scrubbed(error)) from None
    except duckdb.ConversionException as error:
        where = table.name if table is not None else task.database.safe
        why = task.database.scrubbed(error)
        raise OutputError("can't write to the table", where=where, why=why) from None


def _constraint_in(message: str, table: NewTable) -> tuple[str | None, list[str]]:
    """Return the constraint that a message names, and its columns."""
    if null := re.search(r"NOT NULL constraint failed: (.+)$", message):
        return None, [c for c in table.columns if null[1].endswith(f".{c}")]
    if twice := re.search(r'[Dd]uplicate key "(.*)"', message, re.DOTALL):
        keys = [key for key in (table.primary_key, *table.unique) if key is not None]
        named = [key for key in keys if all(f"{column}: " in twice[1] for column in key.columns)]
        # Some versions tell the values alone.
        for key in named or (keys if len(keys) == 1 else []):
            return key.name, list(key.columns)
    if check := re.search(r"with expression (.*)$", message):
        return check[1], []
    return None, []
