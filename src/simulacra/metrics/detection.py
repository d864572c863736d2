"""Detection: can a classifier tell synthetic rows from real ones?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.boosting import Trained, matrices, shares, side_by_side, train
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.intervals import Interval
from simulacra.metrics.sides import Floor, Sides, thread_budget
from simulacra.metrics.splitting import (
    CHANCE,
    Matrix,
    groups_of,
    impossible,
    judged_auc,
    one_of_each,
    real_pair,
)
from simulacra.metrics.telling import given_away_by

TREES = 200


class Detection:
    """The classifier two-sample test: the AUC of telling synthetic rows from real ones.

    0.5: they can't be told apart; 1: every row is given away (Lopez-Paz and Oquab, "Revisiting
    classifier two-sample tests", ICLR 2017). The classifier is LightGBM with 200 trees, trained on
    70 % of as many real as synthetic rows and judged on the rest. ``details["given_away_by"]``
    lists the five columns that told most, with their share of the gain beyond what chance gains
    (as for the floor), and how: the values and ranges of which there are too many or too few, or
    the column they go with wrongly. Below 0.5 is chance, or synthetic rows that are copies of the
    very rows they are measured against.

    Numbers, dates and times come as numbers; categories as codes; text and lists by their length
    (and number of words); nulls stay nulls. Identifiers and a primary key of one column are left
    out.

    Options: ``rows``, the most rows a side (50,000); ``threads``; ``groups``, a column of whole
    numbers that is not compared: rows of one group are never both learned from and judged, unless
    so few groups hold most rows (as good as 200) that some of them alone can't judge; and how
    columns give rows away is told of one row a group, lest a single group be named. With a
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
        if why := impossible(rows, found):
            return [Score(self.name, None, details={"why": why, **details})]
        groups = options.get("groups")
        pairs = [(sides.reference, sides.synthetic), real_pair(sides, rng)]
        (value, interval, gains), (floor, _, usual) = side_by_side(
            lambda pair: _auc(found, *pair, groups, rng), pairs, thread_budget(options)
        )
        details["floor"] = (Floor.HALVES if holdout is None else Floor.HOLDOUT).value
        reference, other = (one_of_each(side, groups) for side in pairs[0])
        details["given_away_by"] = given_away_by(
            found, reference, other, _beyond(gains, usual), by_chance=interval[0] <= CHANCE
        )
        return [Score(self.name, value, floor=floor, details=details, interval=interval)]


def _beyond(gains: Mapping[str, float], usual: Mapping[str, float]) -> dict[str, float]:
    """Return the share of each column in what was gained beyond what chance gains.

    Trees gain something by chance from every column, most from those of many values; as much as
    where real rows are told from real ones.
    """
    beyond = {name: max(gain - usual.get(name, 0.0), 0.0) for name, gain in gains.items()}
    return shares(beyond if any(beyond.values()) else gains)


def _auc(
    found: Sequence[Leaf],
    reference: pa.Table,
    other: pa.Table,
    groups: str | None,
    rng: RngKey,
) -> tuple[float, Interval, dict[str, float]]:
    features = matrices(found, [reference, other])

    def learn(matrix: Matrix, target: Matrix) -> Trained:
        return train(
            matrix,
            target,
            features.categorical,
            objective={"objective": "binary"},
            trees=TREES,
            rng=rng.child("train"),
        )

    named = [groups_of(side, groups) for side in (reference, other)]
    value, interval, trained = judged_auc(features.tables, named, rng, learn)
    return value, interval, trained.total_gains(features.columns)
