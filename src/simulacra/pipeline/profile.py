"""One pass over all rows: what every column looks like, and a uniform sample of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.protocols import BatchSource, ColumnProfile
from simulacra.core.random import RngKey
from simulacra.pipeline.aggregates import aggregate, exact_distinct, is_distinct
from simulacra.pipeline.flat_sources import FlatSource, ItemSource
from simulacra.pipeline.nesting import Layout
from simulacra.pipeline.subsample import UniformSampler

DETECTION_ROWS = 20_000
"""Rows a datatype looks at when it is asked whether a column is its own."""
_UNIQUE_NAMES_AT_MOST = 256
"""Longer strings are texts, never keys: whether they repeat is not worth a pass."""
_NEARLY_ALL = 0.9
_FEWEST_UNIQUE = 5
"""Fewer values differ by chance: that says nothing of those to come."""


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
        InputError: The source can't be read, has no columns, or two of one name.
    """
    check_names(source.schema, where)
    if not source.schema.names:
        raise InputError("there is no column", where=where, mend="Give at least one")
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
    row = aggregate(terms, batches, schema, ctx)
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
