"""What the code points of Unicode are, as look-up tables that compiled code can read.

Eight classes are enough to split text of any script into words. Scripts matter only for the words
that must be invented: an invented Greek word is made of Greek letters.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

PUNCTUATION: Final = 0
"""Punctuation, symbols, controls: a run of one such character is a token."""
LETTER: Final = 1
"""Letters of scripts that put spaces between words."""
DIGIT: Final = 2
"""The digits 0 to 9; digits of other scripts count as letters."""
SPACE: Final = 3
"""White space, as ``str.isspace`` sees it."""
SOLO: Final = 4
"""Ideographs, kana, Thai and its neighbours, emoji: each character is a token."""
MARK: Final = 5
"""Marks, joiners and modifiers: they belong to the character before."""
JOINER: Final = 6
"""The zero-width joiner: the next character too belongs to the character before."""
FLAG: Final = 7
"""Regional indicators: two make a flag."""

_COMMON_HAN: Final = (
    "日一国人年大十二本中長出三時行見月分後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百"
    "書先名川千水半男西電校語土木聞食車何南万毎白天母火右友左休父雨"
)

TABLE_SIZE: Final = 0x20000
"""Code points from here on are ideographs or private: ``SOLO``, and without case."""

_LETTERS: Final = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Nd"})
_SOLO_RANGES: Final = (
    (0x0E00, 0x0FFF),  # Thai, Lao, Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x312F),  # Hiragana, Katakana, Bopomofo
    (0x31A0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
)


class CharacterTables(NamedTuple):
    """Properties of every code point below ``TABLE_SIZE``.

    Attributes:
        classes: One of the class constants, shape ``(TABLE_SIZE,)``, dtype uint8.
        lower: The lower-case code point (itself if there is no single one), dtype int32.
    """

    classes: NDArray[np.uint8]
    lower: NDArray[np.int32]


def _class_of(code: int) -> int:
    character = chr(code)
    category = unicodedata.category(character)
    tests = (
        (SPACE, character.isspace()),
        (JOINER, code == 0x200D),
        (MARK, category[0] == "M" or 0x1F3FB <= code <= 0x1F3FF),
        (FLAG, 0x1F1E6 <= code <= 0x1F1FF),
        (DIGIT, 0x30 <= code <= 0x39),
        (SOLO, category == "So" and code >= 0x2190),
        (SOLO, category in _LETTERS and any(low <= code <= high for low, high in _SOLO_RANGES)),
        (LETTER, category in _LETTERS),
    )
    return next((found for found, holds in tests if holds), PUNCTUATION)


@cache
def character_tables() -> CharacterTables:
    """Return the tables; building them takes some 0.1 s, once a process."""
    classes = np.fromiter(map(_class_of, range(TABLE_SIZE)), np.uint8, TABLE_SIZE)
    lower = np.arange(TABLE_SIZE, dtype=np.int32)
    for code in range(TABLE_SIZE):
        low = chr(code).lower()
        if len(low) == 1:
            lower[code] = ord(low)
    return CharacterTables(classes, lower)


@dataclass(frozen=True, slots=True)
class Script:
    """A script and the letters that stand in for it when nothing better was learned.

    Attributes:
        name: Its English name.
        consonants: Letters that may begin a syllable.
        vowels: Letters that may follow them; empty where any letter may follow any.
        solo: Whether each character stands alone.
    """

    name: str
    consonants: str
    vowels: str = ""
    solo: bool = False


def _letters(first: int, last: int) -> str:
    return "".join(c for c in map(chr, range(first, last + 1)) if unicodedata.category(c)[0] == "L")


@cache
def _scripts() -> tuple[tuple[int, ...], tuple[Script, ...]]:
    latin = Script("Latin", "bcdfghjklmnprstvwz", "aeiou")
    han = Script("Han", _COMMON_HAN, solo=True)
    kana = Script("Kana", _letters(0x3042, 0x3093), solo=True)
    hangul = Script("Hangul", _letters(0xAC00, 0xD7A3))
    symbols = Script("Symbol", "★☆●○◆◇■□▲△", solo=True)
    # Each script begins at the code point given and reaches to the next one.
    starts: tuple[tuple[int, Script], ...] = (
        (0, latin),
        (0x0370, Script("Greek", "βγδζθκλμνπρστφχ", "αεηιου")),
        (0x0400, Script("Cyrillic", "бвгджзклмнпрстфхцчш", "аеиоу")),
        (0x0530, Script("Armenian", _letters(0x0561, 0x0586))),
        (0x0590, Script("Hebrew", _letters(0x05D0, 0x05EA))),
        (0x0600, Script("Arabic", _letters(0x0628, 0x063A) + _letters(0x0641, 0x064A))),
        (0x0900, Script("Devanagari", _letters(0x0915, 0x0939))),
        (0x0980, Script("Bengali", _letters(0x0995, 0x09A8))),
        (0x0A00, Script("Gurmukhi", _letters(0x0A15, 0x0A28))),
        (0x0A80, Script("Gujarati", _letters(0x0A95, 0x0AA8))),
        (0x0B80, Script("Tamil", _letters(0x0B95, 0x0BB9))),
        (0x0C00, Script("Telugu", _letters(0x0C15, 0x0C28))),
        (0x0E00, Script("Thai", _letters(0x0E01, 0x0E2E), solo=True)),
        (0x0E80, Script("Lao", _letters(0x0E81, 0x0EAE), solo=True)),
        (0x0F00, Script("Tibetan", _letters(0x0F40, 0x0F67), solo=True)),
        (0x1000, Script("Myanmar", _letters(0x1000, 0x1020), solo=True)),
        (0x10A0, Script("Georgian", _letters(0x10D0, 0x10F0))),
        (0x1100, hangul),
        (0x1200, Script("Ethiopic", _letters(0x1208, 0x1247))),
        (0x1380, latin),
        (0x1780, Script("Khmer", _letters(0x1780, 0x17A2), solo=True)),
        (0x1800, latin),
        (0x2190, symbols),
        (0x2C00, latin),
        (0x2E80, han),
        (0x3040, kana),
        (0x3130, hangul),
        (0x31A0, kana),
        (0x3200, han),
        (0xA000, latin),
        (0xAC00, hangul),
        (0xD800, latin),
        (0xF900, han),
        (0xFB00, latin),
        (0xFF66, kana),
        (0xFFA0, latin),
        (0x1F000, Script("Emoji", "".join(map(chr, range(0x1F600, 0x1F645))), solo=True)),
        (0x20000, han),
        (0x40000, symbols),
    )
    return tuple(start for start, _ in starts), tuple(script for _, script in starts)


def script_of(character: str) -> Script:
    """Return the script of a letter, ideograph or emoji; Latin for the scripts not told apart."""
    starts, scripts = _scripts()
    return scripts[bisect_right(starts, ord(character)) - 1]
