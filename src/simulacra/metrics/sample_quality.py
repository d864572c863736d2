"""Alpha-precision, beta-recall and authenticity: typical, varied, and no copies?"""

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
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.disjoint import REAL, disjoint
from simulacra.metrics.embedding import embed
from simulacra.metrics.intervals import Z, bootstrap, wilson
from simulacra.metrics.neighbours import SAME, kth, kth_within, nearest
from simulacra.metrics.sides import Floor, Sides, at_most

ROWS = 4_000
"""The most rows of a side for alpha-precision and beta-recall."""
LEARNED_ROWS = 10_000
"""The most learned rows among which copies are sought, for authenticity."""
QUERIES = 2_000
"""The most rows that are looked up among them."""
NEIGHBOURS = 5
_FEWEST_ROWS = 2 * NEIGHBOURS
_DECIMALS = 9

Matrix = NDArray[np.float64]


class SampleQuality:
    """Three scores a table (Alaa et al., "How faithful is your synthetic data?", ICML 2022).

    ``alpha_precision``: for each share alpha, how many synthetic rows lie where the most typical
    alpha of the real rows lie; right is alpha. The value is one minus twice the area between the
    two (the paper's integrated precision): 1 when synthetic rows are as typical, and as odd, as
    real ones. ``beta_recall``: the same with the roles changed: how many real rows lie where the
    most typical beta of the synthetic rows lie; it falls when a kind of real rows is missing.
    Where the most typical rows lie is the region of least volume that holds so many. The paper
    finds it as a ball in a learned embedding; here it is where the distance to the 5th nearest row
    is least, which follows any shape (Sricharan and Hero, "Efficient anomaly detection using
    bipartite k-NN graphs", NIPS 2011), in the space of ``simulacra.metrics.embedding``. The
    numbers are thus not comparable with those of other programs.

    ``authenticity``: the share of synthetic rows that are no near copies. A row is one when it is
    nearer to its nearest learned row than that is to any other learned row. Rows that were never
    learned from are called copies too, by chance: compare with the floor, that of held-out rows.
    It says that rows lean on learned ones, not whose they are or what can be inferred.

    At most 4,000 rows a side are compared, as many on each; for authenticity 2,000 rows with 10,000
    learned ones, so that copies of others go unseen: with a tenth of the learned rows, a tenth of
    the copies show. Intervals: 50 resamples of the rows, with their neighbours as they are;
    Wilson's for the share. Options: ``rows``, the most rows a side (50,000). With a hold-out,
    synthetic rows and as many real ones are compared with it; the latter is the floor; for
    authenticity, held-out rows are compared with real ones. Without one, one half of the real rows
    is what is compared with, and the other half the floor.
    """

    name: ClassVar[str] = "sample_quality"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("alpha_precision", "Alpha-precision", Group.FIDELITY),
        Measure("beta_recall", "Beta-recall", Group.FIDELITY),
        Measure("authenticity", "Authenticity", Group.PRIVACY, ideal=None),
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
        """Return the three scores."""
        sides = disjoint(real, synthetic, holdout, options, rng, most=LEARNED_ROWS)
        found = leaves(table, real)
        why = ""
        if all(leaf.kind is None for leaf in found):
            why = "no column can be compared"
        elif sides.reference.num_rows < _FEWEST_ROWS:
            why = f"fewer than {_FEWEST_ROWS} rows to compare on one side"
        if why:
            details = {"why": why, **sides.details}
            return [Score(m.name, None, details=details) for m in self.measures]
        return [*_of_levels(found, sides, rng), _authenticity(found, sides, rng)]


def _of_levels(found: list[Leaf], sides: Sides, rng: RngKey) -> list[Score]:
    """Return alpha-precision and beta-recall."""
    fewer = [
        at_most(side, ROWS, rng.child("levels", name))
        for side, name in zip(sides.tables, ("reference", "synthetic", "peer"), strict=True)
    ]
    reference, other, peer = embed(found, fewer, settled_by=REAL).tables
    own = oddness_within(reference)
    details = {
        "rows": len(reference),
        "floor": sides.floor.value,
        "neighbours": NEIGHBOURS,
        "dimensions": reference.shape[1],
    }
    scores = []
    for name, (typical, judged), (floor_typical, floor_judged) in (
        ("alpha_precision", (own, oddness(other, reference)), (own, oddness(peer, reference))),
        (
            "beta_recall",
            (oddness_within(other), oddness(reference, other)),
            (oddness_within(peer), oddness(reference, peer)),
        ),
    ):
        value, interval = _with_interval(typical, judged, rng.child(name))
        floor = agreement(floor_typical, floor_judged)
        scores.append(Score(name, value, floor=floor, details=details, interval=interval))
    return scores


def _with_interval(
    typical: Matrix, judged: Matrix, rng: RngKey
) -> tuple[float, tuple[float, float]]:
    def statistic(generator: np.random.Generator) -> float:
        return agreement(
            *(side[generator.integers(0, len(side), len(side))] for side in (typical, judged))
        )

    value = agreement(typical, judged)
    return value, bootstrap(value, statistic, rng)


def oddness(rows: Matrix, among: Matrix) -> Matrix:
    """Return how odd rows are among others: the squared distance to the 5th, ``(rows,)``."""
    return np.round(kth(rows, among, NEIGHBOURS), _DECIMALS)


def oddness_within(rows: Matrix) -> Matrix:
    """Return how odd each row is among the rest of its own, shape ``(rows,)``."""
    return np.round(kth_within(rows, NEIGHBOURS), _DECIMALS)


def agreement(typical: Matrix, judged: Matrix) -> float:
    """Return one minus twice the area between ``P(alpha)`` and ``alpha``.

    ``P(alpha)`` is the share of ``judged`` that is at most the alpha-quantile of ``typical``;
    between quantiles that tie it goes straight, so that equal distributions give 1 even then.

    Args:
        typical: How odd the rows are that settle the quantiles, shape ``(rows,)``.
        judged: How odd the rows are that are judged, shape ``(others,)``.
    """
    values, counts = np.unique(typical, return_counts=True)
    ordered = np.sort(judged)
    alpha = np.concatenate([[0.0], np.cumsum(counts) / len(typical)])
    above = np.searchsorted(ordered, values, side="left") / len(ordered) - alpha[:-1]
    reached = np.searchsorted(ordered, values, side="right") / len(ordered) - alpha[1:]
    first, last = np.abs(above), np.abs(reached)
    crossing = above * reached < 0
    area = np.where(
        crossing,
        (first**2 + last**2) / (2 * np.where(crossing, first + last, 1.0)),
        (first + last) / 2,
    )
    return 1.0 - 2.0 * float(area @ np.diff(alpha))


def _authenticity(found: list[Leaf], sides: Sides, rng: RngKey) -> Score:
    learned, others = sides.reference, sides.peer
    if sides.floor is Floor.HOLDOUT:
        learned, others = others, learned
    asked = [
        at_most(side, QUERIES, rng.child("authenticity", name))
        for side, name in ((sides.synthetic, "synthetic"), (others, "others"))
    ]
    known, synthetic, held_out = embed(found, [learned, *asked], settled_by=REAL).tables
    share = float(authentic(synthetic, known).mean())
    floor = float(authentic(held_out, known).mean())
    details = {
        "synthetic_rows": len(synthetic),
        "learned_rows": len(known),
        "floor": sides.floor.value,
        "verdict": _verdict(share, floor, len(synthetic), len(held_out)),
        "does_not_show": (
            "whose rows are copied, what could be inferred from that, and copies of learned rows "
            "that were not drawn for the comparison"
        ),
    }
    interval = wilson(share, len(synthetic))
    return Score("authenticity", share, floor=floor, details=details, interval=interval)


def _verdict(share: float, floor: float, asked: int, others: int) -> str:
    near, usual = f"{1 - share:.1%}", f"{1 - floor:.1%}"
    spread = math.sqrt(share * (1 - share) / asked + floor * (1 - floor) / others)
    if floor - share > Z * spread:
        return (
            f"{near} of the synthetic rows are near copies of learned rows, more than the {usual} "
            "that rows never learned from are: they lean on the rows learned from."
        )
    return (
        f"{near} of the synthetic rows are near copies of learned rows, no more than could be "
        f"chance beside the {usual} that rows never learned from are."
    )


def authentic(rows: Matrix, learned: Matrix) -> NDArray[np.bool_]:
    """Return which rows are no nearer to a learned row than another learned row is, ``(rows,)``.

    Args:
        rows: Points, shape ``(rows, dimensions)``.
        learned: Points, shape ``(learned, dimensions)``, at least two.
    """
    places, distances = nearest(rows, learned)
    asked, back = np.unique(places, return_inverse=True)
    # The nearest learned row to a learned row is itself; the next is another.
    between = kth(learned[asked], learned, 2)
    found: NDArray[np.bool_] = distances >= between[back] - SAME
    return found
