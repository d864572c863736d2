"""Re-iterable sources of record batches over data that is already at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa

from simulacra.core.errors import InputError
from simulacra.core.protocols import BLOCK_ROWS, BatchSource


class TableSource:
    """A table in memory.

    Args:
        table: The rows.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns."""
        return self._table.schema

    def rows(self) -> int:
        """Return the number of rows."""
        return int(self._table.num_rows)

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order."""
        table = self._table if columns is None else self._table.select(list(columns))
        yield from table.to_batches(max_chunksize=batch_rows)


class GeneratorSource:
    """Batches made anew by a function on every pass.

    Args:
        make: Called once a pass; returns batches (record batches, tables, or lists of dicts),
            the same every time.
        schema: The schema of the batches; taken from the first batch when None.
    """

    def __init__(
        self,
        make: Callable[[], Iterable[pa.RecordBatch | pa.Table | list[dict[str, object]]]],
        schema: pa.Schema | None = None,
    ) -> None:
        self._make = make
        self._schema = schema if schema is not None else self._first_schema()

    def _first_schema(self) -> pa.Schema:
        for item in self._make():
            return _as_table(item, None).schema
        raise InputError(
            "a generator of batches gave nothing", mend="Give a schema for a source without rows"
        )

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns."""
        return self._schema

    def rows(self) -> None:
        """Return None: a generator doesn't know."""
        return

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Start the generator over and yield its rows.

        Raises:
            InputError: The generator is one-shot, or a batch has another schema.
        """
        items = self._make()
        if items is self._make():
            raise InputError(
                "a one-shot iterator can't be read twice",
                mend="Give a function that returns a new iterator on every call",
            )
        for item in items:
            table = _as_table(item, self._schema)
            if columns is not None:
                table = table.select(list(columns))
            yield from table.to_batches(max_chunksize=batch_rows)


def _as_table(item: object, schema: pa.Schema | None) -> pa.Table:
    if isinstance(item, pa.RecordBatch):
        table = pa.Table.from_batches([item])
    elif isinstance(item, pa.Table):
        table = item
    elif isinstance(item, list):
        return pa.Table.from_pylist(item, schema=schema)
    else:
        raise InputError(
            f"a generator gave a {type(item).__name__}",
            mend="Yield pyarrow record batches, pyarrow tables or lists of dicts",
        )
    if schema is not None and not table.schema.equals(schema):
        raise InputError(
            "a batch has another schema than the first one", why=f"{table.schema} is not {schema}"
        )
    return table


def reader_of(source: BatchSource, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
    """Return the source as an Arrow stream, which DuckDB and others read."""
    schema = source.schema
    if columns is not None:
        schema = pa.schema([schema.field(name) for name in columns])
    return pa.RecordBatchReader.from_batches(schema, source.batches(columns))


def read_all(source: BatchSource) -> pa.Table:
    """Return the whole source as a table in memory."""
    return pa.Table.from_batches(source.batches(), schema=source.schema)


def check_names(schema: pa.Schema, where: str) -> None:
    """Refuse a schema in which two columns have one name.

    Raises:
        InputError: Names repeat.
    """
    seen: set[str] = set()
    for name in schema.names:
        if name in seen:
            raise InputError(
                "two columns have the same name", where=f"{where}.{name}", mend="Rename one of them"
            )
        seen.add(name)
