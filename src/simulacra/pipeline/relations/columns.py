"""Columns as whole arrays in memory: joined, read by row number, as numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.features import Codes
from simulacra.pipeline.relations.parent_rows import Rows

_MOST_BYTES = 2**31


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, of its own type unless that can't hold so many bytes."""
    kind = column.type
    if pa.types.is_string(kind):
        column = column.cast(pa.large_string())
    whole = column.combine_chunks()
    return whole.cast(kind) if whole.nbytes < _MOST_BYTES else whole


def one_large_array(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, texts and bytes in a layout without a limit of 2 GiB."""
    if pa.types.is_string(column.type):
        column = column.cast(pa.large_string())
    elif pa.types.is_binary(column.type):
        column = column.cast(pa.large_binary())
    return column.combine_chunks()


def one_batch(table: pa.Table) -> pa.RecordBatch:
    """Return a table as one batch."""
    return pa.RecordBatch.from_arrays(
        [one_array(column) for column in table.columns], schema=table.schema
    )


def take_codes(codes: Codes, rows: Rows, absent: int) -> Codes:
    """Return the codes of some rows, ``absent`` where a row number is negative."""
    if not len(codes):
        return np.full(len(rows), absent, np.uint32)
    taken = codes[np.maximum(rows, 0)].astype(np.uint32)
    taken[rows < 0] = absent
    return taken


def take_values(values: pa.Array, rows: Rows) -> pa.Array:
    """Return the values of some rows, null where a row number is negative."""
    negative = rows < 0
    if not negative.any():
        return values.take(pa.array(rows))
    return values.take(pa.array(rows, mask=negative))


def as_numbers(values: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Return numbers, times and truth values as float64, NaN for null."""
    kind = values.type
    if pa.types.is_temporal(kind):
        whole = pa.int32() if kind.bit_width == 32 else pa.int64()
        values = values.cast(whole)
    elif pa.types.is_boolean(kind):
        values = values.cast(pa.uint8())
    if not pa.types.is_float64(values.type):
        values = pc.cast(values, pa.float64(), safe=False)
    copying = {} if isinstance(values, pa.ChunkedArray) else {"zero_copy_only": False}
    numbers: NDArray[np.float64] = values.to_numpy(**copying)
    return numbers


def as_counts(values: pa.Array) -> NDArray[np.int32]:
    """Return whole numbers without nulls as int32."""
    counts: NDArray[np.int32] = values.to_numpy(zero_copy_only=False).astype(np.int32)
    return counts
