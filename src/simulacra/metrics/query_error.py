"""Query error: do random counting queries give the same answers?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import leaves
from simulacra.metrics.intervals import DRAWS, about
from simulacra.metrics.queries import MOST_PREDICATES, Query, Ranked, holds
from simulacra.metrics.sides import Sides

QUERIES = 1_000
BOUND = 0.001
"""Counts below this share of the rows are divided by it instead …"""
_LEAST_BOUND = 10
"""… and by no less than so many rows."""
_GROUPS = 500
_WORST = 5
_FEWEST_OF_A_COLUMN = 10

Floats = NDArray[np.float64]


class QueryError:
    """The mean relative error of random counting queries: 0 where all answers are the same.

    A query counts the rows that fulfil one to three conditions on different columns: a category,
    a range of a number, date or time, a range of a text's length, a null. 1,000 are drawn (see
    :meth:`simulacra.metrics.queries.Ranked.draw`), as in the manner of PrivSyn (Zhang et al.,
    USENIX Security 2021), whose error, the mean difference as a share of all rows, is in
    ``details["absolute"]``. The relative error divides the difference by the true count, or by a
    sanity bound where that is more: 0.1 % of the rows, at least 10 (Vitter and Wang, SIGMOD 1999;
    Xiao, Wang and Gehrke, "Differential privacy via wavelet transforms", IEEE TKDE 2011).

    The truth is that of the hold-out, and real rows give the floor; without one, that of the real
    rows, and rows drawn from them with replacement give it. The interval is that of 50 resamples
    of the rows of both sides and of the queries. It does not tell how good joins, sums or queries
    about single rare rows are.

    Options: ``rows``, the most rows a side (50,000).
    """

    name: ClassVar[str] = "query_error"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "query_error",
            "Query error (random counts)",
            Group.UTILITY,
            higher_is_better=False,
            ideal=0.0,
        ),
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
        used = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        why = sides.empty or ("" if used else "no column can be compared")
        if why:
            return [Score(self.name, None, details={"why": why})]
        ranked = Ranked.of(used, sides.tables)
        queries = ranked.draw(QUERIES, rng.child("queries").generator())
        shares, resamples = _answers(ranked, queries, rng.child("resample"))
        rows = sides.reference.num_rows
        bound = max(BOUND, _LEAST_BOUND / rows)
        errors, floors = (_relative(shares[0], other, bound) for other in shares[1:])
        value = float(errors.mean())
        drawn = _relative(resamples[0], resamples[1], bound)
        spread = float(_mean_of_resamples(drawn, rng.child("of queries")).std(ddof=1))
        details = {
            "queries": len(queries),
            "bound": math.ceil(bound * rows),
            "median": float(np.median(errors)),
            "absolute": float(np.abs(shares[1] - shares[0]).mean()),
            "absolute_floor": float(np.abs(shares[2] - shares[0]).mean()),
            "by_predicates": _by_predicates(queries, errors, floors),
            "worst_columns": _by_column(ranked.names, queries, errors - floors),
        }
        return [
            Score(
                self.name,
                value,
                floor=float(floors.mean()),
                details=details | sides.details,
                interval=about(value, spread, 0.0, math.inf),
            )
        ]


def _answers(
    ranked: Ranked, queries: list[Query], rng: RngKey
) -> tuple[list[Floats], list[Floats]]:
    """Return the share of rows that each query counts, and that of resamples.

    Resampled are groups of rows, at random 500 of a table: the spread is that of resampled rows,
    at a hundredth of the work.

    Returns:
        For each table the shares, shape ``(queries,)``; for the first two those of resampled
        rows, shape ``(resamples, queries)``.
    """
    shares, resamples = [], []
    for table, ranks in enumerate(ranked.ranks):
        rows = ranks.shape[1]
        groups = min(_GROUPS, rows)
        starts = np.arange(groups) * rows // groups
        sizes = np.diff(np.append(starts, rows))
        order = rng.child(table, "groups").generator().permutation(rows)
        mixed = ranks[:, order]
        counts = np.empty((groups, len(queries)))
        for place, query in enumerate(queries):
            counts[:, place] = np.add.reduceat(holds(mixed, query), starts, dtype=np.int64)
        shares.append(counts.sum(axis=0) / rows)
        drawn = rng.child(table).generator().multinomial(groups, sizes / rows, DRAWS)
        resamples.append(drawn @ counts / (drawn @ sizes)[:, None])
    return shares, resamples[:2]


def _relative(truth: Floats, answers: Floats, bound: float) -> Floats:
    found: Floats = np.abs(answers - truth) / np.maximum(truth, bound)
    return found


def _mean_of_resamples(errors: Floats, rng: RngKey) -> Floats:
    """Return the mean error over resampled queries of each resample of the rows."""
    means = np.empty(len(errors))
    for place, row in enumerate(errors):
        chosen = rng.child(place).generator().integers(0, len(row), len(row))
        means[place] = row[chosen].mean()
    return means


def _by_predicates(queries: list[Query], errors: Floats, floors: Floats) -> list[dict[str, Any]]:
    counts = np.array([len(query) for query in queries])
    return [
        {
            "predicates": count,
            "queries": int((counts == count).sum()),
            "error": float(errors[counts == count].mean()),
            "floor": float(floors[counts == count].mean()),
        }
        for count in range(1, MOST_PREDICATES + 1)
        if (counts == count).any()
    ]


def _by_column(names: list[str], queries: list[Query], excess: Floats) -> list[dict[str, Any]]:
    """Return the columns whose queries err most beyond the floor, worst first."""
    found: list[tuple[float, str]] = []
    for column, name in enumerate(names):
        asked = [any(p.column == column for p in query) for query in queries]
        if sum(asked) >= _FEWEST_OF_A_COLUMN:
            found.append((float(excess[np.array(asked)].mean()), name))
    found.sort(key=lambda pair: -pair[0])
    return [{"column": name, "excess": excess} for excess, name in found[:_WORST]]
