"""Columns that wrap, as the minutes of a day do: their values and distances lie on a circle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import SpecError


def wrap(count: NDArray[np.int64], least: int, period: int) -> NDArray[np.int64]:
    """Return what the counts are modulo the period, from ``least`` on."""
    return (count - least) % period + least


def base_of(low: int, high: int, period: int, where: str) -> int:
    """Return the least value of a column that wraps, as 0 for 0…1439 and 1 for 1…1440."""
    if high - low >= period:
        raise SpecError(
            f"values from {low} to {high} don't fit a period of {period}",
            where=where,
            mend="Remove the period, or this rule",
        )
    return 0 if low >= 0 and high < period else high - period + 1


def cut_of(distances: NDArray[np.int64], period: int) -> int:
    """Return where to cut the circle of distances open: in the widest arc without any.

    Delays of -40 and of 1,300 minutes are then both kept as they are.
    """
    seen = np.unique(distances % period)
    if not seen.size:
        return 0
    arcs = np.diff(seen, append=seen[0] + period)
    widest = int(arcs.argmax())
    cut = int(seen[widest]) + 1 + int(arcs[widest]) // 2
    return cut - period if cut > 0 else cut
