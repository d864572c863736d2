"""Moves numbers, as few and as little as will do, so that no two rows of a group have the same."""

# mypy: disable-error-code="assignment"
# in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Ints, kernel
from simulacra.core.errors import UsageError


@kernel
def _separate_values(
    group: NDArray[Any], values: Ints, least: int, greatest: int, step: int, out: Ints
) -> None:
    """Write the values of each run of equal groups, made distinct."""
    begin = 0
    last = (greatest - least) // step
    while begin < len(values):
        end = begin + 1
        while end < len(values) and group[end] == group[begin]:
            end += 1
        size = end - begin
        order = np.arange(size)
        if size > 1:
            order = np.argsort(values[begin:end], kind="mergesort")
        before = np.int64(-1)
        for place in order:
            # The nearest point of the grid.
            at = max((values[begin + place] - least + step // 2) // step, before + 1)
            out[begin + place] = at
            before = at
        highest = max(last, size - 1)
        for k in range(size - 1, -1, -1):
            place = begin + order[k]
            if out[place] <= highest - (size - 1 - k):
                break
            out[place] = highest - (size - 1 - k)
        for place in range(begin, end):
            out[place] = least + out[place] * step
        begin = end


def separate_values(
    group: NDArray[np.integer],
    values: NDArray[np.int64],
    *,
    least: int,
    greatest: int,
    step: int,
) -> Ints:
    """Move numbers so that no two rows of a group have the same, as few and as little as will do.

    Numbers that repeat move up to the next that is free; those that would pass the greatest push
    the others back. Their order stays.

    Args:
        group: The group of each row, ascending, shape ``(rows,)``.
        values: The number of each row, shape ``(rows,)``.
        least: The least number there may be.
        greatest: The greatest; a group with more rows than that leaves numbers goes beyond.
        step: The distance between numbers; others move to the nearest.

    Returns:
        The numbers, shape ``(rows,)``.

    Raises:
        UsageError: ``step`` is below 1, or ``greatest`` below ``least``.
    """
    if step < 1 or greatest < least:
        raise UsageError(f"numbers from {least:,} to {greatest:,} in steps of {step:,}")
    out = np.empty(len(values), np.int64)
    _separate_values(group, values.astype(np.int64, copy=False), least, greatest, step, out)
    return out
