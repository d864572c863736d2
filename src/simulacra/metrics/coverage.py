"""Coverage: how much of what real values span does the copy span?"""

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
from simulacra.metrics.encode import Numbers, as_labels
from simulacra.metrics.intervals import Estimate, wilson
from simulacra.metrics.sides import Measured, Sides, measure

Floats = NDArray[np.float64]


class Coverage:
    """One score a column: the share of the real range, or of the real categories, that is reached.

    Numbers, dates and times: one minus the shares of the reference's range, from its least value
    to its greatest, that lie below the least synthetic value and above the greatest; never below
    0. Text, binary values and lists: likewise, by their length. Categories: the share of the
    reference's categories that occur. Nulls and infinite values are left out. These are SDMetrics'
    ``RangeCoverage`` and ``CategoryCoverage`` (DataCebo, docs.sdv.dev/sdmetrics).

    Extremes and rare categories are matters of chance and, where they are people, of privacy: a
    good copy is as near to 1 as the floor is, not nearer. It does not see how values are
    distributed in between, nor those beyond the range, which ``validity`` counts.

    Options: ``rows``, the most rows compared on each side (50,000). Floor: as ``column_shapes``.
    The interval of categories takes each to occur or not by chance; that of a range is by the
    jackknife, from the distances between the two outermost values: a rough guide.
    """

    name: ClassVar[str] = "coverage"
    scope: ClassVar[str] = "column"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("coverage", "Range and category coverage", Group.FIDELITY),
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
            if leaf.kind is Kind.CATEGORY:
                found, details = _of_categories(columns)
            else:
                found, details = _of_range(numbers_of(leaf, columns))
                details["measure"] = f"range{of_what(leaf)}"
            details |= sides.details
            if found is None:
                return Score(self.name, None, (leaf.name,), details=details)
            return found.score(self.name, (leaf.name,), details)

        return column_scores(self.name, table, real, sides, score)


def _of_categories(columns: Columns) -> tuple[Measured | None, dict[str, Any]]:
    labels = as_labels(columns)
    nulls = [np.asarray(column.is_null(nan_is_null=True)) for column in columns]
    known = [np.unique(side[~null]) for side, null in zip(labels, nulls, strict=True)]
    categories = len(known[0])
    details: dict[str, Any] = {"measure": "categories", "reference_categories": categories}
    if not categories:
        return None, {"why": "there is no reference value", **details}
    value, floor = [len(np.intersect1d(known[0], side)) / categories for side in known[1:]]
    return Measured(value, floor, wilson(value, categories)), details


def _of_range(numbers: Sequence[Numbers]) -> tuple[Measured | None, dict[str, Any]]:
    finite = [_outermost(side) for side in numbers]
    if not len(finite[0]) or not len(finite[1]):
        side = "synthetic" if len(finite[0]) else "reference"
        return None, {"why": f"there is no {side} value that is finite"}
    if finite[0][0] == finite[0][-1]:
        return None, {"why": "all values of the reference are the same: they span no range"}
    return measure(finite, range_coverage), {}


def _outermost(side: Numbers) -> Floats:
    """Return the two least and the two greatest values, or all if there are fewer than four.

    As floats halved, lest the width of a range overflow.
    """
    found: Floats = side.finite() / 2.0
    if len(found) > 4:
        last = len(found) - 1
        return np.partition(found, [0, 1, last - 1, last])[[0, 1, -2, -1]]
    return np.sort(found)


def range_coverage(reference: Floats, other: Floats) -> Estimate:
    """Return the share of the reference's range that is covered; NaN if nothing can cover it.

    The variance is that of the jackknife (Efron and Stein, "The jackknife estimate of variance",
    Annals of Statistics 1981: too great rather than too small); only without an outermost value
    is the coverage another.

    Args:
        reference: The two least and the two greatest values, ascending; not all the same.
        other: Those of the other side; any number of values.
    """
    if not len(other):
        return Estimate(math.nan, math.nan)
    value = _covered(reference, other)
    without = [
        _covered(one, another)
        for one, another in (
            (reference[1:], other),
            (reference[:-1], other),
            (reference, other[1:]),
            (reference, other[:-1]),
        )
        if len(another) and len(one) and one[0] < one[-1]
    ]
    return Estimate(value, math.sqrt(math.fsum((value - each) ** 2 for each in without)))


def _covered(reference: Floats, other: Floats) -> float:
    width = reference[-1] - reference[0]
    below = max(float((other[0] - reference[0]) / width), 0.0)
    above = max(float((reference[-1] - other[-1]) / width), 0.0)
    return max(1.0 - below - above, 0.0)
