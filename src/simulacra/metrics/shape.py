"""Column shapes: does each column alone have the right distribution?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Kind, Leaf, leaves
from simulacra.metrics.encode import Numbers, as_codes, as_numbers, lengths
from simulacra.metrics.sides import Sides, measure


class ColumnShapes:
    """One score a column: 1 when both distributions are the same, 0 when they don't overlap.

    Numbers, dates and times: one minus the Kolmogorov-Smirnov statistic. Categories and booleans:
    one minus the total variation distance. Text, binary values and lists: the statistic of their
    lengths. On columns without nulls these are SDMetrics' ``KSComplement`` and ``TVComplement``
    (DataCebo, docs.sdv.dev/sdmetrics), which drop nulls; here a null is a category of its own, and
    stands below every number, so that a wrong share of nulls costs as much as any other error.

    Options: ``rows``, the most rows compared on each side (50,000). With a hold-out, both
    synthetic and as many real rows are compared with it; the latter is the floor. Without one, it
    is real rows drawn with replacement, compared with the real ones.
    """

    name: ClassVar[str] = "column_shapes"
    scope: ClassVar[str] = "column"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("column_shapes", "Column shapes", Group.FIDELITY),
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
        return [self._score(leaf, sides) for leaf in leaves(table, real)]

    def _score(self, leaf: Leaf, sides: Sides) -> Score:
        if leaf.kind is None:
            return leaf.left_out(self.name)
        if sides.empty:
            return Score(self.name, None, (leaf.name,), details={"why": sides.empty})
        columns = [leaf.values(side) for side in sides.tables]
        if leaf.kind is Kind.CATEGORY:
            codes, cardinality = as_codes(columns)
            how = "total variation"
            shares = [np.bincount(side, minlength=cardinality) / len(side) for side in codes]
            value, floor = measure(shares, tv_complement)
        elif leaf.kind is Kind.LENGTH:
            how = "Kolmogorov-Smirnov, of lengths"
            value, floor = measure([lengths(column) for column in columns], ks_complement)
        else:
            how = "Kolmogorov-Smirnov"
            numbers = [as_numbers(column, leaf.spec) for column in columns]
            value, floor = measure(numbers, ks_complement)
        nulls = [column.null_count / len(column) for column in columns]
        details = {"measure": how, "reference_nulls": nulls[0], "synthetic_nulls": nulls[1]}
        return Score(self.name, value, (leaf.name,), floor, details | sides.details)


def ks_complement(one: Numbers, other: Numbers) -> float:
    """Return one minus the Kolmogorov-Smirnov statistic; nulls stand below every number."""
    first, second = np.sort(one.present()), np.sort(other.present())
    everywhere = np.concatenate([first, second])
    nulls = one.null.mean(), other.null.mean()
    gap = np.abs(_reached(first, everywhere, nulls[0]) - _reached(second, everywhere, nulls[1]))
    return 1.0 - float(max(gap.max(initial=0.0), abs(nulls[0] - nulls[1])))


def _reached(ordered: NDArray[Any], points: NDArray[Any], null_share: float) -> NDArray[np.float64]:
    """Return the share of a column that is null or at most each of ``points``."""
    if not len(ordered):
        return np.full(len(points), null_share)
    below: NDArray[np.float64] = np.searchsorted(ordered, points, side="right") / len(ordered)
    return null_share + (1.0 - null_share) * below


def tv_complement(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return one minus the total variation distance of two distributions over the same codes."""
    return 1.0 - float(np.abs(one - other).sum()) / 2.0
