"""One pass over all rows: what every column looks like, and a uniform sample of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.protocols import BLOCK_ROWS, BatchSource, ColumnProfile
from simulacra.core.random import RngKey
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.subsample import UniformSampler

if TYPE_CHECKING:
    import duckdb

DETECTION_ROWS = 20_000
"""Rows a datatype looks at when it is asked whether a column is its own."""
_UNIQUE_NAMES_AT_MOST = 256
"""Longer strings are texts, never keys: whether they repeat is not worth a pass."""
_NEARLY_ALL = 0.9
_FEWEST_UNIQUE = 5
"""Fewer values differ by chance: that says nothing of those to come."""
_PLAIN_TYPES = (
    (pa.types.is_temporal, pa.int64()),
    (pa.types.is_float16, pa.float32()),
    (pa.types.is_null, pa.bool_()),
    (pa.types.is_fixed_size_binary, pa.binary()),
    (pa.types.is_binary_view, pa.binary()),
)


@dataclass(frozen=True, slots=True)
class TableProfile:
    """What one pass told about a table.

    Attributes:
        layout: How its nested columns lie flat.
        rows: The number of rows.
        columns: The profile of each flat column, by its name.
        items: The profiles of the lists' items, by the list's name.
        sample: Rows drawn uniformly, in order, as found.
    """

    layout: Layout
    rows: int
    columns: dict[str, ColumnProfile]
    items: dict[str, TableProfile]
    sample: pa.Table


class FlatSource:
    """The flat columns of a source.

    Args:
        source: The rows, nested or not.
        layout: How they lie flat.
    """

    def __init__(self, source: BatchSource, layout: Layout) -> None:
        self._source = source
        self._layout = layout
        self.schema: pa.Schema = layout.split(_no_rows(source.schema))[0].schema

    def rows(self) -> int | None:
        """Return the number of rows, if known."""
        return self._source.rows()

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield flat batches in order."""
        if self._layout.is_flat:
            yield from self._source.batches(columns, batch_rows=batch_rows)
            return
        for batch in self._source.batches(batch_rows=batch_rows):
            rows = self._layout.split(batch)[0]
            yield rows if columns is None else rows.select(list(columns))


class ItemSource:
    """The items of one list column, as found.

    Args:
        source: The rows that have the list.
        layout: How they lie flat.
        name: The list's flat name.
    """

    def __init__(self, source: BatchSource, layout: Layout, name: str) -> None:
        self._source = source
        self._layout = layout
        self._name = name
        self.schema: pa.Schema = layout.split(_no_rows(source.schema))[1][name].schema

    def rows(self) -> None:
        """Return None: lists aren't counted ahead."""
        return

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield batches of items in order."""
        for batch in self._source.batches(batch_rows=batch_rows):
            items = self._layout.split(batch)[1][self._name]
            yield items if columns is None else items.select(list(columns))


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)


def profile_table(
    source: BatchSource,
    *,
    where: str,
    sample_rows: int,
    rng: RngKey,
    ctx: RunContext,
    keys: bool = True,
) -> TableProfile:
    """Read a table once and say what is in it.

    Columns that may be unique are read a second time, unless the sample holds every row.

    Args:
        source: The table.
        where: Its name, for messages.
        sample_rows: How many rows to keep.
        rng: Decides which rows are kept.
        ctx: Limits and progress.
        keys: Whether to find out which columns are unique; the items of lists have no keys.

    Raises:
        InputError: The source can't be read.
    """
    check_names(source.schema, where)
    layout = Layout.of(source.schema)
    flat = FlatSource(source, layout)
    sampler = UniformSampler(source.schema, sample_rows, rng, expected_rows=source.rows())
    with ctx.progress.task(f"Reading {where}", source.rows()) as task:

        def read() -> Iterator[pa.RecordBatch]:
            for batch in source.batches():
                sampler.update(batch)
                task.advance(batch.num_rows)
                yield layout.flatten(batch).batch

        facts = _aggregate(read(), flat.schema, ctx)
    sample = sampler.finish()
    flat_sample = _flat_table(sample, layout, flat.schema)
    unique = set()
    if keys:
        unique = _unique_columns(flat, flat_sample, facts, where=where, ctx=ctx)
    columns = {
        name: _column_profile(name, flat_sample.column(name), facts, unique)
        for name in flat.schema.names
    }
    items = {
        name: profile_table(
            ItemSource(source, layout, name),
            where=f"{where}.{name}[]",
            sample_rows=sample_rows,
            rng=rng.child("items", name),
            ctx=ctx,
            keys=False,
        )
        for name in layout.items
    }
    return TableProfile(layout, facts.rows, columns, items, sample)


@dataclass(frozen=True, slots=True)
class _Facts:
    rows: int
    nulls: dict[str, int]
    distinct: dict[str, int]
    least: dict[str, Any]
    greatest: dict[str, Any]


def _aggregate(batches: Iterator[pa.RecordBatch], schema: pa.Schema, ctx: RunContext) -> _Facts:
    names = schema.names
    terms = ["count(*)"]
    for i in range(len(names)):
        terms += [f"count(c{i})", f"approx_count_distinct(c{i})", f"min(c{i})", f"max(c{i})"]
    row = _query(terms, batches, schema, ctx)
    rows = int(row[0])
    counts, distinct, least, greatest = (row[k::4] for k in range(1, 5))
    return _Facts(
        rows,
        {name: rows - int(count) for name, count in zip(names, counts, strict=True)},
        {
            name: min(int(about), int(count))
            for name, about, count in zip(names, distinct, counts, strict=True)
        },
        dict(zip(names, least, strict=True)),
        dict(zip(names, greatest, strict=True)),
    )


def _query(
    terms: Sequence[str], batches: Iterator[pa.RecordBatch], schema: pa.Schema, ctx: RunContext
) -> tuple[Any, ...]:
    """Compute aggregates over a stream whose columns are called c0, c1, … there.

    Numbered names need no quoting, and DuckDB takes "A" and "a" for one name.
    """
    failure: list[BaseException] = []
    plain = pa.schema([(f"c{i}", _queryable(kind)) for i, kind in enumerate(schema.types)])

    def renamed() -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                yield pa.RecordBatch.from_arrays(
                    [
                        _as_queryable(column, kind)
                        for column, kind in zip(batch.columns, plain.types, strict=True)
                    ],
                    schema=plain,
                )
        except BaseException as error:
            failure.append(error)
            raise

    connection = _connect(ctx)
    try:
        source = pa.RecordBatchReader.from_batches(plain, renamed())
        connection.register("source", source)
        # The terms are made of numbered names alone: there is nothing of the user's in them.
        query = f"SELECT {', '.join(terms)} FROM source"  # noqa: S608
        found: tuple[Any, ...] = connection.execute(query).fetchall()[0]
    except Exception as error:
        if failure:
            raise failure[0] from error
        raise
    else:
        return found
    finally:
        connection.close()


def _connect(ctx: RunContext) -> duckdb.DuckDBPyConnection:
    import duckdb

    return duckdb.connect(
        config={
            "threads": str(ctx.limits.threads),
            "memory_limit": f"{ctx.limits.memory // 2}B",
            "preserve_insertion_order": "false",
        }
    )


def _queryable(kind: pa.DataType) -> pa.DataType:
    """Return a type that DuckDB reads and in which equality and order are the same."""
    if pa.types.is_dictionary(kind):
        return _queryable(kind.value_type)
    if pa.types.is_decimal(kind) and kind.bit_width != 128:
        return pa.string()
    return next((plain for belongs, plain in _PLAIN_TYPES if belongs(kind)), kind)


def _as_queryable(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_temporal(column.type) and column.type.bit_width == 32:
        column = column.cast(pa.int32())
    return column.cast(kind)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = _queryable(column.type)
    return pa.chunked_array([_as_queryable(chunk, kind) for chunk in column.chunks], kind)


def _flat_table(sample: pa.Table, layout: Layout, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches([layout.flatten(b).batch for b in sample.to_batches()], schema)


def _unique_columns(
    flat: FlatSource, sample: pa.Table, facts: _Facts, *, where: str, ctx: RunContext
) -> set[str]:
    whole = sample.num_rows == facts.rows
    candidates = [
        name
        for name in flat.schema.names
        if facts.rows - facts.nulls[name] >= _FEWEST_UNIQUE
        and facts.distinct[name] >= _NEARLY_ALL * (facts.rows - facts.nulls[name])
        and _may_be_key(sample.column(name))
        and is_distinct(sample.select([name]))
    ]
    if whole or not candidates:
        return set(candidates)
    counts = exact_distinct(flat, [[name] for name in candidates], where=where, ctx=ctx)
    return {
        name
        for name, count in zip(candidates, counts, strict=True)
        if count == facts.rows - facts.nulls[name]
    }


def _may_be_key(values: pa.ChunkedArray) -> bool:
    if pa.types.is_floating(values.type) or pa.types.is_boolean(values.type):
        return False
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        longest = pc.max(pc.binary_length(values)).as_py()
        return longest is None or longest <= _UNIQUE_NAMES_AT_MOST
    return True


def is_distinct(rows: pa.Table) -> bool:
    """Say whether no two rows without a null are equal."""
    whole = pa.table(
        [_plain(column) for column in rows.columns], names=rows.column_names
    ).drop_null()
    return bool(whole.group_by(whole.column_names).aggregate([]).num_rows == whole.num_rows)


def exact_distinct(
    flat: FlatSource, keys: Sequence[Sequence[str]], *, where: str, ctx: RunContext
) -> list[int]:
    """Count the distinct values of each key (of one column or more), reading the source once."""
    names = sorted({name for key in keys for name in key})
    places = {name: f"c{i}" for i, name in enumerate(names)}
    terms = [f"count(DISTINCT ({', '.join(places[name] for name in key)}))" for key in keys]
    schema = pa.schema([flat.schema.field(name) for name in names])
    with ctx.progress.task(f"Looking for keys in {where}", flat.rows()) as task:

        def read() -> Iterator[pa.RecordBatch]:
            for batch in flat.batches(names):
                task.advance(batch.num_rows)
                yield batch

        row = _query(terms, read(), schema, ctx)
    return [int(count) for count in row]


def _column_profile(
    name: str, sample: pa.ChunkedArray, facts: _Facts, unique: set[str]
) -> ColumnProfile:
    kind = sample.type
    ordered = not (pa.types.is_temporal(kind) or pa.types.is_dictionary(kind))
    values = sample.drop_null()
    # The sample is in row order: its head would show one end of a sorted table.
    spread = np.linspace(0, max(len(values) - 1, 0), min(len(values), DETECTION_ROWS))
    few = values.take(pa.array(spread.astype(np.int64))).combine_chunks()
    return ColumnProfile(
        name=name,
        type=kind,
        rows=facts.rows,
        nulls=facts.nulls[name],
        distinct=facts.distinct[name],
        unique=name in unique,
        minimum=facts.least[name] if ordered else None,
        maximum=facts.greatest[name] if ordered else None,
        sample=few,
    )
