"""Three-way marginals: do columns, three by three, go together as they should?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.cells import Cells, cut
from simulacra.metrics.columns import leaves
from simulacra.metrics.intervals import about
from simulacra.metrics.sides import Sides

MOST_TRIPLES = 1_200
"""All triples of 20 columns; beyond that a seeded sample of them is measured."""
CELLS = 10
"""About how many cells each column is cut into."""
_WORST = 10
_COLUMNS = 3

Triple = tuple[int, int, int]
Floats = NDArray[np.float64]


class ThreeWayMarginals:
    """One score a table: how alike the joint tables of three columns are, the mean over triples.

    One minus the total variation distance of the two joint tables, 1 when they are the same and 0
    when no cell is shared. This is the k-marginal score (k = 3) of the NIST Differential Privacy
    Synthetic Data Challenge (Ridgeway et al., "Challenge design and lessons learned from the 2018
    differential privacy challenges", NIST Technical Note 2151, 2021), which gives it as 1,000
    times that. It sees what no pair of columns shows, such as an exclusive or; not what takes four
    columns. Small tables fill many cells by chance: compare with the floor.
    ``details["worst"]`` lists the ten triples that fall farthest below their floors.

    Columns are cut into about ten cells by the rows of the reference: categories into the ten
    most frequent and the rest, numbers into ranges of equal frequency and single values that many
    rows share; null is a cell, and so are values beyond the reference's range. Text and lists
    count by their length. All triples are measured up to 1,200 (20 columns), else so many of them,
    drawn at random.

    The interval is by the influence of each row on the value (the infinitesimal jackknife; Efron,
    "The jackknife, the bootstrap and other resampling plans", 1982), over the triples measured.

    Options: ``rows``, the most rows compared on each side (50,000). With a hold-out, both
    synthetic and as many real rows are compared with it; the latter is the floor. Without one, it
    is real rows drawn with replacement, compared with the real ones.
    """

    name: ClassVar[str] = "three_way_marginals"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("three_way_marginals", "Three-way marginals", Group.FIDELITY),
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
        """Return one score for the table."""
        sides = Sides.of(real, synthetic, holdout, options, rng)
        found = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        why = sides.empty
        if len(found) < _COLUMNS:
            why = "fewer than three columns can be compared"
        if why:
            return [Score(self.name, None, details={"why": why})]
        columns = [cut(leaf, sides.tables, CELLS)[0] for leaf in found]
        every = math.comb(len(columns), _COLUMNS)
        triples = _triples(len(columns), every, rng)
        alike = _compare(columns, triples)
        value, floor = (float(of.mean()) for of in (alike.values, alike.floors))
        details = {
            **sides.details,
            "triples": len(triples),
            "triples_there_are": every,
            "cells": sum(column.count for column in columns),
            "worst": [
                {
                    "columns": [columns[c].column for c in triples[i]],
                    "value": float(alike.values[i]),
                    "floor": float(alike.floors[i]),
                }
                for i in np.argsort(alike.values - alike.floors, kind="stable")[:_WORST]
            ],
        }
        interval = about(value, alike.error)
        return [Score(self.name, value, floor=floor, details=details, interval=interval)]


def _triples(columns: int, every: int, rng: RngKey) -> list[Triple]:
    """Return all triples of columns, or a sample of them, in order."""
    if every <= MOST_TRIPLES:
        return [(a, b, c) for a, b, c in combinations(range(columns), _COLUMNS)]
    drawn = rng.child("triples").generator().choice(every, MOST_TRIPLES, replace=False)
    return sorted(triple_at(int(place)) for place in drawn)


def triple_at(place: int) -> Triple:
    """Return one triple ``a < b < c`` of the endless list of them that is ordered by c, b, a."""
    # A triple's place is comb(c, 3) + comb(b, 2) + a (the combinatorial number system).
    c = round((6 * place) ** (1 / 3)) + 2
    while math.comb(c, 3) > place:
        c -= 1
    rest = place - math.comb(c, 3)
    b = (1 + math.isqrt(1 + 8 * rest)) // 2
    return rest - math.comb(b, 2), b, c


@dataclass(frozen=True, slots=True)
class _Alike:
    """What comparing triples found.

    Attributes:
        values: How alike reference and synthetic rows are, shape ``(triples,)``.
        floors: How alike reference and peer are, likewise.
        error: The standard error of the mean of ``values``.
    """

    values: Floats
    floors: Floats
    error: float


def _compare(columns: Sequence[Cells], triples: Sequence[Triple]) -> _Alike:
    values, floors = np.empty(len(triples)), np.empty(len(triples))
    rows = [len(side) for side in columns[0].codes]
    # How often each row of reference and synthetic is in a cell that its side has more of.
    influence = [np.zeros(count) for count in rows[:2]]
    for i, (joint, cells) in enumerate(_joint(columns, triples)):
        reference, synthetic, peer = (
            np.bincount(side, minlength=cells) / count
            for side, count in zip(joint, rows, strict=True)
        )
        gap = synthetic - reference
        values[i] = 1.0 - float(np.abs(gap).sum()) / 2.0
        floors[i] = 1.0 - float(np.abs(peer - reference).sum()) / 2.0
        sign = np.sign(gap)
        for k in (0, 1):
            influence[k] += sign[joint[k]]
    variance = sum(
        float((side / len(triples)).var()) / count
        for side, count in zip(influence, rows[:2], strict=True)
    )
    return _Alike(values, floors, math.sqrt(variance) / 2.0)


def _joint(
    columns: Sequence[Cells], triples: Sequence[Triple]
) -> Iterator[tuple[list[NDArray[np.int64]], int]]:
    """Yield for each triple the joint codes of each table, and how many there can be."""
    pair: tuple[int, int] | None = None
    both: list[NDArray[np.int64]] = []
    for a, b, c in triples:
        if (a, b) != pair:
            pair = a, b
            both = [
                one * columns[b].count + other
                for one, other in zip(columns[a].codes, columns[b].codes, strict=True)
            ]
        cells = columns[a].count * columns[b].count * columns[c].count
        yield (
            [
                one * columns[c].count + other
                for one, other in zip(both, columns[c].codes, strict=True)
            ],
            cells,
        )
