"""Distances between two distributions that several metrics share, with their standard errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.metrics.encode import Numbers
from simulacra.metrics.intervals import Estimate
from simulacra.metrics.sums import dot

_SAME = 1e-12
"""Differences of shares below this are rounding."""


def kolmogorov_smirnov(one: Numbers, other: Numbers) -> Estimate:
    """Return the Kolmogorov-Smirnov statistic; nulls stand below every number."""
    first, second = np.sort(one.present()), np.sort(other.present())
    everywhere = np.concatenate([first, second])
    reached = [
        _reached(ordered, everywhere, float(side.null.mean()))
        for ordered, side in ((first, one), (second, other))
    ]
    return greatest_gap(reached[0], reached[1], len(one.null), len(other.null))


def _reached(ordered: NDArray[Any], points: NDArray[Any], null_share: float) -> NDArray[np.float64]:
    """Return the share of a column that is null, then that which is null or at most each point."""
    if not len(ordered):
        return np.full(len(points) + 1, null_share)
    below = np.searchsorted(ordered, points, side="right") / len(ordered)
    return np.concatenate([[null_share], null_share + (1.0 - null_share) * below])


def greatest_gap(
    one: NDArray[np.float64], other: NDArray[np.float64], rows: int, other_rows: int
) -> Estimate:
    """Return the Kolmogorov-Smirnov statistic of two distribution functions.

    Its variance is that of the difference where it is greatest (Raghavachari, "Limiting
    distributions of Kolmogorov-Smirnov type statistics under the alternative", Annals of
    Statistics 1973); where it is equally great in several places, the greatest of theirs. Where
    both distributions are the same, that is more than the statistic varies.

    Args:
        one: One function at all points where either steps, shape ``(points,)``.
        other: The other at the same points.
        rows: Rows that the first is of.
        other_rows: Rows that the other is of.
    """
    gap = np.abs(one - other)
    value = float(gap.max(initial=0.0))
    here = gap >= value - _SAME
    variance = one[here] * (1.0 - one[here]) / rows
    variance += other[here] * (1.0 - other[here]) / other_rows
    return Estimate(value, math.sqrt(max(float(variance.max(initial=0.0)), 0.0)))


def total_variation(one: NDArray[np.int64], other: NDArray[np.int64]) -> Estimate:
    """Return the total variation distance of two distributions over the same codes.

    Its variance is that of ``Σ sign · share / 2``, the signs being those of the differences (the
    delta method). Where both distributions are the same, that is more than the distance varies.

    Args:
        one: How often each code occurs, shape ``(codes,)``; at least one does.
        other: The same on the other side.
    """
    signs, shares, rows = signs_of_gaps(one, other)
    value = float(np.abs(shares[0] - shares[1]).sum()) / 2.0
    variance = sum(
        max(1.0 - dot(signs, side) ** 2, 0.0) / (4.0 * count)
        for side, count in zip(shares, rows, strict=True)
    )
    return Estimate(value, math.sqrt(variance))


def signs_of_gaps(
    one: NDArray[np.int64], other: NDArray[np.int64]
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]], list[int]]:
    """Return which of two distributions is greater by code, both as shares, and their rows.

    Codes that are equally frequent have either sign, so that both are of nearly equal weight:
    chance decided that neither is greater.

    Args:
        one: How often each code occurs, shape ``(codes,)``; at least one does.
        other: The same on the other side.
    """
    rows = [int(one.sum()), int(other.sum())]
    shares = [one / rows[0], other / rows[1]]
    gaps = shares[0] - shares[1]
    signs: NDArray[np.float64] = np.where(gaps > 0, 1.0, -1.0)
    tied = np.flatnonzero((np.abs(gaps) < _SAME) & (one > 0))
    if len(tied):
        signs[tied] = 0.0
        first = -1.0 if dot(signs, shares[0]) > 0 else 1.0
        falling = tied[np.argsort(-shares[0][tied], kind="stable")]
        signs[falling] = first * (-1.0) ** np.arange(len(falling))
    return signs, shares, rows
