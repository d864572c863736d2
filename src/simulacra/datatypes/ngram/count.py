"""Counting which token follows which, per topic, and what of it to keep.

Counts are kept in layers, from the most specific down: the two tokens before, the one before, the
class of the one before (any word, any number, this punctuation mark), nothing; and each of these
first within a topic, then over all topics. A layer keeps only what enough distinct texts say,
and of that a little less than was counted; all the rest is left to the next layer. As a token's
weight in a layer is exactly what the layers above left of it, texts drawn have each token as often
as the source has it: the idea of Kneser and Ney, "Improved backing-off for m-gram language
modeling", ICASSP 1995, with layers for topics and a threshold on texts. Classes keep all that is
left: what may follow *any* word tells of no text, and whether a space comes between is grammar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numba import uint64

from simulacra.core.compiled import Bytes, Flags, Floats, Hashes, Ints, SmallInts, kernel
from simulacra.datatypes.ngram.scan import mix
from simulacra.datatypes.ngram.unicode import DIGIT, LETTER, SOLO

TOKEN_BITS: Final = 20
TOPIC_BITS: Final = 4
CONTEXT_SHIFT: Final = TOKEN_BITS + TOPIC_BITS
BEGIN: Final = (1 << TOKEN_BITS) - 1
"""The token before the first one."""
WORD_CLASSES: Final = {LETTER: BEGIN - 1, DIGIT: BEGIN - 2, SOLO: BEGIN - 3}
"""What stands for any word, number or single character in a context; no token has these numbers."""
ORDERS: Final = 4
"""Contexts of order 0 are empty, of order 1 a class, of order 2 a token, of order 3 two tokens."""
_UNUSED: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
"""No key: it would be a text that begins three times."""
MIN_ROWS: Final = 2
"""The distinct texts that a transition must occur in: what only one text says is not learned."""
MIN_TOPIC_COUNT: Final = 20
"""How often a context must occur within a topic to get a table of that topic."""
DISCOUNT: Final = 0.5
"""What each transition leaves to the next layer, in occurrences."""


class CountedTexts(NamedTuple):
    """Texts to count.

    Attributes:
        tokens: The tokens of all texts, each below ``BEGIN``, dtype int32.
        offsets: Where each text begins, and the end, shape ``(texts + 1,)``, dtype int64.
        firsts: Where each text's tokens that count begin, shape ``(texts,)``, dtype int64.
        ends: Where they end, shape ``(texts,)``, dtype int64.
        classes: What stands for each token in a context of order 1, shape ``(BEGIN + 1,)``.
    """

    tokens: SmallInts
    offsets: Ints
    firsts: Ints
    ends: Ints
    classes: Ints


class _Table(NamedTuple):
    """A hash table: key, occurrences, distinct texts, and the last text seen."""

    keys: Hashes
    counts: SmallInts
    rows: SmallInts
    last: SmallInts


@kernel
def _count(texts: CountedTexts, topics: Bytes, order: int, table: _Table) -> None:
    keys, counts, rows, last = table
    tokens, offsets, firsts, ends, classes = texts
    mask = uint64(len(keys) - 1)
    for row in range(len(offsets) - 1):
        before = BEGIN
        previous = BEGIN
        for index in range(offsets[row], ends[row]):
            token = tokens[index]
            context = uint64(0)
            if order == 1:
                context = uint64(classes[previous])
            elif order == 2:
                context = uint64(previous)
            elif order == 3:
                context = (uint64(before) << uint64(TOKEN_BITS)) | uint64(previous)
            key = (
                (context << uint64(CONTEXT_SHIFT))
                | (uint64(token) << uint64(TOPIC_BITS))
                | uint64(topics[row])
            )
            if index >= firsts[row]:
                slot = mix(key) & mask
                while keys[slot] != _UNUSED and keys[slot] != key:
                    slot = (slot + uint64(1)) & mask
                keys[slot] = key
                counts[slot] += 1
                if last[slot] != row:
                    last[slot] = row
                    rows[slot] += 1
            before = previous
            previous = token


@dataclass(frozen=True, slots=True)
class Transitions:
    """The transitions of one layer, sorted by context, then token.

    Attributes:
        contexts: The packed tokens before, dtype uint64; a context's table is a run of equal ones.
        tokens: The token that follows, dtype int64.
        weights: What the layer keeps of its occurrences, dtype float64, above 0.
        rests: What the layer leaves of its context's occurrences to the next layer, repeated for
            each transition of the context, dtype float64.
    """

    contexts: Hashes
    tokens: Ints
    weights: Floats
    rests: Floats


@dataclass(frozen=True, slots=True)
class OrderCounts:
    """The transitions of one order.

    Attributes:
        general: Over all topics.
        topical: One for each topic; empty if there is a single one.
    """

    general: Transitions
    topical: tuple[Transitions, ...]


def token_classes(kinds: Bytes) -> Ints:
    """Return what stands for each token in a context of order 1, shape ``(BEGIN + 1,)``.

    Args:
        kinds: The class of each item.
    """
    classes = np.arange(BEGIN + 1)
    for kind, number in WORD_CLASSES.items():
        items = np.flatnonzero(kinds == kind)
        classes[2 * items] = classes[2 * items + 1] = number
    return classes


def shorten(contexts: Hashes, order: int, classes: Ints) -> Hashes:
    """Return contexts of order ``order`` as contexts of the order below."""
    last = contexts & np.uint64((1 << TOKEN_BITS) - 1)
    if order == 2:
        return classes[last.astype(np.int64)].astype(np.uint64)
    return last if order == 3 else np.zeros_like(contexts)


def count_orders(texts: CountedTexts, topics: Bytes, *, topic_count: int) -> list[OrderCounts]:
    """Count the transitions of orders 0 to 3.

    Args:
        texts: The texts.
        topics: The topic of each text, below ``topic_count``.
        topic_count: The number of topics, 16 at most.
    """
    orders = []
    left: tuple[Hashes, Floats] | None = None
    for order in reversed(range(ORDERS)):
        keys, counts, rows = _count_order(texts, topics, order=order)
        weights = counts.astype(np.float64)
        # Order 0 follows only what nothing ever followed: it has all occurrences, none were left.
        if left is not None and order > 0:
            context = shorten(left[0] >> np.uint64(CONTEXT_SHIFT), order + 1, texts.classes)
            token = left[0] & np.uint64((1 << CONTEXT_SHIFT) - 1)
            place = np.searchsorted(keys, (context << np.uint64(CONTEXT_SHIFT)) | token)
            weights = _sums(place, left[1], len(keys))
        counted, rest = _keep(keys, weights, rows, topic_count=topic_count, last=order <= 1)
        orders.append(counted)
        left = keys, rest
    return orders[::-1]


def _count_order(
    texts: CountedTexts, topics: Bytes, *, order: int
) -> tuple[Hashes, SmallInts, SmallInts]:
    """Return the packed context, token and topic, sorted; occurrences; distinct texts."""
    size = 1 << max(10, (2 * int((texts.ends - texts.firsts).sum())).bit_length())
    table = _Table(
        np.full(size, _UNUSED),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.full(size, -1, np.int32),
    )
    _count(texts, topics, order, table)
    used = np.flatnonzero(table.keys != _UNUSED)
    used = used[np.argsort(table.keys[used])]
    return table.keys[used], table.counts[used], table.rows[used]


def _keep(
    keys: Hashes, weights: Floats, rows: SmallInts, *, topic_count: int, last: bool
) -> tuple[OrderCounts, Floats]:
    """Divide the weights of an order among its two layers and what it leaves.

    Returns:
        The layers, and what they leave of each key to the next order.
    """
    topics = keys & np.uint64((1 << TOPIC_BITS) - 1)
    pairs, pair_of = np.unique(keys >> np.uint64(TOPIC_BITS), return_inverse=True)
    contexts, context_of = np.unique(pairs >> np.uint64(TOKEN_BITS), return_inverse=True)
    topical: list[Transitions] = []
    rest = weights
    if topic_count > 1:
        group = context_of[pair_of] * topic_count + topics.astype(np.int64)
        totals = _sums(group, weights, len(contexts) * topic_count)
        frequent = totals[group] >= MIN_TOPIC_COUNT
        kept = np.where(frequent & (rows >= MIN_ROWS), np.maximum(weights - DISCOUNT, 0), 0)
        rest = weights - kept
        rests = (totals - _sums(group, kept, len(totals)))[group]
        topical = [
            _transitions(keys >> np.uint64(TOPIC_BITS), kept, rests, topics == topic)
            for topic in range(topic_count)
        ]
    # A text has one topic, so distinct texts add up over topics.
    common = _sums(pair_of, rest, len(pairs))
    texts = _sums(pair_of, rows.astype(np.float64), len(pairs))
    kept = common if last else np.where(texts >= MIN_ROWS, np.maximum(common - DISCOUNT, 0), 0)
    rests = _sums(context_of, common - kept, len(contexts))[context_of]
    general = _transitions(pairs, kept, rests, np.ones(len(pairs), np.bool_))
    share_left = (common - kept) / np.where(common > 0, common, 1)
    return OrderCounts(general, tuple(topical)), rest * share_left[pair_of]


def _sums(groups: Ints, values: Floats, count: int) -> Floats:
    # bincount gives integers for no values at all.
    return np.bincount(groups, values, minlength=count).astype(np.float64)


def _transitions(pairs: Hashes, kept: Floats, rests: Floats, chosen: Flags) -> Transitions:
    chosen = chosen & (kept > 0)
    return Transitions(
        pairs[chosen] >> np.uint64(TOKEN_BITS),
        (pairs[chosen] & np.uint64((1 << TOKEN_BITS) - 1)).astype(np.int64),
        kept[chosen],
        rests[chosen],
    )
