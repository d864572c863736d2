"""The transitions as an automaton that draws a token in constant time.

A state is a context: the last two tokens, the last one, its class, or nothing. Each state has a
table over all topics and, where the data suffices, a table of each topic, and one of the tokens
that end texts here. What a layer left of its occurrences (:mod:`simulacra.datatypes.ngram.count`)
is the chance of *backing off*: from a topic's table to the general one, from there to the table of
the shorter context. Tables are drawn from by Walker's alias method (Vose, "A linear algorithm for
generating random numbers with a given distribution", IEEE TSE 1991).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Floats, Hashes, Ints, SmallInts, kernel
from simulacra.datatypes.ngram.count import (
    BEGIN,
    ORDERS,
    TOKEN_BITS,
    OrderCounts,
    Transitions,
    shorten,
)

BACK_OFF: Final = 0xFFFFFFFF
"""In place of a token: go on with the next more general table."""
THRESHOLD, ALIAS, TOKEN, NEXT = range(4)
"""Columns of ``entries``."""
START, SIZE, PARENT, TOPICAL = range(4)
"""Columns of ``states``."""


class Automaton(NamedTuple):
    """The tables that drawing reads.

    Attributes:
        states: A row a state, state 0 the empty context: where its general table begins in
            ``entries``, its size (0: back off at once), the state of the shorter context, and its
            row of ``topic_tables`` or -1. Shape ``(states, 4)``, dtype int32.
        topic_tables: Start and size of a state's table for each topic, and last of that for final
            tokens; size 0 if there is none. Shape ``(rows, topics + 1, 2)``, dtype int32.
        entries: Alias tables: keep this entry if 32 random bits are below the threshold, else take
            the alias; the token (or ``BACK_OFF``); the next state. Shape ``(entries, 4)``, uint32.
        begin: The state that a text begins in.
        first_token: The first of the states that stand for one or two given tokens.
    """

    states: SmallInts
    topic_tables: SmallInts
    entries: NDArray[np.uint32]
    begin: int
    first_token: int


@kernel
def _fill_alias_tables(
    starts: Ints, sizes: Ints, weights: Floats, entries: NDArray[np.uint32]
) -> None:
    longest = 0
    for size in sizes:
        longest = max(longest, size)
    scaled = np.empty(longest)
    small = np.empty(longest, np.int64)
    large = np.empty(longest, np.int64)
    for table in range(len(starts)):
        start, size = starts[table], sizes[table]
        total = weights[start : start + size].sum()
        few = many = 0
        for index in range(size):
            scaled[index] = weights[start + index] * size / total
            if scaled[index] < 1.0:
                small[few] = index
                few += 1
            else:
                large[many] = index
                many += 1
        while few and many:
            few -= 1
            low, high = small[few], large[many - 1]
            entries[start + low, THRESHOLD] = np.uint32(scaled[low] * 4294967295.0)
            entries[start + low, ALIAS] = start + high
            scaled[high] -= 1.0 - scaled[low]
            if scaled[high] < 1.0:
                many -= 1
                small[few] = high
                few += 1
        # Rounding may leave either pile; what is left stands for itself.
        for pile, count in ((small, few), (large, many)):
            for index in range(count):
                entries[start + pile[index], THRESHOLD] = 4294967295
                entries[start + pile[index], ALIAS] = start + pile[index]


def _position(sorted_keys: Hashes, keys: Hashes) -> Ints:
    """Return where each key is among the sorted ones, -1 where it isn't."""
    if not len(sorted_keys):
        return np.full(len(keys), -1)
    place = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[place] == keys, place, -1)


class _Tables:
    """Collects alias tables, to be filled in one go."""

    def __init__(self) -> None:
        self._weights: list[Floats] = []
        self._tokens: list[Ints] = []
        self._nexts: list[Ints] = []
        self._starts: list[Ints] = []
        self._sizes: list[Ints] = []
        self._entries = 0

    def add(self, part: Transitions, nexts: Ints, *, back_off: bool) -> tuple[Hashes, Ints, Ints]:
        """Add a table for each context of ``part``; return contexts, starts and sizes."""
        contexts, first, sizes = np.unique(part.contexts, return_index=True, return_counts=True)
        weights = part.weights
        tokens = part.tokens
        if back_off and len(first):
            ends = first + sizes
            weights = np.insert(weights, ends, np.maximum(part.rests[first], 0))
            tokens = np.insert(tokens, ends, BACK_OFF)
            nexts = np.insert(nexts, ends, 0)
            first = first + np.arange(len(first))
            sizes = sizes + 1
        starts = self._entries + first
        self._weights.append(weights)
        self._tokens.append(tokens)
        self._nexts.append(nexts)
        self._starts.append(starts)
        self._sizes.append(sizes)
        self._entries += len(weights)
        return contexts, starts, sizes

    def entries(self) -> NDArray[np.uint32]:
        """Return all tables, filled."""
        entries = np.zeros((self._entries, 4), np.uint32)
        entries[:, TOKEN] = np.concatenate(self._tokens)
        entries[:, NEXT] = np.concatenate(self._nexts)
        _fill_alias_tables(
            np.concatenate(self._starts),
            np.concatenate(self._sizes),
            np.concatenate(self._weights),
            entries,
        )
        return entries


class _States:
    """Numbers the contexts that have a table, order by order."""

    def __init__(
        self, orders: Sequence[OrderCounts], finals: Sequence[OrderCounts], classes: Ints
    ) -> None:
        self.known = [
            np.unique(np.concatenate([p.contexts for p in (o.general, *o.topical, f.general)]))
            for o, f in zip(orders, finals, strict=True)
        ]
        # The empty context is always a state, even if nothing was ever seen.
        self.known[0] = np.zeros(1, np.uint64)
        self.first = np.cumsum([0, *map(len, self.known)])
        self._classes = classes

    def of(self, contexts: Hashes, order: int) -> Ints:
        """Return the state of each context, or of the most specific part of it that has one."""
        if order == 0:
            return np.zeros(len(contexts), np.int64)
        place = _position(self.known[order], contexts)
        shorter = self.of(shorten(contexts, order, self._classes), order - 1)
        return np.where(place >= 0, self.first[order] + place, shorter)

    def after(self, part: Transitions, order: int) -> Ints:
        """Return the state that each transition leads to."""
        tokens = part.tokens.astype(np.uint64)
        if order < 2:
            return self.of(tokens, 2)
        last = part.contexts & np.uint64((1 << TOKEN_BITS) - 1)
        return self.of((last << np.uint64(TOKEN_BITS)) | tokens, 3)

    def parents(self) -> Ints:
        """Return the state to back off to from each state."""
        shorter = [
            self.of(shorten(self.known[order], order, self._classes), order - 1)
            for order in range(1, ORDERS)
        ]
        return np.concatenate([np.zeros(1, np.int64), *shorter])


def build_automaton(
    orders: Sequence[OrderCounts], finals: Sequence[OrderCounts], classes: Ints
) -> Automaton:
    """Link transitions of orders 0 to 3 into an automaton.

    Args:
        orders: All transitions, one of each order.
        finals: The transitions to last tokens, one of each order, without topics.
        classes: What stands for each token in a context of order 1.
    """
    topics = max(1, len(orders[0].topical))
    numbers = _States(orders, finals, classes)
    states = np.zeros((numbers.first[-1], 4), np.int32)
    states[:, PARENT] = numbers.parents()
    states[:, TOPICAL] = -1
    tables = _Tables()
    topic_tables: list[SmallInts] = []
    topical_rows = 0
    for order, (counts, final) in enumerate(zip(orders, finals, strict=True)):
        known = numbers.known[order]

        def add(
            part: Transitions, *, back_off: bool, order: int = order
        ) -> tuple[Ints, Ints, Ints]:
            contexts, starts, sizes = tables.add(
                part, numbers.after(part, order), back_off=back_off
            )
            return _position(numbers.known[order], contexts), starts, sizes

        place, starts, sizes = add(counts.general, back_off=order > 0)
        states[numbers.first[order] + place, START] = starts
        states[numbers.first[order] + place, SIZE] = sizes
        table = np.zeros((len(known), topics + 1, 2), np.int32)
        for column, part in [*enumerate(counts.topical), (topics, final.general)]:
            place, starts, sizes = add(part, back_off=order > 0 or column < topics)
            table[place, column, 0] = starts
            table[place, column, 1] = sizes
        used = np.flatnonzero(table[:, :, 1].any(axis=1))
        states[numbers.first[order] + used, TOPICAL] = topical_rows + np.arange(len(used))
        topical_rows += len(used)
        topic_tables.append(table[used])
    begin = np.array([(BEGIN << TOKEN_BITS) | BEGIN], np.uint64)
    return Automaton(
        states,
        np.concatenate(topic_tables),
        tables.entries(),
        int(numbers.of(begin, 3)[0]),
        int(numbers.first[2]),
    )
