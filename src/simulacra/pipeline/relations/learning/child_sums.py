"""Sums of children's numbers for each parent, and how much alike siblings are."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Flags, Floats, Ints, SmallInts, kernel
from simulacra.core.errors import UsageError

_MOMENTS = 5
_MOST_PER_NORMAL = 4.0
_LEAST_FACTOR = 0.1
_SURE_FACTOR = 0.5
_SURE_FREE = 20


@kernel
def _add(
    parents: Ints,
    values: Floats,
    origin: Floats,
    sums: Floats,
    children: SmallInts,
    missing: SmallInts,
    moments: Floats,
) -> None:
    """Add rows to the sums of their parents, and to the moments of all (power, channel)."""
    for row in range(len(parents)):
        parent = parents[row]
        if parent < 0:
            continue
        children[parent] += 1
        for channel in range(values.shape[1]):
            value = values[row, channel] - origin[channel]
            if np.isfinite(value):
                sums[parent, channel] += value
                power = 1.0
                for degree in range(_MOMENTS):
                    moments[degree, channel] += power
                    power *= value
            else:
                missing[channel, parent] += 1


@kernel
def _group_terms(sums: Floats, children: SmallInts, missing: SmallInts) -> Floats:
    """Return Σ1, Σn², Σ1/n and Σs²/n over the parents with n > 0, shape ``(4, channels)``."""
    terms = np.zeros((4, sums.shape[1]))
    for parent in range(len(children)):
        if children[parent] == 0:
            continue
        for channel in range(sums.shape[1]):
            size = np.float64(children[parent] - missing[channel, parent])
            if size > 0.0:
                terms[0, channel] += 1.0
                terms[1, channel] += size * size
                terms[2, channel] += 1.0 / size
                terms[3, channel] += sums[parent, channel] ** 2 / size
    return terms


@dataclass(slots=True)
class ChildSums:
    """Accumulates numeric channels of children by their parent's row.

    Holds 8 bytes a parent and channel, 4 a parent, and 4 a parent and channel with missing values.
    Numbers are counted from the first of their channel, which keeps large ones (times) exact.

    Attributes:
        parents: How many parents there are.
        channels: How many numbers a child has.
        sums: Sums of the numbers that are not missing, less ``origin`` each, shape
            ``(parents, channels)``.
        children: Children of each parent, shape ``(parents,)``.
        missing: Children whose number is missing, shape ``(channels, parents)``.
        origin: What each channel is counted from, shape ``(channels,)``.
    """

    parents: int
    channels: int
    sums: Floats = field(init=False)
    children: SmallInts = field(init=False)
    missing: SmallInts = field(init=False)
    origin: Floats = field(init=False)
    _begun: Flags = field(init=False)
    _moments: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.sums = np.zeros((self.parents, self.channels))
        self.children = np.zeros(self.parents, np.int32)
        # Memory of zeros is not taken until it is written to: channels without gaps cost nothing.
        self.missing = np.zeros((self.channels, self.parents), np.int32)
        self.origin = np.zeros(self.channels)
        self._begun = np.zeros(self.channels, bool)
        self._moments = np.zeros((_MOMENTS, self.channels))

    def add(self, parent_rows: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Take the next children.

        Args:
            parent_rows: The row of each child's parent, shape ``(rows,)``; those below 0 have none
                and are left out.
            values: Their numbers, shape ``(rows, channels)``; what is not finite is missing.

        Raises:
            UsageError: The shapes don't fit.
        """
        if values.shape != (len(parent_rows), self.channels):
            raise UsageError(
                f"numbers of shape {values.shape} for {len(parent_rows):,} children",
                mend=f"Give {self.channels} for each",
            )
        if not self._begun.all():
            self._begin(parent_rows >= 0, values)
        _add(
            parent_rows.astype(np.int64, copy=False),
            np.ascontiguousarray(values, np.float64),
            self.origin,
            self.sums,
            self.children,
            self.missing,
            self._moments,
        )

    def _begin(self, counted: Flags, values: Floats) -> None:
        for channel in np.flatnonzero(~self._begun):
            known = np.flatnonzero(np.isfinite(values[:, channel]) & counted)
            if len(known):
                self.origin[channel] = values[known[0], channel]
                self._begun[channel] = True

    def intraclass(self) -> Intraclass:
        """Return how much alike siblings are in each channel."""
        total, *sums = self._moments
        groups, squares, inverses, between = _group_terms(self.sums, self.children, self.missing)
        with np.errstate(all="ignore"):
            mean = sums[0] / total
            # Central moments from those about the origin.
            second = sums[1] / total - mean**2
            fourth = (
                sums[3] / total
                - 4 * mean * sums[2] / total
                + 6 * mean**2 * sums[1] / total
                - 3 * mean**4
            )
            return _anova(
                np.stack([total, groups, squares, inverses]),
                mean + self.origin,
                between - total * mean**2,
                second * total,
                fourth / second**2 - 3,
            )


@dataclass(frozen=True, slots=True)
class Intraclass:
    """One-way analysis of variance of each channel, parents being the groups.

    Attributes:
        mean: The mean of all children with a parent, shape ``(channels,)`` like all of these.
        variance: Their variance, 0 where there are fewer than two.
        correlation: The intraclass correlation, from 0 to 1: the share of the variance that lies
            between parents. 0 where it can't be told.
        chance: How probable a ratio of variances as large as this is if children are independent.
    """

    mean: Floats
    variance: Floats
    correlation: Floats
    chance: Floats


def _anova(
    sizes: Floats, mean: Floats, between: Floats, squares: Floats, excess: Floats
) -> Intraclass:
    """Analyse variance between and within groups of unequal sizes.

    The correlation is the usual ANOVA estimate (Donner, "A review of inference procedures for the
    intraclass correlation coefficient in the one-way random effects model", 1986).

    The F test supposes normal numbers; ours are skewed, or zeros and ones. If children are
    independent, whatever their distribution, the difference of the two mean squares is a quadratic
    form x'Cx with mean 0 and variance σ⁴(2 tr C² + κ Σ cᵢᵢ²), κ being the excess of kurtosis. The
    degrees of freedom of F are multiplied by the factor that gives F this variance (Box and
    Andersen, "Permutation theory in the derivation of robust criteria", 1955). Where the factor is
    very small, or few degrees are left, one child far off decides; such a channel tells nothing.

    Args:
        sizes: Children, parents with any, Σn² and Σ1/n over parents, shape ``(4, channels)``.
        mean: The mean.
        between: The sum of squares between groups.
        squares: The sum of squares about the mean.
        excess: The excess of kurtosis over a normal distribution's.
    """
    from scipy.special import fdtrc  # not scipy.stats, which takes a second to import

    total, groups, size_squares, inverses = sizes
    free, rest = groups - 1, total - groups
    mean_between, mean_within = between / free, (squares - between) / rest
    typical = (total - size_squares / total) / free
    spread = (mean_between - mean_within) / typical
    told = (free > 0) & (rest > 0) & (squares > 0) & np.isfinite(mean_between + excess)
    correlation = np.where(told, spread / (spread + mean_within), 0.0)
    # cᵢᵢ = a/n + b for every child of a parent of n children.
    a = 1 / free + 1 / rest
    b = -1 / (total * free) - 1 / rest
    diagonal = a**2 * inverses + 2 * a * b * groups + b**2 * total
    factor = 2 * a / np.maximum(2 * a + excess * diagonal, 2 * a / _MOST_PER_NORMAL)
    told &= (factor > _LEAST_FACTOR) & ((factor > _SURE_FACTOR) | (factor * free > _SURE_FREE))
    ratio = np.where(mean_within > 0, mean_between / mean_within, np.inf)
    chance = fdtrc(factor * free, factor * rest, ratio)  # beyond which F lies by chance
    return Intraclass(
        np.where(total > 0, mean, 0.0),
        np.where(total > 1, squares / (total - 1), 0.0),
        np.clip(correlation, 0.0, 1.0),
        np.where(told, chance, 1.0),
    )
