"""From columns and rows of codes to the correlations of their features' hidden numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.core.features import Codes
from simulacra.models.columns import Column
from simulacra.models.correlation import (
    Matrix,
    hidden_correlation,
    nearest_correlation,
    shrunk_correlation,
)
from simulacra.models.normal_scores import scores_of

_CHUNK_NUMBERS = 1 << 21
"""Scores in memory at a time: 16 MiB."""


@dataclass(frozen=True, slots=True)
class FeatureScores:
    """One feature's scores in the measured rows: looked up by code, or one a row.

    Attributes:
        table: Scores.
        at: Where each row's score is in ``table``; None if they are the rows' own.
        moments: See :class:`~simulacra.models.normal_scores.Scores`.
    """

    table: NDArray[np.float64]
    at: Codes | None
    moments: NDArray[np.float64]

    def rows(self, begin: int, end: int) -> NDArray[np.float64]:
        """Return the scores of some rows."""
        return self.table[begin:end] if self.at is None else self.table[self.at[begin:end]]


def feature_scores(column: Column, codes: Sequence[Codes]) -> Iterator[FeatureScores]:
    """Yield the scores of each feature of a column in rows of codes."""
    low, high = column.first.bounds()
    first = scores_of(low, high, high - low)
    yield FeatureScores(first.means, codes[0], first.moments)
    for low, high in column.stretches(codes)[1:]:
        later = scores_of(low, high, np.full(len(low), 1.0 / max(len(low), 1)))
        yield FeatureScores(later.means, None, later.moments)


def correlation_of(features: Sequence[FeatureScores], rows: int) -> Matrix:
    """Return a well-conditioned correlation matrix of the features' hidden numbers.

    Args:
        features: Their scores.
        rows: How many rows were measured.
    """
    if not features:
        return np.eye(0)
    raw = shrunk_correlation(_Chunks(features, rows), len(features))
    hidden = hidden_correlation(raw, np.array([feature.moments for feature in features]))
    # Nearer than an entry's own sampling error would be nearer to noise.
    return nearest_correlation(hidden, tolerance=1.0 / np.sqrt(max(rows, 1)))


class _Chunks:
    """Row chunks of scores, made anew on each pass.

    Args:
        features: The features.
        rows: How many rows each has.
    """

    def __init__(self, features: Sequence[FeatureScores], rows: int) -> None:
        self._features = features
        self._rows = rows
        self._chunk = max(_CHUNK_NUMBERS // len(features), 1)

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        """Yield arrays of shape ``(rows, features)``."""
        for begin in range(0, self._rows, self._chunk):
            end = begin + self._chunk
            yield np.stack([feature.rows(begin, end) for feature in self._features], axis=1)
