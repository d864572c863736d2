"""Utility: is a model trained on synthetic rows as good on real ones?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.errors import SpecError, UsageError
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.boosting import Matrices, matrices, side_by_side, train
from simulacra.metrics.columns import Kind, Leaf, leaves
from simulacra.metrics.encode import as_codes, as_numbers
from simulacra.metrics.sides import at_most, row_budget, thread_budget

TREES = 150
CLASSES = 20
"""The most frequent classes told apart; rows of rarer ones form one class together."""

_FEW_VALUES = 10
"""An integer target of at most so many distinct values is a class, not an amount."""

_FEWEST_ROWS = 10
_TEST_SHARE = 0.3


class Utility:
    """Train on synthetic, test on real (TSTR; Esteban et al., arXiv:1706.02633).

    The value is the AUC (one class against the rest, the mean over the classes of the test rows)
    of LightGBM with 150 trees that learned a target column from synthetic rows and is judged on
    real ones; for a target that is an amount, R². The floor is the same trained on as many real
    rows (TRTR), and ``details["gap"]`` the value minus the floor. Test rows are the hold-out; or,
    without one, 30 % of the real rows, which whoever made the synthetic rows had learned from too.

    Options: ``target``, the name of the column; ``rows``, the most rows to learn from and to judge
    by (50,000); ``threads``.
    """

    name: ClassVar[str] = "utility"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("utility", "Utility (TSTR)", Group.UTILITY, ideal=None),
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
        """Return one score for the table.

        Raises:
            UsageError: No target is named.
            SpecError: The target is not a column that can be predicted.
        """
        found = leaves(table, real)
        target = _target(found, options.get("target"))
        details: dict[str, Any] = {"target": target.name}
        learned, judged = real, holdout
        if judged is None:
            learned, judged = _split(real, rng.child("split"))
            details["test_rows_from"] = "the real rows that the generator had learned from"
        budget = row_budget(options, real.num_columns)
        rows = min(learned.num_rows, synthetic.num_rows, budget)
        tables = [
            at_most(learned, rows, rng.child("real")),
            at_most(synthetic, rows, rng.child("synthetic")),
            at_most(judged, budget, rng.child("test")),
        ]
        details |= {"training_rows": rows, "test_rows": tables[2].num_rows}
        if min(rows, tables[2].num_rows) < _FEWEST_ROWS:
            why = {"why": f"fewer than {_FEWEST_ROWS} rows to learn from or to judge by"}
            return [Score(self.name, None, details=why | details)]
        inputs = [leaf for leaf in found if leaf is not target and leaf.kind is not None]
        features = matrices(inputs, tables)
        if not features.columns:
            return [Score(self.name, None, details={"why": "there is no other column", **details})]
        judge = (_Classes if _is_class(target, tables[0]) else _Amounts).of(target, tables)
        details |= {"measure": judge.measure, **judge.details}
        floor, value = side_by_side(
            lambda side: judge.score(features, side, rng),
            (0, 1),
            thread_budget(options),
        )
        if value is None or floor is None:
            return [Score(self.name, None, floor=floor, details={"why": judge.why, **details})]
        details["gap"] = value - floor
        return [Score(self.name, value, floor=floor, details=details)]


def _target(found: list[Leaf], name: object) -> Leaf:
    if not name:
        raise UsageError("the utility metric needs a target column", mend="Name one of the columns")
    for leaf in found:
        if leaf.name == name:
            if leaf.kind in (Kind.NUMBER, Kind.CATEGORY):
                return leaf
            why = leaf.why or "text, binary values and lists can't be predicted"
            raise SpecError("the target can't be predicted", where=str(name), why=why)
    raise SpecError(
        "there is no such column to predict",
        where=str(name),
        mend=f"Choose from {', '.join(leaf.name for leaf in found)}",
    )


def _split(real: pa.Table, rng: RngKey) -> tuple[pa.Table, pa.Table]:
    """Return 70 % of the rows, and the rest."""
    judged = np.zeros(real.num_rows, dtype=bool)
    order = rng.generator().permutation(real.num_rows)
    judged[order[: round(_TEST_SHARE * real.num_rows)]] = True
    return real.filter(pa.array(~judged)), real.filter(pa.array(judged))


def _is_class(target: Leaf, real: pa.Table) -> bool:
    if target.kind is Kind.CATEGORY:
        return True
    values = as_numbers(target.values(real), target.spec).present()
    return values.dtype.kind == "i" and len(np.unique(values)) <= _FEW_VALUES


@dataclass(frozen=True, slots=True)
class _Classes:
    """A target of classes; null is one.

    Attributes:
        labels: For each table the class of each row, shape ``(rows,)``.
        classes: How many classes there are.
        details: For ``Score.details``.
    """

    labels: list[NDArray[np.int64]]
    classes: int
    details: dict[str, Any]
    measure: ClassVar[str] = "AUC, one class against the rest"
    why: ClassVar[str] = "the rows to learn from or to judge by hold a single class"

    @classmethod
    def of(cls, target: Leaf, tables: list[pa.Table]) -> _Classes:
        codes, cardinality = as_codes([target.values(table) for table in tables])
        kept = np.argsort(-np.bincount(codes[0], minlength=cardinality), kind="stable")[:CLASSES]
        label = np.full(cardinality, len(kept))
        label[kept] = np.arange(len(kept))
        details: dict[str, Any] = {"classes": cardinality}
        if cardinality > CLASSES:
            details["classes_pooled"] = cardinality - CLASSES
        return cls([label[side] for side in codes], min(cardinality, CLASSES + 1), details)

    def score(self, features: Matrices, side: int, rng: RngKey) -> float | None:
        """Return the mean AUC on the last table of a model that learned from table ``side``."""
        from sklearn.metrics import roc_auc_score

        learned, truth = self.labels[side], self.labels[-1]
        judged = [label for label in range(self.classes) if 0 < (truth == label).mean() < 1]
        if len(np.unique(learned)) < 2 or not judged:
            return None
        objective: dict[str, Any] = {"objective": "binary"}
        if self.classes > 2:
            objective = {"objective": "multiclass", "num_class": self.classes}
        trained = train(
            features.tables[side],
            learned,
            features.categorical,
            objective=objective,
            trees=TREES,
            rng=rng.child("train"),
        )
        chances = trained.predict(features.tables[-1])
        if self.classes == 2:
            return float(roc_auc_score(truth, chances))
        aucs = [roc_auc_score(truth == label, chances[:, label]) for label in judged]
        return float(np.mean(aucs))


@dataclass(frozen=True, slots=True)
class _Amounts:
    """A target that is an amount; rows without it are passed over.

    Attributes:
        amounts: For each table the target, shape ``(rows,)``, NaN where there is none.
        details: For ``Score.details``.
    """

    amounts: list[NDArray[np.float64]]
    details: dict[str, Any]
    measure: ClassVar[str] = "R²"
    why: ClassVar[str] = "too few rows hold the target, or all hold the same"

    @classmethod
    def of(cls, target: Leaf, tables: list[pa.Table]) -> _Amounts:
        return cls([as_numbers(target.values(t), target.spec).floats() for t in tables], {})

    def score(self, features: Matrices, side: int, rng: RngKey) -> float | None:
        """Return R² on the last table of a model that learned from table ``side``."""
        from sklearn.metrics import r2_score

        learned, truth = self.amounts[side], self.amounts[-1]
        usable, judged = np.isfinite(learned), np.isfinite(truth)
        if usable.sum() < _FEWEST_ROWS or judged.sum() < 2 or np.ptp(truth[judged]) == 0:
            return None
        # LightGBM keeps targets as float32: centre and scale, lest dates lose their days.
        middle, spread = learned[usable].mean(), learned[usable].std() or 1.0
        trained = train(
            features.tables[side][usable],
            (learned[usable] - middle) / spread,
            features.categorical,
            objective={"objective": "regression"},
            trees=TREES,
            rng=rng.child("train"),
        )
        predicted = trained.predict(features.tables[-1][judged])
        return float(r2_score((truth[judged] - middle) / spread, predicted))
