"""What each kind of database offers to those who fill its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.writing.tables import Location, NewTable
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be written.

    Attributes:
        database: Where to.
        tables: The tables by name, those that are there among them.
        replaced: The tables that are there and make room for new ones, children first.
        ctx: Limits and progress.
    """

    database: Database
    tables: Mapping[str, NewTable]
    replaced: tuple[Location, ...]
    ctx: RunContext

    def note(self, message: str) -> None:
        """Tell what the user should know."""
        self.ctx.progress.note(message)

    def new(self) -> list[NewTable]:
        """Return the tables that are to be made."""
        return [table for table in self.tables.values() if not table.exists]

    def filled(self) -> list[NewTable]:
        """Return the tables that are there and only filled."""
        return [table for table in self.tables.values() if table.exists]


class Notes:
    """Tells of what becomes of values, once a column.

    Args:
        task: What is written.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._told: set[str] = set()

    def nan(self, values: pa.Array, where: str) -> None:
        """Tell that what is no number becomes null, if there is such among some values."""
        if where not in self._told and pc.any(pc.is_nan(values)).as_py():
            self._told.add(where)
            title = self._task.database.dialect.title
            self._task.note(f"{where}: NaN becomes null, {title} doesn't know it")


class Store(Protocol):
    """A connection that writes tables, all or none of them.

    The calls come in the order of the methods; ``abandon`` in place of what is left of them.
    Whatever a driver raises comes as it is.
    """

    def prepare(self) -> None:
        """Make what rows can be put in, seen by no one else."""
        ...

    def load(self, table: NewTable, rows: pa.RecordBatch) -> None:
        """Put rows into a table; it has some of the table's columns, not those computed."""
        ...

    def finish(self) -> None:
        """Add keys and constraints, check them, and make all tables visible."""
        ...

    def abandon(self) -> None:
        """Leave the database as it was."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def broken(constraint: str | None, where: str, why: str) -> OutputError:
    """Return the error that rows don't keep a constraint.

    Args:
        constraint: Its name, if known.
        where: ``table.columns``.
        why: What the database says, without secrets.
    """
    what = f"the constraint {constraint}" if constraint else "a constraint"
    return OutputError(
        f"the rows don't keep {what}",
        where=where,
        why=why,
        mend="Nothing was written",
    )
