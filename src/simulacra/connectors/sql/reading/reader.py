"""What every way of reading has in common: columns planned, one snapshot, batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.reading.conversions import Convert, to_type


@dataclass(frozen=True, slots=True)
class ReadColumn:
    """One column, and how it is read.

    Attributes:
        name: Its name.
        sql: What is selected for it.
        type: The Arrow type it becomes.
        convert: Makes an array of that type of what the driver gives; takes a function that notes
            what had to change.
        storage: What the driver gives, where it has to be told.
    """

    name: str
    sql: str
    type: pa.DataType
    convert: Convert
    storage: str = ""


class Reader(Protocol):
    """Reads tables in one snapshot of a database, from any thread, again and again."""

    def columns(self, origin: Origin, name: str) -> list[ReadColumn]:
        """Plan how a table is read, which may take a look at its rows.

        Args:
            origin: The table.
            name: What it is called in messages.
        """
        ...

    def rows(self, origin: Origin) -> int:
        """Count the rows of a table."""
        ...

    def batches(
        self, origin: Origin, columns: Sequence[ReadColumn], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Start over and yield the columns as the driver gives them, always in the same order.

        Batches may have more than ``batch_rows`` rows where the driver chooses.
        """
        ...


def plain(name: str, sql: str, kind: pa.DataType) -> ReadColumn:
    """Return a column that is cast to its type, if it isn't of it already."""
    return ReadColumn(name, sql, kind, to_type(kind))


def table_of(origin: Origin, quoted: Callable[..., str]) -> str:
    """Return a table's name for use in a statement."""
    return quoted(origin["schema"], origin["table"])


def digits_of(generic: dict[str, Any]) -> tuple[int, int] | None:
    """Return precision and scale of a decimal type that Arrow can hold, else None."""
    precision, scale = generic.get("precision"), generic.get("scale")
    if precision is None or scale is None or not 0 <= scale <= precision <= 76:
        return None
    return precision, scale


def decimal(precision: int, scale: int) -> pa.DataType:
    """Return the narrower of Arrow's two usual decimal types that has room."""
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def integer(generic: dict[str, Any]) -> pa.DataType:
    """Return the Arrow type of an integer type."""
    if generic["bits"] > 64:
        return pa.decimal128(38, 0)
    return getattr(pa, f"{'u' if generic.get('unsigned') else ''}int{generic['bits']}")()
