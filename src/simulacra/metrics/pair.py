"""Pair trends: do columns, two by two, go together as they should?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Kind, Leaf, leaves
from simulacra.metrics.encode import as_codes, as_numbers
from simulacra.metrics.sides import Sides, measure

BINS = 10
"""Equal-width bins over the reference's range, where a number meets a category."""

MOST_PAIRS = 5_000
"""Beyond that, as from 101 columns on, a seeded sample of the pairs is measured."""


class PairTrends:
    """One score a pair of columns: 1 when they go together alike, 0 when not at all.

    Two numbers (dates, times): ``1 - |r - r'| / 2`` with Pearson's r, over rows where both are
    finite. Two categories: one minus the total variation distance of the joint tables. A number
    and a category: the same, the number cut into ten bins of equal width over the reference's
    range (values outside go to the outermost bins, nulls to one of their own). These are SDMetrics'
    ``CorrelationSimilarity`` and ``ContingencySimilarity`` (DataCebo, docs.sdv.dev/sdmetrics).
    Text, binary values, lists and identifiers are left out.

    Options: ``rows``, the most rows compared on each side (50,000). With a hold-out, both
    synthetic and as many real rows are compared with it; the latter is the floor. Without one, it
    is real rows drawn with replacement, compared with the real ones.
    """

    name: ClassVar[str] = "pair_trends"
    scope: ClassVar[str] = "pair"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("pair_trends", "Pair trends", Group.FIDELITY),
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
        """Return one score a pair, and one without a value for each column left out."""
        sides = Sides.of(real, synthetic, holdout, options, rng)
        found = leaves(table, real)
        used = [leaf for leaf in found if leaf.kind in (Kind.NUMBER, Kind.CATEGORY)]
        scores = [self._left_out(leaf) for leaf in found if leaf not in used]
        pairs = list(combinations(range(len(used)), 2))
        if sides.empty:
            why = {"why": sides.empty}
            names = [(used[a].name, used[b].name) for a, b in pairs[:MOST_PAIRS]]
            return scores + [Score(self.name, None, pair, details=why) for pair in names]
        details: dict[str, Any] = dict(sides.details)
        if len(pairs) > MOST_PAIRS:
            chosen = rng.child("pairs").generator().choice(len(pairs), MOST_PAIRS, replace=False)
            details["pairs"] = f"{MOST_PAIRS:,} of {len(pairs):,}, drawn at random"
            pairs = [pairs[i] for i in np.sort(chosen)]
        columns = [PairColumn.of(leaf, sides) for leaf in used]
        return scores + [pair_score(self.name, columns[a], columns[b], details) for a, b in pairs]

    def _left_out(self, leaf: Leaf) -> Score:
        if leaf.kind is None:
            return leaf.left_out(self.name)
        why = {"why": "text, binary values and lists have no trend"}
        return Score(self.name, None, (leaf.name,), details=why)


@dataclass(frozen=True, slots=True)
class PairColumn:
    """A column on each side: as codes, and as float64 (NaN: null or infinite) if a number."""

    name: str
    codes: list[NDArray[np.int64]]
    cardinality: int
    floats: list[NDArray[np.float64]] | None = None

    @classmethod
    def of(cls, leaf: Leaf, sides: Sides) -> PairColumn:
        """Return a leaf of kind number or category, which has values on each side."""
        columns = [leaf.values(side) for side in sides.tables]
        if leaf.kind is Kind.CATEGORY:
            codes, cardinality = as_codes(columns)
            return cls(leaf.name, codes, cardinality)
        floats = [as_numbers(column, leaf.spec).floats() for column in columns]
        edges = _edges(floats[0])
        codes = [_binned(side, edges) for side in floats]
        finite = [np.where(np.isfinite(side), side, np.nan) for side in floats]
        return cls(leaf.name, codes, BINS + 1, finite)


def pair_score(metric: str, a: PairColumn, b: PairColumn, details: dict[str, Any]) -> Score:
    """Return how alike two columns go together, beside the floor if there is one.

    Args:
        metric: The name of the score.
        a: A column.
        b: Another of the same rows.
        details: For ``Score.details``.
    """
    names = (a.name, b.name)
    if a.floats is None or b.floats is None:
        joint = a.cardinality, b.cardinality
        codes = list(zip(a.codes, b.codes, strict=True))
        value, floor = measure(codes, lambda one, other: contingency(one, other, joint))
        return Score(metric, value, names, floor, {"measure": "contingency", **details})
    r = [correlation(x, y) for x, y in zip(a.floats, b.floats, strict=True)]
    details = {"measure": "correlation", **details}
    if np.isnan(r[0]) or np.isnan(r[1]):
        why = "a correlation is not defined where fewer than two values differ"
        return Score(metric, None, names, None, {"why": why, **details})
    value, floor = measure(r, lambda one, other: 1.0 - abs(one - other) / 2.0)
    details |= {"reference_correlation": r[0], "synthetic_correlation": r[1]}
    return Score(metric, value, names, None if np.isnan(floor) else floor, details)


def _edges(reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the inner edges of the bins, shape ``(BINS - 1,)``."""
    finite = reference[np.isfinite(reference)]
    if not len(finite):
        return np.zeros(BINS - 1)
    # numpy widens a range of no width by 0.5 on both sides
    low, high = finite.min() / 2, finite.max() / 2  # halves: the width of a range may overflow
    if low == high:
        low, high = low - 0.25, high + 0.25
    return 2 * np.linspace(low, high, BINS + 1)[1:-1]


def _binned(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    codes = np.searchsorted(edges, values, side="right")
    codes[np.isnan(values)] = BINS
    return codes


def correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return Pearson's r over the rows where both are numbers; NaN where either is constant."""
    both = ~(np.isnan(x) | np.isnan(y))
    x, y = _centred(x[both]), _centred(y[both])
    norm = np.sqrt((x @ x) * (y @ y))
    return float(np.clip(x @ y / norm, -1.0, 1.0)) if norm > 0 else float("nan")


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values moved to mean 0 and scaled to at most 1, lest squares overflow."""
    if not len(values) or values.min() == values.max():
        return np.zeros(len(values))
    values = values / np.abs(values).max()
    values = values - values.mean()
    scale = np.abs(values).max()
    return values / scale if scale > 0 else values


def contingency(
    one: tuple[NDArray[np.int64], NDArray[np.int64]],
    other: tuple[NDArray[np.int64], NDArray[np.int64]],
    cardinalities: tuple[int, int],
) -> float:
    """Return one minus the total variation distance of two joint tables of codes."""
    joint = [a * cardinalities[1] + b for a, b in (one, other)]
    rows = len(joint[0])
    cells = cardinalities[0] * cardinalities[1]
    if cells > 4 * (rows + len(joint[1])):
        # Most cells are empty: number those that occur.
        _, codes = np.unique(np.concatenate(joint), return_inverse=True)
        joint, cells = [codes[:rows], codes[rows:]], int(codes.max()) + 1
    shares = [np.bincount(codes, minlength=cells) / len(codes) for codes in joint]
    return 1.0 - float(np.abs(shares[0] - shares[1]).sum()) / 2.0
