"""What PostgreSQL says of rows that don't fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pg8000

from simulacra.connectors.sql.writing.store import Task, broken
from simulacra.connectors.sql.writing.tables import NewTable
from simulacra.core.errors import OutputError


@contextmanager
def explained(task: Task, table: NewTable | None, staging: str | None) -> Iterator[None]:
    """Name the constraint, or the column, that rows don't fit.

    Args:
        task: What is written.
        table: What is written to, None for all.
        staging: The schema in which tables are for the time being.
    """
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (DBAPIError, pg8000.Error) as error:
        found = explanation(error, task, table, staging)
        if found is None:
            raise
        raise found from None


def explanation(
    error: Exception, task: Task, table: NewTable | None, staging: str | None
) -> OutputError | None:
    """Return what an error means for users, None if nothing more is known of it."""
    fields = fields_of(error)
    kind = fields.get("C", "")[:2]
    why = task.database.scrubbed(". ".join(fields[k] for k in "MD" if k in fields))
    named = _named(fields, task, table, staging)
    if kind == "23":
        name = fields.get("n")
        columns = _columns_of(named, name) or ([fields["c"]] if "c" in fields else [])
        where = named.where(columns) if named is not None and columns else fields.get("t", "")
        return broken(name, where, why)
    if table is None or kind not in {"22", "42", "2B"}:
        return None
    column = re.search(r"column ([^:]+)(?:$|:)", fields.get("W", ""))
    where = table.where([column[1]]) if column is not None else table.name
    return OutputError("can't write to the table", where=where, why=why)


def _named(
    fields: dict[str, str], task: Task, table: NewTable | None, staging: str | None
) -> NewTable | None:
    """Return the table that an error names: that a row is missing in may be another."""
    found: Iterable[NewTable] = (
        other
        for other in task.tables.values()
        if other.place.table == fields.get("t") and fields.get("s") in {other.place.schema, staging}
    )
    return next(iter(found), table)


def _columns_of(table: NewTable | None, constraint: str | None) -> list[str]:
    if table is None or constraint is None:
        return []
    keys = (table.primary_key, *table.unique, *table.references, *table.indexes)
    return next(
        ([c for c in key.columns if c] for key in keys if key and key.name == constraint), []
    )


def fields_of(error: Exception) -> dict[str, str]:
    """Return the fields of PostgreSQL's message: C the code, M what, D more, n the constraint."""
    told = getattr(error, "orig", None) or error
    fields = told.args[0] if told.args else None
    return fields if isinstance(fields, dict) else {}
