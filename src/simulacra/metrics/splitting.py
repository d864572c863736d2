"""Rows to learn from and rows to judge, for classifiers that tell two samples apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.metrics.columns import Leaf
from simulacra.metrics.intervals import Interval, auc
from simulacra.metrics.sides import Floor, Sides, halves

CHANCE = 0.5
"""The AUC of who can't tell."""
_TEST_SHARE = 0.3
_FEWEST_ROWS = 10
_FEWEST_GROUPS = 200
"""Of 60 groups a side, those held back, an AUC has a standard error of 0.05."""

Flags = NDArray[np.bool_]
Rows = NDArray[np.int64]
Matrix = NDArray[np.float64]


class Classifier(Protocol):
    """What tells rows apart."""

    def predict(self, matrix: Matrix) -> Matrix:
        """Return how sure it is that rows are of the reference, shape ``(rows,)``."""
        ...


C = TypeVar("C", bound=Classifier)


def real_pair(sides: Sides, rng: RngKey) -> tuple[pa.Table, pa.Table]:
    """Return two samples of real rows that share none, lest a classifier know rows by heart."""
    if sides.floor is Floor.HOLDOUT:
        return sides.reference, sides.peer
    return halves(sides.reference, rng.child("halves"))


def impossible(rows: int, found: Sequence[Leaf]) -> str:
    """Return why no classifier can judge; empty when one can.

    Args:
        rows: The rows of the smallest side.
        found: The columns.
    """
    if rows < _FEWEST_ROWS:
        return f"fewer than {_FEWEST_ROWS} rows on one side"
    if all(leaf.kind is None for leaf in found):
        return "no column can be compared"
    return ""


def groups_of(table: pa.Table, column: str | None) -> Rows | None:
    """Return the group of each row, shape ``(rows,)``; None if each is its own."""
    return None if column is None else np.asarray(table.column(column))


def one_of_each(table: pa.Table, column: str | None) -> pa.Table:
    """Return the first row of each group, or all rows where there are none.

    Rows of a group share what belongs to one: told of row by row, a single parent of many children
    would seem to be many.
    """
    groups = groups_of(table, column)
    if groups is None:
        return table
    return table.take(pa.array(np.sort(np.unique(groups, return_index=True)[1])))


def judged_auc(
    sides: Sequence[Matrix],
    groups: Sequence[Rows | None],
    rng: RngKey,
    train: Callable[[Matrix, Matrix], C],
) -> tuple[float, Interval, C]:
    """Train a classifier on 70 % of two samples; return its AUC on the rest, and the classifier.

    Args:
        sides: The features of reference and other, shape ``(rows, features)`` each.
        groups: For both the group of each row, or None if each is its own.
        rng: The key of the split.
        train: Learns from a matrix and its labels (1 for the reference, 0 for the other).
    """
    learn, judge = [], []
    for side, part in zip(sides, split(sides, groups, rng), strict=True):
        learn.append(side[part[0]])
        judge.append(side[part[1]])
    learned, judged = len(learn[0]), len(judge[0])
    trained = train(np.concatenate(learn), np.repeat([1.0, 0.0], learned))
    answers = trained.predict(np.concatenate(judge))
    value, interval = auc(answers[:judged], answers[judged:])
    return value, interval, trained


def split(
    sides: Sequence[Matrix], groups: Sequence[Rows | None], rng: RngKey
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
