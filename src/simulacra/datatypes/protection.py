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
    """Return a histogram whose extremes at least ``least`` rows have.

    Rows beyond the value that so many rows reach, from either end, take that value.
    """
    if least <= 1 or histogram.rows < 2 * least:
        return histogram
    upto = np.cumsum(histogram.counts)
    first = int(np.searchsorted(upto, least))
    last = int(np.searchsorted(upto, histogram.rows - least, side="right"))
    places = np.clip(np.arange(len(upto)), first, last)
    return _moved(histogram, places)


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
