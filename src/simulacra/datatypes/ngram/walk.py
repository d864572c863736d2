"""One text: the compiled walk through the automaton, and where to end it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import uint64

from simulacra.core.compiled import Bytes, SmallFloats, SmallInts, kernel
from simulacra.datatypes.ngram.automaton import (
    ALIAS,
    BACK_OFF,
    NEXT,
    PARENT,
    SIZE,
    START,
    THRESHOLD,
    TOKEN,
    TOPICAL,
    Automaton,
)
from simulacra.datatypes.ngram.scan import class_of, code_point, mix
from simulacra.datatypes.ngram.shapes import AS_IS, DIGITS
from simulacra.datatypes.ngram.unicode import SOLO, SPACE

GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
"""What a random stream (splitmix64; Steele, 2014) moves by."""
_RETRIES: Final = 3
_LONG_TOKEN: Final = 24
_WORSE_FIT: Final = 0.1
_LEAST_WEIGHT: Final = 1e-6
_LOW_32: Final = np.uint64(0xFFFFFFFF)


class Lexicon(NamedTuple):
    """What tokens are written as.

    Attributes:
        items: For each item its first piece, its number of pieces and its style, shape
            ``(items, 3)``, dtype int32.
        pieces: Where each piece begins in ``content``, its bytes and its code points, shape
            ``(pieces, 3)``, dtype int32.
        content: The pieces as UTF-8, dtype uint8.
        end_weights: How often each token ends a text when it occurs, shape ``(2 * items,)``,
            dtype float32.
    """

    items: SmallInts
    pieces: SmallInts
    content: Bytes
    end_weights: SmallFloats

    def strings(self) -> list[str]:
        """Return the pieces."""
        content = self.content.tobytes()
        return [content[at : at + size].decode() for at, size, _ in self.pieces.tolist()]


@kernel
def _uniform(random: np.uint64) -> float:
    """Return a number in [0, 1) from the state of a random stream."""
    return np.float64(mix(random) >> uint64(11)) * 2.0**-53


@kernel
def _draw_token(
    automaton: Automaton, state: int, topic: int, random: np.uint64
) -> tuple[int, int, np.uint64]:
    """Return the next token, the next state, and the moved random stream."""
    states, topic_tables, entries, _, _ = automaton
    topical = True
    while True:
        start = states[state, START]
        size = states[state, SIZE]
        row = states[state, TOPICAL]
        specific = topical and row >= 0 and topic_tables[row, topic, 1] > 0
        if specific:
            start = topic_tables[row, topic, 0]
            size = topic_tables[row, topic, 1]
        if size == 0:
            state = int(states[state, PARENT])
            topical = True
            continue
        random += GOLDEN
        word = mix(random)
        entry = uint64(start) + (((word >> uint64(32)) * uint64(size)) >> uint64(32))
        if (word & _LOW_32) >= uint64(entries[entry, THRESHOLD]):
            entry = uint64(entries[entry, ALIAS])
        token = entries[entry, TOKEN]
        if token != BACK_OFF:
            return int(token), int(entries[entry, NEXT]), random
        topical = not specific
        if topical:
            state = int(states[state, PARENT])


@kernel
def _write_piece(
    lexicon: Lexicon, token: int, random: np.uint64, out: Bytes, at: int
) -> tuple[int, int, np.uint64]:
    """Write a token; return the position after it, its code points, and the random stream."""
    items, pieces, content, _ = lexicon
    chars = token & 1
    if chars:
        out[at] = 0x20
        at += 1
    item = token >> 1
    piece = int(items[item, 0])
    if items[item, 1] > 1:
        random += GOLDEN
        piece += int(((mix(random) >> uint64(32)) * uint64(items[item, 1])) >> uint64(32))
    source = pieces[piece, 0]
    length = pieces[piece, 1]
    style = items[item, 2]
    if style == AS_IS:
        for index in range(length):
            out[at + index] = content[source + index]
    else:
        for index in range(length):
            random += GOLDEN
            high = mix(random) >> uint64(32)
            least = uint64(0)
            if index == 0 and length > 1:
                least = uint64(1) if style == DIGITS else uint64(10)
            digit = least + ((high * (uint64(10) - least)) >> uint64(32))
            out[at + index] = 0x30 + digit % uint64(10)
    return at + length, chars + pieces[piece, 2], random


@kernel
def _skip_chars(data: Bytes, at: int, stop: int, chars: int) -> int:
    """Return the position ``chars`` code points after ``at``, at most ``stop``."""
    while chars > 0 and at < stop:
        _, at = code_point(data, at, stop)
        chars -= 1
    return at


@kernel
def cut_text(
    automaton: Automaton,
    lexicon: Lexicon,
    topic: int,
    target: int,
    random: np.uint64,
    out: Bytes,
    start: int,
) -> tuple[int, np.uint64]:
    """Write a text and cut it off after ``target`` code points."""
    state = automaton.begin
    at = start
    chars = 0
    while True:
        token, state, random = _draw_token(automaton, state, topic, random)
        end, more, random = _write_piece(lexicon, token, random, out, at)
        if chars + more >= target:
            if chars + more > target:
                end = _skip_chars(out, at, end, target - chars)
            return end, random
        chars += more
        at = end


@kernel
def _draw_final(
    automaton: Automaton, state: int, random: np.uint64
) -> tuple[int, float, np.uint64]:
    """Return a token that ends a text, how well that fits the state, and the random stream.

    The token is -1 if no text of the source ends with a whole token.
    """
    states, topic_tables, entries, begin, _ = automaton
    is_first = state == begin
    fit = 1.0
    while True:
        row = states[state, TOPICAL]
        if row >= 0 and topic_tables[row, -1, 1] > 0:
            random += GOLDEN
            word = mix(random)
            size = uint64(topic_tables[row, -1, 1])
            entry = uint64(topic_tables[row, -1, 0]) + (((word >> uint64(32)) * size) >> uint64(32))
            if (word & _LOW_32) >= uint64(entries[entry, THRESHOLD]):
                entry = uint64(entries[entry, ALIAS])
            token = int(entries[entry, TOKEN])
            if token != BACK_OFF:
                if state == 0 and is_first:
                    token -= token & 1  # no text of the source is one token: it has no space before
                return token, fit, random
        if state == 0:
            return -1, 0.0, random
        fit *= _WORSE_FIT
        state = int(states[state, PARENT])


@kernel
def whole_text(
    automaton: Automaton,
    lexicon: Lexicon,
    topic: int,
    target: int,
    longest: int,
    random: np.uint64,
    out: Bytes,
    start: int,
) -> tuple[int, np.uint64]:
    """Write a text of about ``target`` code points that ends as texts end.

    Before each token a last token is drawn. Of those that would end the text within an eighth of
    the target one is chosen, by how well it fits what is before it and by how near it comes.
    """
    slack = max(2, target >> 3)
    least = target - slack
    most = min(target + slack, longest)
    state = automaton.begin
    at = start
    chars = 0
    place, last = start, -1
    total = 0.0
    retries = 0
    while chars < most:
        if chars + _LONG_TOKEN >= least and retries == 0:
            token, fit, random = _draw_final(automaton, state, random)
            if token >= 0:
                _, more, random = _write_piece(lexicon, token, random, out, at)
                distance = abs(chars + more - target)
                weight = fit * (1.0 - distance / (slack + 1.0))
                if chars + more > most or weight <= 0.0:
                    # Better than nothing, the more so the nearer.
                    weight = _LEAST_WEIGHT / (1.0 + distance)
                total += weight
                random += GOLDEN
                if _uniform(random) * total < weight:
                    place, last = at, token
        token, following, random = _draw_token(automaton, state, topic, random)
        end, more, random = _write_piece(lexicon, token, random, out, at)
        if chars + more < least and retries < _RETRIES:
            # Far from the end, a token is as likely as it is and is not the last; and one that
            # nothing was seen to follow is a poor one.
            random += GOLDEN
            if following < automaton.first_token or _uniform(random) < lexicon.end_weights[token]:
                retries += 1
                continue
        retries = 0
        state = following
        at = end
        chars += more
    if last >= 0:
        at, _, random = _write_piece(lexicon, last, random, out, place)
    end = _skip_chars(out, start, at, longest)
    if end < at and end > start + 1 and out[end - 1] == 0x20:
        end -= 1  # cut off between two words
    return end, random


@kernel
def first_words(data: Bytes, start: int, stop: int, classes: Bytes, wanted: int) -> int:
    """Return where the first ``wanted`` words end, counted as ``text_facts`` does."""
    words = 0
    gap = True
    at = start
    end = start
    while at < stop:
        code, after = code_point(data, at, stop)
        found = class_of(code, classes)
        if found == SPACE:
            gap = True
        else:
            if gap or found == SOLO:
                words += 1
            if words > wanted:
                break
            gap = False
            end = after
        at = after
    return end
