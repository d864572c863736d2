"""Contracts of data in and out: tables to read, tables to write, connectors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

import pyarrow as pa

if TYPE_CHECKING:
    from simulacra.core.context import RunContext


BLOCK_ROWS = 65_536
"""Rows in one block: the unit of drawing, with its own key; part of the format of a result."""


@runtime_checkable
class BatchSource(Protocol):
    """A table that can be read again and again, a batch at a time."""

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns, in order."""
        ...

    def rows(self) -> int | None:
        """Return the number of rows when it is known without reading, else None."""
        ...

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Start over and yield the rows in order.

        Args:
            columns: The columns wanted, in the order wanted; all when None.
            batch_rows: The most rows in one batch.

        Raises:
            InputError: The data can't be read; says where.
        """
        ...


class TableWriter(Protocol):
    """Takes batches and makes a table visible only when it is whole.

    A context manager: leaving it after an exception drops everything written.
    """

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows; ``batch.schema`` is the schema the writer was opened with."""
        ...

    def __enter__(self) -> Self:
        """Open the output."""
        ...

    def __exit__(self, *exc_info: object) -> None:
        """Publish the output, or drop it after an exception."""
        ...


class Connector(Protocol):
    """Reads and writes tables in one kind of place.

    Two methods more are optional. A target of several tables offers ``publish(uri, tables, spec,
    options, ctx)``: a context manager that gives a writer for each table (``tables`` holds their
    schemas, ``spec`` their keys, or is None) and publishes all together. A store that knows keys
    offers ``declared(uri, options, ctx)``: a :class:`~simulacra.core.declared.DeclaredTable` for
    each table that ``read`` gives.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    """File endings it claims, as ``(".csv", ".csv.gz")``; empty if none."""
    schemes: ClassVar[tuple[str, ...]]
    """URL schemes it claims, as ``("postgresql",)``; empty if none."""

    def read(
        self, uri: str, options: Mapping[str, Any], ctx: RunContext
    ) -> Mapping[str, BatchSource]:
        """Open every table at ``uri``; nothing but schemas need be read yet.

        Raises:
            InputError: There is nothing there, or it can't be read.
        """
        ...

    def writer(
        self, uri: str, table: str, schema: pa.Schema, options: Mapping[str, Any], ctx: RunContext
    ) -> TableWriter:
        """Return a writer of one table to ``uri``.

        Raises:
            OutputError: The place can't be written, or a type can't be kept there.
        """
        ...
