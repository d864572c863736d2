"""Compiled lookups and draws: values to codes and codes to values, on a line of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Floats, Ints, kernel

Words = NDArray[np.uint64]


@kernel
def _find(edges: NDArray[Any], value: Any, place: int, end: int) -> int:
    """Return the last place from ``place`` to ``end`` whose edge is not above a value."""
    length = end - place + 1
    while length > 1:
        half = length >> 1
        # Written as a choice, not as a branch: which way is unpredictable.
        place = place + half if edges[place + half] <= value else place
        length -= half
    return place


@kernel
def find_whole(edges: Words, values: Words, shift: int, upto: Ints, out: NDArray[Any]) -> None:
    """Write for each value the last place whose edge is not above it (the first, if none is).

    Args:
        edges: Ascending.
        values: What to look for.
        shift: A value's bucket is the value shifted down by so many bits.
        upto: For each bucket the number of edges in the buckets before it; one entry more.
        out: Where to write.
    """
    for i in range(len(values)):
        bucket = np.int64(values[i] >> np.uint64(shift))
        if bucket >= len(upto) - 1:
            out[i] = len(edges) - 1
        else:
            out[i] = _find(edges, values[i], max(upto[bucket] - 1, 0), max(upto[bucket + 1] - 1, 0))


@kernel
def find_real(edges: Floats, values: Floats, scale: float, upto: Ints, out: NDArray[Any]) -> None:
    """As :func:`find_whole`; a value's bucket is its distance from the first edge, scaled."""
    for i in range(len(values)):
        if not values[i] > edges[0]:
            out[i] = 0
        elif values[i] >= edges[-1]:
            out[i] = len(edges) - 1
        else:
            # Without a scale (the edges span more than a float holds) all are in one bucket.
            place = np.int64((values[i] - edges[0]) * scale) if scale > 0.0 else 0
            bucket = min(place, len(upto) - 2)
            out[i] = _find(edges, values[i], max(upto[bucket] - 1, 0), max(upto[bucket + 1] - 1, 0))


@kernel
def mixed(word: np.uint64) -> np.uint64:
    """Return other bits for the same word (the finaliser of SplitMix64, Steele et al. 2014)."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@kernel
def _times_high(one: np.uint64, other: np.uint64) -> np.uint64:
    """Return the upper 64 bits of a product of 128."""
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    cross = (one >> half) * (other & low) + (((one & low) * (other & low)) >> half)
    more = (one & low) * (other >> half) + (cross & low)
    return (one >> half) * (other >> half) + (cross >> half) + (more >> half)


@kernel
def _pick(
    word: np.uint64,
    begin: np.int64,
    end: np.int64,
    own: NDArray[np.uint32],
    other: NDArray[np.int32],
) -> np.int64:
    """Pick a cell of a code by the upper half of a word."""
    if end - begin == 1:
        return begin
    scaled = (word >> np.uint64(32)) * np.uint64(end - begin)
    cell = begin + np.int64(scaled >> np.uint64(32))
    if (scaled & np.uint64(0xFFFFFFFF)) > np.uint64(own[cell]):
        return np.int64(other[cell])
    return cell


@kernel
def draw_whole(
    codes: NDArray[Any],
    words: Words,
    starts: Ints,
    own: NDArray[np.uint32],
    other: NDArray[np.int32],
    low: Words,
    high: Words,
    out: Words,
) -> None:
    """Draw a whole number for each code, evenly from a cell picked by its mass."""
    for i in range(len(codes)):
        word = words[i]
        cell = _pick(word, starts[codes[i]], starts[codes[i] + 1], own, other)
        width = high[cell] - low[cell]
        if width == np.uint64(0):
            out[i] = low[cell]
        elif width < np.uint64(0xFFFF):
            part = (word & np.uint64(0xFFFFFFFF)) * (width + np.uint64(1))
            out[i] = low[cell] + (part >> np.uint64(32))
        elif width == np.uint64(0xFFFFFFFFFFFFFFFF):
            out[i] = mixed(word)
        else:
            out[i] = low[cell] + _times_high(mixed(word), width + np.uint64(1))


@kernel
def draw_real(
    codes: NDArray[Any],
    words: Words,
    starts: Ints,
    own: NDArray[np.uint32],
    other: NDArray[np.int32],
    low: Floats,
    high: Floats,
    out: Floats,
) -> None:
    """Draw a real number for each code, evenly from a cell picked by its mass."""
    for i in range(len(codes)):
        word = words[i]
        cell = _pick(word, starts[codes[i]], starts[codes[i] + 1], own, other)
        if low[cell] == high[cell]:
            out[i] = low[cell]
        else:
            part = np.float64(mixed(word) >> np.uint64(11)) * 2.0**-53
            # Not low + part * (high - low): the difference may overflow.
            drawn = low[cell] * (1.0 - part) + high[cell] * part
            out[i] = min(max(drawn, low[cell]), high[cell])
