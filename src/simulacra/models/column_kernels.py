"""Compiled loops between uniform numbers and codes; they release the GIL."""

from __future__ import annotations

from simulacra.core.compiled import Floats, Ints, kernel
from simulacra.core.features import Codes


@kernel
def invert(uniforms: Floats, cumulative: Ints, guide: Codes, order: Codes, out: Codes) -> None:
    """Write the code whose stretch each uniform number lies in."""
    size = len(order)
    total = cumulative[size]
    for row in range(len(uniforms)):
        u = min(max(uniforms[row], 0.0), 1.0 - 2.0**-53)
        target = u * total
        at = int(guide[int(u * size)])
        while cumulative[at + 1] <= target:
            at += 1
        out[row] = order[at]


@kernel
def _equal_range(bag: Codes, begin: int, end: int, code: int) -> tuple[int, int]:
    """Return where ``code`` begins and ends in the sorted ``bag[begin:end]``."""
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if bag[middle] < code:
            low = middle + 1
        else:
            high = middle
    first, high = low, end
    while low < high:
        middle = (low + high) // 2
        if bag[middle] <= code:
            low = middle + 1
        else:
            high = middle
    return first, low


@kernel
def pick(uniforms: Floats, bag: Codes, begin: Ints, end: Ints, out: Codes) -> None:
    """Take each row's code at its uniform number, and narrow its rows to those with that code."""
    for row in range(len(uniforms)):
        u = min(max(uniforms[row], 0.0), 1.0 - 2.0**-53)
        code = bag[begin[row] + int(u * (end[row] - begin[row]))]
        out[row] = code
        begin[row], end[row] = _equal_range(bag, begin[row], end[row], code)


@kernel
def locate(codes: Codes, bag: Codes, begin: Ints, end: Ints, low: Floats, high: Floats) -> None:
    """Find each row's stretch, and narrow its rows; an unseen code lies at the nearest row."""
    for row in range(len(codes)):
        first, last = _equal_range(bag, begin[row], end[row], codes[row])
        if first == last:
            first = min(first, end[row] - 1)
            first, last = _equal_range(bag, begin[row], end[row], bag[first])
        width = end[row] - begin[row]
        low[row] = (first - begin[row]) / width
        high[row] = (last - begin[row]) / width
        begin[row], end[row] = first, last
