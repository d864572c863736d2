"""A histogram of a stream of numbers in bounded memory: exact while there are few distinct ones.

Rows are sorted in chunks of a fixed size and merged into a sorted list of distinct values with
their counts. Once that list is too long, neighbours that are rare are pooled until a pool holds a
small, fixed share of the rows; frequent values always keep an entry, and an exact count, of their
own. A pool is represented by its middle row, so one pooling moves no rank by more than half a
pool. (Munro and Paterson, "Selection and sorting with limited storage", 1980, is the idea's
ancestor; keeping heavy hitters apart is ours.)

Chunks are cut by row number, never by batch, so the result is the same however rows arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
"""Sorted or unsorted numbers: int64, float64, or Python integers (dtype object)."""
Counts = NDArray[np.int64]

CHUNK_ROWS = 1 << 18
MOST_DISTINCT = 1 << 20
"""Distinct values that are counted exactly; beyond, rare ones are pooled."""
_POOLS = 1 << 18


@dataclass(frozen=True, slots=True)
class Histogram:
    """Distinct values and how often each occurs.

    Attributes:
        values: Distinct, ascending, shape ``(entries,)``.
        counts: Rows of each, shape ``(entries,)``, dtype int64.
        pool_rows: 0 if every entry is one value; else the most rows that an entry standing for
            several values may have.
    """

    values: Values
    counts: Counts
    pool_rows: int = 0

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.counts.sum())


class Summary:
    """Builds a :class:`Histogram` from a stream.

    Args:
        observe: Called with the sorted distinct values of every chunk.
    """

    def __init__(self, observe: Callable[[Values], None]) -> None:
        self._observe = observe
        self._waiting: list[Values] = []
        self._rows_waiting = 0
        self._rows = 0
        self._known: Histogram | None = None

    def add(self, values: Values) -> None:
        """Take the next values (finite, none missing), of any dtype of ``Values``."""
        self._waiting.append(values)
        self._rows_waiting += len(values)
        while self._rows_waiting >= CHUNK_ROWS:
            whole = _concatenate(self._waiting)
            self._waiting = [whole[CHUNK_ROWS:].copy()]
            self._rows_waiting -= CHUNK_ROWS
            self._take(whole[:CHUNK_ROWS])

    def finish(self) -> Histogram | None:
        """Return the histogram, None if there was no value."""
        if self._rows_waiting:
            self._take(_concatenate(self._waiting))
            self._waiting, self._rows_waiting = [], 0
        return self._known

    def _take(self, chunk: Values) -> None:
        values, counts = distinct(chunk)
        self._observe(values)
        self._rows += len(chunk)
        if self._known is None:
            self._known = Histogram(values, counts)
        else:
            merged = _merge(self._known, Histogram(values, counts))
            self._known = _pool(merged) if len(merged.values) > MOST_DISTINCT else merged


def _concatenate(parts: list[Values]) -> Values:
    if len(parts) == 1:
        return parts[0]
    if any(part.dtype == object for part in parts):
        parts = [part.astype(object) for part in parts]
    return np.concatenate(parts)


def distinct(values: Values) -> tuple[Values, Counts]:
    """Return the distinct values, ascending, and the count of each."""
    ordered = np.sort(values)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    return ordered[starts], np.diff(starts, append=len(ordered))


def _merge(one: Histogram, other: Histogram) -> Histogram:
    from simulacra.datatypes.count_kernels import merge_sorted

    if object in (one.values.dtype, other.values.dtype):
        values, places = np.unique(
            np.concatenate([one.values.astype(object), other.values.astype(object)]),
            return_inverse=True,
        )
        counts = np.zeros(len(values), np.int64)
        np.add.at(counts, places, np.concatenate([one.counts, other.counts]))
    else:
        values, counts = merge_sorted(one.values, one.counts, other.values, other.counts)
    return Histogram(values, counts, one.pool_rows)


def _pool(histogram: Histogram) -> Histogram:
    from simulacra.datatypes.count_kernels import pool_rare

    most = max(1, histogram.rows // _POOLS)
    middles, counts = pool_rare(histogram.counts, most)
    return Histogram(histogram.values[middles], counts, most)
