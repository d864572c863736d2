"""Compiled loops of the privacy measures; import only where they run."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel

_BLOCK = 2048
"""Rows that stay in the cache while all queries pass over them."""


@kernel
def _add_distances(
    total: NDArray[np.float32],
    queries: NDArray[np.float32],
    query: int,
    rows: NDArray[np.float32],
    start: int,
) -> None:
    """Set ``total`` to the distances of one query to the rows from ``start`` on."""
    columns, size = len(queries), len(total)
    stop = start + size
    one = np.float32(1)
    total[:] = 0
    # Along the rows, not the columns, and over slices, whose indices need no check: these loops
    # run in SIMD registers. Four columns at a time spare most of the loads and stores of totals.
    whole = columns - columns % 4
    for j in range(0, whole, 4):
        q0, q1, q2, q3 = (
            queries[j, query],
            queries[j + 1, query],
            queries[j + 2, query],
            queries[j + 3, query],
        )
        r0, r1 = rows[j, start:stop], rows[j + 1, start:stop]
        r2, r3 = rows[j + 2, start:stop], rows[j + 3, start:stop]
        for k in range(size):
            g0, g1, g2, g3 = abs(r0[k] - q0), abs(r1[k] - q1), abs(r2[k] - q2), abs(r3[k] - q3)
            # min() of floats minds NaN, which costs SIMD.
            g0 = g0 if g0 < one else one  # noqa: FURB136
            g1 = g1 if g1 < one else one  # noqa: FURB136
            g2 = g2 if g2 < one else one  # noqa: FURB136
            g3 = g3 if g3 < one else one  # noqa: FURB136
            total[k] += (g0 + g1) + (g2 + g3)
    for j in range(whole, columns):
        here, there = queries[j, query], rows[j, start:stop]
        for k in range(size):
            gap = abs(there[k] - here)
            total[k] += gap if gap < one else one  # noqa: FURB136


@kernel
def _least(values: NDArray[np.float32], scratch: NDArray[np.float32]) -> Any:
    """Return the least value, a float32: fold halves upon each other, in SIMD registers."""
    size = len(values)
    if size == 1:
        return values[0]
    half = (size + 1) // 2
    scratch[half - 1] = values[half - 1]
    for k in range(size - half):
        scratch[k] = values[k] if values[k] < values[k + half] else values[k + half]  # noqa: FURB136
    size = half
    while size > 1:
        half = (size + 1) // 2
        for k in range(size - half):
            scratch[k] = scratch[k] if scratch[k] < scratch[k + half] else scratch[k + half]  # noqa: FURB136
        size = half
    return scratch[0]


@kernel
def nearest_rows(
    queries: NDArray[np.float32], rows: NDArray[np.float32], count: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the ``count`` least ``Σ min(|a - b|, 1)`` of each query to any row, and which rows.

    Args:
        queries: Points, shape ``(columns, queries)``.
        rows: Points, shape ``(columns, rows)``.
        count: How many neighbours.

    Returns:
        Distances in ascending order, infinite where there are too few rows, and row numbers, -1
        there; both of shape ``(count, queries)``. Of rows equally far the first come first.
    """
    asked = queries.shape[1]
    best = np.full((count, asked), np.float32(np.inf), dtype=np.float32)
    which = np.full((count, asked), -1, dtype=np.int64)
    total = np.empty(_BLOCK, dtype=np.float32)
    scratch = np.empty(_BLOCK, dtype=np.float32)
    for start in range(0, rows.shape[1], _BLOCK):
        size = min(_BLOCK, rows.shape[1] - start)
        for i in range(asked):
            _add_distances(total[:size], queries, i, rows, start)
            if _least(total[:size], scratch) < best[count - 1, i]:
                _enter(total[:size], start, best[:, i], which[:, i])
    return best, which


@kernel
def _enter(
    found: NDArray[np.float32],
    start: int,
    best: NDArray[np.float32],
    which: NDArray[np.int64],
) -> None:
    """Sort distances of the rows from ``start`` on into the least ones known."""
    count = len(best)
    for k in range(len(found)):
        place = count
        while place > 0 and found[k] < best[place - 1]:
            place -= 1
        if place == count:
            continue
        for later in range(count - 1, place, -1):
            best[later] = best[later - 1]
            which[later] = which[later - 1]
        best[place] = found[k]
        which[place] = start + k


@kernel
def nearest_without_each(
    queries: NDArray[np.float32], rows: NDArray[np.float32], hidden: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each hidden column the row that is nearest to each query by all the others.

    Sums must be exact (see :func:`~simulacra.metrics.privacy.points.points`), as a column is left
    out by taking its part off the whole.

    Args:
        queries: Points, shape ``(columns, queries)``.
        rows: Points, shape ``(columns, rows)``, at least one row.
        hidden: Columns to leave out, one at a time, shape ``(hidden,)``.

    Returns:
        Row numbers, shape ``(hidden, queries)``; of rows equally near the first.
    """
    asked = queries.shape[1]
    one = np.float32(1)
    best = np.full((len(hidden), asked), np.float32(np.inf), dtype=np.float32)
    which = np.zeros((len(hidden), asked), dtype=np.int64)
    total = np.empty(_BLOCK, dtype=np.float32)
    scratch = np.empty(_BLOCK, dtype=np.float32)
    rest = np.empty(_BLOCK, dtype=np.float32)
    for start in range(0, rows.shape[1], _BLOCK):
        size = min(_BLOCK, rows.shape[1] - start)
        for i in range(asked):
            _add_distances(total[:size], queries, i, rows, start)
            for h in range(len(hidden)):
                here, there = queries[hidden[h], i], rows[hidden[h], start : start + size]
                for k in range(size):
                    gap = abs(there[k] - here)
                    rest[k] = total[k] - (gap if gap < one else one)  # noqa: FURB136
                if _least(rest[:size], scratch) < best[h, i]:
                    nearest = rest[:size].argmin()
                    best[h, i] = rest[nearest]
                    which[h, i] = start + nearest
    return which


@kernel
def _holds(
    columns: NDArray[np.int64],
    lows: NDArray[np.int32],
    highs: NDArray[np.int32],
    row: NDArray[np.int32],
) -> bool:
    """Say whether a predicate is true of a row."""
    for t in range(len(columns)):
        if columns[t] < 0:
            return True
        value = row[columns[t]]
        if value < lows[t] or value > highs[t]:
            return False
    return True


@kernel
def matches(
    columns: NDArray[np.int64],
    lows: NDArray[np.int32],
    highs: NDArray[np.int32],
    rows: NDArray[np.int32],
    order: NDArray[np.int64],
    ordered: NDArray[np.int32],
) -> NDArray[np.int64]:
    """Return for each predicate how many rows it is true of: 0, 1, or 2 for two or more.

    Args:
        columns: The columns that each predicate is about, shape ``(predicates, terms)``; -1 ends
            a shorter one.
        lows: The least value that each term admits, likewise.
        highs: The greatest.
        rows: Values, shape ``(columns, rows)``.
        order: The rows in the order of each column, likewise.
        ordered: The values in that order, likewise.

    Returns:
        Counts, shape ``(predicates,)``.
    """
    predicates, terms = columns.shape
    found = np.zeros(predicates, dtype=np.int64)
    for p in range(predicates):
        # Only rows that the strictest term admits need to be looked at.
        strictest, start, stop = 0, 0, rows.shape[1]
        for t in range(terms):
            if columns[p, t] < 0:
                break
            values = ordered[columns[p, t]]
            first = np.searchsorted(values, lows[p, t])
            last = np.searchsorted(values, highs[p, t], side="right")
            if t == 0 or last - first < stop - start:
                strictest, start, stop = t, first, last
        for i in order[columns[p, strictest], start:stop]:
            if _holds(columns[p], lows[p], highs[p], rows[:, i]):
                found[p] += 1
                if found[p] == 2:
                    break
    return found
