"""Cuts the rows of a table into blocks that are drawn each by itself: those of whole owners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from simulacra.core.protocols import BLOCK_ROWS
from simulacra.pipeline.relations.parent_rows import Rows

LARGEST_BLOCK = 4 * BLOCK_ROWS
"""A parent with more rows than this has them drawn in several blocks."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows, drawn at once: those of whole owners.

    Attributes:
        number: The block's number.
        start: The number of its first row.
        end: The number after its last one.
    """

    number: int
    start: int
    end: int

    @property
    def rows(self) -> slice:
        """The rows as a slice."""
        return slice(self.start, self.end)


def cut(rows: int, owners: Rows | None) -> Iterator[Block]:
    """Yield the blocks of a table.

    Args:
        rows: How many rows there are.
        owners: The owner of each row, those of one owner together; None if the table has none.
    """
    starts = list(range(0, rows, BLOCK_ROWS)) if owners is None else _starts(owners)
    # Without rows there is one block all the same: tables below look for columns in it.
    cuts = [*(starts or [0]), rows]
    for number, (start, end) in enumerate(pairwise(cuts)):
        yield Block(number, start, end)


def _starts(owners: Rows) -> list[int]:
    """Return where blocks begin: at the first row of an owner, some BLOCK_ROWS apart."""
    starts = [0] if len(owners) else []
    while starts and starts[-1] + BLOCK_ROWS < len(owners):
        at = starts[-1] + BLOCK_ROWS
        if owners[at] < 0:
            starts.append(at)
            continue
        first = int(np.searchsorted(owners[:at], owners[at]))
        if first <= starts[-1]:
            # One owner fills the block: go on to its end, if that is near.
            same = owners[at : starts[-1] + LARGEST_BLOCK] == owners[at]
            first = at + (int(np.argmin(same)) if not same.all() else len(same))
        if first >= len(owners):
            break
        starts.append(first)
    return starts
