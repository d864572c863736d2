"""Values that may tell of a person: those that few rows have, and the extremes.

A value that fewer rows have than a column's ``min_count`` is not kept; nor are extremes. In small
columns, and in those of rare values mostly, that would leave nothing: they keep theirs by default.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.datatypes.summary import Counts, Histogram, Values

MOSTLY = 0.9
"""The share of rows that frequent values must have for the others to be replaced by them."""


def clipped(histogram: Histogram, least: int) -> Histogram:
    """Return a histogram without the values that fewer than ``least`` rows reach, from either end.

    As many of the next rows count twice: were all of them given the last value that is left, it
    would come back exactly, and more often than any near it.
    """
    if least <= 1 or histogram.rows < 2 * least:
        return histogram
    counts = histogram.counts
    upto = np.cumsum(counts)
    first = int(np.searchsorted(upto, least))
    last = int(np.searchsorted(upto, histogram.rows - least, side="right"))
    if first == 0 and last == len(counts) - 1:
        return histogram
    more = _twice(counts, first) + _twice(counts[::-1], len(counts) - 1 - last)[::-1]
    kept = slice(first, last + 1)
    return Histogram(histogram.values[kept], (counts + more)[kept], histogram.pool_rows)


def _twice(counts: Counts, first: int) -> Counts:
    """Return how many rows of each value count twice, from a place on, for those before it."""
    missing = int(counts[:first].sum())
    before = np.cumsum(counts[first:]) - counts[first:]
    more = np.zeros_like(counts)
    more[first:] = np.clip(missing - before, 0, counts[first:])
    return more


def without_rare(histogram: Histogram, least: int) -> Histogram:
    """Return a histogram in which rare values are replaced by the nearest frequent ones.

    It is the same if frequent values have too few of the rows: nearly every value is rare then.
    """
    frequent = np.flatnonzero(histogram.counts >= least)
    kept = int(histogram.counts[frequent].sum())
    if len(frequent) == len(histogram.counts) or kept < MOSTLY * histogram.rows:
        return histogram
    return _moved(histogram, frequent[_nearest(histogram.values, frequent)])


def _nearest(values: Values, frequent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each value which of the frequent ones is nearest."""
    after = np.searchsorted(frequent, np.arange(len(values)))
    high = np.minimum(after, len(frequent) - 1)
    low = np.maximum(after - 1, 0)
    # As floats: differences of whole numbers may not fit.
    places = values.astype(np.float64)
    below, above = places - places[frequent[low]], places[frequent[high]] - places
    exact = frequent[high] == np.arange(len(values))
    chosen: NDArray[np.int64] = np.where(exact | (above < below) | (after == 0), high, low)
    return chosen


def _moved(histogram: Histogram, places: NDArray[np.int64]) -> Histogram:
    """Give the rows of each value to the value at another place; places don't fall."""
    starts = np.flatnonzero(np.diff(places, prepend=places[0] - 1))
    counts: Counts = np.add.reduceat(histogram.counts, starts)
    return Histogram(histogram.values[places[starts]], counts, histogram.pool_rows)
