"""Tables as points in one space, for whatever asks which rows are near each other.

Distances, densities and projections need every column on one scale. Here:

- A number (date, time, length of text) becomes its rank among the settling rows, 0 to 1, a tie
  getting the middle of its ranks. Ranks don't mind skewed columns, which any linear scale would
  let one row rule. What lies outside the range of those rows goes on beyond 0 or 1 by as much as
  it overshoots, in widths of the range, at most 1.
- A category becomes one-hot: the 30 most frequent values of the settling rows, and one for all
  others together, new ones too. Two different categories are as far apart as lets a column of two
  equally frequent ones weigh as much as a number: squared distance 1/3 for a mean of 1/6.
- A null number stands at the middle, and is flagged by a dimension of its own, at the distance of
  two categories. A null category is a category.

Which tables settle ranks and categories is told. One sample alone is evenly spaced among its own
ranks, as no second sample is: where two real samples stand for each other, both should settle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import Numbers, as_codes, as_numbers, lengths, words

CATEGORIES = 30
"""The most frequent categories that have a dimension each."""
APART = math.sqrt(1 / 3)
"""How far two different categories are apart, or null from the middle of the numbers."""
_CELLS = 400_000
"""Rows times columns that are made points of at most: a column has up to 31 dimensions."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Embedding:
    """Several tables as points of one space.

    Attributes:
        tables: One matrix a table, shape ``(rows, dimensions)``, dtype float64, all finite.
        columns: The column that each dimension tells of.
    """

    tables: list[Matrix]
    columns: list[str]


def most_points(columns: int) -> int:
    """Return how many rows of ``columns`` columns may be made points: of very wide tables fewer."""
    return max(1, _CELLS // max(columns, 1))


def embed(
    found: Sequence[Leaf], tables: Sequence[pa.Table], *, settled_by: Sequence[int] = (0,)
) -> Embedding:
    """Return tables as points of one space, as the module describes.

    Args:
        found: The columns to use; those left out of comparisons are passed over.
        tables: The tables, of one schema.
        settled_by: Which of them settle ranks and categories, all together.
    """
    parts: list[list[Matrix]] = []
    columns: list[str] = []
    for leaf in found:
        if leaf.kind is None:
            continue
        for part in _parts(leaf, tables, settled_by):
            parts.append(part)
            columns += [leaf.name] * part[0].shape[1]
    stacked = [
        np.concatenate([part[i] for part in parts], axis=1)
        if parts
        else np.empty((table.num_rows, 0))
        for i, table in enumerate(tables)
    ]
    return Embedding(stacked, columns)


def _parts(leaf: Leaf, tables: Sequence[pa.Table], settled_by: Sequence[int]) -> list[list[Matrix]]:
    """Return the dimensions of one column by table; text has those of its length and its words."""
    values = [leaf.values(table) for table in tables]
    if leaf.kind is Kind.CATEGORY:
        return [_one_hot(*as_codes(values), settled_by)]
    if leaf.kind is Kind.NUMBER:
        return [_ranked([as_numbers(side, leaf.spec) for side in values], settled_by)]
    measured = [_ranked([lengths(side) for side in values], settled_by)]
    counts = [side for side in map(words, values) if side is not None]
    if counts:
        measured.append(_ranked(counts, settled_by))
    # Both together weigh as much as one column.
    return [[side / math.sqrt(len(measured)) for side in part] for part in measured]


def _one_hot(
    codes: Sequence[NDArray[np.int64]], cardinality: int, settled_by: Sequence[int]
) -> list[Matrix]:
    place = np.full(cardinality, -1)
    settling = np.concatenate([codes[i] for i in settled_by])
    kept = most_frequent(np.bincount(settling, minlength=cardinality), CATEGORIES)
    place[kept] = np.arange(len(kept))
    placed = [place[side] for side in codes]
    width = len(kept) + any((side < 0).any() for side in placed)
    found = []
    for side in placed:
        matrix = np.zeros((len(side), width))
        # Those without a place of their own share the last.
        matrix[np.arange(len(side)), side] = APART / math.sqrt(2)
        found.append(matrix)
    return found


def most_frequent(counts: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return the codes of the most frequent values, the most frequent first.

    Of equally frequent ones all are kept, or none: a cut between them would be by chance.

    Args:
        counts: How often each code occurs, shape ``(codes,)``; those that don't are never kept.
        most: How many codes to keep at most.
    """
    order = np.argsort(-counts, kind="stable")
    least = counts[order[most]] if len(counts) > most else 0
    kept: NDArray[np.int64] = order[counts[order] > least]
    return kept


def _ranked(sides: Sequence[Numbers], settled_by: Sequence[int]) -> list[Matrix]:
    known = np.sort(np.concatenate([sides[i].present() for i in settled_by]))
    flagged = any(side.null.any() for side in sides)
    found = []
    for side in sides:
        place = _places(known, side)
        place[side.null] = 0.5
        found.append(np.column_stack([place, side.null * APART] if flagged else [place]))
    return found


def _places(known: NDArray[Any], side: Numbers) -> Matrix:
    """Return the rank of each value among those known, 0 to 1, and beyond for what overshoots."""
    if not len(known):
        return np.full(len(side.values), 0.5)
    below = np.searchsorted(known, side.values, side="left")
    reached = np.searchsorted(known, side.values, side="right")
    place = np.asarray((below + reached) / (2.0 * len(known)), dtype=np.float64)
    finite = known[np.isfinite(known)].astype(np.float64)
    if not len(finite):
        return place
    # Halves, since the width of a range of floats may overflow.
    low, high, values = finite[0] / 2, finite[-1] / 2, side.values.astype(np.float64) / 2
    if low == high:
        beyond = np.sign(values - high)
    else:
        over, under = (values - high) / (high - low), (low - values) / (high - low)
        beyond = np.clip(over, 0, 1) - np.clip(under, 0, 1)
    found: Matrix = place + beyond
    return found
