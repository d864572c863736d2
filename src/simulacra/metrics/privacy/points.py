"""Rows as points: how near two rows are, whatever their columns hold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.limits import Limits
from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import Numbers, as_codes, as_numbers, lengths

Points = NDArray[np.float32]
"""Shape ``(columns, rows)``."""

_QUERIES_A_TASK = 256
_NULL = -4.0  # farther than 1, the cap, from every scaled number
_BITS = 23
"""Up to 2**23, every multiple of a power of two that needs no more than these bits is a float32."""


def points(
    used: Sequence[Leaf], real: Sequence[pa.Table], others: Sequence[pa.Table]
) -> list[Points]:
    """Return each table as points whose distance is ``Σ min(|a - b|, 1)`` over the columns.

    This is Gower's distance (Biometrics 1971) times the number of columns. Numbers become their
    place in the range of the real rows, 0 to 1; categories whole codes, so that two differ by at
    least 1; text, binary values and lists are numbers, their length; null lies beyond the cap from
    everything else. Places are rounded (by less than a millionth, for up to 20 columns) so that
    sums of distances are exact, whatever the order of the columns.

    Args:
        used: The columns compared.
        real: The tables that settle the ranges.
        others: More tables.

    Returns:
        For each table, first the real ones, its points.
    """
    tables = [*real, *others]
    grid = 2.0 ** (_BITS - max(math.ceil(math.log2(max(len(used), 1))), 1))
    columns = []
    for leaf in used:
        values = [leaf.values(table) for table in tables]
        if leaf.kind is Kind.CATEGORY:
            columns.append([side.astype(np.float32) for side in as_codes(values)[0]])
            continue
        if leaf.kind is Kind.LENGTH:
            numbers = [lengths(side) for side in values]
        else:
            numbers = [as_numbers(side, leaf.spec) for side in values]
        columns.append(_number_points(numbers, len(real), grid))
    return [np.stack([column[i] for column in columns]) for i in range(len(tables))]


def _number_points(numbers: Sequence[Numbers], real: int, grid: float) -> list[Points]:
    floats = [side.floats() for side in numbers]
    settling = np.concatenate(floats[:real])
    settling = settling[np.isfinite(settling)]
    low, high = (float(settling.min()), float(settling.max())) if len(settling) else (0.0, 0.0)
    # Halves, since the width of a range of floats may overflow.
    width = high / 2 - low / 2
    scaled = []
    for side in floats:
        if width > 0:
            places = np.rint((np.clip(side, low, high) / 2 - low / 2) / width * grid) / grid
        else:
            places = np.where(np.isnan(side), np.nan, np.where(side == low, 0.0, 1.0))
        scaled.append(np.where(np.isnan(places), _NULL, places).astype(np.float32))
    return scaled


def nearest(
    queries: Points, rows: Points, *, count: int = 1, threads: int
) -> tuple[Points, NDArray[np.int64]]:
    """Return the distances of each query to its nearest rows, and which they are, exactly.

    Args:
        queries: Points, shape ``(columns, queries)``.
        rows: Points, shape ``(columns, rows)``.
        count: How many neighbours.
        threads: Worker threads.

    Returns:
        Distances (the sum over the columns of ``min(|a - b|, 1)``) in ascending order, infinite
        where there are too few rows, and row numbers, -1 there; both of shape
        ``(count, queries)``. Of rows equally far the first come first.
    """
    from simulacra.metrics.privacy.kernels import nearest_rows

    ctx = RunContext(Limits(threads=threads))
    found = list(ctx.map(lambda part: nearest_rows(part, rows, count), _parts(queries)))
    if not found:
        return np.empty((count, 0), np.float32), np.empty((count, 0), np.int64)
    distances, which = zip(*found, strict=True)
    return np.concatenate(distances, axis=1), np.concatenate(which, axis=1)


def nearest_without(
    queries: Points, rows: Points, hidden: Sequence[int], *, threads: int
) -> NDArray[np.int64]:
    """Return for each hidden column the row that is nearest to each query by all other columns.

    Args:
        queries: Points, shape ``(columns, queries)``.
        rows: Points, shape ``(columns, rows)``, at least one row.
        hidden: The columns to leave out, one at a time.
        threads: Worker threads.

    Returns:
        Row numbers, shape ``(hidden, queries)``; of rows equally near the first.
    """
    from simulacra.metrics.privacy.kernels import nearest_without_each

    ctx = RunContext(Limits(threads=threads))
    left_out = np.asarray(hidden, dtype=np.int64)
    found = list(ctx.map(lambda p: nearest_without_each(p, rows, left_out), _parts(queries)))
    return np.concatenate(found, axis=1) if found else np.empty((len(hidden), 0), np.int64)


def _parts(queries: Points) -> list[Points]:
    return [
        np.ascontiguousarray(queries[:, start : start + _QUERIES_A_TASK])
        for start in range(0, queries.shape[1], _QUERIES_A_TASK)
    ]
