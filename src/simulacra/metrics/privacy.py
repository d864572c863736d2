"""Closest records: are synthetic rows nearer to the rows learned from than to others?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.limits import Limits
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import Kind, Leaf, leaves
from simulacra.metrics.encode import Numbers, as_codes, as_labels, as_numbers, lengths
from simulacra.metrics.sides import at_most, row_budget, thread_budget

QUERIES = 10_000
"""The most synthetic rows whose nearest neighbours are sought."""

_QUERIES_A_TASK = 256
_NULL = -4.0  # farther than 1, the cap, from every scaled number
_COPIES = "exact_copies"


class ClosestRecords:
    """The share of synthetic rows nearer to the rows learned from than to as many held-out ones.

    0.5 is ideal, the share that rows drawn from the same population have; towards 1 the synthetic
    rows lean on the people they were learned from (the DCR share of Platzer and Reutterer,
    "Holdout-based empirical assessment of mixed-type synthetic data", Frontiers in Big Data 2021;
    a tie counts half). The distance is Gower's (Biometrics 1971): for numbers, dates and times the
    difference as a share of the range of all real rows, at most 1; for categories 0 or 1; null is
    a value of its own, 1 away from all others; text, binary values and lists count by their length.
    Neighbours are exact, among up to ``rows`` rows of each half.

    A second score, ``exact_copies``, is the share of synthetic rows that equal a row learned from
    in every column compared, text in full; its floor is the share of held-out rows that do. It is
    taken over all rows given. Without a hold-out it is the only score with a value: how near is
    too near can't be told without people who were not learned from.

    Identifiers and a primary key of one column are left out. Options: ``rows``, the most rows of
    each half to search (50,000); ``threads``.
    """

    name: ClassVar[str] = "closest_records"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "closest_records",
            "Closest records (DCR share)",
            Group.PRIVACY,
            higher_is_better=False,
            ideal=0.5,
        ),
        Measure("exact_copies", "Exact copies", Group.PRIVACY, higher_is_better=False, ideal=None),
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
        """Return the share of nearer rows and the share of exact copies."""
        used = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        why = ""
        if not used:
            why = "no column can be compared"
        elif not (real.num_rows and synthetic.num_rows):
            why = "there are no real or no synthetic rows"
        if why:
            return [Score(name, None, details={"why": why}) for name in (self.name, _COPIES)]
        copies = _exact_copies(used, real, synthetic, holdout)
        if holdout is None or not holdout.num_rows:
            why = "it takes held-out rows to tell near from too near"
            return [Score(self.name, None, details={"why": why}), copies]
        return [self._share(used, real, synthetic, holdout, options, rng), copies]

    def _share(
        self,
        used: Sequence[Leaf],
        real: pa.Table,
        synthetic: pa.Table,
        holdout: pa.Table,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> Score:
        budget = row_budget(options, real.num_columns)
        rows = min(real.num_rows, holdout.num_rows, budget)
        near, far, queries = points(
            used,
            at_most(real, rows, rng.child("real")),
            at_most(holdout, rows, rng.child("holdout")),
            at_most(synthetic, min(QUERIES, budget), rng.child("synthetic")),
        )
        threads = thread_budget(options)
        learned, held_out = (nearest(queries, side, threads=threads) for side in (near, far))
        share = float((learned < held_out).mean() + (learned == held_out).mean() / 2)
        details = {
            "synthetic_rows": len(learned),
            "rows_a_half": rows,
            "ties": float((learned == held_out).mean()),
            "median_distance": float(np.median(learned)),
            "median_distance_holdout": float(np.median(held_out)),
        }
        return Score(self.name, share, floor=self.measures[0].ideal, details=details)


def points(
    used: Sequence[Leaf], learned: pa.Table, held_out: pa.Table, synthetic: pa.Table
) -> list[NDArray[np.float32]]:
    """Return each table as points whose distance is ``Σ min(|a - b|, 1)`` over the columns.

    Numbers become their place in the range of the real rows, 0 to 1; categories whole codes, so
    that two differ by at least 1; null lies beyond the cap from everything else.

    Returns:
        For each table a matrix of shape ``(columns, rows)``, dtype float32.
    """
    tables = [learned, held_out, synthetic]
    columns = []
    for leaf in used:
        values = [leaf.values(table) for table in tables]
        if leaf.kind is Kind.CATEGORY:
            columns.append(_code_points(as_codes(values)[0]))
        elif leaf.kind is Kind.LENGTH:
            columns.append(_number_points([lengths(side) for side in values]))
        else:
            columns.append(_number_points([as_numbers(side, leaf.spec) for side in values]))
    return [np.stack([column[i] for column in columns]) for i in range(len(tables))]


def _code_points(codes: Sequence[NDArray[np.int64]]) -> list[NDArray[np.float32]]:
    # float32 holds whole numbers up to 2**24, more than the rows that are searched.
    return [side.astype(np.float32) for side in codes]


def _number_points(numbers: Sequence[Numbers]) -> list[NDArray[np.float32]]:
    floats = [side.floats() for side in numbers]
    real = np.concatenate(floats[:2])
    real = real[np.isfinite(real)]
    low, high = (float(real.min()), float(real.max())) if len(real) else (0.0, 0.0)
    # Halves, since the width of a range of floats may overflow.
    width = high / 2 - low / 2
    scaled = []
    for side in floats:
        if width > 0:
            places = (np.clip(side, low, high) / 2 - low / 2) / width
        else:
            places = np.where(np.isnan(side), np.nan, np.where(side == low, 0.0, 1.0))
        scaled.append(np.where(np.isnan(places), _NULL, places).astype(np.float32))
    return scaled


def nearest(
    queries: NDArray[np.float32], rows: NDArray[np.float32], *, threads: int
) -> NDArray[np.float32]:
    """Return the distance of each query to its nearest row, exactly, by comparing all.

    Args:
        queries: Points, shape ``(columns, queries)``.
        rows: Points, shape ``(columns, rows)``, at least one row.
        threads: Worker threads.

    Returns:
        Distances, shape ``(queries,)``: the sum over the columns of ``min(|a - b|, 1)``.
    """
    from simulacra.metrics.kernels import nearest_distances

    parts = [
        np.ascontiguousarray(queries[:, start : start + _QUERIES_A_TASK])
        for start in range(0, queries.shape[1], _QUERIES_A_TASK)
    ]
    ctx = RunContext(Limits(threads=threads))
    return np.concatenate(list(ctx.map(lambda part: nearest_distances(part, rows), parts)))


def _exact_copies(
    used: Sequence[Leaf], real: pa.Table, synthetic: pa.Table, holdout: pa.Table | None
) -> Score:
    tables = [real, synthetic] if holdout is None else [real, synthetic, holdout]
    hashes = _row_hashes(used, tables)
    learned, counts = np.unique(hashes[0], return_counts=True)
    shares = [float(np.isin(side, learned).mean()) if len(side) else None for side in hashes[1:]]
    # Without held-out rows each real row stands in for one: does another real row equal it?
    shares.append(float(counts[counts > 1].sum() / real.num_rows) if real.num_rows else None)
    details = {"synthetic_rows": synthetic.num_rows, "real_rows": real.num_rows}
    return Score(_COPIES, shares[0], floor=shares[1], details=details)


def _row_hashes(used: Sequence[Leaf], tables: Sequence[pa.Table]) -> list[NDArray[np.uint64]]:
    """Return 64 bits a row, shape ``(rows,)``: equal rows agree, others all but surely differ."""
    hashes = [np.zeros(table.num_rows, dtype=np.uint64) for table in tables]
    for leaf in used:
        values = [leaf.values(table) for table in tables]
        if pa.types.is_nested(values[0].type):
            codes = [side.floats().view(np.int64) for side in map(lengths, values)]
        else:
            codes = as_labels(values)
        hashes = [_mix(h, code.view(np.uint64)) for h, code in zip(hashes, codes, strict=True)]
    return hashes


def _mix(hashes: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Stir one more code into hashes (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    words = np.bitwise_xor(hashes, codes) + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
