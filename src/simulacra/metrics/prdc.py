"""Precision, recall, density and coverage: do the rows lie where real rows lie, and everywhere?"""

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
from simulacra.metrics.columns import leaves
from simulacra.metrics.disjoint import REAL, disjoint
from simulacra.metrics.embedding import embed
from simulacra.metrics.intervals import DRAWS, about
from simulacra.metrics.neighbours import SAME, blocks, kth_within

ROWS = 5_000
"""The most rows of a side whose neighbours are sought."""
NEIGHBOURS = 5
_FEWEST_ROWS = 2 * NEIGHBOURS

Matrix = NDArray[np.float64]


class Prdc:
    """Four scores a table, by the balls around rows that reach to their 5th nearest neighbour.

    ``precision``: the share of synthetic rows within the ball of a real one (they are plausible);
    ``recall``: the share of real rows within the ball of a synthetic one (nothing is missing; both
    Kynkäänniemi et al., "Improved precision and recall metric for assessing generative models",
    NeurIPS 2019); ``density``: how many real balls a synthetic row lies in, divided by 5, 1 being
    right and more a crowd in the middle; ``row_coverage``: the share of real balls that a
    synthetic row lies in (both Naeem et al., "Reliable fidelity and diversity metrics for
    generative models", ICML 2020). One outlier with a large ball makes precision and recall look
    good; density and coverage mind it less.

    Distances are Euclidean in the space of ``simulacra.metrics.embedding``; balls include their
    surface, as rows of a few values tie. Neighbours are exact, among at most 5,000 rows a side and
    as many on each. The interval is by 50 resamples of the rows of both sides, with the balls as
    they are.

    Options: ``rows``, the most rows a side (50,000, of which 5,000 are used). With a hold-out,
    synthetic rows and as many real ones are compared with it; the latter is the floor. Without
    one, they are compared with one half of the real rows, and the other half is the floor.
    """

    name: ClassVar[str] = "prdc"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("precision", "Precision (k-NN)", Group.FIDELITY),
        Measure("recall", "Recall (k-NN)", Group.FIDELITY),
        Measure("density", "Density", Group.FIDELITY),
        Measure("row_coverage", "Coverage (k-NN)", Group.FIDELITY),
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
        """Return the four scores."""
        sides = disjoint(real, synthetic, holdout, options, rng, most=ROWS)
        found = leaves(table, real)
        details: dict[str, Any] = {**sides.details, "neighbours": NEIGHBOURS}
        why = ""
        if all(leaf.kind is None for leaf in found):
            why = "no column can be compared"
        elif sides.reference.num_rows < _FEWEST_ROWS:
            why = f"fewer than {_FEWEST_ROWS} rows to compare on one side"
        if why:
            return [Score(m.name, None, details={"why": why, **details}) for m in self.measures]
        reference, other, peer = embed(found, sides.tables, settled_by=REAL).tables
        details["dimensions"] = reference.shape[1]
        reach = kth_within(reference, NEIGHBOURS)
        count = len(reference)
        draws = [
            np.column_stack(
                [
                    np.ones(count),
                    rng.child("draws", side)
                    .generator()
                    .multinomial(count, np.full(count, 1 / count), DRAWS)
                    .T,
                ]
            )
            for side in ("reference", "synthetic")
        ]
        values = balls(reference, other, reach, *draws)
        floors = balls(reference, peer, reach, *[np.ones((count, 1))] * 2)
        errors = values[:, 1:].std(axis=1, ddof=1)
        return [
            Score(
                measure.name,
                float(value[0]),
                floor=float(floor[0]),
                details=details,
                interval=about(
                    float(value[0]), error, high=math.inf if measure.name == "density" else 1.0
                ),
            )
            for measure, value, floor, error in zip(
                self.measures, values, floors, map(float, errors), strict=True
            )
        ]


def balls(
    reference: Matrix, other: Matrix, reach: Matrix, of_reference: Matrix, of_other: Matrix
) -> Matrix:
    """Return precision, recall, density and coverage under several weightings of the rows.

    Args:
        reference: Points, shape ``(rows, dimensions)``.
        other: Points, shape ``(others, dimensions)``.
        reach: The squared radius of each reference ball, shape ``(rows,)``.
        of_reference: How often each reference row counts, shape ``(rows, weightings)``.
        of_other: How often each other row counts, shape ``(others, weightings)``.

    Returns:
        Shape ``(4, weightings)``.
    """
    other_reach = kth_within(other, NEIGHBOURS)
    # Whole numbers of at most some thousands: float32 keeps them exact.
    rows, others = of_reference.astype(np.float32), of_other.astype(np.float32)
    in_balls = np.zeros(others.shape, dtype=np.float32)
    covered, recalled = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for part, squared in blocks(reference, other):
        within = (squared <= reach[part, None] + SAME).astype(np.float32)
        in_balls += within.T @ rows[part]
        covered += (of_reference[part] * (within @ others > 0)).sum(axis=0)
        within = (squared <= other_reach + SAME).astype(np.float32)
        recalled += (of_reference[part] * (within @ others > 0)).sum(axis=0)
    precision = (of_other * (in_balls > 0)).mean(axis=0)
    density = (of_other * in_balls).mean(axis=0) / NEIGHBOURS
    return np.stack([precision, recalled / len(rows), density, covered / len(rows)])
