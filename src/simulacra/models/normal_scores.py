"""Normal scores of codes: what a code says about a hidden standard normal number.

A code stands for a stretch of [0, 1) and so, through the normal quantile function, for an interval
of the hidden number (Nelsen, "An Introduction to Copulas", 2006; Xue-Kun Song, "Multivariate
Dispersion Models Generated from Gaussian Copula", 2000).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulacra.models.columns import Uniforms

DEGREE = 20
"""Hermite terms kept: what is left out matters only for correlations beyond about 0.95."""

_FARTHEST = 38.0
"""The normal density underflows beyond; stands for infinity."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The hidden numbers' means, and how they lie.

    Attributes:
        means: The hidden number's mean in each cell, shape ``(cells,)``.
        moments: The mean over rows of cell mean times normalised Hermite polynomial of the hidden
            number, of degrees 1 to :data:`DEGREE`, shape ``(DEGREE,)``. The first one is the
            variance of the means.
    """

    means: NDArray[np.float64]
    moments: NDArray[np.float64]


def scores_of(low: Uniforms, high: Uniforms, weights: NDArray[np.float64]) -> Scores:
    """Return the scores of cells, each a stretch of [0, 1).

    Args:
        low: Begin of each cell's stretch, shape ``(cells,)``.
        high: Its end; a cell nobody is in may have no width.
        weights: Each cell's share of the rows; they sum to 1.
    """
    below, above = (np.clip(ndtri(ends), -_FARTHEST, _FARTHEST) for ends in (low, high))
    width = high - low
    used = width > 0
    integrals = _hermite_integrals(below[used], above[used]) / width[used]
    means = np.clip(below, -8.0, 8.0)
    means[used] = integrals[0]
    return Scores(means, integrals @ (weights[used] * integrals[0]))


def _hermite_integrals(
    below: NDArray[np.float64], above: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Integrate normalised Hermite polynomials times the density, shape ``(DEGREE, cells)``.

    The integral of He_k φ is -He_{k-1} φ, and He_{k+1}(x) = x He_k(x) - k He_{k-1}(x).
    """
    ends = np.stack([below, above])
    previous = np.zeros_like(ends)
    current = np.exp(-0.5 * ends**2) / np.sqrt(2 * np.pi)
    found = np.empty((DEGREE, len(below)))
    for degree in range(1, DEGREE + 1):
        found[degree - 1] = (current[0] - current[1]) / np.sqrt(degree)
        following = (ends * current - np.sqrt(degree - 1) * previous) / np.sqrt(degree)
        previous, current = current, following
    return found


def draw_between(
    low: NDArray[np.float64], high: NDArray[np.float64], uniforms: Uniforms
) -> NDArray[np.float64]:
    """Draw standard normal numbers that are known to lie between two others.

    Args:
        low: Lower ends, shape ``(rows,)``; may be infinite, as may ``high``.
        high: Upper ends.
        uniforms: Numbers in [0, 1), each turned into a normal one by its conditional quantile.
    """
    # In the left tail probabilities keep their digits; the right one is its mirror image.
    mirrored = low > 0
    left = np.where(mirrored, -high, low)
    right = np.where(mirrored, -low, high)
    begin, end = ndtr(left), ndtr(right)
    numbers = ndtri(begin + uniforms * (end - begin))
    # Where even the tail's probability underflows, all of it lies at its inner end.
    numbers = np.clip(np.where(end > 0, numbers, right), left, right)
    return np.where(mirrored, -numbers, numbers)
