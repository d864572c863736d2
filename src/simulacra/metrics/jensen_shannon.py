"""The Jensen-Shannon distance: how much a value tells of which side it comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.columnwise import Columns, column_scores, of_what
from simulacra.metrics.discrete import Discrete
from simulacra.metrics.intervals import Estimate
from simulacra.metrics.sides import Sides, measure
from simulacra.metrics.sums import dot

BINS = 20
"""Bins of equal frequency in the reference that numbers are put into."""


class JensenShannon:
    """One score a column: the Jensen-Shannon distance, 0 for the same distribution, 1 for disjoint.

    The square root of the Jensen-Shannon divergence to base 2 (Lin, "Divergence measures based on
    the Shannon entropy", IEEE Transactions on Information Theory 1991; a metric by Endres and
    Schindelin, "A new metric for probability distributions", same journal 2003). Unlike the total
    variation distance it minds rare values that only one side has. Small differences show more
    than in other distances, as it is a square root: compare with the floor.

    Categories count as they are. Numbers, dates and times are put into 20 bins that are equally
    frequent in the reference (fewer where one value fills several); text, binary values and lists
    likewise, by their length. So it does not see what happens within a bin. Null is a value.

    Options: ``rows``, the most rows compared on each side (50,000). Floor: as ``column_shapes``.
    """

    name: ClassVar[str] = "jensen_shannon"
    scope: ClassVar[str] = "column"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "jensen_shannon",
            "Jensen-Shannon distance",
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
            found = Discrete.of(leaf, columns, bins=BINS)
            how = "categories" if leaf.kind is Kind.CATEGORY else f"bins{of_what(leaf)}"
            details = {"measure": how, "values": found.cardinality, **sides.details}
            return measure(found.counts(), distance).score(self.name, (leaf.name,), details)

        return column_scores(self.name, table, real, sides, score)


def distance(one: NDArray[np.int64], other: NDArray[np.int64]) -> Estimate:
    """Return the distance of two distributions over the same codes, by the delta method.

    Args:
        one: How often each code occurs, shape ``(codes,)``; at least one does.
        other: The same on the other side.
    """
    rows = one.sum(), other.sum()
    p, q = one / rows[0], other / rows[1]
    middle = (p + q) / 2.0
    divergence, variance = 0.0, 0.0
    for side, count in ((p, rows[0]), (q, rows[1])):
        there = side > 0
        bits = np.log2(side[there] / middle[there])
        mean = dot(side[there], bits)
        divergence += mean / 2.0
        variance += max(dot(side[there], bits**2) - mean**2, 0.0) / (4.0 * count)
    value = math.sqrt(min(max(divergence, 0.0), 1.0))
    # At 0 the root has no slope; the limit of the error from there is known.
    least = math.sqrt((1.0 / rows[0] + 1.0 / rows[1]) / (8.0 * math.log(2.0)))
    if value <= least:
        return Estimate(value, least if np.count_nonzero(middle) > 1 else 0.0)
    return Estimate(value, math.sqrt(variance) / (2.0 * value))
