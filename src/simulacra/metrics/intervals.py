"""How sure a value is: confidence intervals of 95 %."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.metrics.sums import dot

Interval = tuple[float, float]

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""
DRAWS = 50
"""Resamples that a standard error is estimated from: it is then itself right to some 10 %."""
_FEWEST_CLUSTERS = 200


def wilson(share: float, count: int) -> Interval:
    """Return the interval of a share of ``count`` independent cases.

    Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 1927.
    """
    if not count:
        return 0.0, 1.0
    middle = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    spread = Z * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    spread /= 1 + Z**2 / count
    # Rounding must not put a share of exactly 0 or 1 outside.
    return min(max(middle - spread, 0.0), share), max(min(middle + spread, 1.0), share)


def about(value: float, error: float, low: float = 0.0, high: float = 1.0) -> Interval:
    """Return the interval of a value with a normal standard error, cut at its natural bounds."""
    return max(value - Z * error, min(low, value)), min(value + Z * error, max(high, value))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value that samples give.

    Attributes:
        value: The value.
        error: Its standard error.
    """

    value: float
    error: float

    def complement(self) -> Estimate:
        """Return one minus the value."""
        return Estimate(1.0 - self.value, self.error)

    def interval(self, low: float = 0.0, high: float = 1.0) -> Interval:
        """Return the interval by the normal distribution, cut at the value's natural bounds."""
        return about(self.value, self.error, low, high)


def alike_shares(one: float, rows: int, other: float, other_rows: int) -> tuple[float, Interval]:
    """Return one minus the difference of two shares, and its interval.

    That of the difference is the hybrid score interval (method 10 of Newcombe, "Interval
    estimation for the difference between independent proportions", Statistics in Medicine 1998).

    Args:
        one: A share.
        rows: Of how many cases; at least one.
        other: Another share.
        other_rows: Of how many cases; at least one.
    """
    gap = one - other
    (low, high), (other_low, other_high) = wilson(one, rows), wilson(other, other_rows)
    least = gap - math.hypot(one - low, other_high - other)
    most = gap + math.hypot(high - one, other - other_low)
    nearest = 0.0 if least <= 0.0 <= most else min(abs(least), abs(most))
    farthest = min(max(abs(least), abs(most)), 1.0)
    return 1.0 - abs(gap), (1.0 - farthest, 1.0 - nearest)


def auc(positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> tuple[float, Interval]:
    """Return the area under the ROC curve, and its interval.

    The variance is that of the placements (DeLong, DeLong and Clarke-Pearson, "Comparing the
    areas under two or more correlated receiver operating characteristic curves", Biometrics 1988).

    Args:
        positives: What a classifier says of positive rows, shape ``(rows,)``, at least one.
        negatives: What it says of negative rows, likewise.
    """
    above = _placements(positives, np.sort(negatives))
    below = 1.0 - _placements(negatives, np.sort(positives))
    value = float(above.mean())
    return value, about(value, math.sqrt(_variance(above) + _variance(below)))


def _placements(values: NDArray[np.float64], ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for each value the share of others below it, a tie counting half."""
    lower = np.searchsorted(ordered, values, side="left")
    upper = np.searchsorted(ordered, values, side="right")
    share: NDArray[np.float64] = (lower + upper) / (2.0 * len(ordered))
    return share


def _variance(placements: NDArray[np.float64]) -> float:
    """Return the variance of a mean."""
    if len(placements) < 2:
        return 0.0
    return float(placements.var(ddof=1)) / len(placements)


def variance_of_mean(
    influences: NDArray[np.float64], clusters: Sequence[NDArray[np.int64]] = ()
) -> float:
    """Return the variance of a value by what each row adds to it.

    Rows of one cluster may be alike: their sums vary instead (Liang and Zeger, "Longitudinal data
    analysis using generalized linear models", Biometrika 1986). Of the variances with rows on their
    own and by each clustering, the greatest counts; a clustering of fewer than (as good as) 200
    clusters is left out, as those few tell nothing of others.

    Args:
        influences: By row, of mean 0, shape ``(rows,)``, at least one.
        clusters: Clusterings: of each row which cluster it is in, shape ``(rows,)``.
    """
    variance = dot(influences, influences)
    for places in clusters:
        _, labels = np.unique(places, return_inverse=True)
        sizes = np.bincount(labels).astype(np.float64)
        if sizes.sum() ** 2 / dot(sizes, sizes) >= _FEWEST_CLUSTERS:
            sums = np.bincount(labels, influences).astype(np.float64, copy=False)
            variance = max(variance, dot(sums, sums))
    return variance / len(influences) ** 2


def bootstrap(
    value: float,
    statistic: Callable[[np.random.Generator], float],
    rng: RngKey,
    *,
    low: float = 0.0,
    high: float = 1.0,
) -> Interval:
    """Return the interval of a value by the spread of its resamples.

    The standard error is that of 50 resamples (Efron, "Bootstrap methods: another look at the
    jackknife", Annals of Statistics 1979). Their percentiles would not do: distances between
    samples are greater between resamples, which are noisier.

    Args:
        value: The value.
        statistic: Draws a resample of both sides with a generator and returns its value.
        rng: The key of the resamples.
        low: The least value that there can be.
        high: The greatest.
    """
    found: list[float] = [statistic(rng.child(i).generator()) for i in range(DRAWS)]
    return about(value, float(np.std(found, ddof=1)), low, high)


def resampled(counts: NDArray[Any], generator: np.random.Generator) -> NDArray[np.int64]:
    """Return counts of the same total, drawn from the distribution that the counts are."""
    total = int(counts.sum())
    if not total:
        return np.zeros(len(counts), dtype=np.int64)
    drawn: NDArray[np.int64] = generator.multinomial(total, counts / total)
    return drawn
