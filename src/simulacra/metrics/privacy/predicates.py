"""Predicates that single people out, guessed from synthetic rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.metrics.privacy.ranks import NULL, Ranked, Ranks

_MOST_TERMS = 8
_TRIES = 10
"""Predicates made for each one wanted, as only those true of one synthetic row are kept."""


@dataclass(frozen=True, slots=True)
class Searched:
    """Rows, sorted by each column to be searched.

    Attributes:
        rows: The ranks, shape ``(columns, rows)``.
        order: The rows in the order of each column, likewise.
        ordered: The ranks in that order, likewise.
    """

    rows: Ranks
    order: NDArray[np.int64]
    ordered: Ranks

    @classmethod
    def of(cls, rows: Ranks) -> Searched:
        """Sort rows."""
        order = np.argsort(rows, axis=1, kind="stable")
        return cls(rows, order, np.take_along_axis(rows, order, axis=1))


@dataclass(frozen=True, slots=True)
class Predicates:
    """Conjunctions of terms, each a range of ranks of one column.

    Attributes:
        columns: The column of each term, shape ``(predicates, terms)``; -1 ends shorter ones.
        lows: The least rank that it admits, likewise.
        highs: The greatest.
    """

    columns: NDArray[np.int64]
    lows: Ranks
    highs: Ranks

    def __len__(self) -> int:
        return len(self.columns)

    def matches(self, among: Searched) -> NDArray[np.int64]:
        """Return of how many rows each is true: 0, 1, or 2 for two or more."""
        from simulacra.metrics.privacy.kernels import matches

        return matches(self.columns, self.lows, self.highs, among.rows, among.order, among.ordered)

    def at(self, chosen: NDArray[np.int64]) -> Predicates:
        """Return some of them."""
        return Predicates(self.columns[chosen], self.lows[chosen], self.highs[chosen])

    def distinct(self) -> Predicates:
        """Return each once."""
        both = np.concatenate([self.columns, self.lows, self.highs], axis=1)
        return self.at(np.sort(np.unique(both, axis=0, return_index=True)[1]))


def of_single_values(synthetic: Ranks, data: Ranked) -> Predicates:
    """Return every predicate of one column that single synthetic values suggest.

    A value that occurs once among the synthetic rows (null is one), and where there is an order
    what lies at or beyond its ends.
    """
    columns, lows, highs = [], [], []
    for column, values in enumerate(synthetic):
        found, counts = np.unique(values, return_counts=True)
        once = found[counts == 1]
        columns += [column] * len(once)
        lows += once.tolist()
        highs += once.tolist()
        present = found[found != NULL]
        if data.ordered[column] and len(present):
            top = int(data.sizes[column]) - 1
            columns += [column, column]
            lows += [0, int(present[-1])]
            highs += [int(present[0]), top]
    return _single(columns, lows, highs)


def of_rows(
    searched: Searched, data: Ranked, wanted: int, generator: np.random.Generator
) -> Predicates:
    """Return predicates of several columns, each true of exactly one synthetic row.

    A synthetic row is drawn, and two to eight columns. A term says that the value is the row's;
    where there is an order, that it is at least the row's if that lies above the median of the
    synthetic rows, else at most.

    Args:
        searched: The synthetic rows.
        data: What they are part of.
        wanted: The most predicates.
        generator: Draws rows and columns.
    """
    synthetic = searched.rows
    made = wanted * _TRIES
    rows = generator.integers(0, synthetic.shape[1], made)
    columns = _choice_of_columns(len(synthetic), made, generator)
    values = synthetic[columns, rows[:, None]]
    middle = np.array([np.median(c[c != NULL]) if (c != NULL).any() else 0 for c in synthetic])
    ranges = data.ordered[columns] & (values != NULL)
    above = values > middle[columns]
    top = (data.sizes - 1).astype(np.int32)
    lows = np.where(ranges & ~above, 0, values)
    highs = np.where(ranges & above, top[columns], values)
    found = _tidy(columns, lows, highs).distinct()
    isolating = np.flatnonzero(found.matches(searched) == 1)
    return found.at(np.sort(generator.permutation(isolating)[:wanted]))


def at_random(
    alike: Predicates, synthetic: Ranks, data: Ranked, generator: np.random.Generator
) -> Predicates:
    """Return as many predicates, about the same columns, that know nothing of rows.

    Each term's value is drawn evenly from the values of its column, and so is how it compares:
    equal, or where there is an order at least or at most.
    """
    columns = alike.columns
    values = np.full(columns.shape, NULL, dtype=np.int32)
    for column, present in enumerate(map(np.unique, synthetic)):
        here = columns == column
        values[here] = generator.choice(present, int(here.sum()))
    way = generator.integers(0, 3, columns.shape)
    ranges = data.ordered[columns] & (values != NULL)
    top = (data.sizes - 1).astype(np.int32)
    lows = np.where(ranges & (way == 1), 0, values)
    highs = np.where(ranges & (way == 2), top[columns], values)
    return _tidy(columns, lows, highs)


def _choice_of_columns(
    columns: int, made: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return two to eight different columns for each predicate, -1 after the last."""
    most = min(columns, _MOST_TERMS)
    order = np.argsort(generator.random((made, columns)), axis=1)[:, :most]
    terms = generator.integers(min(2, most), most + 1, made)
    # Sorted, so that equal choices look equal.
    chosen = np.sort(np.where(np.arange(most) < terms[:, None], order, columns), axis=1)
    return np.where(chosen < columns, chosen, -1)


def _single(columns: list[int], lows: list[int], highs: list[int]) -> Predicates:
    return Predicates(
        np.array(columns, dtype=np.int64)[:, None],
        np.array(lows, dtype=np.int32)[:, None],
        np.array(highs, dtype=np.int32)[:, None],
    )


def _tidy(columns: NDArray[np.int64], lows: Ranks, highs: Ranks) -> Predicates:
    unused = columns < 0
    return Predicates(
        columns,
        np.where(unused, 0, lows).astype(np.int32),
        np.where(unused, 0, highs).astype(np.int32),
    )
