"""Mutual information: does each column tell as much of each other as it should?"""

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
from simulacra.metrics.columns import Leaf
from simulacra.metrics.discrete import Discrete, joint
from simulacra.metrics.intervals import Estimate
from simulacra.metrics.pairwise import pair_scores
from simulacra.metrics.sides import Sides, measure
from simulacra.metrics.sums import dot

BINS = 10
"""Bins of equal frequency in the reference that numbers are put into."""
MOST_CATEGORIES = 50
"""The most frequent ones stand for themselves, all others for one: many that are rare seem to tell
much of anything, by chance."""


class MutualInformation:
    """One score a pair of columns: how alike the mutual information of both is, 1 when it is equal.

    One minus the difference of the real and the synthetic normalised mutual information,
    ``2 I(X, Y) / (H(X) + H(Y))``: 0 for independent columns, 1 for columns that tell each other
    exactly (Strehl and Ghosh, "Cluster ensembles", Journal of Machine Learning Research 2002, with
    the arithmetic mean). ``details`` hold both values. It sees any dependence, straight or not,
    but not its direction, which ``pair_trends`` does: a copy whose columns fall together where
    real ones rise together is as good here.

    Numbers, dates and times are put into ten bins that are equally frequent in the reference
    (fewer where one value fills several); of categories the 50 most frequent stand for themselves
    and all others are one; null is a value. As many rows are taken on each side, since chance adds
    more to the information of fewer rows. Text, binary values, lists and identifiers are left out.

    Options: ``rows``, the most rows compared on each side (50,000). Floor: as ``pair_trends``.
    """

    name: ClassVar[str] = "mutual_information"
    scope: ClassVar[str] = "pair"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("mutual_information", "Mutual information", Group.FIDELITY),
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
        """Return one score a pair, and one without a value for each column left out."""
        sides = Sides.of(real, synthetic, holdout, options, rng).of_equal_rows(rng)

        def score(
            names: tuple[str, str], a: Discrete, b: Discrete, details: dict[str, Any]
        ) -> Score:
            tables = joint(a, b)
            if min(np.count_nonzero(tables[0].sum(axis=axis)) for axis in (0, 1)) < 2:
                why = "one of the columns has one value only, which tells nothing"
                return Score(self.name, None, names, details={"why": why, **details})
            found = [normalised(side) for side in tables]
            details = {
                "reference_information": found[0].value,
                "synthetic_information": found[1].value,
                **details,
            }
            return measure(found, _alike).score(self.name, names, details)

        def prepare(leaf: Leaf) -> Discrete:
            columns = [leaf.values(side) for side in sides.tables]
            return Discrete.of(leaf, columns, bins=BINS, most=MOST_CATEGORIES)

        return pair_scores(self.name, table, real, sides, prepare, score, rng=rng)


def _alike(one: Estimate, other: Estimate) -> Estimate:
    return Estimate(1.0 - abs(one.value - other.value), math.hypot(one.error, other.error))


def normalised(counts: NDArray[np.int64]) -> Estimate:
    """Return the normalised mutual information of a joint table, by the delta method.

    Args:
        counts: How many rows have each pair of codes, shape ``(of one, of the other)``; at least
            one has any.
    """
    rows = int(counts.sum())
    places = np.nonzero(counts)
    cells = counts[places] / rows
    # The surprise of the code of each cell in either column, and of both together.
    one, other = [
        -np.log(counts.sum(axis=axis)[place] / rows)
        for axis, place in ((1, places[0]), (0, places[1]))
    ]
    shared = one + other + np.log(cells)
    total, information = dot(cells, one + other), dot(cells, shared)
    if not total > 0:
        return Estimate(0.0, 0.0)
    value = min(max(2.0 * information / total, 0.0), 1.0)
    influence = (2.0 * (shared - information) - value * (one + other - total)) / total
    return Estimate(value, math.sqrt(dot(cells, influence**2) / rows))
