"""Gradient-boosted trees (LightGBM) over tables, the judge of detection and utility."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.limits import Limits
from simulacra.core.random import RngKey
from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import as_codes, as_numbers, lengths, words

_CATEGORIES = 4_096
"""The most frequent categories a tree can tell apart; rarer ones share a code. LightGBM itself
never splits off categories of fewer than ten rows."""


T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Matrices:
    """Several tables as matrices of the same features.

    Attributes:
        tables: One matrix a table, shape ``(rows, features)``, dtype float64, NaN where a number
            is null.
        columns: The column that each feature tells of.
        categorical: The features that are codes without order.
    """

    tables: list[NDArray[np.float64]]
    columns: list[str]
    categorical: list[int]


def matrices(leaves: Sequence[Leaf], tables: Sequence[pa.Table]) -> Matrices:
    """Turn tables into matrices: numbers as they are, categories as codes, text as its length.

    Args:
        leaves: The columns to use; those left out of comparisons are passed over.
        tables: The tables, of one schema.
    """
    features: list[list[NDArray[np.float64]]] = []
    columns: list[str] = []
    categorical: list[int] = []
    for leaf in leaves:
        values = [leaf.values(table) for table in tables]
        if leaf.kind is Kind.CATEGORY:
            categorical.append(len(features))
            features.append(_pooled(*as_codes(values)))
            columns.append(leaf.name)
        elif leaf.kind is Kind.NUMBER:
            features.append([as_numbers(side, leaf.spec).floats() for side in values])
            columns.append(leaf.name)
        elif leaf.kind is Kind.LENGTH:
            for measured in ([lengths(side) for side in values], [words(side) for side in values]):
                present = [side.floats() for side in measured if side is not None]
                if present:
                    features.append(present)
                    columns.append(leaf.name)
    stacked = [
        np.column_stack([feature[i] for feature in features])
        if features
        else np.empty((table.num_rows, 0))
        for i, table in enumerate(tables)
    ]
    return Matrices(stacked, columns, categorical)


def _pooled(codes: Sequence[NDArray[np.int64]], cardinality: int) -> list[NDArray[np.float64]]:
    """Give the rare categories one code; equally frequent ones all keep theirs, or none does.

    Cutting between equals would favour one table's categories over another's.
    """
    kept = cardinality
    if cardinality > _CATEGORIES:
        counts = np.bincount(np.concatenate(codes), minlength=cardinality)
        kept = int((counts > counts[_CATEGORIES]).sum())
    return [np.minimum(side, kept).astype(np.float64) for side in codes]


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained booster."""

    booster: Any

    def predict(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return predictions, shape ``(rows,)``, or ``(rows, classes)`` for several classes."""
        found: NDArray[np.float64] = self.booster.predict(matrix)
        return found

    def total_gains(self, columns: Sequence[str]) -> dict[str, float]:
        """Return the gain that each column brought, in what the objective counts.

        Args:
            columns: The column that each feature tells of.
        """
        totals: dict[str, float] = dict.fromkeys(columns, 0.0)
        gains = self.booster.feature_importance("gain")
        for column, gain in zip(columns, gains, strict=True):
            totals[column] += float(gain)
        return totals

    def gains(self, columns: Sequence[str]) -> dict[str, float]:
        """Return the share of the total gain that each column brought, greatest first.

        Args:
            columns: The column that each feature tells of.
        """
        return shares(self.total_gains(columns))


def shares(totals: Mapping[str, float]) -> dict[str, float]:
    """Return what part each has in the total, greatest first, without those that have none."""
    total = sum(totals.values()) or 1.0
    ordered = sorted(totals.items(), key=lambda item: -item[1])
    return {name: part / total for name, part in ordered if part > 0}


def train(
    matrix: NDArray[np.float64],
    target: NDArray[Any],
    categorical: list[int],
    *,
    objective: Mapping[str, Any],
    trees: int,
    rng: RngKey,
) -> Trained:
    """Train LightGBM (Ke et al., NeurIPS 2017): 31 leaves, learning rate 0.1, deterministic.

    Args:
        matrix: Features, shape ``(rows, features)``.
        target: What to predict, shape ``(rows,)``.
        categorical: The features that are codes.
        objective: LightGBM's ``objective`` and what belongs to it.
        trees: Rounds of boosting.
        rng: The key of LightGBM's seed.
    """
    import lightgbm

    params = {
        "num_leaves": 31,
        "learning_rate": 0.1,
        # On samples of this size more threads gain little, and their busy waiting costs several
        # times the work on a machine that others use too; boosters run side by side instead.
        "num_threads": 1,
        "seed": rng.integer(31),
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
        **objective,
    }
    data = lightgbm.Dataset(
        matrix, target, categorical_feature=categorical, params=params, free_raw_data=True
    )
    return Trained(lightgbm.train(params, data, num_boost_round=trees))


def side_by_side(fn: Callable[[T], R], tasks: Sequence[T], threads: int) -> list[R]:
    """Return ``fn(task)`` for every task, as many at once as there are threads."""
    ctx = RunContext(Limits(threads=min(threads, len(tasks))))
    return list(ctx.map(fn, tasks))
