"""Detection: can a classifier tell synthetic rows from real ones?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.protocols import Score
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.metrics.boosting import matrices, side_by_side, train
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.sides import Sides, thread_budget

TREES = 200
_TEST_SHARE = 0.3
_FEWEST_ROWS = 10
_TELLING_COLUMNS = 5


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

    Options: ``rows``, the most rows a side (50,000); ``threads``. With a hold-out, both synthetic
    and real rows are told from it, as many of each; the latter gives the floor.
    """

    name: ClassVar[str] = "detection"
    scope: ClassVar[str] = "table"
    higher_is_better: ClassVar[bool] = False
    ideal: ClassVar[float] = 0.5

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
        others = [sides.synthetic] if sides.peer is None else [sides.synthetic, sides.peer]
        (value, gains), *floor = side_by_side(
            lambda other: _auc(found, sides.reference, other, rng),
            others,
            thread_budget(options),
        )
        details["given_away_by"] = [
            {"column": column, "share": round(share, 4)}
            for column, share in list(gains.items())[:_TELLING_COLUMNS]
        ]
        return [Score(self.name, value, floor=floor[0][0] if floor else None, details=details)]


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
    rng: RngKey,
) -> tuple[float, dict[str, float]]:
    from sklearn.metrics import roc_auc_score

    features = matrices(found, [reference, other])
    rows = min(reference.num_rows, other.num_rows)
    held_back = max(1, round(_TEST_SHARE * rows))
    learn, judge = [], []
    for side, name in zip(features.tables, ("reference", "other"), strict=True):
        order = rng.child("split", name).generator().permutation(len(side))[:rows]
        judge.append(side[order[:held_back]])
        learn.append(side[order[held_back:]])
    trained = train(
        np.concatenate(learn),
        np.repeat([1.0, 0.0], rows - held_back),
        features.categorical,
        objective={"objective": "binary"},
        trees=TREES,
        rng=rng.child("train"),
    )
    answers = trained.predict(np.concatenate(judge))
    auc = float(roc_auc_score(np.repeat([1, 0], held_back), answers))
    return auc, trained.gains(features.columns)
