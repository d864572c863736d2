"""Columns of every Arrow type that a table may hold, of a few values and nulls."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core import registry
from simulacra.core.protocols import FittedRule
from simulacra.core.registry import Kind
from simulacra.core.schema import TableSpec

NUMBERS = (
    pa.int8(), pa.int16(), pa.int32(), pa.int64(),
    pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
    pa.float16(), pa.float32(), pa.float64(),
    pa.decimal32(6, 2), pa.decimal64(12, 2), pa.decimal128(20, 2), pa.decimal256(40, 2),
)  # fmt: skip
TIMES = (
    pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("us"),
    pa.timestamp("ns", "Europe/Berlin"), pa.time32("s"), pa.time64("us"), pa.duration("ms"),
)  # fmt: skip
TEXTS = (pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.binary(2))
CODED = (pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.int64()))
ALL = (*NUMBERS, *TIMES, *TEXTS, *CODED, pa.bool_())
_MS_A_DAY = 86_400_000


def column(kind: pa.DataType, values: Sequence[int | None]) -> pa.Array:
    """Return a column whose values stand for small whole numbers, and are in their order."""
    types = pa.types
    if types.is_dictionary(kind):
        return column(kind.value_type, values).dictionary_encode().cast(kind)
    if types.is_boolean(kind) or types.is_decimal(kind):
        make = bool if types.is_boolean(kind) else lambda v: Decimal(v) / 4
        return pa.array([None if v is None else make(v) for v in values], kind)
    if types.is_floating(kind):
        return pa.array(np.array([np.nan if v is None else v / 4 for v in values]).astype(
            kind.to_pandas_dtype()), kind, mask=np.array([v is None for v in values]))  # fmt: skip
    if types.is_integer(kind):
        return pa.array(values, kind)
    if types.is_temporal(kind):
        whole = pa.array(values, pa.int64())
        whole = pc.multiply(whole, _MS_A_DAY) if types.is_date64(kind) else whole
        return whole.cast(pa.int32() if kind.bit_width == 32 else pa.int64()).view(kind)
    texts = [None if v is None else f"v{v}" for v in values]
    is_text = types.is_string(kind) or types.is_large_string(kind)
    return pa.array(texts if is_text else [t and t.encode() for t in texts], kind)


def fitted(rule: str, rows: pa.Table, **options: object) -> FittedRule:
    """Return a rule learned from rows."""
    plugin = registry.load(Kind.RULE, rule)
    return plugin.fit(rows, plugin.config(**options), table=TableSpec(columns={}))


def batch_of(rows: pa.Table) -> pa.RecordBatch:
    """Return rows as one batch."""
    empty = pa.RecordBatch.from_pylist([], schema=rows.schema)
    return [*rows.combine_chunks().to_batches(), empty][0]


def broken(rule: FittedRule, batch: pa.RecordBatch) -> int:
    """Return how many rows break a rule."""
    return sum(rule.violations(batch).to_pylist())


def shuffled(batch: pa.RecordBatch, seed: int) -> pa.RecordBatch:
    """Return rows whose values come from different rows."""
    generator = np.random.default_rng(seed)
    orders = [pa.array(generator.permutation(batch.num_rows)) for _ in batch.columns]
    arrays = [values.take(order) for values, order in zip(batch.columns, orders, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)


def check_kept(rule: str, rows: pa.Table, **options: object) -> FittedRule:
    """Learn a rule that rows keep; they come back, and no values put together break it."""
    made, batch = fitted(rule, rows, **options), batch_of(rows)
    assert broken(made, batch) == 0
    encoded = made.encode(batch)
    back = made.decode(encoded).select(batch.schema.names)
    assert back.schema.types == batch.schema.types
    for name in batch.schema.names:
        assert back.column(name).equals(batch.column(name)), name
    for seed in range(3):
        drawn = made.decode(shuffled(encoded, seed)).select(batch.schema.names)
        assert drawn.schema.types == batch.schema.types
        assert broken(made, drawn) == 0
    assert made.decode(made.encode(batch.slice(0, 0))).num_rows == 0
    return made
