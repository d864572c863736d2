"""Learning a text generator from a sample of texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulacra.core.compiled import Flags, Ints, SmallFloats, SmallInts
from simulacra.core.random import RngKey
from simulacra.datatypes.ngram.automaton import build_automaton
from simulacra.datatypes.ngram.copies import CopyGuard
from simulacra.datatypes.ngram.count import CountedTexts, count_orders, token_classes
from simulacra.datatypes.ngram.draw import TextGenerator
from simulacra.datatypes.ngram.endings import Endings, find_endings
from simulacra.datatypes.ngram.lengths import Lengths
from simulacra.datatypes.ngram.shapes import Items, choose_items
from simulacra.datatypes.ngram.tokens import TokenizedTexts, rows_per_word, tokenize
from simulacra.datatypes.ngram.topics import Topics, learn_topics


@dataclass(frozen=True, slots=True)
class LearnedTexts:
    """What a sample of texts gives.

    Attributes:
        generator: Draws texts.
        topics: Tells the topic of a text.
        cut: For each length bucket, whether its texts are cut off, shape ``(buckets,)``.
        kept_words: The words and numbers of the source that may be written.
    """

    generator: TextGenerator
    topics: Topics
    cut: Flags
    kept_words: list[str]


def learn_texts(
    sample: pa.Array,
    lengths: Lengths,
    guard: CopyGuard,
    *,
    min_count: int,
    topics: int,
    rng: RngKey,
) -> tuple[LearnedTexts, Ints]:
    """Learn from a uniform sample of the texts that are not empty.

    Args:
        sample: A ``large_string`` array without nulls and empty texts.
        lengths: The lengths of all texts.
        guard: The hashes of all texts.
        min_count: The sampled texts that a word must occur in to be kept.
        topics: The most topics.
        rng: The key for the invented words.

    Returns:
        What was learned, and the sampled texts per topic and length bucket, shape
        ``(topics, buckets)``.
    """
    texts = tokenize(sample)
    buckets = lengths.bucket_of(texts.chars)
    endings = find_endings(texts, buckets, bucket_count=lengths.buckets)
    words = len(texts.hashes)
    rows = rows_per_word(texts.tokens, texts.offsets[:-1], endings.ends, words)
    items = choose_items(texts, rows, min_count=min_count, rng=rng)
    found = learn_topics(texts, rows, topics=topics, min_count=min_count)
    topic_of = found.topic_of(sample)
    tokens = 2 * items.of_word[texts.tokens >> 1] + (texts.tokens & 1)
    classes = token_classes(items.kinds)
    counted = CountedTexts(tokens, texts.offsets, texts.offsets[:-1], endings.ends, classes)
    orders = count_orders(counted, topic_of, topic_count=found.count)
    ends = texts.offsets[1:]
    last = CountedTexts(tokens, texts.offsets, ends - endings.final, ends, classes)
    finals = count_orders(last, np.zeros_like(topic_of), topic_count=1)
    generator = TextGenerator.of(
        build_automaton(orders, finals, classes),
        items,
        end_weights=_end_weights(tokens, texts, endings, items),
        guard=guard,
        longest=lengths.longest,
    )
    shares = np.zeros((found.count, lengths.buckets), np.int64)
    np.add.at(shares, (topic_of, buckets), 1)
    kept = [word for word, named in zip(items.pieces, items.named, strict=False) if named]
    return LearnedTexts(generator, found, endings.cut, kept), shares


def _end_weights(
    tokens: SmallInts, texts: TokenizedTexts, endings: Endings, items: Items
) -> SmallFloats:
    """Return the share of a token's occurrences that end a text, shape ``(2 * items,)``."""
    count = 2 * len(items.first)
    whole = np.repeat(endings.final, np.diff(texts.offsets))
    occurs = np.bincount(tokens[whole], minlength=count)
    ends = np.bincount(tokens[texts.offsets[1:] - 1][endings.final], minlength=count)
    return (ends / np.maximum(occurs, 1)).astype(np.float32)
