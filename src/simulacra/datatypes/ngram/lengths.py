"""The lengths of texts, counted over all rows in bounded memory, and cut into a few buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulacra.core.compiled import Bytes, Hashes, Ints, kernel
from simulacra.datatypes.ngram.scan import GUARDED_WORDS, text_facts
from simulacra.datatypes.ngram.unicode import CharacterTables

EXACT: Final = 256
"""Shorter lengths, in code points, are counted one by one; longer ones in bins 2.2 % wide."""

EDGES: Final[Ints] = np.concatenate(
    [np.arange(EXACT), np.ceil(EXACT * 2 ** (np.arange(32 * 24 + 1) / 32)).astype(np.int64)]
)
"""The least length of each bin, and the end of the last (four thousand million)."""


def bin_of(chars: Ints) -> Ints:
    """Return the bin of each length."""
    return np.searchsorted(EDGES, chars, side="right") - 1


@kernel
def scan_batch(
    data: Bytes, edges: Ints, tables: CharacterTables, bin_edges: Ints, counts: Ints, keys: Hashes
) -> tuple[int, int]:
    """Count the lengths of a batch and collect the hashes of its texts of four words or more.

    Args:
        data: The bytes of the texts.
        edges: Where each text begins, and the end.
        tables: The properties of code points.
        bin_edges: ``EDGES``.
        counts: The rows per length bin, shape ``(bins,)``, dtype int64; added to.
        keys: Takes the hashes, dtype uint64, at least a row each.

    Returns:
        The number of hashes, and the greatest length.
    """
    found = 0
    longest = 0
    for row in range(len(edges) - 1):
        chars, words, key = text_facts(data, edges[row], edges[row + 1], tables)
        if words >= GUARDED_WORDS:
            keys[found] = key
            found += 1
        longest = max(longest, chars)
        if chars < EXACT:
            counts[chars] += 1
        else:
            counts[np.searchsorted(bin_edges, chars, side="right") - 1] += 1
    return found, longest


@dataclass(frozen=True, slots=True)
class Lengths:
    """The distribution of lengths of the texts that are not empty.

    Attributes:
        counts: Rows per bin of ``EDGES``, shape ``(bins,)``, dtype int64.
        first: The first bin of each bucket, and the end, shape ``(buckets + 1,)``, dtype int64.
        longest: The greatest length in code points.
    """

    counts: Ints
    first: Ints
    longest: int

    @classmethod
    def of(cls, counts: Ints, longest: int, *, buckets: int) -> Lengths:
        """Cut the bins into at most ``buckets`` buckets of about as many rows each."""
        counts = counts.copy()
        counts[0] = 0
        total = np.cumsum(counts)
        if total[-1] == 0:
            return cls(counts, np.zeros(1, np.int64), longest)
        wanted = np.arange(1, buckets) * total[-1] / buckets
        inner = np.searchsorted(total, wanted, side="left") + 1
        used = np.flatnonzero(counts)
        first = np.unique(np.concatenate([[used[0]], np.clip(inner, used[0], used[-1] + 1)]))
        end = used[-1] + 1
        return cls(counts, np.append(first[first < end], end).astype(np.int64), longest)

    @property
    def buckets(self) -> int:
        """The number of buckets; 0 if there was no text."""
        return len(self.first) - 1

    @property
    def rows(self) -> Ints:
        """The rows of each bucket, shape ``(buckets,)``, dtype int64."""
        total = np.concatenate([[0], np.cumsum(self.counts)])
        return np.diff(total[self.first])

    def bucket_of(self, chars: Ints) -> Ints:
        """Return the bucket of each length; the nearest one for lengths never seen."""
        return np.clip(
            np.searchsorted(self.first, bin_of(chars), side="right") - 1, 0, self.buckets - 1
        )

    def draw(self, buckets: Ints, generator: np.random.Generator) -> Ints:
        """Draw a length in code points for each bucket given."""
        total = np.concatenate([[0], np.cumsum(self.counts)])
        low = total[self.first[buckets]]
        high = total[self.first[buckets + 1]]
        place = low + (generator.random(len(buckets)) * (high - low)).astype(np.int64)
        bins = np.searchsorted(total, place, side="right") - 1
        width = EDGES[bins + 1] - EDGES[bins]
        chars: Ints = EDGES[bins] + (generator.random(len(buckets)) * width).astype(np.int64)
        return np.minimum(chars, self.longest)
