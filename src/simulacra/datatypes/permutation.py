"""Keyed bijections of row numbers: unique without remembering what was given out.

A Feistel network over the smallest power of two that holds the range, walked until it lands inside
(Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). It mixes; it is no
cipher to hide secrets behind.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Bytes, Ints, kernel
from simulacra.datatypes.line_kernels import mixed

Words = NDArray[np.uint64]
KEYS = 6
"""Rounds, and so words of key."""


@kernel
def _permuted(number: np.uint64, size: np.uint64, keys: Words) -> np.uint64:
    if size <= np.uint64(1):
        return number
    bits = 0
    while bits < 64 and (size - np.uint64(1)) >> np.uint64(bits) > np.uint64(0):
        bits += 1
    right_bits = np.uint64(bits // 2)
    right_mask = (np.uint64(1) << right_bits) - np.uint64(1)
    left_mask = (np.uint64(1) << np.uint64(bits - bits // 2)) - np.uint64(1)
    while True:
        left, right = number >> right_bits, number & right_mask
        for i in range(0, KEYS, 2):
            left ^= mixed(right + keys[i]) & left_mask
            right ^= mixed(left + keys[i + 1]) & right_mask
        number = (left << right_bits) | right
        if number < size:
            return number


@kernel
def permute(numbers: Words, size: int, keys: Words, out: Words) -> None:
    """Write the place of each number, a bijection of ``range(size)`` onto itself.

    Numbers beyond ``size`` are permuted in further ranges of as many.

    Args:
        numbers: Any, shape ``(rows,)``.
        size: From 1 to 2**63.
        keys: The key, shape ``(KEYS,)``.
        out: Where to write.
    """
    width = np.uint64(size)
    for i in range(len(numbers)):
        page = numbers[i] // width
        out[i] = page * width + _permuted(numbers[i] - page * width, width, keys)


@kernel
def scramble(numbers: Words, key: np.uint64, out: Words) -> None:
    """Write 64 bits that look random for each number."""
    for i in range(len(numbers)):
        out[i] = mixed(mixed(numbers[i] + key) + key)


@kernel
def write_template(
    places: Words,
    noise: Words,
    rows: Ints,
    alphabets: NDArray[np.uint8],
    sizes: Ints,
    numbered: int,
    offsets: Ints,
    out: Bytes,
) -> None:
    """Write the characters of some rows.

    Args:
        places: A number for each row, written in the last ``numbered`` characters in mixed radix.
        noise: Bits for the other characters.
        rows: Which rows of ``offsets`` to write.
        alphabets: The characters possible at each place, shape ``(length, 256)``.
        sizes: How many those are, shape ``(length,)``.
        numbered: How many characters from the end on come from ``places``.
        offsets: Where each row's characters begin in ``out``.
        out: Where to write.
    """
    length = len(sizes)
    for i in range(len(rows)):
        rest = places[i]
        bits = noise[i]
        begin = offsets[rows[i]]
        for k in range(length):
            place = length - 1 - k
            size = np.uint64(sizes[place])
            if size == np.uint64(1):
                out[begin + place] = alphabets[place, 0]
            elif k < numbered:
                out[begin + place] = alphabets[place, np.int64(rest % size)]
                rest //= size
            else:
                bits = mixed(bits + np.uint64(k))
                out[begin + place] = alphabets[place, np.int64((bits >> np.uint64(11)) % size)]
