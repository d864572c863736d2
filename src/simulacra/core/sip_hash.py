"""A 128-bit hash of byte strings: equal for equal bytes, and for unequal ones as good as never.

SipHash-2-4 with a digest of 128 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF",
INDOCRYPT 2012). Among 10⁸ strings two share a digest with a chance of 10⁻²³, and since it is a
pseudo-random function that holds for regular strings (numbered names) as for any others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Bytes, Hashes, kernel

_Four = tuple[np.uint64, np.uint64, np.uint64, np.uint64]


@kernel
def _rotated(word: np.uint64, by: int) -> np.uint64:
    return (word << np.uint64(by)) | (word >> np.uint64(64 - by))


@kernel
def _round(a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64) -> _Four:
    a += b
    b = _rotated(b, 13) ^ a
    a = _rotated(a, 32)
    c += d
    d = _rotated(d, 16) ^ c
    a += d
    d = _rotated(d, 21) ^ a
    c += b
    b = _rotated(b, 17) ^ c
    c = _rotated(c, 32)
    return a, b, c, d


@kernel
def hash_bytes(data: Bytes, offsets: NDArray[Any], key: Hashes, out: Hashes) -> None:
    """Write the digest of each byte string.

    Args:
        data: The bytes of all strings.
        offsets: Where each begins, and where the last one ends, shape ``(rows + 1,)``.
        key: Any two words.
        out: Where to write, shape ``(rows, 2)``.
    """
    for i in range(len(offsets) - 1):
        begin, end = np.int64(offsets[i]), np.int64(offsets[i + 1])
        a = key[0] ^ np.uint64(0x736F6D6570736575)
        b = key[1] ^ np.uint64(0x646F72616E646F6D) ^ np.uint64(0xEE)
        c = key[0] ^ np.uint64(0x6C7967656E657261)
        d = key[1] ^ np.uint64(0x7465646279746573)
        whole = begin + ((end - begin) & ~np.int64(7))
        for place in range(begin, whole, 8):
            word = np.uint64(0)
            for k in range(8):
                word |= np.uint64(data[place + k]) << np.uint64(8 * k)
            d ^= word
            a, b, c, d = _round(a, b, c, d)
            a, b, c, d = _round(a, b, c, d)
            a ^= word
        word = np.uint64(end - begin) << np.uint64(56)
        for k in range(end - whole):
            word |= np.uint64(data[whole + k]) << np.uint64(8 * k)
        d ^= word
        a, b, c, d = _round(a, b, c, d)
        a, b, c, d = _round(a, b, c, d)
        a ^= word
        c ^= np.uint64(0xEE)
        for _ in range(4):
            a, b, c, d = _round(a, b, c, d)
        out[i, 0] = a ^ b ^ c ^ d
        b ^= np.uint64(0xDD)
        for _ in range(4):
            a, b, c, d = _round(a, b, c, d)
        out[i, 1] = a ^ b ^ c ^ d


@kernel
def hash_pair(first: np.uint64, second: np.uint64, key: Hashes) -> np.uint64:
    """Return the digest of 64 bits of two words: SipHash-2-4 itself, of their sixteen bytes.

    Args:
        first: The first word.
        second: The second one.
        key: Any two words.
    """
    a = key[0] ^ np.uint64(0x736F6D6570736575)
    b = key[1] ^ np.uint64(0x646F72616E646F6D)
    c = key[0] ^ np.uint64(0x6C7967656E657261)
    d = key[1] ^ np.uint64(0x7465646279746573)
    for word in (first, second, np.uint64(16) << np.uint64(56)):
        d ^= word
        a, b, c, d = _round(a, b, c, d)
        a, b, c, d = _round(a, b, c, d)
        a ^= word
    c ^= np.uint64(0xFF)
    for _ in range(4):
        a, b, c, d = _round(a, b, c, d)
    digest: np.uint64 = a ^ b ^ c ^ d
    return digest
