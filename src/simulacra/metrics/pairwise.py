"""What metrics of scope ``pair`` share: one score a pair of columns, or the reason for none."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Score
from simulacra.metrics.columns import Kind, Leaf, leaves
from simulacra.metrics.sides import Sides

MOST_PAIRS = 5_000
"""Beyond that, as from 101 columns on, a seeded sample of the pairs is measured."""

_PAIRED = (Kind.NUMBER, Kind.CATEGORY)

T = TypeVar("T")


def pair_scores(
    metric: str,
    table: TableSpec,
    real: pa.Table,
    sides: Sides,
    prepare: Callable[[Leaf], T],
    score: Callable[[tuple[str, str], T, T, dict[str, Any]], Score],
    *,
    rng: RngKey,
) -> list[Score]:
    """Return one score a pair, and one without a value for each column left out.

    Args:
        metric: The name of the scores.
        table: The specification.
        real: Real rows, which settle whether text can be read as numbers.
        sides: What is compared.
        prepare: Called once for each leaf that is a number or a category.
        score: Called with two columns' names, what was prepared of both, and the details of all.
        rng: The key of the sample of pairs, which is the same for all metrics of one key.
    """
    found = leaves(table, real)
    used = [leaf for leaf in found if leaf.kind in _PAIRED]
    scores = [_left_out(metric, leaf) for leaf in found if leaf not in used]
    pairs = list(combinations(range(len(used)), 2))
    details: dict[str, Any] = dict(sides.details)
    if len(pairs) > MOST_PAIRS:
        chosen = rng.child("pairs").generator().choice(len(pairs), MOST_PAIRS, replace=False)
        details["pairs"] = f"{MOST_PAIRS:,} of {len(pairs):,}, drawn at random"
        pairs = [pairs[i] for i in np.sort(chosen)]
    names = [(used[a].name, used[b].name) for a, b in pairs]
    if sides.empty:
        why = {"why": sides.empty}
        return scores + [Score(metric, None, pair, details=why) for pair in names]
    prepared = [prepare(leaf) for leaf in used]
    return scores + [
        score(pair, prepared[a], prepared[b], details)
        for pair, (a, b) in zip(names, pairs, strict=True)
    ]


def _left_out(metric: str, leaf: Leaf) -> Score:
    if leaf.kind is None:
        return leaf.left_out(metric)
    why = {"why": "text, binary values and lists have no trend"}
    return Score(metric, None, (leaf.name,), details=why)
