"""The Wasserstein distance: how far numbers must be moved to become the real ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.columnwise import Columns, column_scores, numbers_of, of_what
from simulacra.metrics.intervals import Estimate
from simulacra.metrics.sides import Measured, Sides, measure
from simulacra.metrics.sums import dot

Floats = NDArray[np.float64]
Values = NDArray[np.int64] | NDArray[np.float64]


class Wasserstein:
    """One score a column: how far its numbers must be moved, in standard deviations of real ones.

    The Wasserstein-1 or earth mover's distance: the area between both distribution functions
    (Vallender, "Calculation of the Wasserstein distance between probability distributions on the
    line", Theory of Probability and its Applications 1974), over the standard deviation of the
    reference. 0: the same numbers; 0.1: a value is off by a tenth of a standard deviation on
    average; there is no upper bound. Unlike the Kolmogorov-Smirnov statistic it minds how far
    values are off, so that a few that are very far off cost much.

    For numbers, dates and times, and the lengths of text, binary values and lists. Categories are
    left out, as no category is nearer to another. Nulls and infinite values are left out too;
    ``missing_values`` compares nulls.

    Options: ``rows``, the most rows compared on each side (50,000). Floor: as ``column_shapes``.
    The interval minds that the standard deviation is that of a sample.
    """

    name: ClassVar[str] = "wasserstein"
    scope: ClassVar[str] = "column"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "wasserstein",
            "Wasserstein distance",
            Group.FIDELITY,
            higher_is_better=False,
            ideal=0.0,
        ),
    )
    optional: ClassVar[bool] = False

    def compute(
        self,
        real: pa.Table,
        synthetic: pa.Table,
        *,
        holdout: pa.Table | None,
        table: TableSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Return one score a leaf column; None, with the reason, for those left out."""
        sides = Sides.of(real, synthetic, holdout, options, rng)

        def score(leaf: Leaf, columns: Columns) -> Score:
            how = f"standard deviations of the reference{of_what(leaf)}"
            details: dict[str, Any] = {"measure": how, **sides.details}
            found, why = None, "no category is nearer to another than to a third"
            if leaf.kind is not Kind.CATEGORY:
                found, why = _measured([side.finite() for side in numbers_of(leaf, columns)])
            if found is None:
                return Score(self.name, None, (leaf.name,), details={"why": why, **details})
            return found.score(self.name, (leaf.name,), details)

        return column_scores(self.name, table, real, sides, score)


def _measured(finite: Sequence[Values]) -> tuple[Measured | None, str]:
    """Return what was found, or why nothing can be."""
    if not len(finite[0]) or not len(finite[1]):
        side = "synthetic" if len(finite[0]) else "reference"
        return None, f"there is no {side} value that is finite"
    low = finite[0].min()
    floats = [_moved(side, low) for side in finite]
    greatest = float(floats[0].max())
    if not greatest > 0:
        return None, "all values of the reference are the same: it has no spread to measure by"
    # Scaled so, squares of the reference neither overflow nor vanish; others may be 1e308 off.
    with np.errstate(over="ignore", invalid="ignore"):
        samples = [np.sort(side / greatest) for side in floats]
        found = measure(samples, distance, high=math.inf)
    if not math.isfinite(found.value):
        return None, "synthetic values lie too far off for a distance to be computed"
    return found, ""


def _moved(side: Values, low: np.int64 | np.float64) -> Floats:
    """Return values less the lowest of the reference, halved lest the difference overflow."""
    far: Floats = side / 2.0 - float(low) / 2.0
    if side.dtype.kind == "f" or isinstance(low, np.floating):
        return far
    # Floats can't tell huge integers apart; their differences can, unless they overflow.
    whole, least = side.astype(np.int64, copy=False), np.int64(low)
    gaps = whole - least
    overflowed = ((whole ^ least) & (whole ^ gaps)) < 0
    return np.where(overflowed, far, gaps / 2.0)


def distance(one: Floats, other: Floats) -> Estimate:
    """Return the Wasserstein-1 distance in standard deviations of the first sample.

    By the delta method: with ``s`` the sign of the difference of the distribution functions, the
    distance is the difference of the means of ``∫ s`` up to each value (del Barrio, Giné and
    Matrán, "Central limit theorems for the Wasserstein distance between the empirical and the true
    distributions", Annals of Probability 1999).

    Args:
        one: Ascending, of which not all are the same.
        other: Ascending; NaN without any.
    """
    if not len(other):
        return Estimate(math.nan, math.nan)
    points = np.unique(np.concatenate([one, other]))
    widths = np.diff(points)
    reached = [np.searchsorted(side, points, side="right") / len(side) for side in (one, other)]
    gaps = (reached[0] - reached[1])[:-1]
    area = dot(np.abs(gaps), widths)
    potential = np.concatenate([[0.0], np.cumsum(np.sign(gaps) * widths)])
    carried = [potential[np.searchsorted(points, side)] for side in (one, other)]
    spread, centred = float(one.std()), one - one.mean()
    value, standard = area / spread, centred / spread
    influences = [
        (carried[0].mean() - carried[0]) / spread - value / 2.0 * (standard**2 - 1.0),
        (carried[1] - carried[1].mean()) / spread,
    ]
    variance = sum(dot(side, side) / len(side) ** 2 for side in influences)
    return Estimate(value, math.sqrt(variance))
