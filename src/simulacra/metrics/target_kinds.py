"""The kinds of targets: classes, judged by the AUC, and amounts, judged by R²."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.metrics.boosting import Matrices, Trained, train
from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import as_codes, as_numbers
from simulacra.metrics.predicting import (
    FEWEST_ROWS,
    Effort,
    Floats,
    Judged,
    Part,
    Predictor,
    Target,
)

CLASSES = 20
"""The most classes told apart: the most frequent ones …"""
_LEAST_SHARE = 0.01
"""… of at least this share of the rows; rows of rarer ones form one class together. A class of a
few rows has an AUC that is chance, and would weigh as much in the mean as any other."""
_STEADY = {"lambda_l2": 1.0, "min_sum_hessian_in_leaf": 1.0}
"""Where classes are all but settled, the leaves of unpenalised trees grow without bounds."""

_FEW_VALUES = 10
"""An integer target of at most so many distinct values is a class, not an amount."""

_WIDE = 100
_COARSE_BINS = 63

_ALL_ALIKE = 0.99
_MOST_POOLED = 0.5
_FEWEST_PRESENT = 0.5
_CONSTANT = f"{_ALL_ALIKE:.0%} of the rows hold the same value"


def target_of(leaf: Leaf, tables: Sequence[pa.Table]) -> Target:
    """Return a column as a target: of classes or of amounts.

    Args:
        leaf: The column, of numbers or categories.
        tables: The tables; the first, of real rows, settles what it is.
    """
    if _is_class(leaf, tables[0]):
        return Classes.of(leaf, tables)
    return Amounts([as_numbers(leaf.values(t), leaf.spec).floats() for t in tables])


def _is_class(leaf: Leaf, real: pa.Table) -> bool:
    if leaf.kind is Kind.CATEGORY:
        return True
    values = as_numbers(leaf.values(real), leaf.spec).present()
    return values.dtype.kind == "i" and len(np.unique(values)) <= _FEW_VALUES


@dataclass(frozen=True, slots=True)
class _Plain:
    """Predictions as the booster makes them, but changed at the end."""

    trained: Trained
    change: Callable[[Floats], Floats]

    def predict(self, matrix: Floats) -> Floats:
        return self.change(self.trained.predict(matrix))


@dataclass(frozen=True, slots=True)
class Classes:
    """A target of classes; null is one.

    Attributes:
        labels: For each table the class of each row, shape ``(rows,)``.
        classes: How many classes there are.
        cardinality: How many there were before rare ones were pooled.
    """

    labels: list[NDArray[np.int64]]
    classes: int
    cardinality: int
    measure: ClassVar[str] = "AUC, one class against the rest"
    short: ClassVar[str] = "AUC"
    chance: ClassVar[float] = 0.5
    why: ClassVar[str] = "the rows to learn from or to judge by hold a single class"

    @classmethod
    def of(cls, leaf: Leaf, tables: Sequence[pa.Table]) -> Classes:
        """Number the classes, the most frequent of the first table first."""
        codes, cardinality = as_codes([leaf.values(table) for table in tables])
        counts = np.bincount(codes[0], minlength=cardinality)
        frequent = int((counts >= _LEAST_SHARE * counts.sum()).sum())
        kept = np.argsort(-counts, kind="stable")[: min(CLASSES, max(2, frequent))]
        label = np.full(cardinality, len(kept))
        label[kept] = np.arange(len(kept))
        classes = min(cardinality, len(kept) + 1)
        return cls([label[side] for side in codes], classes, cardinality)

    @property
    def details(self) -> dict[str, Any]:
        """How many classes there are, and how many share one."""
        found: dict[str, Any] = {"measure": self.measure, "classes": self.cardinality}
        if self.cardinality > self.classes:
            found["classes_pooled"] = self.cardinality - self.classes + 1
        return found

    def rounds(self, effort: Effort) -> int:
        """Return the rounds: fewer for many classes, which take a tree each."""
        return effort.rounds_of(self.classes if self.classes > 2 else 1)

    def learn(
        self, features: Matrices, part: Part, effort: Effort, rng: RngKey
    ) -> Predictor | None:
        """Train a classifier; None if there is a single class."""
        learned = part.of(self.labels)
        if len(np.unique(learned)) < 2:
            return None
        objective: dict[str, Any] = {"objective": "binary"}
        if self.classes > 2:
            objective = {"objective": "multiclass", "num_class": self.classes}
        trained = train(
            part.of(features.tables),
            learned,
            features.categorical,
            objective=objective | _STEADY | _pace(features, effort),
            trees=self.rounds(effort),
            rng=rng,
        )
        return _Plain(trained, _both_chances if self.classes == 2 else np.asarray)

    def judge(self, predicted: Floats, part: Part) -> Judged | None:
        """Return the mean AUC over classes of at least 1 % of the rows; of two, that of the second.

        The influence of a row is that of its placement (DeLong, DeLong and Clarke-Pearson,
        Biometrics 1988).

        Args:
            predicted: The chance of each class, shape ``(rows, classes)``.
            part: The rows.
        """
        truth = part.of(self.labels)
        asked = range(1, 2) if self.classes == 2 else range(self.classes)
        least = _LEAST_SHARE if self.classes > 2 else 0.0
        found = [
            _auc(predicted[:, label], truth == label)
            for label in asked
            if max(least, 1 / len(truth)) <= (truth == label).mean() < 1
        ]
        if not found:
            return None
        return Judged(
            float(np.mean([judged.value for judged in found])),
            np.mean([judged.influence for judged in found], axis=0),
        )

    def losses(self, predicted: Floats, part: Part) -> Floats:
        """Return the logarithmic loss, in nats."""
        truth = part.of(self.labels)
        chances = predicted[np.arange(len(truth)), truth]
        losses: Floats = -np.log(np.clip(chances, 1e-15, 1.0))
        return losses

    def unsuitable(self, part: Part) -> str:
        """Say whether nearly all rows are alike, or nearly all different."""
        counts = np.bincount(part.of(self.labels), minlength=self.classes)
        if counts.max() > _ALL_ALIKE * counts.sum():
            return _CONSTANT
        if self.cardinality > self.classes and counts[-1] > _MOST_POOLED * counts.sum():
            return "its most frequent values are too few of the rows"
        return ""


def _pace(features: Matrices, effort: Effort) -> dict[str, Any]:
    """Return the learning rate and, in wide tables, coarser bins: time goes with their number."""
    pace: dict[str, Any] = {"learning_rate": effort.rate}
    return pace | {"max_bin": _COARSE_BINS} if len(features.columns) > _WIDE else pace


def _both_chances(second: Floats) -> Floats:
    return np.column_stack([1.0 - second, second])


def _auc(chances: Floats, positive: NDArray[np.bool_]) -> Judged:
    up, down = np.sort(chances[positive]), np.sort(chances[~positive])
    placements = np.where(positive, _below(chances, down), 1.0 - _below(chances, up))
    value = float(placements[positive].mean())
    shares = np.where(positive, positive.mean(), 1.0 - positive.mean())
    return Judged(value, (placements - value) / shares)


def _below(values: Floats, ordered: Floats) -> Floats:
    """Return for each value the share of others below it, a tie counting half."""
    lower = np.searchsorted(ordered, values, side="left")
    upper = np.searchsorted(ordered, values, side="right")
    return (lower + upper) / (2.0 * len(ordered))


@dataclass(frozen=True, slots=True)
class Amounts:
    """A target that is an amount; rows without it are passed over.

    Attributes:
        amounts: For each table the target, shape ``(rows,)``, NaN where there is none.
    """

    amounts: list[Floats]
    measure: ClassVar[str] = "R²"
    short: ClassVar[str] = "R²"
    chance: ClassVar[float] = 0.0
    why: ClassVar[str] = "too few rows hold the target, or have one value or no finite spread"

    @property
    def details(self) -> dict[str, Any]:
        """What it is judged by."""
        return {"measure": self.measure}

    def rounds(self, effort: Effort) -> int:
        """Return the rounds."""
        return effort.rounds_of(1)

    def learn(
        self, features: Matrices, part: Part, effort: Effort, rng: RngKey
    ) -> Predictor | None:
        """Train by least squares; None if too few rows hold an amount."""
        learned = part.of(self.amounts)
        usable = np.isfinite(learned)
        if usable.sum() < FEWEST_ROWS:
            return None
        # LightGBM keeps targets as float32: centre and scale, lest dates lose their days.
        middle, spread = np.median(learned[usable]), _spread(learned[usable]) or 1.0
        trained = train(
            part.of(features.tables)[usable],
            (learned[usable] - middle) / spread,
            features.categorical,
            objective={"objective": "regression"} | _pace(features, effort),
            trees=self.rounds(effort),
            rng=rng,
        )
        return _Plain(trained, lambda scaled: middle + spread * scaled)

    def judge(self, predicted: Floats, part: Part) -> Judged | None:
        """Return R² on the rows that hold an amount.

        R² is one minus a ratio of two means over rows; the influence of a row is that ratio's.

        Args:
            predicted: Amounts, shape ``(rows,)``.
            part: The rows.
        """
        truth = part.of(self.amounts)
        judged = np.isfinite(truth)
        spread = _spread(truth[judged])
        if not spread:
            return None
        away = (truth - truth[judged].mean()) / spread
        missed = ((truth - predicted) / spread) ** 2
        lost = missed[judged].mean()
        influence = np.zeros(len(truth))
        influence[judged] = lost * away[judged] ** 2 - missed[judged]
        # Of all rows only these count; the standard error takes the length as their number.
        influence *= len(truth) / judged.sum()
        return Judged(float(1.0 - lost), influence)

    def losses(self, predicted: Floats, part: Part) -> Floats:
        """Return squared errors, as shares of the variance."""
        truth = part.of(self.amounts)
        judged = np.isfinite(truth)
        losses = ((truth - predicted) / (_spread(truth[judged]) or 1.0)) ** 2
        return np.where(judged, losses, 0.0)

    def unsuitable(self, part: Part) -> str:
        """Say whether most rows lack it, nearly all are alike, or some far too large."""
        values = part.of(self.amounts)
        present = values[np.isfinite(values)]
        if len(present) < max(1.0, _FEWEST_PRESENT * len(values)):
            return "most rows lack it"
        if np.unique(present, return_counts=True)[1].max() > _ALL_ALIKE * len(present):
            return _CONSTANT
        return "" if _spread(present) else "its values have no finite spread"


def _spread(values: Floats) -> float:
    """Return the standard deviation; 0 where it is too large for a number."""
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(values.std()) if len(values) else 0.0
    return spread if math.isfinite(spread) else 0.0
