"""Samples of equal size that share no row, for measures that look at neighbours.

A row drawn twice is its own nearest neighbour, so a bootstrap can't give such measures a floor, and
how near neighbours are depends on how many rows there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.metrics.embedding import most_points
from simulacra.metrics.sides import Floor, Sides, at_most, row_budget

REAL = (0, 2)
"""Which of ``Sides.tables`` are real."""


def disjoint(
    real: pa.Table,
    synthetic: pa.Table,
    holdout: pa.Table | None,
    options: Mapping[str, Any],
    rng: RngKey,
    *,
    most: int,
) -> Sides:
    """Draw as many rows for each side; reference and peer share none.

    With a hold-out the reference is drawn from it and the peer from the real rows. Without one,
    both are drawn from the real rows, each from one random half.

    Args:
        real: The rows that were learned from.
        synthetic: The synthetic rows.
        holdout: Real rows that were not learned from.
        options: ``rows`` bounds the rows of a side too.
        rng: The key of the samples.
        most: The most rows of a side; of very wide tables fewer are drawn.
    """
    columns = real.num_columns
    budget = min(most, row_budget(options, columns), most_points(columns))
    if holdout is not None:
        rows = min(budget, holdout.num_rows, real.num_rows, synthetic.num_rows)
        return Sides(
            at_most(holdout, rows, rng.child("holdout")),
            at_most(synthetic, rows, rng.child("synthetic")),
            at_most(real, rows, rng.child("real")),
            Floor.HOLDOUT,
        )
    rows = min(budget, real.num_rows // 2, synthetic.num_rows)
    both = at_most(real, 2 * rows, rng.child("real"))
    first = np.zeros(2 * rows, dtype=bool)
    first[rng.child("halves").generator().permutation(2 * rows)[:rows]] = True
    return Sides(
        both.filter(pa.array(first)),
        at_most(synthetic, rows, rng.child("synthetic")),
        both.filter(pa.array(~first)),
        Floor.HALVES,
    )
