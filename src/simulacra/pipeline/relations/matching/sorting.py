"""Rows in order of a code, and in random order within it: counting sorts, in linear time."""

# mypy: disable-error-code="assignment,no-any-return"
# in kernels Python's and numpy's numbers are one

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Ints, SmallInts, kernel
from simulacra.core.random import RngKey
from simulacra.datatypes.line_kernels import mixed

_SPARSE = 4
_ALWAYS_DENSE = 1 << 16


@kernel
def below(size: int, seed: np.uint64, place: int) -> np.int64:
    """Return a random number from 0 to ``size - 1``, one for each place; size is below 2³²."""
    word = mixed(seed + np.uint64(place) * np.uint64(0x9E3779B97F4A7C15))
    return np.int64(((word >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32))


@kernel
def _shuffle(rows: SmallInts, seed: np.uint64) -> None:
    for place in range(len(rows) - 1, 0, -1):
        other = below(place + 1, seed, place)
        rows[place], rows[other] = rows[other], rows[place]


@kernel
def _counting_sort(order: SmallInts, codes: SmallInts, starts: Ints, out: SmallInts) -> None:
    """Write the rows of ``order`` by their codes, those of one code in the order they came."""
    for row in range(len(codes)):
        starts[codes[row] + 1] += 1
    for code in range(1, len(starts)):
        starts[code] += starts[code - 1]
    for place in range(len(order)):
        row = order[place]
        out[starts[codes[row]]] = row
        starts[codes[row]] += 1
    for code in range(len(starts) - 1, 0, -1):
        starts[code] = starts[code - 1]
    starts[0] = 0


@kernel
def _shuffle_runs(order: SmallInts, major: SmallInts, minor: SmallInts, seed: np.uint64) -> None:
    """Shuffle the rows of each run that agree in both codes."""
    begin = 0
    while begin < len(order):
        first = order[begin]
        end = begin + 1
        while (
            end < len(order)
            and minor[order[end]] == minor[first]
            and major[order[end]] == major[first]
        ):
            end += 1
        for place in range(end - 1, begin, -1):
            other = begin + below(place + 1 - begin, seed, place)
            order[place], order[other] = order[other], order[place]
        begin = end


@dataclass(frozen=True, slots=True)
class Codes:
    """A code of every row.

    Attributes:
        codes: From 0 up, shape ``(rows,)``.
        width: More than the greatest.
    """

    codes: SmallInts
    width: int


def shuffled(rows: int, rng: RngKey) -> SmallInts:
    """Return the numbers below ``rows`` in random order, shape ``(rows,)``, dtype int32."""
    order = np.arange(rows, dtype=np.int32)
    _shuffle(order, rng.words(1)[0])
    return order


def line_up(codes: Codes, rng: RngKey, *, within: Codes | None = None) -> tuple[SmallInts, Ints]:
    """Sort rows by a code, those of one code at random.

    Args:
        codes: What to sort by.
        rng: Decides the order of rows that agree.
        within: What to sort by before.

    Returns:
        The rows in order, and where each code of ``within`` begins there (each of ``codes``
        without it), shape ``(width + 1,)``.
    """
    order = np.arange(len(codes.codes), dtype=np.int32)
    starts = np.zeros(0, np.int64)
    for by in (codes, within) if within else (codes,):
        out, starts = np.empty_like(order), np.zeros(by.width + 1, np.int64)
        _counting_sort(order, by.codes, starts, out)
        order = out
    _shuffle_runs(order, (within or codes).codes, codes.codes, rng.words(1)[0])
    return order, starts


def dense(*sides: NDArray[np.integer]) -> list[Codes]:
    """Return the codes of all sides as numbers from 0 up, in the same order.

    Where they spread far they are numbered anew without gaps.
    """
    filled = [side for side in sides if len(side)]
    rows = sum(len(side) for side in sides)
    least = min((int(side.min()) for side in filled), default=0)
    most = max((int(side.max()) for side in filled), default=0)
    if most - least < _SPARSE * rows + _ALWAYS_DENSE:
        # Not in their own dtype: int8 has no room for 127 + 128.
        moved = [(side if least == 0 else side.astype(np.int64) - least) for side in sides]
        return [Codes(side.astype(np.int32), most - least + 1) for side in moved]
    values = np.unique(np.concatenate(sides))
    places = [np.searchsorted(values, side).astype(np.int32) for side in sides]
    return [Codes(side, len(values)) for side in places]
