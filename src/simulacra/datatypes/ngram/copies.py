"""Knowing every source text without keeping one: a Bloom filter over their hashes.

A generated text that the filter recognises is drawn again. The filter (Bloom, "Space/time
trade-offs in hash coding with allowable errors", CACM 1970; in blocks of one cache line as in
Putze, Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters", WEA 2007) holds all
source texts of four words or more, some six bits each, and never misses one. About one text in
twenty that was *not* in the source is recognised too, by design: who holds a bundle and guesses a
text learns from a hit that it is likelier to be real, but can never prove it. Decoys fill small
filters to the same density, so that this holds for ten source texts as for ten million.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numba import uint64

from simulacra.core.compiled import Hashes, Ints, kernel
from simulacra.datatypes.ngram.scan import mix

PROBES: Final = 4
"""Bits set for a text."""
WORDS_PER_BLOCK: Final = 8
"""64-bit words in a block of 512 bits: one cache line, so a look-up costs one memory access."""
FILL: Final = 0.05 ** (1 / PROBES)
"""The share of bits set when one unknown text in twenty is recognised."""
BITS_PER_TEXT: Final = -PROBES / math.log(1 - FILL)
FIRST_TEXTS: Final = 1 << 23
"""Hashes held back (64 MB) before the first filter is built, so that most columns get one filter
of the right size; each later filter takes four times as many."""


class CopyGuard(NamedTuple):
    """The finished filters.

    Attributes:
        filters: The bits of all filters, one after the other, dtype uint64.
        starts: Where each filter begins, and the end, shape ``(filters + 1,)``, dtype int64.
    """

    filters: Hashes
    starts: Ints


@kernel
def _block_of(key: np.uint64, blocks: int) -> np.uint64:
    return ((key >> uint64(32)) * uint64(blocks)) >> uint64(32)


@kernel
def _insert(bits: Hashes, keys: Hashes) -> None:
    blocks = len(bits) // WORDS_PER_BLOCK
    for key in keys:
        start = _block_of(key, blocks) * uint64(WORDS_PER_BLOCK)
        probe = mix(key)
        for _ in range(PROBES):
            bits[start + ((probe >> uint64(6)) & uint64(7))] |= uint64(1) << (probe & uint64(63))
            probe >>= uint64(9)


@kernel
def seen_before(guard: CopyGuard, key: np.uint64) -> bool:
    """Return whether any filter holds ``key``: surely if it was inserted, else one time in twenty.

    Args:
        guard: The filters.
        key: The hash of a text (:func:`simulacra.datatypes.ngram.scan.text_facts`).
    """
    filters, starts = guard
    for index in range(len(starts) - 1):
        blocks = (starts[index + 1] - starts[index]) // WORDS_PER_BLOCK
        start = uint64(starts[index]) + _block_of(key, blocks) * uint64(WORDS_PER_BLOCK)
        probe = mix(key)
        found = True
        for _ in range(PROBES):
            word = filters[start + ((probe >> uint64(6)) & uint64(7))]
            if (word >> (probe & uint64(63))) & uint64(1) == uint64(0):
                found = False
                break
            probe >>= uint64(9)
        if found:
            return True
    return False


class CopyGuardBuilder:
    """Takes the hashes of all source texts in a stream."""

    def __init__(self) -> None:
        self._held: list[Hashes] = []
        self._held_texts = 0
        self._filters: list[Hashes] = []
        self._room = 0
        self._secret = np.uint64(0)

    def add(self, hashes: Hashes) -> None:
        """Take the hashes of some texts, dtype uint64."""
        self._secret ^= np.bitwise_xor.reduce(hashes)
        if not self._filters:
            self._held.append(hashes)
            self._held_texts += len(hashes)
            if self._held_texts >= FIRST_TEXTS:
                self._release()
            return
        if self._room < len(hashes):
            texts = FIRST_TEXTS * 4 ** len(self._filters)
            self._filters.append(_empty_filter(texts))
            self._room = texts
        _insert(self._filters[-1], hashes)
        self._room -= len(hashes)

    def _release(self) -> None:
        self._filters.append(_empty_filter(self._held_texts))
        for hashes in self._held:
            _insert(self._filters[-1], hashes)
        self._held.clear()

    def finish(self) -> CopyGuard:
        """Return the filters, filled up with decoys."""
        if self._held_texts and not self._filters:
            self._release()
        if self._filters:
            _add_decoys(self._filters[-1], int(self._secret))
        starts = np.cumsum([0, *map(len, self._filters)], dtype=np.int64)
        return CopyGuard(np.concatenate([np.zeros(0, np.uint64), *self._filters]), starts)


def _empty_filter(texts: int) -> Hashes:
    blocks = max(1, math.ceil(texts * BITS_PER_TEXT / (64 * WORDS_PER_BLOCK)))
    return np.zeros(blocks * WORDS_PER_BLOCK, np.uint64)


def _add_decoys(bits: Hashes, secret: int) -> None:
    # The seed depends on every source text, so nobody without them can tell decoys apart.
    source = np.random.Philox(key=secret)
    while True:
        share = int(np.bitwise_count(bits).sum()) / (64 * len(bits))
        if share >= FILL - 0.005:
            return
        missing = (math.log(1 - share) - math.log(1 - FILL)) / PROBES * 64 * len(bits)
        _insert(bits, source.random_raw(max(1, int(missing))))
