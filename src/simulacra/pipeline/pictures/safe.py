"""Which aggregates of real rows may be shown: those over none of them, or over enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FEWEST = 10
"""Real rows that anything shown of them is taken over at least."""

SYNTHETIC = "synthetic"
"""The side whose rows are nobody's; ``real`` and ``holdout`` rows are somebody's."""

Counts = Mapping[str, NDArray[np.int64]]


def is_safe(counts: NDArray[np.int64] | int) -> bool:
    """Say whether counts of real rows may be shown: each is 0 or at least ``FEWEST``."""
    return bool(np.all((np.asarray(counts) == 0) | (np.asarray(counts) >= FEWEST)))


def real_counts(counts: Counts) -> NDArray[np.int64]:
    """Return the counts of the sides whose rows are somebody's, shape ``(sides, bins)``."""
    return np.stack([side for name, side in counts.items() if name != SYNTHETIC])


def merged(counts: Counts) -> list[tuple[int, int]]:
    """Join neighbouring bins until each may be shown.

    Args:
        counts: For each side how many rows are in each bin, shape ``(bins,)``.

    Returns:
        The first bin and the one behind the last of each group, in order; none if even all bins
        together hold too few rows.
    """
    real = real_counts(counts)
    groups: list[tuple[int, int]] = []
    start = 0
    for stop in range(1, real.shape[1] + 1):
        if is_safe(real[:, start:stop].sum(axis=1)):
            groups.append((start, stop))
            start = stop
    # What is left at the end has too few rows of its own.
    while start < real.shape[1]:
        if not groups:
            return []
        start = groups.pop()[0]
        if is_safe(real[:, start:].sum(axis=1)):
            groups.append((start, real.shape[1]))
            start = real.shape[1]
    return groups


def grouped(counts: Counts, groups: Sequence[tuple[int, int]]) -> dict[str, NDArray[np.int64]]:
    """Return the counts of groups of bins."""
    return {
        name: np.array([side[start:stop].sum() for start, stop in groups], np.int64)
        for name, side in counts.items()
    }


def shares(counts: Counts, rows: Mapping[str, int]) -> dict[str, list[float]]:
    """Return counts as shares of the rows of each side, rounded to six decimals."""
    return {
        name: [round(float(count) / max(rows[name], 1), 6) for count in side]
        for name, side in counts.items()
    }
