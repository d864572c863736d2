"""How two columns go together, compared between two sides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.distances import signs_of_gaps, total_variation
from simulacra.metrics.encode import as_codes, as_numbers
from simulacra.metrics.intervals import Estimate
from simulacra.metrics.sides import Measured, Sides, measure
from simulacra.metrics.sums import dot

BINS = 10
"""Equal-width bins over the reference's range, where a number meets a category."""

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PairColumn:
    """A column on each side: as codes, and as float64 (NaN: null or infinite) if a number."""

    name: str
    codes: list[Codes]
    cardinality: int
    floats: list[Floats] | None = None

    @classmethod
    def of(cls, leaf: Leaf, sides: Sides) -> PairColumn:
        """Return a leaf of kind number or category, which has values on each side."""
        columns = [leaf.values(side) for side in sides.tables]
        if leaf.kind is Kind.CATEGORY:
            codes, cardinality = as_codes(columns)
            return cls(leaf.name, codes, cardinality)
        floats = [as_numbers(column, leaf.spec).floats() for column in columns]
        edges = _edges(floats[0])
        codes = [_binned(side, edges) for side in floats]
        finite = [np.where(np.isfinite(side), side, np.nan) for side in floats]
        return cls(leaf.name, codes, BINS + 1, finite)


def _edges(reference: Floats) -> Floats:
    """Return the inner edges of the bins, shape ``(BINS - 1,)``."""
    finite = reference[np.isfinite(reference)]
    if not len(finite):
        return np.zeros(BINS - 1)
    # numpy widens a range of no width by 0.5 on both sides
    low, high = finite.min() / 2, finite.max() / 2  # halves: the width of a range may overflow
    if low == high:
        low, high = low - 0.25, high + 0.25
    return 2 * np.linspace(low, high, BINS + 1)[1:-1]


def _binned(values: Floats, edges: Floats) -> Codes:
    codes = np.searchsorted(edges, values, side="right")
    codes[np.isnan(values)] = BINS
    return codes


@dataclass(frozen=True, slots=True)
class Trend:
    """How alike two columns go together on both sides.

    Attributes:
        found: 1 when they go together alike, 0 when not at all; None where that is not defined.
        details: For ``Score.details``.
        influences: What each row of the reference, and each synthetic row, adds to the value by
            being there (its influence function), shape ``(rows,)`` each.
    """

    found: Measured | None
    details: dict[str, Any]
    influences: tuple[Floats, Floats] | None = None


def trend(a: PairColumn, b: PairColumn, *, influences: bool = False) -> Trend:
    """Return how alike two columns go together, beside the floor.

    Args:
        a: A column.
        b: Another of the same rows.
        influences: Whether to return what each row adds.
    """
    if a.floats is not None and b.floats is not None:
        return _correlations(a.floats, b.floats, influences=influences)
    joint, cells = _joint(a, b)
    counts = [np.bincount(codes, minlength=cells) for codes in joint]
    found = measure(counts, lambda one, other: total_variation(one, other).complement())
    details = {"measure": "contingency"}
    if not influences:
        return Trend(found, details)
    signs, shares, _ = signs_of_gaps(counts[0], counts[1])
    means = [dot(signs, side) for side in shares]
    of_rows = (means[0] - signs[joint[0]]) / 2.0, (signs[joint[1]] - means[1]) / 2.0
    return Trend(found, details, of_rows)


def _joint(a: PairColumn, b: PairColumn) -> tuple[list[Codes], int]:
    """Return for each side the cell of the joint table that each row is in, and all cells."""
    joint = [one * b.cardinality + other for one, other in zip(a.codes, b.codes, strict=True)]
    cells = a.cardinality * b.cardinality
    rows = [len(side) for side in joint]
    if cells <= 4 * sum(rows):
        return joint, cells
    # Most cells are empty: number those that occur.
    _, codes = np.unique(np.concatenate(joint), return_inverse=True)
    return np.split(codes, np.cumsum(rows)[:-1]), int(codes.max()) + 1


@dataclass(frozen=True, slots=True)
class Correlation:
    """Pearson's r of two columns, over the rows where both are numbers.

    Attributes:
        value: The coefficient; NaN where either column is constant.
        x: The first column in those rows, of mean 0 and variance 1, shape ``(rows,)``.
        y: The second.
        both: Which of all rows these are, shape ``(all rows,)``.
    """

    value: float
    x: Floats
    y: Floats
    both: NDArray[np.bool_]

    @classmethod
    def of(cls, x: Floats, y: Floats) -> Correlation:
        """Return the correlation of two columns, NaN being no number."""
        both = ~(np.isnan(x) | np.isnan(y))
        x, y = _centred(x[both]), _centred(y[both])
        squares = dot(x, x), dot(y, y)
        norm = math.sqrt(squares[0] * squares[1])
        if not norm > 0:
            return cls(math.nan, x, y, both)
        value = float(np.clip(dot(x, y) / norm, -1.0, 1.0))
        scales = [math.sqrt(len(x) / side) for side in squares]
        return cls(value, x * scales[0], y * scales[1], both)

    def influence(self) -> Floats:
        """Return what each row adds to the coefficient, shape ``(rows,)``.

        By the influence function of Devlin, Gnanadesikan and Kettenring ("Robust estimation and
        outlier detection with correlation coefficients", Biometrika 1975): no distribution is taken
        for granted.
        """
        return self.x * self.y - self.value / 2.0 * (self.x * self.x + self.y * self.y)

    def variance(self) -> float:
        """Return the variance of the coefficient."""
        influence = self.influence()
        return dot(influence, influence) / len(influence) ** 2

    def of_every_row(self) -> Floats:
        """Return what each of all rows adds, 0 where either is no number."""
        every = np.zeros(len(self.both))
        every[self.both] = self.influence() * (len(self.both) / len(self.x))
        return every


def _correlations(x: list[Floats], y: list[Floats], *, influences: bool) -> Trend:
    r = [Correlation.of(one, other) for one, other in zip(x, y, strict=True)]
    details: dict[str, Any] = {"measure": "correlation"}
    if math.isnan(r[0].value) or math.isnan(r[1].value):
        why = "a correlation is not defined where fewer than two values differ"
        return Trend(None, {"why": why, **details})
    details |= {"reference_correlation": r[0].value, "synthetic_correlation": r[1].value}
    found = measure(r, _alike)
    if not influences:
        return Trend(found, details)
    half = math.copysign(0.5, r[0].value - r[1].value)
    return Trend(found, details, (-half * r[0].of_every_row(), half * r[1].of_every_row()))


def _alike(one: Correlation, other: Correlation) -> Estimate:
    if math.isnan(other.value):
        return Estimate(math.nan, math.nan)
    apart = abs(one.value - other.value) / 2.0
    return Estimate(1.0 - apart, math.sqrt(one.variance() + other.variance()) / 2.0)


def _centred(values: Floats) -> Floats:
    """Return values moved to mean 0 and scaled to at most 1, lest squares overflow."""
    if not len(values) or values.min() == values.max():
        return np.zeros(len(values))
    values = values / np.abs(values).max()
    values = values - values.mean()
    scale = np.abs(values).max()
    return values / scale if scale > 0 else values
