"""How columns give synthetic rows away, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.metrics.cells import FEWEST, Cells, cut, range_said
from simulacra.metrics.columns import Leaf

COLUMNS = 5
"""The columns told of: those that told most."""
_NEW = "values that no real row has"
_CELLS = 20
_PAIR_CELLS = 8
_PARTNERS = 30
"""The most other columns that a column is crossed with, those that told most first."""
_CELLS_TOLD = 3
_SURE = 4.0
"""How many standard errors a cell must differ by, as there are many cells."""
_MATTERS = 0.005
"""The least difference of shares that is worth telling."""

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


def given_away_by(
    found: Sequence[Leaf],
    reference: pa.Table,
    synthetic: pa.Table,
    gains: Mapping[str, float],
    *,
    by_chance: bool,
) -> list[dict[str, Any]]:
    """Return the columns that told most, each with its share of all that told, and how.

    ``how`` names values and ranges of which there are too many or too few. Where a column looks
    right when taken alone, it is crossed with the others, and the one that it goes with least as
    it should is named. Nothing is named that fewer than ten reference rows hold.

    Args:
        found: The columns.
        reference: Real rows.
        synthetic: Synthetic rows.
        gains: The share that each column told, greatest first.
        by_chance: Whether the classifier may have told nothing: there is no how then.
    """
    top = list(gains.items())[:COLUMNS]
    if by_chance:
        how = "perhaps by chance: the classifier hardly tells the rows apart"
        return [{"column": name, "share": round(share, 4), "how": how} for name, share in top]
    by_name = {leaf.name: leaf for leaf in found}
    tables = [reference, synthetic]
    partners = [by_name[name] for name in gains]
    partners += [leaf for leaf in found if leaf.kind is not None and leaf.name not in gains]
    crossed = _Crossed(partners, tables)
    return [
        {
            "column": name,
            "share": round(share, 4),
            "how": _alone(by_name[name], tables) or crossed.how(name),
        }
        for name, share in top
    ]


def _alone(leaf: Leaf, tables: Sequence[pa.Table]) -> str:
    """Return what differs in a column taken alone; empty if nothing does for sure."""
    rows = [table.num_rows for table in tables]
    best: tuple[float, str] = (0.0, "")
    for cells in cut(leaf, tables, _CELLS):
        counts = cells.counts()
        said, groups = _joined_ranges(cells, np.sign(_gap(counts, rows)) * _is_sure(counts, rows))
        named = (counts[0] >= FEWEST) | np.isin(np.arange(cells.count), list(cells.nameless))
        if cells.other is not None and 2 * counts[0][cells.other] > rows[0]:
            # The most frequent of very many values are so by chance, where they were counted.
            named[cells.other] = False
        if cells.new is not None:
            # As if they were one more cell, though each is in another too.
            said, groups = [*said, _NEW], np.append(groups, len(said))
            counts = [np.append(side, count) for side, count in zip(counts, cells.new, strict=True)]
            too_many = bool((_is_sure(counts, rows) & (_gap(counts, rows) > 0))[-1])
            named = np.append(named, too_many)
            if too_many and cells.other is not None:
                named[cells.other] = False
        counts = [np.bincount(groups, side).astype(np.int64) for side in counts]
        # A range of several cells may be named as each of them may.
        places = _telling(counts, rows, np.bincount(groups, ~named) == 0)
        apart = float(np.abs(_gap(counts, rows))[places].sum())
        if apart > best[0]:
            best = apart, "; ".join(_said(said[i], counts, rows, i) for i in places)
    return best[1]


def _joined_ranges(cells: Cells, ways: NDArray[np.float64]) -> tuple[list[str], Counts]:
    """Join neighbouring ranges that differ in the same way.

    Args:
        cells: The cells.
        ways: Whether there are too many (1), too few (-1), or neither for sure, shape ``(cells,)``.

    Returns:
        What each group of cells is, in words; and the group of each cell, shape ``(cells,)``.
    """
    said: list[str] = []
    groups = np.zeros(cells.count, dtype=np.int64)
    begin = ""
    for i, (words, bound) in enumerate(zip(cells.said, cells.bounds, strict=True)):
        before = cells.bounds[i - 1] if i else None
        if bound and before and ways[i] and ways[i] == ways[i - 1]:
            said[-1] = range_said(begin, bound[1]) + cells.but
        else:
            said.append(words)
            begin = bound[0] if bound else ""
        groups[i] = len(said) - 1
    return said, groups


def _gap(counts: Sequence[Counts], rows: Sequence[int]) -> Floats:
    """Return how much greater the share of synthetic rows is, shape ``(cells,)``."""
    found: Floats = counts[1] / rows[1] - counts[0] / rows[0]
    return found


def _error(counts: Sequence[Counts], rows: Sequence[int]) -> Floats:
    """Return the standard error of ``_gap`` where both sides are alike."""
    together = np.minimum((counts[0] + counts[1]) / sum(rows), 1.0)
    found: Floats = np.sqrt(together * (1 - together) * (1 / rows[0] + 1 / rows[1]))
    return found


def _is_sure(counts: Sequence[Counts], rows: Sequence[int]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.abs(_gap(counts, rows)) > _SURE * _error(counts, rows)
    return found


def _telling(counts: Sequence[Counts], rows: Sequence[int], named: NDArray[np.bool_]) -> Counts:
    """Return the cells whose shares differ most, of those that do for sure and may be named."""
    gap = np.abs(_gap(counts, rows))
    usable = _is_sure(counts, rows) & (gap >= _MATTERS) & named
    usable &= gap >= gap[usable].max(initial=0.0) / 4
    order = np.argsort(-gap, kind="stable")
    found: Counts = order[usable[order]][:_CELLS_TOLD]
    return found


def _said(what: str, counts: Sequence[Counts], rows: Sequence[int], place: int) -> str:
    real, synthetic = (float(side[place]) / count for side, count in zip(counts, rows, strict=True))
    way = "too often" if synthetic > real else "too rarely"
    usual = f"{real:.1%} of the real ones" if counts[0][place] >= FEWEST else "hardly a real one"
    return f"{way} {what}: {synthetic:.1%} of the synthetic rows, {usual}"


class _Crossed:
    """Columns crossed with each other, cut once.

    Args:
        leaves: The columns, those that are crossed with others first.
        tables: Reference and synthetic.
    """

    def __init__(self, leaves: Sequence[Leaf], tables: Sequence[pa.Table]) -> None:
        self._leaves = {leaf.name: leaf for leaf in leaves[: _PARTNERS + 1]}
        self._tables = tables
        self._cells: dict[str, Cells] = {}

    def how(self, name: str) -> str:
        """Return the column with which ``name`` goes least as it should, and how."""
        rows = [table.num_rows for table in self._tables]
        column = self._cut(name)
        best: tuple[float, Cells | None] = (0.0, None)
        for other in self._leaves:
            if other != name:
                crossed = self._cut(other)
                apart = _beyond_chance(_joint_counts(column, crossed), rows)
                best = max(best, (apart, crossed), key=lambda found: found[0])
        if len(self._leaves) == 1:
            return "no single range of it stands out"
        partner = best[1]
        if partner is not None:
            counts = _joint_counts(column, partner)
            # Each by itself is of ten real rows at least; both together may be of fewer.
            named = np.outer(*(cells.counts()[0] >= FEWEST for cells in (column, partner)))
            places = _telling(counts, rows, named.ravel())
            said = [self._where(column, partner, int(place)) for place in places]
            told = [
                _said(what, counts, rows, place) for what, place in zip(said, places, strict=True)
            ]
            if told:
                return f"looks right alone, but not with {partner.column}: {'; '.join(told)}"
        return "looks right alone and with each other column: it tells together with several"

    def _where(self, column: Cells, partner: Cells, place: int) -> str:
        a, b = divmod(place, partner.count)
        return f"{column.said[a]} where {partner.column} is {partner.said[b]}"

    def _cut(self, name: str) -> Cells:
        if name not in self._cells:
            self._cells[name] = cut(self._leaves[name], self._tables, _PAIR_CELLS)[0]
        return self._cells[name]


def _joint_counts(one: Cells, other: Cells) -> list[Counts]:
    return [
        np.bincount(a * other.count + b, minlength=one.count * other.count)
        for a, b in zip(one.codes, other.codes, strict=True)
    ]


def _beyond_chance(counts: Sequence[Counts], rows: Sequence[int]) -> float:
    """Return the total variation distance of two tables, less what chance alone makes of it."""
    # The mean of the absolute value of a normal deviate.
    usual = np.sqrt(2 / np.pi) * _error(counts, rows)
    return float((np.abs(_gap(counts, rows)) - usual).sum()) / 2.0
