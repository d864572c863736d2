"""The numbers of a table's rows that siblings may share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.pipeline.relations.columns import as_numbers
from simulacra.pipeline.relations.parent_view import is_telling

TAIL = 0.005
"""Numbers beyond this share on either side count as the number there."""
_MOST_CHANNELS = 16
_INDICATORS = 2
_KEPT_INDICATORS = 6
_MOST_VALUES = 30


@dataclass(frozen=True, slots=True)
class Channel:
    """A number a row that siblings may share.

    Attributes:
        column: The column it is read from.
        value: The number is 1 where the column equals this; None if it is the column's own.
        low: Smaller values count as this.
        high: Larger values count as this.
    """

    column: str
    value: Any
    low: float
    high: float

    def read(self, batch: pa.RecordBatch | pa.Table) -> NDArray[np.float64]:
        """Return the numbers of rows, NaN where there is none."""
        values = batch.column(self.column)
        if self.value is not None:
            values = pc.equal(values, pa.scalar(self.value, values.type))
        return np.clip(as_numbers(values), self.low, self.high)


def choose_channels(table: TableSpec, sample: pa.Table, kept: Collection[str]) -> list[Channel]:
    """Choose the numbers of a table's rows that siblings may share.

    A key to a kept table is as good as a category: a plane flies for one of the airlines.
    """
    keys = {*table.primary_key, *(c for key in table.foreign_keys for c in key.columns)}
    channels: list[Channel] = []
    for key in table.foreign_keys:
        if key.parent in kept and len(key.columns) == 1:
            (name,) = key.columns
            channels += _indicators(name, sample.column(name).drop_null(), _KEPT_INDICATORS)
    for name, column in table.columns.items():
        if name in keys or column.unique or not is_telling(column):
            continue
        channels += _of_column(name, column, sample.column(name))
    return channels[:_MOST_CHANNELS]


def _of_column(name: str, column: ColumnSpec, values: pa.ChunkedArray) -> list[Channel]:
    kind = column.arrow_type()
    known = values.drop_null()
    if not len(known):
        return []
    measures = (
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_temporal,
        pa.types.is_boolean,
    )
    if any(belongs(kind) for belongs in measures):
        numbers = as_numbers(known)
        numbers = numbers[np.isfinite(numbers)]
        if not len(numbers) or numbers.min() == numbers.max():
            return []
        low, high = np.quantile(numbers, [TAIL, 1 - TAIL])
        if low == high:
            low, high = numbers.min(), numbers.max()
        return [Channel(name, None, float(low), float(high))]
    return _indicators(name, known, _INDICATORS) if _is_few(known) else []


def _is_few(values: pa.ChunkedArray) -> bool:
    return 1 < len(pc.unique(values)) <= _MOST_VALUES


def _indicators(name: str, values: pa.ChunkedArray, most: int) -> list[Channel]:
    """Return whether a row has each of the most frequent values of a column."""
    counts = pc.value_counts(values.combine_chunks())
    order = np.argsort(-counts.field(1).to_numpy(), kind="stable")[:most]
    return [Channel(name, counts.field(0)[int(place)].as_py(), 0.0, 1.0) for place in order]
