"""Reading UTF-8 in compiled code: code points, tokens, and a hash blind to case and spacing.

Every kernel takes ``data`` (uint8, the bytes of many texts) and a range within it, and never reads
outside that range, whatever the bytes hold.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import uint64

from simulacra.core.compiled import Bytes, kernel
from simulacra.datatypes.ngram.unicode import (
    DIGIT,
    FLAG,
    JOINER,
    LETTER,
    MARK,
    PUNCTUATION,
    SOLO,
    SPACE,
    TABLE_SIZE,
    CharacterTables,
)

MAX_TOKEN_BYTES: Final = 48
"""A longer run is cut into several tokens."""
GUARDED_WORDS: Final = 4
"""A text of so many words must not equal a source text."""

_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_SEED: Final = np.uint64(0xCBF29CE484222325)


@kernel
def mix(word: np.uint64) -> np.uint64:
    """Return ``word`` with all its bits mixed (the finaliser of splitmix64; Steele, 2014)."""
    word = (word ^ (word >> uint64(30))) * _MIX_1
    word = (word ^ (word >> uint64(27))) * _MIX_2
    return word ^ (word >> uint64(31))


@kernel
def code_point(data: Bytes, at: int, stop: int) -> tuple[int, int]:
    """Return the code point at ``at`` and the position after it."""
    first = int(data[at])
    if first < 0xC0:
        return first, at + 1
    length = 2 if first < 0xE0 else (3 if first < 0xF0 else 4)
    end = min(at + length, stop)
    code = first & (0xFF >> (length + 1))
    for index in range(at + 1, end):
        code = (code << 6) | (int(data[index]) & 0x3F)
    return code, end


@kernel
def class_of(code: int, classes: Bytes) -> int:
    """Return the class of a code point."""
    return int(classes[code]) if code < TABLE_SIZE else SOLO


@kernel
def _after_marks(data: Bytes, at: int, limit: int, classes: Bytes) -> tuple[int, int]:
    """Return the position after the marks at ``at``, and their number.

    What a joiner ties to the character before counts as a mark.
    """
    count = 0
    joined = False
    while at < limit:
        code, after = code_point(data, at, limit)
        found = class_of(code, classes)
        if not (found in (MARK, JOINER) or (joined and found == SOLO)):
            break
        joined = found == JOINER
        count += 1
        at = after
    return at, count


@kernel
def _in_word(data: Bytes, at: int, limit: int, classes: Bytes) -> bool:
    """Return whether a letter, or an apostrophe before a letter (as in don't), is at ``at``."""
    code, after = code_point(data, at, limit)
    if code in (0x27, 0x2019) and after < limit:
        code, _ = code_point(data, after, limit)
    return bool(class_of(code, classes) == LETTER)


@kernel
def _in_run(code: int, first: int, found: int, kind: int, count: int) -> bool:
    """Return whether a code point of class ``found`` goes on a token that is no word."""
    if kind == DIGIT:
        return found == DIGIT
    if kind == FLAG:
        return found == FLAG and count == 1
    return kind != SOLO and code == first


@kernel
def next_token(data: Bytes, at: int, stop: int, classes: Bytes) -> tuple[int, int, int]:
    """Find the token that begins at ``at``.

    Returns:
        The position after it, its class (``LETTER``, ``DIGIT``, ``SPACE``, ``SOLO`` or
        ``PUNCTUATION``), and its length in code points.
    """
    limit = min(stop, at + MAX_TOKEN_BYTES)
    while limit < stop and data[limit] & 0xC0 == 0x80:
        limit += 1  # never within a code point
    first, end = code_point(data, at, stop)
    kind = class_of(first, classes)
    count = 1
    while end < limit:
        if kind == LETTER and data[end] < 0x80 and classes[data[end]] == LETTER:
            end += 1
            count += 1
            continue
        if data[end] >= 0x80:
            end, marks = _after_marks(data, end, limit, classes)
            count += marks
            if end == limit:
                break
        code, after = code_point(data, end, limit)
        if kind == LETTER:
            goes_on = _in_word(data, end, limit, classes)
        else:
            goes_on = _in_run(code, first, class_of(code, classes), kind, count)
        if not goes_on:
            break
        end = after
        count += 1
    if kind == FLAG:
        kind = SOLO
    elif kind in (MARK, JOINER):
        kind = PUNCTUATION
    return end, kind, count


@kernel
def token_hash(data: Bytes, start: int, stop: int) -> np.uint64:
    """Return a 64-bit hash of some bytes."""
    state = _SEED
    for index in range(start, stop):
        state = (state ^ uint64(data[index])) * _PRIME
        state ^= state >> uint64(29)
    return mix(state)


@kernel
def text_facts(
    data: Bytes, start: int, stop: int, tables: CharacterTables
) -> tuple[int, int, np.uint64]:
    """Return what the pass over all rows needs to know of a text.

    Returns:
        Its length in code points, its number of words (parts between white space, and every
        ideograph or emoji), and a hash that ignores case and the amount and kind of white space.
    """
    state = _SEED
    chars = 0
    words = 0
    gap = True
    at = start
    while at < stop:
        byte = data[at]
        if byte < 0x80:
            code = int(byte)
            at += 1
            found = int(tables.classes[code])
            if 0x41 <= code <= 0x5A:
                code |= 0x20
        else:
            code, at = code_point(data, at, stop)
            found = class_of(code, tables.classes)
            if code < TABLE_SIZE:
                code = int(tables.lower[code])
        chars += 1
        if found == SPACE:
            gap = True
            continue
        if gap:
            words += 1
            # The gap before the first word is not hashed: leading space does not matter.
            if words > 1:
                state = (state ^ uint64(0x20)) * _PRIME
                state ^= state >> uint64(29)
            gap = False
        elif found == SOLO:
            words += 1
        state = (state ^ uint64(code)) * _PRIME
        state ^= state >> uint64(29)
    return chars, words, mix(state)
