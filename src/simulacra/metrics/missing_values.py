"""Missing values: are as many nulls in each column as in the real data?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Leaf
from simulacra.metrics.columnwise import Columns, column_scores
from simulacra.metrics.intervals import alike_shares
from simulacra.metrics.sides import Measured, Sides


class MissingValues:
    """One score a column: one minus the difference of the shares of nulls; 1 when they are equal.

    NaN counts as null. This is SDMetrics' ``MissingValueSimilarity`` (DataCebo,
    docs.sdv.dev/sdmetrics). It does not see whether the right rows have nulls; ``pair_trends`` of
    categories and ``detection`` do.

    Options: ``rows``, the most rows compared on each side (50,000). Floor: as ``column_shapes``.
    """

    name: ClassVar[str] = "missing_values"
    scope: ClassVar[str] = "column"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("missing_values", "Missing values", Group.FIDELITY),
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
            reference, copy, peer = [
                float(np.mean(column.is_null(nan_is_null=True))) for column in columns
            ]
            rows = len(columns[0]), len(columns[1])
            value, interval = alike_shares(reference, rows[0], copy, rows[1])
            details = {"reference_nulls": reference, "synthetic_nulls": copy, **sides.details}
            found = Measured(value, 1.0 - abs(reference - peer), interval)
            return found.score(self.name, (leaf.name,), details)

        return column_scores(self.name, table, real, sides, score)
