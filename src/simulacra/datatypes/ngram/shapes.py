"""What may be written: words seen often enough, and invented words in place of the others.

A word seen in fewer than ``min_count`` rows may name a person, so it is never kept. Its *shape* is:
the script, the case and the length; or, for digits, how many. Each shape gets a pool of invented
words, spelled like the words that are kept (or in plain syllables when too few are kept), none of
which is a rare word of the source.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, NamedTuple

import numpy as np

from simulacra.core.compiled import Bytes, Flags, Ints, SmallInts
from simulacra.core.random import RngKey
from simulacra.datatypes.ngram.placeholders import is_placeholder
from simulacra.datatypes.ngram.tokens import TokenizedTexts
from simulacra.datatypes.ngram.unicode import (
    DIGIT,
    LETTER,
    PUNCTUATION,
    SOLO,
    SPACE,
    Script,
    script_of,
)

MAX_ITEMS: Final = (1 << 19) - 8
"""Items are numbered in 19 bits, so that three tokens and a topic fit 64 bits; a few numbers are
left for the beginning of a text and for classes of tokens."""
_POOL: Final = 256
_SPELLING_WORDS: Final = 5_000
_SPELLING_LEAST: Final = 20
_BEFORE_WORD: Final = "  "
_PLAIN_PUNCTUATION_BYTES: Final = 3

AS_IS: Final = 0
"""An item's piece is written as it stands."""
DIGITS: Final = 1
"""Each character of the piece is replaced by a random digit, the first not 0."""
ZERO_DIGITS: Final = 2
"""Like ``DIGITS``, but the first stays 0."""


class _Shape(NamedTuple):
    kind: int
    script: Script
    case: str
    length: int


@dataclass(frozen=True, slots=True)
class Items:
    """What a token may stand for.

    Attributes:
        pieces: The strings that can be written, one after the other; kept words first.
        first: For each item its first piece, dtype int64.
        count: For each item its number of pieces: 1 for a kept word, more for a shape.
        kinds: For each item the class of its words, dtype uint8.
        style: For each item ``AS_IS``, ``DIGITS`` or ``ZERO_DIGITS``.
        of_word: The item of each word of the tokenised texts, dtype int32.
        kept: The number of items that are words of the source (the first ones).
        named: For each of those, whether it is a word or number rather than punctuation.
    """

    pieces: list[str]
    first: Ints
    count: Ints
    kinds: Bytes
    style: Bytes
    of_word: SmallInts
    kept: int
    named: Flags


def _shape_of(word: str, kind: int) -> _Shape:
    script = script_of(word[0])
    if kind == DIGIT:
        return _Shape(kind, script, "zero" if word[0] == "0" and len(word) > 1 else "", len(word))
    if kind in (PUNCTUATION, SOLO):
        return _Shape(kind, script, "", 1)
    low = word.lower()
    if word == low:
        case = "lower"
    elif len(word) > 1 and word == word.upper():
        case = "upper"
    elif word[1:] == low[1:]:
        case = "title"
    else:
        case = "".join("X" if character.isupper() else "x" for character in word)
    return _Shape(kind, script, case, len(word))


class _Speller:
    """Invents words of one script, in the manner of the kept words of that script."""

    def __init__(
        self, script: Script, models: Sequence[str], generator: np.random.Generator
    ) -> None:
        self._script = script
        self._generator = generator
        self._next: dict[str, list[str]] = defaultdict(list)
        if len(models) >= _SPELLING_LEAST:
            for word in models[:_SPELLING_WORDS]:
                low = _BEFORE_WORD + word.lower()
                for index in range(2, len(low)):
                    self._next[low[index - 2 : index]].append(low[index])
                    self._next[low[index - 1]].append(low[index])

    def _pick(self, letters: Sequence[str]) -> str:
        return letters[int(self._generator.integers(len(letters)))]

    def syllables(self, length: int) -> str:
        """Return ``length`` letters, consonants and vowels in turn where the script has both."""
        kinds = (self._script.consonants, self._script.vowels or self._script.consonants)
        return "".join(self._pick(kinds[index % 2]) for index in range(length))

    def word(self, length: int) -> str:
        """Return a word of ``length`` letters, spelled like the kept ones if there are enough."""
        if not self._next:
            return self.syllables(length)
        word = _BEFORE_WORD
        while len(word) < length + len(_BEFORE_WORD):
            following = self._next.get(word[-2:]) or self._next.get(word[-1])
            word += self._pick(following) if following else self.syllables(1)
        return word[len(_BEFORE_WORD) :]


def _recase(word: str, case: str) -> str:
    if case == "upper":
        return word.upper()
    if case == "title":
        return word[:1].upper() + word[1:]
    if "X" in case:
        return "".join(
            c.upper() if up == "X" else c for c, up in zip_longest(word, case[: len(word)])
        )
    return word


def _pool(
    shape: _Shape,
    size: int,
    spellers: dict[Script, _Speller],
    kept: dict[object, list[str]],
    rare: set[str],
) -> list[str]:
    if shape.kind == DIGIT:
        return ["0" * shape.length]
    if shape.kind == PUNCTUATION:
        return kept.get(PUNCTUATION, ["-"])[:16]
    speller = spellers[shape.script]
    if shape.kind == SOLO:
        return kept.get(shape.script) or [speller.syllables(1) for _ in range(size)]
    words = set()
    for attempt in range(4 * size):
        word = speller.word(shape.length) if attempt < 2 * size else speller.syllables(shape.length)
        if shape.length < 4 or word not in rare:
            words.add(_recase(word, shape.case))
        if len(words) == size:
            break
    # Words of one to three letters name nobody; longer ones run out only if all are rare words.
    return sorted(words) or [_recase(speller.syllables(shape.length + 1), shape.case)]


def choose_items(texts: TokenizedTexts, rows: Ints, *, min_count: int, rng: RngKey) -> Items:
    """Decide which words are kept and what stands for the others.

    Args:
        texts: The sample, tokenised.
        rows: In how many texts each word occurs, shape ``(words,)``; 0 for words not needed.
        min_count: The rows that a word must be seen in to be kept. White space, and ASCII
            punctuation in runs of up to three, are always kept, and so are placeholders.
        rng: The key for the invented words.
    """
    generator = rng.generator()
    plain = (texts.kinds == SPACE) | (
        (texts.kinds == PUNCTUATION)
        & (texts.lengths <= _PLAIN_PUNCTUATION_BYTES)
        & (texts.data[texts.starts] < 0x80 if len(texts.starts) else False)
    )
    stands_in = is_placeholder(texts.data, texts.starts)
    keep = (rows > 0) & (plain | stands_in | (rows >= min_count))
    order = np.argsort(-rows, kind="stable")
    kept = order[keep[order]][: MAX_ITEMS // 2]
    of_word = np.zeros(len(rows), np.int32)
    of_word[kept] = np.arange(len(kept))
    pieces = [texts.word(index) for index in kept]
    kinds = texts.kinds[kept]

    models: dict[object, list[str]] = defaultdict(list)
    for word, kind, skipped in zip(pieces, kinds, stands_in[kept], strict=True):
        if skipped:
            continue
        if kind in (LETTER, SOLO):
            models[script_of(word[0])].append(word)
        elif kind == PUNCTUATION:
            models[PUNCTUATION].append(word)

    dropped = rows > 0
    dropped[kept] = False
    members: dict[_Shape, list[int]] = defaultdict(list)
    rare = set()
    for index in np.flatnonzero(dropped):
        word = texts.word(index)
        members[_shape_of(word, int(texts.kinds[index]))].append(int(index))
        rare.add(word.lower())

    first, count, style = list(range(len(kept))), [1] * len(kept), [AS_IS] * len(kept)
    item_kinds = kinds.tolist()
    spellers = {
        script: _Speller(script, models.get(script, []), generator)
        for script in sorted({shape.script for shape in members}, key=lambda script: script.name)
    }
    for shape in sorted(members, key=lambda s: (s.kind, s.script.name, s.case, s.length)):
        indices = members[shape]
        of_word[indices] = len(first)
        size = min(_POOL, max(8, 2 * len(indices)))
        pool = _pool(shape, size, spellers, models, rare)
        first.append(len(pieces))
        count.append(len(pool))
        pieces += pool
        item_kinds.append(shape.kind)
        style.append((ZERO_DIGITS if shape.case else DIGITS) if shape.kind == DIGIT else AS_IS)
    return Items(
        pieces,
        np.array(first, np.int64),
        np.array(count, np.int64),
        np.array(item_kinds, np.uint8),
        np.array(style, np.uint8),
        of_word,
        len(kept),
        np.isin(kinds, (LETTER, DIGIT, SOLO)) & ~stands_in[kept],
    )
