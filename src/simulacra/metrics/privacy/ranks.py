"""Values as whole numbers in their order, the same for several tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import Numbers, as_labels, as_numbers, lengths

NULL = -1
"""Stands for null."""

Ranks = NDArray[np.int32]
"""Shape ``(columns, rows)``: equal values have equal ranks."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Several tables as ranks.

    Attributes:
        tables: The ranks of each table.
        ordered: Which columns have an order, shape ``(columns,)``: numbers, dates, times, and the
            lengths of lists. The ranks of others, texts in full among them, only tell values apart.
        sizes: How many ranks each column has, over all tables, shape ``(columns,)``.
    """

    tables: list[Ranks]
    ordered: NDArray[np.bool_]
    sizes: NDArray[np.int64]


def ranked(used: Sequence[Leaf], tables: Sequence[pa.Table]) -> Ranked:
    """Return tables as ranks.

    Args:
        used: The columns.
        tables: The tables, of one schema.
    """
    columns, ordered, sizes = [], [], []
    for leaf in used:
        values = [leaf.values(table) for table in tables]
        numbers = _numbers(leaf, values)
        found = _ranks(numbers) if numbers is not None else _labels(values)
        columns.append(found)
        ordered.append(numbers is not None)
        sizes.append(1 + max((int(side.max()) for side in found if len(side)), default=NULL))
    stacked = [
        np.stack([column[i] for column in columns])
        if columns
        else np.empty((0, table.num_rows), np.int32)
        for i, table in enumerate(tables)
    ]
    return Ranked(stacked, np.array(ordered, dtype=bool), np.array(sizes, dtype=np.int64))


def labels(leaf: Leaf, tables: Sequence[pa.Table]) -> list[NDArray[np.int64]]:
    """Return what tells equal values of a column from others, null being one; lists by length.

    Args:
        leaf: The column.
        tables: The tables, of one schema.

    Returns:
        For each table the labels, shape ``(rows,)``; whole numbers from 0 on.
    """
    values = [leaf.values(table) for table in tables]
    if pa.types.is_nested(values[0].type):
        measured = [side.floats() for side in map(lengths, values)]
        values = [pa.chunked_array([pa.array(side)]) for side in measured]
    return as_labels(values)


def _numbers(leaf: Leaf, values: Sequence[pa.ChunkedArray]) -> list[Numbers] | None:
    if leaf.kind is Kind.NUMBER:
        return [as_numbers(side, leaf.spec) for side in values]
    if pa.types.is_nested(values[0].type):
        return [lengths(side) for side in values]
    return None


def _ranks(numbers: Sequence[Numbers]) -> list[NDArray[np.int32]]:
    values = np.unique(np.concatenate([side.present() for side in numbers]))
    found = []
    for side in numbers:
        ranks = np.searchsorted(values, side.values).astype(np.int32)
        ranks[side.null] = NULL
        found.append(ranks)
    return found


def _labels(values: Sequence[pa.ChunkedArray]) -> list[NDArray[np.int32]]:
    found = []
    for side, labels in zip(values, as_labels(values), strict=True):
        ranks = labels.astype(np.int32)
        ranks[np.asarray(side.is_null())] = NULL
        found.append(ranks)
    return found
