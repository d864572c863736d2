"""Columns cut into few cells, which can be counted, crossed with each other, and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.embedding import most_frequent
from simulacra.metrics.encode import Numbers, as_codes, as_numbers, lengths, words
from simulacra.metrics.scale import Scale

FEWEST = 10
"""A cell that fewer rows of the first table hold is not to be named: it could be one person's."""

_REPEATS = 0.95
"""The share of rows with values that many rows share from which on a new value stands out."""
OTHER = "other values"
_LETTERS = 40
"""A longer text is said by its beginning."""

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of several tables, cut into the same cells.

    Attributes:
        column: The column.
        codes: For each table the cell of each row, shape ``(rows,)``.
        said: What each cell is, in words. Single values are among them: see ``FEWEST``.
        bounds: For each cell that is a range where it begins and ends, in words, empty where
            it has no end; None for other cells. Neighbouring ranges stand side by side.
        but: What is to be said after a range, as frequent values within it are cells of their own.
        nameless: Cells whose words tell no value, so that they may be told of any rows.
        other: The cell of all rarer values; None where there is none.
        new: How many rows of each table hold a value that the first has not; of the first, those
            that hold one that no other of its rows holds: of a second sample about as great a
            share is new (Good, "The population frequencies of species and the estimation of
            population parameters", Biometrika 1953). None where values hardly repeat.
    """

    column: str
    codes: list[Codes]
    said: list[str]
    bounds: list[tuple[str, str] | None]
    but: str
    nameless: frozenset[int]
    other: int | None
    new: list[int] | None

    @property
    def count(self) -> int:
        """How many cells there are."""
        return len(self.said)

    def counts(self) -> list[Codes]:
        """Return for each table how many rows are in each cell, shape ``(cells,)``."""
        return [np.bincount(side, minlength=self.count) for side in self.codes]


def cut(leaf: Leaf, tables: Sequence[pa.Table], most: int) -> list[Cells]:
    """Cut a column into cells that the first table settles.

    Categories: the ``most`` most frequent values, and all others. Numbers: each value that so many
    rows share that ``most`` cells like it would hold all rows; the rest in ranges of about equal
    frequency with rounded edges; and, of other tables, what lies beyond its range. Null is a cell.
    Cells that no row of any table is in are not kept.

    Args:
        leaf: A column that is compared.
        tables: The tables, of one schema.
        most: About how many cells to make.

    Returns:
        The column; for free text its lengths, and its numbers of words.
    """
    values = [leaf.values(table) for table in tables]
    if leaf.kind is Kind.CATEGORY:
        return [_of_categories(leaf, values, most)]
    scale = Scale.of(leaf, values[0].type)
    if leaf.kind is Kind.NUMBER:
        numbers = [as_numbers(side, leaf.spec) for side in values]
        return [_of_numbers(leaf.name, numbers, scale, most)]
    found = [_of_numbers(leaf.name, [lengths(side) for side in values], scale, most)]
    counts = [side for side in map(words, values) if side is not None]
    if counts:
        found.append(_of_numbers(leaf.name, counts, replace(scale, suffix=" words"), most))
    return found


def _of_categories(leaf: Leaf, values: Sequence[pa.ChunkedArray], most: int) -> Cells:
    codes, cardinality = as_codes(values)
    counts = np.bincount(codes[0], minlength=cardinality)
    kept = most_frequent(counts, most)
    cell = np.full(cardinality, len(kept))
    cell[kept] = np.arange(len(kept))
    # Any row of a code tells its value.
    first = np.zeros(cardinality, dtype=np.int64)
    first[codes[0][::-1]] = np.arange(len(codes[0]))[::-1]
    said = [_named(values[0][int(first[code])].as_py()) for code in kept]
    return _kept(
        leaf.name,
        [cell[side] for side in codes],
        [*said, OTHER],
        bounds=[],
        but="",
        nameless={len(kept)},
        new=_new(counts, [counts[side] > 0 for side in codes[1:]]),
    )


def _new(counts: Codes, known: Sequence[NDArray[np.bool_]]) -> list[int]:
    """Return how many rows of each table hold new values, as ``Cells.new``.

    Args:
        counts: How often each value occurs in the first table.
        known: For each row of the other tables whether its value does.
    """
    return [int((counts == 1).sum()), *[int((~side).sum()) for side in known]]


def _named(value: object) -> str:
    if value is None:
        return "null"
    if not isinstance(value, str):
        return str(value)
    return f"“{value}”" if len(value) <= _LETTERS else f"“{value[:_LETTERS]}…”"


def _of_numbers(name: str, numbers: Sequence[Numbers], scale: Scale, most: int) -> Cells:
    floats = [side.floats() for side in numbers]
    known = floats[0][~np.isnan(floats[0])]
    values, counts = np.unique(known, return_counts=True)
    enough = max(FEWEST, len(known) / most)
    shared = values[counts >= enough]
    rest = known[~np.isin(known, shared)]
    rest = rest[np.isfinite(rest)]
    ranges = round(most * len(rest) / max(len(known), 1))
    edges = np.empty(0)
    if ranges > 1:
        # Halves, since the distance of two floats may overflow.
        edges = scale.rounded(2 * np.quantile(rest / 2, np.arange(1, ranges) / ranges))
    bounds = _bounds([scale.say(float(edge)) for edge in edges])
    but = " (but for frequent values)" if len(shared) else ""
    said = [range_said(*bound) + but for bound in bounds]
    if not bounds:
        said = [OTHER if len(shared) else "any value"]
    ranges = len(said)
    said += [scale.say(float(value)) for value in shared]
    low, high, null = range(len(said), len(said) + 3)
    said += ["values below those of all real rows", "values above those of all real rows", "null"]

    def cells(side: Floats) -> Codes:
        found = np.searchsorted(edges, side, side="right")
        if len(values):
            found[side < values[0]] = low
            found[side > values[-1]] = high
        if len(shared):
            place = np.minimum(np.searchsorted(shared, side), len(shared) - 1)
            exact = shared[place] == side
            found[exact] = ranges + place[exact]
        found[np.isnan(side)] = null
        return found.astype(np.int64)

    new = None
    if len(known) and counts[counts >= FEWEST].sum() >= _REPEATS * len(known):
        new = _new(counts, [np.isnan(side) | np.isin(side, values) for side in floats[1:]])
    return _kept(
        name,
        [cells(side) for side in floats],
        said,
        bounds=bounds,
        but=but,
        nameless={low, high, null} | ({0} if ranges == 1 else set()),
        new=new,
    )


def _bounds(edges: Sequence[str]) -> list[tuple[str, str]]:
    """Return where the ranges between edges begin and end, in words."""
    return list(pairwise(["", *edges, ""])) if edges else []


def range_said(low: str, high: str) -> str:
    """Return the words of a range from ``low`` to below ``high``; empty where it has no end."""
    if not low:
        return f"below {high}" if high else "any value"
    return f"{low} to below {high}" if high else f"{low} or more"


def _kept(
    name: str,
    codes: list[Codes],
    said: list[str],
    *,
    bounds: Sequence[tuple[str, str]],
    but: str,
    nameless: set[int],
    new: list[int] | None,
) -> Cells:
    """Return the cells that any row is in; ``bounds`` are those of the first ones."""
    used = np.zeros(len(said), dtype=bool)
    for side in codes:
        used[side] = True
    number = np.cumsum(used) - 1
    other = next((int(number[c]) for c in nameless if used[c] and said[c] == OTHER), None)
    bounded = [*bounds, *[None] * (len(said) - len(bounds))]
    return Cells(
        name,
        [number[side] for side in codes],
        [text for text, is_used in zip(said, used, strict=True) if is_used],
        [bound for bound, is_used in zip(bounded, used, strict=True) if is_used],
        but,
        frozenset(int(number[cell]) for cell in nameless if used[cell]),
        other,
        new,
    )
