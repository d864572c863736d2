"""Columns of a drawn table that others need, held in memory and read by row number."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.features import Codes


class GrowingColumn:
    """A column that is filled in order."""

    def __init__(self) -> None:
        self._chunks: list[pa.Array] = []

    def append(self, values: pa.Array) -> None:
        """Add the next rows' values."""
        self._chunks.append(values)

    def finish(self, kind: pa.DataType) -> pa.Array:
        """Return the whole column; texts in a layout without a limit of 2 GiB."""
        if pa.types.is_string(kind):
            kind = pa.large_string()
        elif pa.types.is_binary(kind):
            kind = pa.large_binary()
        chunks = [chunk.cast(kind) for chunk in self._chunks]
        self._chunks.clear()
        return pa.concat_arrays(chunks) if chunks else pa.array([], kind)


def take_codes(codes: Codes, rows: NDArray[np.int32], absent: int) -> Codes:
    """Return the codes of some rows, ``absent`` where a row number is negative."""
    if not len(codes):
        return np.full(len(rows), absent, np.uint32)
    taken = codes[np.maximum(rows, 0)].astype(np.uint32)
    taken[rows < 0] = absent
    return taken


def take_values(values: pa.Array, rows: NDArray[np.int32]) -> pa.Array:
    """Return the values of some rows, null where a row number is negative."""
    negative = rows < 0
    if not negative.any():
        return values.take(pa.array(rows))
    return values.take(pa.array(rows, mask=negative))


def take_batch(
    columns: Mapping[str, pa.Array], rows: NDArray[np.int32], names: Mapping[str, str]
) -> dict[str, pa.Array]:
    """Return the values of some rows under new names (new name to column)."""
    return {new: take_values(columns[old], rows) for new, old in names.items()}
