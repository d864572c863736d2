"""Compiled loops of the metrics; import only where they run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel

_BLOCK = 2048
"""Rows that stay in the cache while all queries pass over them."""


@kernel
def nearest_distances(
    queries: NDArray[np.float32], rows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the least ``Σ min(|a - b|, 1)`` of each query to any row.

    Args:
        queries: Points, shape ``(columns, queries)``.
        rows: Points, shape ``(columns, rows)``.

    Returns:
        Distances, shape ``(queries,)``.
    """
    columns, count = queries.shape
    one = np.float32(1)
    best = np.full(count, np.float32(np.inf), dtype=np.float32)
    total = np.empty(_BLOCK, dtype=np.float32)
    for start in range(0, rows.shape[1], _BLOCK):
        size = min(_BLOCK, rows.shape[1] - start)
        for i in range(count):
            total[:size] = 0
            # Along the rows, not the columns: this loop runs in SIMD registers.
            for j in range(columns):
                here = queries[j, i]
                for k in range(size):
                    gap = abs(rows[j, start + k] - here)
                    total[k] += gap if gap < one else one  # noqa: FURB136 - min() of floats minds NaN, which costs SIMD
            best[i] = min(best[i], total[:size].min())
    return best
