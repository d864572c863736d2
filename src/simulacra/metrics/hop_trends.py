"""Trends over hops: do columns of a row go together with those of its ancestors?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.references import DatasetView, JoinedRows, Path, Reference, paths_of
from simulacra.core.schema import DatasetSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.boosting import side_by_side
from simulacra.metrics.columns import Kind, leaves
from simulacra.metrics.intervals import Estimate, variance_of_mean
from simulacra.metrics.joined import Join, about, qualified, siblings_of
from simulacra.metrics.sides import Measured, Sides, thread_budget
from simulacra.metrics.trends import PairColumn, Trend, trend

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

    def merged(self, view: DatasetView) -> tuple[pa.Table, list[str]]:
        """Return the joined rows of a side, and the columns in it that number their ancestors."""
        joined = [view.joined(path) for path in self.paths()]
        parts = (joined[0].rows, joined[0].others)
        if self.siblings:
            parts = (joined[0].others, joined[1].others)
        applies = [rows.applies for rows in joined if rows.applies is not None]
        every = np.logical_and.reduce(applies) if applies else None
        merged = self.join.merged(*parts, every)
        names = []
        for rows in joined:
            places = _numbered(rows)
            names.append(_free("ancestor", merged))
            merged = merged.append_column(
                names[-1], pa.array(places if every is None else places[every])
            )
        return merged, names


def _numbered(rows: JoinedRows) -> NDArray[np.int64]:
    """Return which ancestor each row has; one without an ancestor is alone."""
    if rows.places is None:
        return np.arange(rows.rows.num_rows)
    places = rows.places.copy()
    alone = places < 0
    places[alone] = places.max(initial=0) + 1 + np.arange(np.count_nonzero(alone))
    return places


def _free(name: str, table: pa.Table) -> str:
    while name in table.column_names:
        name += "'"
    return name


class HopTrends:
    """One score a path of foreign keys: how alike columns at both its ends go together.

    ``hop_trends_1``: columns of a row and of its parent; ``hop_trends_2`` and ``hop_trends_3``: of
    its parent's parent, and of theirs; ``hop_trends_parents``: columns of two parents of one row.
    Every pair of a column here and a column there is measured as by ``pair_trends``, on rows drawn
    uniformly and joined exactly; where there is no ancestor its columns are null. The score is the
    mean over the pairs; ``details["lowest"]`` lists the worst. Keys are left out.

    Options: ``rows``, the most rows compared on each side (50,000); ``threads``. With a hold-out,
    both synthetic and as many real rows are compared with it; the latter is the floor. Without
    one, it is joined real rows drawn with replacement, compared with the real ones. The interval
    minds that the pairs are of the same rows and, where there are enough of them (as good as 200),
    that rows of one ancestor are alike.
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
    merged = [way.merged(view) for view in views]
    tables = [table for table, _ in merged]
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
    details |= left_out | sides.details
    mean = _Mean()
    for one, other in pairs:
        mean.add((one.name, other.name), trend(one, other, influences=True))
    details |= {"measured": len(mean.pairs), "not_measured": len(pairs) - len(mean.pairs)}
    if not mean.pairs:
        return Score(way.name, None, columns, details={"why": "no pair has a trend", **details})
    ancestors = [
        [np.asarray(side.column(name)) for name in merged[0][1]]
        for side in (sides.reference, sides.synthetic)
    ]
    return mean.score(way.name, columns, details, ancestors)


class _Mean:
    """The mean over pairs of columns.

    Attributes:
        pairs: The columns of each, and what was found.
    """

    def __init__(self) -> None:
        self.pairs: list[tuple[tuple[str, str], Measured]] = []
        self._influences: list[NDArray[np.float64]] = []

    def add(self, names: tuple[str, str], found: Trend) -> None:
        """Add a pair, if it has a trend on every side."""
        # One that the learned rows have no trend for would stand in one mean alone.
        if found.found is None or found.found.floor is None or found.influences is None:
            return
        self.pairs.append((names, found.found))
        if not self._influences:
            self._influences = [np.zeros(len(side)) for side in found.influences]
        self._influences = [
            total + side for total, side in zip(self._influences, found.influences, strict=True)
        ]

    def score(
        self,
        name: str,
        columns: tuple[str, ...],
        details: dict[str, Any],
        ancestors: Sequence[Sequence[NDArray[np.int64]]],
    ) -> Score:
        """Return the score of at least one pair.

        Args:
            name: The name of the score.
            columns: What it is about.
            details: For ``Score.details``.
            ancestors: For each row of the reference, and each synthetic row, which ancestors it
                has.
        """
        count = len(self.pairs)
        lowest = sorted(self.pairs, key=lambda pair: pair[1].value)[:_LOWEST]
        details["lowest"] = [
            {"columns": list(names), "value": found.value, "floor": found.floor}
            for names, found in lowest
        ]
        variance = sum(
            variance_of_mean(total / count, groups)
            for total, groups in zip(self._influences, ancestors, strict=True)
        )
        value = math.fsum(found.value for _, found in self.pairs) / count
        floor = math.fsum(found.floor for _, found in self.pairs if found.floor is not None) / count
        interval = Estimate(value, math.sqrt(variance)).interval()
        return Score(name, value, columns, floor, details, interval)


def _at_most(every: list[T], most: int, what: str, rng: RngKey) -> tuple[list[T], dict[str, Any]]:
    """Return all, or a sample of them and a detail that says so."""
    if len(every) <= most:
        return every, {}
    chosen = np.sort(rng.generator().choice(len(every), most, replace=False))
    return [every[i] for i in chosen], {what: f"{most:,} of {len(every):,}, drawn at random"}
