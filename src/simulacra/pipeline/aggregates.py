"""Aggregates over a stream of rows, computed by DuckDB within the memory allowed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.pipeline.flat_sources import FlatSource

if TYPE_CHECKING:
    import duckdb

_FIRST_ROWS = 5_000
_PLAIN_TYPES = (
    (pa.types.is_temporal, pa.int64()),
    (pa.types.is_float16, pa.float32()),
    (pa.types.is_null, pa.bool_()),
    (pa.types.is_fixed_size_binary, pa.binary()),
    (pa.types.is_binary_view, pa.binary()),
)


def aggregate(
    terms: Sequence[str], batches: Iterator[pa.RecordBatch], schema: pa.Schema, ctx: RunContext
) -> tuple[Any, ...]:
    """Compute aggregates over a stream whose columns are called c0, c1, … there.

    Numbered names need no quoting, and DuckDB takes "A" and "a" for one name.
    """
    connection = connect(ctx)
    try:
        with registered(connection, "source", batches, schema):
            # The terms are made of numbered names alone: there is nothing of the user's in them.
            query = f"SELECT {', '.join(terms)} FROM source"  # noqa: S608
            found: tuple[Any, ...] = connection.execute(query).fetchall()[0]
            return found
    finally:
        connection.close()


@contextmanager
def registered(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    batches: Iterator[pa.RecordBatch],
    schema: pa.Schema,
) -> Iterator[None]:
    """Let one query read a stream as a table whose columns are called c0, c1, … there.

    What goes wrong in the stream is raised as it is, not as DuckDB wraps it.
    """
    failure: list[BaseException] = []
    plain = pa.schema([(f"c{i}", queryable(kind)) for i, kind in enumerate(schema.types)])

    def renamed() -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                yield pa.RecordBatch.from_arrays(
                    [
                        as_queryable(column, kind)
                        for column, kind in zip(batch.columns, plain.types, strict=True)
                    ],
                    schema=plain,
                )
        except BaseException as error:
            failure.append(error)
            raise

    connection.register(name, pa.RecordBatchReader.from_batches(plain, renamed()))
    try:
        yield
    except Exception as error:
        if failure:
            raise failure[0] from error
        raise
    finally:
        connection.unregister(name)


def connect(ctx: RunContext, *, spill: str | None = None) -> duckdb.DuckDBPyConnection:
    """Open a database in memory, within the limits.

    Args:
        ctx: Limits.
        spill: The folder for what memory can't hold.
    """
    import duckdb

    place = {"temp_directory": spill} if spill is not None else {}
    return duckdb.connect(
        config={
            **place,
            "threads": str(ctx.limits.threads),
            "memory_limit": f"{ctx.limits.memory // 2}B",
            "preserve_insertion_order": "false",
        }
    )


def queryable(kind: pa.DataType) -> pa.DataType:
    """Return a type that DuckDB reads and in which equality and order are the same."""
    if pa.types.is_dictionary(kind):
        return queryable(kind.value_type)
    if pa.types.is_decimal(kind) and kind.bit_width != 128:
        return pa.string()
    return next((plain for belongs, plain in _PLAIN_TYPES if belongs(kind)), kind)


def as_queryable(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return values in the type that :func:`queryable` named."""
    if column.type == kind:
        return column
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_temporal(column.type) and column.type.bit_width == 32:
        column = column.cast(pa.int32())
    return column.cast(kind)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = queryable(column.type)
    return pa.chunked_array([as_queryable(chunk, kind) for chunk in column.chunks], kind)


def is_distinct(rows: pa.Table) -> bool:
    """Say whether no two rows without a null are equal."""
    whole = pa.table(
        [_plain(column) for column in rows.columns], names=rows.column_names
    ).drop_null()
    # Most that are not show it in a few rows; grouping all of them costs much more.
    return _all_differ(whole.slice(0, _FIRST_ROWS)) and _all_differ(whole)


def _all_differ(rows: pa.Table) -> bool:
    return bool(rows.group_by(rows.column_names).aggregate([]).num_rows == rows.num_rows)


def exact_distinct(
    flat: FlatSource, keys: Sequence[Sequence[str]], *, where: str, ctx: RunContext
) -> list[int]:
    """Count the distinct values of each key (of one column or more), reading the source once.

    Rows with a null in a key have no value of it.
    """
    return [distinct for _, distinct in key_counts(flat, keys, where=where, ctx=ctx)]


def key_counts(
    flat: FlatSource, keys: Sequence[Sequence[str]], *, where: str, ctx: RunContext
) -> list[tuple[int, int]]:
    """Count for each key the rows without a null in it, and its distinct values among them."""
    names = sorted({name for key in keys for name in key})
    places = {name: f"c{i}" for i, name in enumerate(names)}
    terms = []
    for key in keys:
        columns = [places[name] for name in key]
        filled = " AND ".join(f"{column} IS NOT NULL" for column in columns)
        value = f"({', '.join(columns)})"
        terms.append(f"count(*) FILTER (WHERE {filled})")
        terms.append(f"count(DISTINCT {value}) FILTER (WHERE {filled})")
    schema = pa.schema([flat.schema.field(name) for name in names])
    with ctx.progress.task(f"Looking for keys in {where}", flat.rows()) as task:

        def read() -> Iterator[pa.RecordBatch]:
            for batch in flat.batches(names):
                task.advance(batch.num_rows)
                yield batch

        row = aggregate(terms, read(), schema, ctx)
    counts = list(map(int, row))
    return list(zip(counts[::2], counts[1::2], strict=True))
