"""Which columns are worth predicting: those that others foretell, but don't give away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.metrics.boosting import Matrices, side_by_side
from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.predicting import FEWEST_ROWS, Effort, Part, Target
from simulacra.metrics.target_kinds import target_of

MOST = 8
"""The most targets that are chosen …"""
TRIED = 50
"""… and the most columns that are tried: of more, every so many-th."""
_FEWEST, _FEWEST_TRIED = 2, 10
_COLUMNS_LEARNED, _COLUMNS_TRIED = 400, 2_500
"""Columns that the models of all targets, or of all tried, may learn from: of wide tables, fewer
targets."""
ROWS = 4_000
"""The most rows they are tried on."""
_CELLS = 400_000
"""Values they are tried on at most: of wide tables, fewer rows."""
_FEWEST_ROWS_TRIED = 500
_EFFORT = Effort(rounds=20, trees=100, rate=0.3)
_LEARNED_SHARE = 0.7
_FORETOLD = 0.1
"""AUC 0.55, or R² 0.01: below, nothing can be learned, well or badly."""
_GIVEN_AWAY = 0.995
"""A column that others all but settle tells whether that rule is kept, and no more."""


@dataclass(frozen=True, slots=True)
class Search:
    """The targets found.

    Attributes:
        targets: The columns, the best foretold first; those that others settle come last.
        details: How they were found, for ``Score.details``.
    """

    targets: list[Leaf]
    details: dict[str, Any]


def find_targets(
    found: Sequence[Leaf], real: pa.Table, features: Matrices, threads: int, rng: RngKey
) -> Search:
    """Choose targets by how well a small model foretells each column from all others.

    Passed over are text, lists, identifiers and keys; columns without repeated values; constants
    (99 % alike); categories whose 20 most frequent (1 % each) are less than half of the rows; and
    amounts that most rows lack. Each other column, 50 at most, is foretold by LightGBM with 20
    rounds at a learning rate of 0.3 on up to 4,000 real rows, 30 % of them held back. The strength
    is the Gini coefficient ``2 AUC - 1``, or the root of R²; chosen are the 8 strongest of at least
    0.1. Columns that are all but settled by others (0.995) come last. Of tables of more than 50
    columns fewer are tried and chosen, down to 10 and 2, as each takes longer.

    Args:
        found: All columns.
        real: Real rows in random order.
        features: All columns of the same rows, as the first of its tables.
        threads: How many columns to try at once.
        rng: The key of the models' seeds.
    """
    rows = min(real.num_rows, ROWS, max(_FEWEST_ROWS_TRIED, _CELLS // max(1, len(found))))
    learned = Part(0, 0, round(_LEARNED_SHARE * rows))
    judged = Part(0, learned.stop, rows)
    usable = [
        leaf for leaf in found if leaf.kind in (Kind.NUMBER, Kind.CATEGORY) and not leaf.spec.unique
    ]
    if rows < 2 * FEWEST_ROWS:
        usable = []
    width = max(1, len(found))
    most = min(MOST, max(_FEWEST, _COLUMNS_LEARNED // width))
    tries = min(TRIED, max(_FEWEST_TRIED, _COLUMNS_TRIED // width), len(usable))
    places = np.unique(np.linspace(0, len(usable) - 1, tries).round().astype(int))
    tried = [usable[place] for place in places]
    sample = real.slice(0, rows)

    def strength(leaf: Leaf) -> float:
        target = target_of(leaf, [sample])
        if target.unsuitable(Part(0, 0, rows)):
            return 0.0
        return _strength(target, without(features, leaf), learned, judged, rng.child(leaf.name))

    strengths = side_by_side(strength, tried, threads) if tried else []
    ranked = sorted(
        (pair for pair in zip(tried, strengths, strict=True) if pair[1] >= _FORETOLD),
        key=lambda pair: (pair[1] >= _GIVEN_AWAY, -pair[1]),
    )
    chosen = [leaf for leaf, _ in ranked[:most]]
    details = {"columns": len(found), "tried": len(tried), "suitable": len(ranked), "rows": rows}
    return Search(chosen, details)


def without(features: Matrices, leaf: Leaf) -> Matrices:
    """Return the features of all columns but one."""
    kept = [place for place, column in enumerate(features.columns) if column != leaf.name]
    categorical = set(features.categorical)
    return Matrices(
        [table[:, kept] for table in features.tables],
        [features.columns[place] for place in kept],
        [new for new, old in enumerate(kept) if old in categorical],
    )


def _strength(
    target: Target, features: Matrices, learned: Part, judged: Part, rng: RngKey
) -> float:
    if not features.columns:
        return 0.0
    predictor = target.learn(features, learned, _EFFORT, rng)
    if predictor is None:
        return 0.0
    found = target.judge(predictor.predict(judged.of(features.tables)), judged)
    if found is None:
        return 0.0
    if target.chance:
        return (found.value - target.chance) / (1.0 - target.chance)
    return math.sqrt(max(found.value, 0.0))
