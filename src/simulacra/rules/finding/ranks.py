"""Rank correlations (Spearman 1904), to try only the pairs of columns that move together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulacra.rules.finding.columns import Column

_TRIED_PAIRS = 4_000
_MOST_PARTNERS = 12


class Ranks:
    """Rank correlations, to try only the pairs of columns that move together."""

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._names = list(columns)
        self._given = np.array([column.given for column in columns.values()])
        self._families = np.array([column.unit.family for column in columns.values()])
        self._most = max(2, min(_MOST_PARTNERS, _TRIED_PAIRS // max(1, len(columns))))
        self._ranks = np.array([_standard_ranks(column) for column in columns.values()])
        self._alike = self._ranks @ self._ranks.T

    def partners(self, name: str) -> list[str]:
        """Return the columns of the same family that move most with this one.

        Given columns come first, and take no own one's place.
        """
        index = self._names.index(name)
        alike = np.abs(self._alike[index]) * (self._families == self._families[index])
        alike[index] = 0.0
        order = np.argsort(-alike, kind="stable")
        given = self._given[order]
        best = (*order[given][: self._most], *order[~given][: self._most])
        return [self._names[other] for other in best if alike[other] > 0.0]

    def bound(self, name: str) -> float:
        """Return how much a column moves with all others, a sum of absolute correlations."""
        return float(np.abs(self._alike[self._names.index(name)]).sum())

    def sign(self, name: str, other: str) -> int:
        """Return -1 where two columns move together and their difference tells, else 1: the sum."""
        return -1 if self._alike[self._names.index(name), self._names.index(other)] > 0 else 1

    def update(self, name: str, column: Column) -> None:
        """Take a changed column's new values."""
        index = self._names.index(name)
        self._families[index] = column.unit.family
        self._ranks[index] = _standard_ranks(column)
        self._alike[index] = self._alike[:, index] = self._ranks @ self._ranks[index]


def _standard_ranks(column: Column) -> NDArray[np.float32]:
    """Return ranks of mean 0 and length 1, 0 where unknown."""
    _, where, rows = np.unique(column.count[column.known], return_inverse=True, return_counts=True)
    rank = np.cumsum(rows) - (rows + 1) / 2
    ranks = np.zeros(len(column.count), np.float32)
    if rows.size > 1:
        ranks[column.known] = rank[where] - rank[where].mean()
        ranks /= np.linalg.norm(ranks)
    return ranks
