"""Detection: can a classifier tell synthetic rows from real ones?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.boosting import matrices, side_by_side, train
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.intervals import Interval, auc
from simulacra.metrics.sides import Floor, Sides, halves, thread_budget

TREES = 200
_TEST_SHARE = 0.3
_FEWEST_ROWS = 10
_FEWEST_GROUPS = 200
"""Of 60 groups a side, those held back, an AUC has a standard error of 0.05."""
_TELLING_COLUMNS = 5

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]


class Detection:
    """The classifier two-sample test: the AUC of telling synthetic rows from real ones.

    0.5: they can't be told apart; 1: every row is given away (Lopez-Paz and Oquab, "Revisiting
    classifier two-sample tests", ICLR 2017). The classifier is LightGBM with 200 trees, trained on
    70 % of as many real as synthetic rows and judged on the rest. ``details["given_away_by"]``
    lists the five columns that told most, with their share of the gain. Below 0.5 is chance, or
    synthetic rows that are copies of the very rows they are measured against.

    Numbers, dates and times come as numbers; categories as codes; text and lists by their length
    (and number of words); nulls stay nulls. Identifiers and a primary key of one column are left
    out.

    Options: ``rows``, the most rows a side (50,000); ``threads``; ``groups``, a column of whole
    numbers that is not compared: rows of one group are never both learned from and judged, unless
    so few groups hold most rows (as good as 200) that some of them alone can't judge. With a
    hold-out, both synthetic and real rows are told from it, as many of each; the latter gives the
    floor. Without one, the floor is one half of the real rows told from the other.
    """

    name: ClassVar[str] = "detection"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "detection", "Detection (C2ST AUC)", Group.FIDELITY, higher_is_better=False, ideal=0.5
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
        """Return one score for the table."""
        sides = Sides.of(real, synthetic, holdout, options, rng)
        found = leaves(table, real)
        details: dict[str, Any] = {}
        if left_out := {leaf.name: leaf.why for leaf in found if leaf.kind is None}:
            details["left_out"] = left_out
        rows = min(side.num_rows for side in sides.tables)
        details["rows"] = rows
        if why := _impossible(rows, found):
            return [Score(self.name, None, details={"why": why, **details})]
        groups = options.get("groups")
        pairs = [(sides.reference, sides.synthetic), _alike(sides, rng)]
        (value, interval, gains), (floor, _, _) = side_by_side(
            lambda pair: _auc(found, *pair, groups, rng), pairs, thread_budget(options)
        )
        details["floor"] = (Floor.HALVES if holdout is None else Floor.HOLDOUT).value
        details["given_away_by"] = [
            {"column": column, "share": round(share, 4)}
            for column, share in list(gains.items())[:_TELLING_COLUMNS]
        ]
        return [Score(self.name, value, floor=floor, details=details, interval=interval)]


def _alike(sides: Sides, rng: RngKey) -> tuple[pa.Table, pa.Table]:
    """Return two samples of real rows that share none, lest a classifier know rows by heart."""
    if sides.floor is Floor.HOLDOUT:
        return sides.reference, sides.peer
    return halves(sides.reference, rng.child("halves"))


def _impossible(rows: int, found: Sequence[Leaf]) -> str:
    if rows < _FEWEST_ROWS:
        return f"fewer than {_FEWEST_ROWS} rows on one side"
    if all(leaf.kind is None for leaf in found):
        return "no column can be compared"
    return ""


def _auc(
    found: Sequence[Leaf],
    reference: pa.Table,
    other: pa.Table,
    groups: str | None,
    rng: RngKey,
) -> tuple[float, Interval, dict[str, float]]:
    features = matrices(found, [reference, other])
    named = [None if groups is None else np.asarray(s.column(groups)) for s in (reference, other)]
    learn, judge = [], []
    for side, split in zip(features.tables, _split(features.tables, named, rng), strict=True):
        learn.append(side[split[0]])
        judge.append(side[split[1]])
    learned, judged = len(learn[0]), len(judge[0])
    trained = train(
        np.concatenate(learn),
        np.repeat([1.0, 0.0], learned),
        features.categorical,
        objective={"objective": "binary"},
        trees=TREES,
        rng=rng.child("train"),
    )
    answers = trained.predict(np.concatenate(judge))
    value, interval = auc(answers[:judged], answers[judged:])
    return value, interval, trained.gains(features.columns)


def _split(
    sides: Sequence[NDArray[np.float64]], groups: Sequence[Rows | None], rng: RngKey
) -> list[tuple[Rows, Rows]]:
    """Return for both sides the rows to learn from and those to judge, as many of each side.

    Args:
        sides: What has as many rows as the tables.
        groups: For both sides the group of each row, or None if each is its own.
        rng: The key of the split.
    """
    names = ("reference", "other")
    orders = [
        rng.child("split", name).generator().permutation(len(side))
        for side, name in zip(sides, names, strict=True)
    ]
    if groups[0] is not None and groups[1] is not None and all(map(_are_many, groups)):
        held_back = _groups_held_back(groups[0], groups[1], rng)
        parts = [
            (order[~held[order]], order[held[order]])
            for order, held in zip(orders, held_back, strict=True)
        ]
        learned, judged = (min(len(part[i]) for part in parts) for i in (0, 1))
        if learned and judged:
            return [(learn[:learned], judge[:judged]) for learn, judge in parts]
    rows = min(len(order) for order in orders)
    judged = max(1, round(_TEST_SHARE * rows))
    return [(order[judged:rows], order[:judged]) for order in orders]


def _are_many(groups: Rows | None) -> bool:
    """Say whether there are groups enough to judge by some of them alone.

    They count as so many groups of equal size as would leave as much to chance.
    """
    if groups is None or not len(groups):
        return False
    sizes = np.unique(groups, return_counts=True)[1].astype(np.float64)
    effective = sizes.sum() ** 2 / (sizes @ sizes)
    return bool(effective >= min(_FEWEST_GROUPS, len(groups) / 2))


def _groups_held_back(one: Rows, other: Rows, rng: RngKey) -> tuple[Flags, Flags]:
    """Return which rows of either side are in groups, drawn at random, that are judged."""
    _, labels = np.unique(np.concatenate([one, other]), return_inverse=True)
    sizes = np.bincount(labels)
    order = rng.child("split", "groups").generator().permutation(len(sizes))
    reached = np.cumsum(sizes[order])
    judged = np.zeros(len(sizes), dtype=bool)
    judged[order[: 1 + int(np.argmin(np.abs(reached - _TEST_SHARE * len(labels))))]] = True
    held = judged[labels]
    return held[: len(one)], held[len(one) :]
