"""Pair trends: do columns, two by two, go together as they should?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Leaf
from simulacra.metrics.pairwise import pair_scores
from simulacra.metrics.sides import Sides
from simulacra.metrics.trends import PairColumn, trend


class PairTrends:
    """One score a pair of columns: 1 when they go together alike, 0 when not at all.

    Two numbers (dates, times): ``1 - |r - r'| / 2`` with Pearson's r, over rows where both are
    finite. Two categories: one minus the total variation distance of the joint tables. A number
    and a category: the same, the number cut into ten bins of equal width over the reference's
    range (values outside go to the outermost bins, nulls to one of their own). These are SDMetrics'
    ``CorrelationSimilarity`` and ``ContingencySimilarity`` (DataCebo, docs.sdv.dev/sdmetrics).
    Text, binary values, lists and identifiers are left out.

    Options: ``rows``, the most rows compared on each side (50,000). With a hold-out, both
    synthetic and as many real rows are compared with it; the latter is the floor. Without one, it
    is real rows drawn with replacement, compared with the real ones. The interval takes rows as
    independent; it is not moved for what chance adds to any distance, which the floor shows.
    """

    name: ClassVar[str] = "pair_trends"
    scope: ClassVar[str] = "pair"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("pair_trends", "Pair trends", Group.FIDELITY),
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
        sides = Sides.of(real, synthetic, holdout, options, rng)

        def score(
            names: tuple[str, str], a: PairColumn, b: PairColumn, details: dict[str, Any]
        ) -> Score:
            found = trend(a, b)
            details = {**found.details, **details}
            if found.found is None:
                return Score(self.name, None, names, details=details)
            return found.found.score(self.name, names, details)

        def prepare(leaf: Leaf) -> PairColumn:
            return PairColumn.of(leaf, sides)

        return pair_scores(self.name, table, real, sides, prepare, score, rng=rng)
