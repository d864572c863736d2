"""Trends over hops: do columns of a row go together with those of its ancestors?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar, TypeVar

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.references import DatasetView, Path, Reference, paths_of
from simulacra.core.schema import DatasetSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.boosting import side_by_side
from simulacra.metrics.columns import Kind, leaves
from simulacra.metrics.joined import Join, about, qualified, siblings_of
from simulacra.metrics.pair import PairColumn, pair_score
from simulacra.metrics.sides import Sides, thread_budget

HOPS = 3
MOST_PATHS = 200
"""Paths of so many hops beyond that are measured by a seeded sample of them."""
MOST_PAIRS = 1_000
"""Pairs of columns of one path beyond that are measured by a seeded sample of them."""

_LOWEST = 5
_NUMERIC = (Kind.NUMBER, Kind.CATEGORY)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Way:
    """Two tables to join.

    Attributes:
        name: The name of the score.
        references: The references that lead from one to the other, or from a row to both.
        join: How both become one table.
        details: For ``Score.details``.
        siblings: Whether both are parents of one row.
    """

    name: str
    references: tuple[Reference, ...]
    join: Join
    details: dict[str, Any]
    siblings: bool = False

    def paths(self) -> list[Path]:
        """Return the paths that rows are joined by."""
        return [(ref,) for ref in self.references] if self.siblings else [self.references]

    def about(self) -> dict[str, Any]:
        """Return what the score is about, for ``Score.details``."""
        return about(*self.references, siblings=self.siblings) | self.details

    def merged(self, view: DatasetView) -> pa.Table:
        """Return the joined rows of a side."""
        joined = [view.joined(path) for path in self.paths()]
        if not self.siblings:
            return self.join.merged(joined[0].rows, joined[0].others, joined[0].applies)
        applies = [rows.applies for rows in joined if rows.applies is not None]
        both = np.logical_and.reduce(applies) if applies else None
        return self.join.merged(joined[0].others, joined[1].others, both)


class HopTrends:
    """One score a path of foreign keys: how alike columns at both its ends go together.

    ``hop_trends_1``: columns of a row and of its parent; ``hop_trends_2`` and ``hop_trends_3``: of
    its parent's parent, and of theirs; ``hop_trends_parents``: columns of two parents of one row.
    Every pair of a column here and a column there is measured as by ``pair_trends``, on rows drawn
    uniformly and joined exactly; where there is no ancestor its columns are null. The score is the
    mean over the pairs; ``details["lowest"]`` lists the worst. Keys are left out.

    Options: ``rows``, the most rows compared on each side (50,000); ``threads``. With a hold-out,
    both synthetic and as many real rows are compared with it; the latter is the floor.
    """

    name: ClassVar[str] = "hop_trends"
    scope: ClassVar[str] = "dataset"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("hop_trends_1", "Trends, parent", Group.RELATIONS),
        Measure("hop_trends_2", "Trends, two hops", Group.RELATIONS),
        Measure("hop_trends_3", "Trends, three hops", Group.RELATIONS),
        Measure("hop_trends_parents", "Trends, two parents", Group.RELATIONS),
    )
    optional: ClassVar[bool] = False

    def compute(
        self,
        real: DatasetView,
        synthetic: DatasetView,
        *,
        holdout: DatasetView | None,
        spec: DatasetSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Return one score a path of one, two and three hops, and one for every two parents."""
        sides = [real, synthetic] if holdout is None else [real, synthetic, holdout]
        ways = self._ways(spec, rng)
        if not ways:
            return []
        for side in sides:
            side.collect([path for way in ways for path in way.paths()])
        return side_by_side(
            lambda way: _score(way, sides, options, rng), ways, thread_budget(options)
        )

    def _ways(self, spec: DatasetSpec, rng: RngKey) -> list[_Way]:
        ways = []
        for hops in range(1, HOPS + 1):
            paths, details = _at_most(paths_of(spec, hops), MOST_PATHS, "paths", rng.child(hops))
            name = f"{self.name}_{hops}"
            ways += [_Way(name, path, Join.of_path(spec, path), details) for path in paths]
        pairs, details = _at_most(siblings_of(spec), MOST_PATHS, "pairs of parents", rng)
        name = f"{self.name}_parents"
        return ways + [
            _Way(name, pair, Join.of_parents(spec, *pair), details, siblings=True) for pair in pairs
        ]


def _score(
    way: _Way, views: Sequence[DatasetView], options: Mapping[str, Any], rng: RngKey
) -> Score:
    columns, details = qualified(way.references), way.about()
    if not all(way.join.names):
        why = "one of the tables has no column to compare"
        return Score(way.name, None, columns, details={"why": why, **details})
    tables = [way.merged(view) for view in views]
    rng = rng.child(way.name, *details["references"])
    holdout = tables[2] if len(tables) > 2 else None
    sides = Sides.of(tables[0], tables[1], holdout, options, rng)
    if sides.empty:
        return Score(way.name, None, columns, details={"why": sides.empty, **details})
    found = [leaf for leaf in leaves(way.join.table, tables[0]) if leaf.kind in _NUMERIC]
    first = set(way.join.names[0].values())
    ends = [
        [PairColumn.of(leaf, sides) for leaf in found if (leaf.path[0] in first) is here]
        for here in (True, False)
    ]
    pairs, left_out = _at_most(list(product(*ends)), MOST_PAIRS, "pairs", rng.child("pairs"))
    scores = [pair_score(way.name, one, other, {}) for one, other in pairs]
    return _mean(way.name, columns, scores, details | left_out | sides.details)


def _mean(
    name: str, columns: tuple[str, ...], scores: Sequence[Score], details: dict[str, Any]
) -> Score:
    measured = [(score.value, score) for score in scores if score.value is not None]
    if any(score.floor is not None for _, score in measured):
        # A pair that the learned rows have no trend for would stand in one mean alone.
        measured = [(value, score) for value, score in measured if score.floor is not None]
    details |= {"measured": len(measured), "not_measured": len(scores) - len(measured)}
    if not measured:
        return Score(name, None, columns, details={"why": "no pair has a trend", **details})
    lowest = sorted(measured, key=lambda pair: pair[0])[:_LOWEST]
    details["lowest"] = [
        {"columns": list(score.columns), "value": value, "floor": score.floor}
        for value, score in lowest
    ]
    floors = [score.floor for _, score in measured if score.floor is not None]
    return Score(
        name,
        math.fsum(value for value, _ in measured) / len(measured),
        columns,
        math.fsum(floors) / len(floors) if floors else None,
        details,
    )


def _at_most(every: list[T], most: int, what: str, rng: RngKey) -> tuple[list[T], dict[str, Any]]:
    """Return all, or a sample of them and a detail that says so."""
    if len(every) <= most:
        return every, {}
    chosen = np.sort(rng.generator().choice(len(every), most, replace=False))
    return [every[i] for i in chosen], {what: f"{most:,} of {len(every):,}, drawn at random"}
