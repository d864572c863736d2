"""What becomes of the numbers of codes that a draw chooses from, by temperature and top-p."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulacra.core.compiled import Floats, Ints, kernel
from simulacra.core.features import Codes, FeatureKind
from simulacra.core.tempering import Tempering

_ROUNDING = 1e-12


class Way(NamedTuple):
    """How kernels draw the codes of a feature.

    Attributes:
        temperature: What log-probabilities are divided by.
        top_p: The share of the probability that is kept.
        ordinal: Whether codes are ordered.
    """

    temperature: float
    top_p: float
    ordinal: bool

    @classmethod
    def of(cls, how: Tempering, kind: FeatureKind) -> Way:
        """Return how a feature of some kind is drawn."""
        return cls(how.temperature, how.top_p, kind is FeatureKind.ORDINAL)


@kernel
def tempered_upto(numbers: Ints, way: Way) -> Floats:
    """Return cumulative probabilities of codes, shape ``(codes,)``; the last one is 1.

    Of codes that are as likely as each other top-p gives up the last, or those farthest from the
    median where codes are ordered, so that it takes from both ends alike.

    Args:
        numbers: How often each code occurs, by rising code, shape ``(codes,)``; one is positive.
        way: How codes are drawn.
    """
    shares = (numbers / numbers.max()) ** (1.0 / way.temperature)
    shares /= shares.sum()
    if way.top_p < 1.0:
        last = np.arange(len(shares)).astype(np.float64)
        if way.ordinal:
            last = np.abs(np.cumsum(shares) - shares / 2.0 - 0.5)
        order = np.argsort(last, kind="mergesort")
        order = order[np.argsort(-shares[order], kind="mergesort")]
        mass = 0.0
        for code in order:
            if mass >= way.top_p - _ROUNDING:
                shares[code] = 0.0
            else:
                mass += shares[code]
        shares /= mass
    upto = np.cumsum(shares)
    upto[-1] = 1.0
    # A code that was given up must have no stretch, rounding or not.
    for place in range(len(upto) - 2, -1, -1):
        if shares[place + 1] > 0.0:
            break
        upto[place] = 1.0
    return upto


@kernel
def runs(bag: Codes) -> tuple[Codes, Ints]:
    """Return the codes of a sorted bag, and how often it holds each."""
    begins = np.empty(len(bag) + 1, np.int64)
    count, at = 0, 0
    while at < len(bag):
        begins[count] = at
        count += 1
        at += np.searchsorted(bag[at:], bag[at], side="right")
    begins[count] = len(bag)
    return bag[begins[:count]], np.diff(begins[: count + 1])


@kernel
def pick_tempered(
    uniforms: Floats,
    bag: Codes,
    begin: Ints,
    end: Ints,
    order: Ints,
    way: Way,
    out: Codes,
) -> None:
    """Draw each row's code from its part of a sorted bag, and narrow that to the code.

    Args:
        uniforms: Numbers in [0, 1), shape ``(rows,)``.
        bag: Codes, sorted within each part.
        begin: Where each row's part begins; changed.
        end: Where it ends; changed.
        order: The rows, those of one part together.
        way: How codes are drawn.
        out: Filled with the codes.
    """
    low, high = np.int64(-1), np.int64(-1)
    codes, upto, ends = bag[:0], np.empty(0), np.empty(0, np.int64)
    for row in order:
        if begin[row] != low or end[row] != high:
            low, high = begin[row], end[row]
            codes, numbers = runs(bag[low:high])
            upto = tempered_upto(numbers, way)
            ends = low + np.cumsum(numbers)
        place = np.searchsorted(upto, uniforms[row], side="right")
        out[row] = codes[place]
        begin[row], end[row] = (ends[place - 1] if place else low), ends[place]
