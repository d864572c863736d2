"""Column shapes: does each column alone have the right distribution?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.columnwise import Columns, column_scores, numbers_of, of_what
from simulacra.metrics.distances import kolmogorov_smirnov, total_variation
from simulacra.metrics.encode import as_codes
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
    is real rows drawn with replacement, compared with the real ones. The interval takes rows as
    independent; it is not moved for what chance adds to any distance, which the floor shows.
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

        def score(leaf: Leaf, columns: Columns) -> Score:
            nulls = [column.null_count / len(column) for column in columns]
            details = {"reference_nulls": nulls[0], "synthetic_nulls": nulls[1], **sides.details}
            if leaf.kind is Kind.CATEGORY:
                codes, cardinality = as_codes(columns)
                counts = [np.bincount(side, minlength=cardinality) for side in codes]
                found = measure(counts, lambda a, b: total_variation(a, b).complement())
                how = "total variation"
            else:
                numbers = numbers_of(leaf, columns)
                found = measure(numbers, lambda a, b: kolmogorov_smirnov(a, b).complement())
                how = f"Kolmogorov-Smirnov{of_what(leaf)}"
            return found.score(self.name, (leaf.name,), {"measure": how, **details})

        return column_scores(self.name, table, real, sides, score)
