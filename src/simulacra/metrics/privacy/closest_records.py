"""Closest records, a smoke test for copies: do synthetic rows lean on the rows learned from?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.intervals import wilson
from simulacra.metrics.privacy.copies import EXACT_COPIES, exact_copies
from simulacra.metrics.privacy.points import nearest, points
from simulacra.metrics.privacy.risk import FEWEST
from simulacra.metrics.sides import at_most, row_budget, thread_budget

QUERIES = 10_000
"""The most synthetic rows whose nearest neighbours are sought."""
HELD_OUT_QUERIES = 5_000
"""The most held-out rows whose nearest neighbours are sought, to tell what is near."""
NEAR = 0.01
"""The share of held-out rows that are as near to a row learned from as a near copy is."""

Distances = NDArray[np.float32]

_RATIOS, _NEAR_COPIES = "closest_ratios", "near_copies"
_DOES_NOT_SHOW = (
    "It is a smoke test for copying, no test of privacy: rows can pass it and yet tell who was "
    "learned from (see membership_inference)."
)


class ClosestRecords:
    """Smoke tests for copying: are synthetic rows nearer to rows learned from than to others?

    They find generators that copy, and nothing else: data that pass may still give people away
    (Yao et al., "The DCR delusion", arXiv:2505.01524). Attacks tell more: ``membership_inference``,
    ``singling_out``, ``linkability``, ``inference``.

    The value is the share of synthetic rows nearer to the rows learned from than to as many
    held-out ones. 0.5 is ideal, the share that rows drawn from the same population have; towards 1
    the synthetic rows lean on the people they were learned from (the DCR share of Platzer and
    Reutterer, "Holdout-based empirical assessment of mixed-type synthetic data", Frontiers in Big
    Data 2021; a tie counts half). The distance is Gower's (Biometrics 1971): for numbers, dates and
    times the difference as a share of the range of all real rows, at most 1; for categories 0 or 1;
    null is a value of its own, 1 away from all others; text, binary values and lists count by their
    length. Neighbours are exact, among up to ``rows`` rows of each half.

    ``closest_ratios`` (the NNDR share of the same paper) likewise compares the distance to the
    nearest row divided by that to the second nearest: it is small for a row that leans on one
    person, even where people are far apart.

    ``near_copies`` is the share of synthetic rows as near to a row learned from as the nearest 1 %
    of held-out rows are (or nearer); its floor is the share of held-out rows that are so near: 1 %,
    or more where many are equally near.

    ``exact_copies`` is the share of synthetic rows that equal a row learned from in every column
    compared, text in full; its floor is the share of held-out rows that do. It is taken over all
    rows given. Without a hold-out it is the only score with a value: how near is too near can't be
    told without people who were not learned from.

    Identifiers and a primary key of one column are left out. Of the intervals, those of the two
    shares mind that synthetic rows with the same closest row are judged alike. Options: ``rows``,
    the most rows of each half to search (50,000); ``threads``.
    """

    name: ClassVar[str] = "closest_records"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "closest_records",
            "Closest records (DCR share, copy smoke test)",
            Group.PRIVACY,
            higher_is_better=False,
            ideal=0.5,
        ),
        Measure(
            _RATIOS,
            "Closest ratios (NNDR share, copy smoke test)",
            Group.PRIVACY,
            higher_is_better=False,
            ideal=0.5,
        ),
        Measure(
            _NEAR_COPIES,
            "Near copies (copy smoke test)",
            Group.PRIVACY,
            higher_is_better=False,
            ideal=None,
        ),
        Measure(
            EXACT_COPIES,
            "Exact copies (copy smoke test)",
            Group.PRIVACY,
            higher_is_better=False,
            ideal=None,
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
        """Return both shares of nearer rows, and those of near and exact copies."""
        used = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        why = ""
        if not used:
            why = "no column can be compared"
        elif not (real.num_rows and synthetic.num_rows):
            why = "there are no real or no synthetic rows"
        if why:
            return [Score(measure.name, None, details={"why": why}) for measure in self.measures]
        if holdout is not None and not holdout.num_rows:
            holdout = None
        copies = exact_copies(used, real, synthetic, holdout, _DOES_NOT_SHOW)
        if holdout is None:
            why = "it takes held-out rows to tell near from too near"
            names = (self.name, _RATIOS, _NEAR_COPIES)
            return [*(Score(name, None, details={"why": why}) for name in names), copies]
        return [*_nearness(used, real, synthetic, holdout, options, rng), copies]


def _nearness(
    used: Sequence[Leaf],
    real: pa.Table,
    synthetic: pa.Table,
    holdout: pa.Table,
    options: Mapping[str, Any],
    rng: RngKey,
) -> list[Score]:
    budget = row_budget(options, real.num_columns)
    rows = min(real.num_rows, holdout.num_rows, budget)
    learned, held_out, queries = points(
        used,
        [at_most(real, rows, rng.child("real")), at_most(holdout, rows, rng.child("holdout"))],
        [at_most(synthetic, min(QUERIES, budget), rng.child("synthetic"))],
    )
    threads = thread_budget(options)
    near, far = (nearest(queries, side, count=2, threads=threads) for side in (learned, held_out))
    # Which rows were learned from is chance, too: synthetic rows with one nearest row share it.
    closest = np.where(near[0][0] <= far[0][0], near[1][0], rows + far[1][0])
    others = held_out[:, _some(rows, HELD_OUT_QUERIES, rng.child("queries"))]
    usual = nearest(others, learned, threads=threads)[0][0]
    details = {
        "does_not_show": _DOES_NOT_SHOW,
        "synthetic_rows": queries.shape[1],
        "rows_a_half": rows,
    }
    medians = {}
    if min(queries.shape[1], rows) >= FEWEST:
        medians = {
            "median_distance": float(np.median(near[0][0])),
            "median_distance_holdout": float(np.median(far[0][0])),
        }
    what = "nearer to a row learned from"
    return [
        _nearer("closest_records", what, near[0][0], far[0][0], closest, medians | details),
        _ratios(near[0], far[0], closest, details),
        _near_copies(near[0][0], usual, details),
    ]


def _some(rows: int, most: int, rng: RngKey) -> NDArray[np.int64]:
    return np.sort(rng.generator().permutation(rows)[:most])


def _nearer(
    name: str,
    what: str,
    near: Distances,
    far: Distances,
    closest: NDArray[np.int64],
    details: Mapping[str, Any],
) -> Score:
    """Return the share of ``near`` below ``far``, a tie counting half.

    Args:
        name: The score's name.
        what: What it says of a row.
        near: Something about rows learned from, shape ``(synthetic rows,)``.
        far: The same about held-out rows.
        closest: The nearest row of both together, by number.
        details: For ``Score.details``.
    """
    ties = near == far
    nearer = (near < far) + ties / 2
    share = float(nearer.mean())
    # Synthetic rows with one closest row go together (Liang and Zeger, Biometrika 1986).
    sums = np.bincount(closest, nearer - share)
    spread = float(sums @ sums) / len(near) ** 2
    worth = round(share * (1 - share) / spread) if spread > 0 else len(near)
    interval = wilson(share, min(max(worth, 1), len(near)))
    said = f"{share:.1%} of the synthetic rows are {what} than to one held out; 50 % is chance"
    return Score(
        name,
        share,
        floor=0.5,
        interval=interval,
        details={
            "verdict": f"{'Leaning' if interval[0] > 0.5 else 'No copying found'}: {said}.",
            **details,
            "ties": float(ties.mean()),
        },
    )


def _ratios(
    near: Distances, far: Distances, closest: NDArray[np.int64], details: Mapping[str, Any]
) -> Score:
    if details["rows_a_half"] < 2:
        return Score(_RATIOS, None, details={"why": "it takes two rows of each half"})
    # Two rows equally near have a ratio of 1, even where both are copies.
    one, other = (
        np.divide(d[0], d[1], out=np.ones_like(d[0]), where=d[1] > 0) for d in (near, far)
    )
    what = "closer to a single row learned from, beside the next,"
    return _nearer(_RATIOS, what, one, other, closest, details)


def _near_copies(near: Distances, usual: Distances, details: Mapping[str, Any]) -> Score:
    limit = np.quantile(usual, NEAR, method="lower")
    value, floor = float((near <= limit).mean()), float((usual <= limit).mean())
    interval = wilson(value, len(near))
    said = (
        f"{value:.1%} of the synthetic rows are as near to a row learned from as the nearest "
        f"{floor:.1%} of other people's"
    )
    # The limit is drawn from as many held-out rows as there are.
    chance = wilson(floor, len(usual))[1]
    verdict = f"{'Copies' if interval[0] > chance else 'No copying found'}: {said}."
    more = {"held_out_rows": len(usual)}
    return Score(
        _NEAR_COPIES,
        value,
        floor=floor,
        interval=interval,
        details={"verdict": verdict, **details, **more},
    )
