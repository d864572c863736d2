"""A few topics, so that a row's text is about what the row is about.

A topic is a set of weights over informative words; a text's topic is the one whose weights add up
to most. The topics are the centres of a spherical k-means (Dhillon and Modha, "Concept
decompositions for large sparse text data using clustering", Machine Learning 2001) over words
weighted by inverse document frequency, begun at words that are informative and rarely meet. No
randomness is involved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numba import uint64

from simulacra.core.compiled import (
    Bytes,
    Floats,
    Hashes,
    Ints,
    SmallFloats,
    SmallInts,
    kernel,
)
from simulacra.datatypes.ngram.scan import next_token, token_hash
from simulacra.datatypes.ngram.tokens import TokenizedTexts, as_bytes
from simulacra.datatypes.ngram.unicode import LETTER, SOLO, character_tables

MAX_WORDS: Final = 20_000
"""The most words that topics are told by."""
TEXTS_PER_TOPIC: Final = 100
"""A topic needs so many texts; small columns have fewer topics."""
_LEARN_TEXTS: Final = 50_000
_ROUNDS: Final = 8
_COMMON: Final = 0.5


@dataclass(frozen=True, slots=True)
class Topics:
    """Tells the topic of a text.

    Attributes:
        hashes: The hashes of the words that tell, shape ``(words,)``, dtype uint64.
        weights: How much each speaks for each topic, shape ``(words, topics)``, dtype float32.
        slots: A hash table over ``hashes``: a word's number, or -1, dtype int32.
    """

    hashes: Hashes
    weights: SmallFloats
    slots: SmallInts

    @classmethod
    def of(cls, hashes: Hashes, weights: SmallFloats) -> Topics:
        """Build the hash table."""
        slots = np.full(1 << (4 * len(hashes) + 1).bit_length(), -1, np.int32)
        _fill(slots, hashes)
        return cls(hashes, weights, slots)

    @property
    def count(self) -> int:
        """The number of topics, at least 1."""
        return int(self.weights.shape[1])

    def topic_of(self, values: pa.Array) -> Bytes:
        """Return the topic of each text of a ``large_string`` array."""
        if self.count == 1:
            return np.zeros(len(values), np.uint8)
        data, edges = as_bytes(values)
        return _assign(
            data, edges, character_tables().classes, self.hashes, self.slots, self.weights
        )


@kernel
def _fill(slots: SmallInts, hashes: Hashes) -> None:
    mask = uint64(len(slots) - 1)
    for word in range(len(hashes)):
        slot = hashes[word] & mask
        while slots[slot] >= 0:
            slot = (slot + uint64(1)) & mask
        slots[slot] = word


@kernel
def _assign(
    data: Bytes,
    edges: Ints,
    classes: Bytes,
    hashes: Hashes,
    slots: SmallInts,
    weights: SmallFloats,
) -> Bytes:
    topics = weights.shape[1]
    mask = uint64(len(slots) - 1)
    chosen = np.zeros(len(edges) - 1, np.uint8)
    score = np.zeros(topics)
    for row in range(len(edges) - 1):
        score[:] = 0.0
        at = edges[row]
        while at < edges[row + 1]:
            if data[at] == 0x20:
                at += 1
                continue
            end, kind, _ = next_token(data, at, edges[row + 1], classes)
            if kind in (LETTER, SOLO):
                key = token_hash(data, at, end)
                slot = key & mask
                while slots[slot] >= 0:
                    if hashes[slots[slot]] == key:
                        for topic in range(topics):
                            score[topic] += weights[slots[slot], topic]
                        break
                    slot = (slot + uint64(1)) & mask
            at = end
        chosen[row] = np.argmax(score)
    return chosen


@kernel
def _seed_topics(words: SmallInts, offsets: Ints, value: Floats, topics: int) -> Ints:
    """Choose for each topic the word of most value among the texts without an earlier choice."""
    seeds = np.full(topics, -1, np.int64)
    covered = np.zeros(len(offsets) - 1, np.bool_)
    for topic in range(topics):
        found = np.zeros(len(value))
        for row in range(len(offsets) - 1):
            if not covered[row]:
                for index in range(offsets[row], offsets[row + 1]):
                    if words[index] >= 0:
                        found[words[index]] += value[words[index]]
        best = np.argmax(found)
        if found[best] <= 0.0:
            break
        seeds[topic] = best
        for row in range(len(offsets) - 1):
            for index in range(offsets[row], offsets[row + 1]):
                if words[index] == best:
                    covered[row] = True
    return seeds


@kernel
def _move_centres(words: SmallInts, offsets: Ints, value: Floats, centres: Floats) -> None:
    """One round of spherical k-means; ``centres`` has shape ``(words, topics)``."""
    topics = centres.shape[1]
    moved = np.zeros(centres.shape)
    score = np.zeros(topics)
    for row in range(len(offsets) - 1):
        score[:] = 0.0
        norm = 0.0
        for index in range(offsets[row], offsets[row + 1]):
            word = words[index]
            if word >= 0:
                norm += value[word] * value[word]
                for topic in range(topics):
                    score[topic] += value[word] * centres[word, topic]
        best = np.argmax(score)
        if score[best] > 0.0:
            for index in range(offsets[row], offsets[row + 1]):
                if words[index] >= 0:
                    moved[words[index], best] += value[words[index]] / np.sqrt(norm)
    for topic in range(topics):
        length = np.sqrt((moved[:, topic] ** 2).sum())
        if length > 0.0:
            centres[:, topic] = moved[:, topic] / length


def learn_topics(texts: TokenizedTexts, rows: Ints, *, topics: int, min_count: int) -> Topics:
    """Find at most ``topics`` topics (16 at most) in a sample of texts.

    Args:
        texts: The sample, tokenised.
        rows: In how many texts each word occurs, shape ``(words,)``.
        topics: The topics wanted; fewer if there are few texts.
        min_count: The rows that a word must be seen in to matter.
    """
    count = len(texts.offsets) - 1
    topics = min(topics, count // TEXTS_PER_TOPIC)
    telling = np.isin(texts.kinds, (LETTER, SOLO)) & (rows >= min_count) & (rows <= _COMMON * count)
    value = np.where(telling, np.log(max(count, 1) / np.maximum(rows, 1)), 0.0)
    chosen = np.argsort(-rows * value, kind="stable")[:MAX_WORDS]
    chosen = chosen[value[chosen] > 0]
    if topics < 2 or not len(chosen):
        return Topics.of(np.zeros(0, np.uint64), np.zeros((0, 1), np.float32))
    number = np.full(len(rows), -1, np.int32)
    number[chosen] = np.arange(len(chosen), dtype=np.int32)
    # The sample is in the order of the stream: its head may be all of one kind.
    step = max(1, count // _LEARN_TEXTS)
    texts_used = np.arange(0, count, step)
    sizes = texts.offsets[texts_used + 1] - texts.offsets[texts_used]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    places = np.repeat(texts.offsets[texts_used] - offsets[:-1], sizes) + np.arange(offsets[-1])
    words = number[texts.tokens[places] >> 1]
    value = value[chosen]
    seeds = _seed_topics(words, offsets, value, topics)
    seeds = seeds[seeds >= 0]
    centres = np.zeros((len(chosen), len(seeds)))
    centres[seeds, np.arange(len(seeds))] = 1.0
    for _ in range(_ROUNDS):
        _move_centres(words, offsets, value, centres)
    weights = (centres * value[:, None]).astype(np.float32)
    return Topics.of(texts.hashes[chosen], weights)
