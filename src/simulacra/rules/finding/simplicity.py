"""How many nats it takes to write a column down, exactly, when another one is known.

The yardstick is a stand-in for a forest: quantile bins of the known column are the leaves, a leaf
holds a histogram over spikes and quantile bins of the target, and a value inside a bin costs the
logarithm of the bin's width in ticks. Costs are taken on rows held out from the counting.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

LEAF_ROWS = 40
CODES = 128
_SMOOTHING = 4.0


def leaves_of(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each row its quantile bin, of at least some 40 rows; equal values share a bin."""
    _, where, rows = np.unique(count, return_inverse=True, return_counts=True)
    first = np.cumsum(rows) - rows
    _, leaf = np.unique(first // LEAF_ROWS, return_inverse=True)
    return cast("NDArray[np.int64]", leaf[where])


def cost(
    count: NDArray[np.int64], leaves: NDArray[np.int64], training: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the nats a held-out value costs, alone and given its leaf.

    Args:
        count: The target in ticks, shape ``(rows,)``.
        leaves: The leaf of each row, from 0.
        training: Which rows to count; the others are held out.
    """
    codes, widths = _codes(count)
    kinds = len(widths)
    alone = np.bincount(codes[training], minlength=kinds) + 0.5
    alone /= alone.sum()
    cells = leaves * kinds + codes
    counts = np.bincount(cells[training], minlength=(int(leaves.max()) + 1) * kinds)
    table = counts.reshape(-1, kinds)
    held, leaf = codes[~training], leaves[~training]
    given = (table[leaf, held] + _SMOOTHING * alone[held]) / (table.sum(axis=1)[leaf] + _SMOOTHING)
    inside = float(np.log(widths[held]).mean())
    return inside - float(np.log(alone[held]).mean()), inside - float(np.log(given).mean())


def _codes(count: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each row's code (heavy values have their own) and each code's width in ticks."""
    values, where, rows = np.unique(count, return_inverse=True, return_counts=True)
    heavy = rows > max(len(count) // CODES, 2)
    light = np.where(heavy, 0, rows)
    step = (np.cumsum(light) - light) * CODES // len(count)
    # Bins don't reach across a heavy value, which starts a new section and is a bin itself.
    section = 2 * np.cumsum(heavy) - heavy
    _, code = np.unique(section * (CODES + 1) + np.where(heavy, 0, step), return_inverse=True)
    first = np.flatnonzero(np.diff(code, prepend=-1))
    last = np.append(first[1:], len(values)) - 1
    return code[where], (values[last] - values[first]).astype(np.float64) + 1
