"""Several candidates for each row, weighed by how well they go with what is given.

Features are drawn in a fixed order, so what is given may come after what it should decide. Each row
is therefore drawn many times; where a given feature's turn comes, every candidate is weighed by the
probability with which it would have drawn the given code, and the good ones replace the bad
(sequential Monte Carlo: Gordon, Salmond and Smith, IEE Proceedings F 1993; Doucet and Johansen,
"A tutorial on particle filtering and smoothing", 2009).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CANDIDATES = 48
"""Candidates for each row."""

_LEAST = 1e-300
"""In place of a probability of 0: of candidates that are all impossible one is taken at random."""


class Particles:
    """The weights of ``rows × CANDIDATES`` candidates; those of one row stand together.

    Args:
        rows: How many rows.
    """

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self._logs = np.zeros((rows, CANDIDATES))

    @property
    def count(self) -> int:
        """How many candidates there are."""
        return self.rows * CANDIDATES

    def weigh(self, shares: NDArray[np.float64]) -> None:
        """Multiply weights by probabilities, shape ``(count,)``."""
        self._logs += np.log(np.maximum(shares, _LEAST)).reshape(self._logs.shape)

    def resampled(self, generator: np.random.Generator) -> NDArray[np.int64] | None:
        """Return which candidate takes the place of each, shape ``(count,)``; None if all stay.

        Rows whose weights are worth fewer than half of their candidates are resampled
        systematically; their weights are equal then.
        """
        weights = self._weights()
        worth = 1.0 / (weights**2).sum(axis=1)
        poor = np.flatnonzero(worth < CANDIDATES / 2)
        if not len(poor):
            return None
        chosen = np.tile(np.arange(CANDIDATES), (self.rows, 1))
        upto = np.cumsum(weights[poor], axis=1)
        upto[:, -1] = 1.0
        points = (np.arange(CANDIDATES) + generator.random((len(poor), 1))) / CANDIDATES
        chosen[poor] = _places(upto, points)
        self._logs[poor] = 0.0
        flat: NDArray[np.int64] = (chosen + np.arange(self.rows)[:, None] * CANDIDATES).reshape(-1)
        return flat

    def choose(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """Return one candidate of each row, drawn by weight, shape ``(rows,)``."""
        upto = np.cumsum(self._weights(), axis=1)
        upto[:, -1] = 1.0
        chosen = _places(upto, generator.random((self.rows, 1)))[:, 0]
        taken: NDArray[np.int64] = chosen + np.arange(self.rows) * CANDIDATES
        return taken

    def _weights(self) -> NDArray[np.float64]:
        logs = self._logs - self._logs.max(axis=1, keepdims=True)
        weights = np.exp(logs)
        normal: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return normal


def _places(upto: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return for each point the first place whose cumulative weight reaches it, row by row."""
    rows = np.arange(len(upto))[:, None]
    # One sorted array for all rows: each begins where the one before ends.
    flat = (upto + rows).reshape(-1)
    found = np.searchsorted(flat, (points + rows).reshape(-1), side="left")
    places: NDArray[np.int64] = found.reshape(points.shape) - rows * upto.shape[1]
    return np.clip(places, 0, upto.shape[1] - 1)
