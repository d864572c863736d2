"""How a text quotes a value: whole or a single word of it, in upper or lower case or as a title.

Only whole words count. Where words stand without spaces between them, as in Chinese, any place
does.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from simulacra.core.protection import MIN_COUNT

WHOLE: Final = None
"""In place of the number of a word: the whole value."""
LAST: Final = -1
"""The last word."""
_LEAST_CHARACTERS = 2
_AROUND = ",;:()[]\"'"
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Scripts that are written without spaces between words."""
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_PLAIN = re.compile(r"\w+")
_TOKEN = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])\w)+")
_PARTICLES = frozenset(
    (
        "von",
        "van",
        "de",
        "der",
        "den",
        "da",
        "del",
        "di",
        "du",
        "la",
        "le",
        "zu",
        "dos",
        "das",
        "ter",
    )
)
_MC = re.compile(r"\bMc([a-z])")
_JOINTS = "-"
_JOINTS_OF_CODES = "-.,/@_+&="
"""Signs that make one of two words, among letters and in codes, numbers and addresses."""
_ADDRESS = re.compile(r"@|://|www\.")
_CODE = re.compile(r"[@\d]")


def _titled(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:].lower() for word in text.split(" "))


def _as_name(text: str) -> str:
    """Return a name as people write it: Jan van der Berg, Ann-Marie O'Neil, Tom McDonald."""
    words = [w if w in _PARTICLES else w.title() for w in text.lower().split(" ")]
    return _MC.sub(lambda found: "Mc" + found.group(1).upper(), " ".join(words))


SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "as_is": str,
    "upper": str.upper,
    "lower": str.lower,
    "title": _titled,
    "name": _as_name,
}
"""How a quoted value may be spelled, by name."""


class Quotable(NamedTuple):
    """A spelling of a value, or of a word of it, that a text may have.

    Attributes:
        text: What the text has.
        word: Which word: its number, counted from 0, ``LAST`` or ``WHOLE``.
        spelling: One of ``SPELLINGS``.
        doubtful: Whether it is a word in lower case that may have nothing to do with the value, as
            will with Will.
    """

    text: str
    word: int | None
    spelling: str
    doubtful: bool


def words_of(value: str) -> list[str]:
    """Return the words of a name, without titles and initials that end in a full stop."""
    words = (word.strip(_AROUND) for word in value.split())
    return [word for word in words if word[:1].isalpha() and word[-1] != "."]


def spelled(value: str, word: int | None, spelling: str) -> str:
    """Return a value, or a word of it (the nearest if it has fewer), in a spelling."""
    words = [] if word is WHOLE else words_of(value)
    if word is not WHOLE and words:
        value = words[-1] if word == LAST else words[max(0, min(word, len(words) - 2))]
    return SPELLINGS[spelling](value)


class _Part(NamedTuple):
    """A value or a word of it.

    Attributes:
        text: As the value has it.
        folded: The same without case.
        word: Its number, or ``WHOLE``.
        is_word: Whether it is one word.
    """

    text: str
    folded: str
    word: int | None
    is_word: bool


@lru_cache(maxsize=4_096)
def _parts(value: str, *, by_word: bool) -> tuple[_Part, ...]:
    """Return what of a value may be quoted.

    Args:
        value: The value.
        by_word: Whether single words of it count, too, as those of a name.
    """
    words = words_of(value) if by_word else []
    wanted: list[tuple[str, int | None, bool]] = [(value, WHOLE, words_of(value) == [value])]
    has_capitals = any(word[0].isupper() for word in words)
    for place, word in enumerate(words):
        is_particle = (has_capitals and word[0].islower()) or word.lower() in _PARTICLES
        if word != value and not is_particle:
            number = LAST if place == len(words) - 1 else place
            wanted.append((word, number, words_of(word) == [word]))
    return tuple(
        _Part(text, text.casefold(), number, is_word)
        for text, number, is_word in wanted
        if len(text.strip()) >= _LEAST_CHARACTERS
    )


def _quotables(value: str, text: str, folded: str, *, by_word: bool) -> Collection[Quotable]:
    """Return the spellings of a value that a text has.

    Args:
        value: The value.
        text: The text.
        folded: The text without case.
        by_word: Whether single words of the value count, too.
    """
    found: dict[str, Quotable] = {}
    for part in _parts(value, by_word=by_word):
        times = folded.count(part.folded)
        if not times:
            continue
        # Most texts quote a value as it is, and nowhere in another spelling.
        is_plain = text.count(part.text) == times
        for name in ("as_is",) if is_plain else SPELLINGS:
            quoted = SPELLINGS[name](part.text)
            if quoted in text:
                doubtful = part.is_word and quoted != part.text and quoted.islower()
                found.setdefault(quoted, Quotable(quoted, part.word, name, doubtful))
    return found.values()


class Quote(NamedTuple):
    """A part of a text, ``text[begin:end]``, that quotes a column."""

    begin: int
    end: int
    column: str
    word: int | None
    spelling: str


def quotes_in(
    text: str,
    values: Mapping[str, str],
    by_word: Collection[str],
    ordinary: Collection[str] = (),
) -> list[Quote]:
    """Return where a text quotes values of its row, in order; the longest first where several fit.

    Args:
        text: The text.
        values: The values that are known, by column.
        by_word: The columns of whose values single words count, too.
        ordinary: Words that, in lower case, quote nothing.
    """
    folded = text.casefold()
    wanted = [
        (column, quotable)
        for column, value in values.items()
        for quotable in _quotables(value, text, folded, by_word=column in by_word)
    ]
    wanted.sort(key=_shortness)
    found: list[Quote] = []
    for column, (quoted, word, spelling, doubtful) in wanted:
        if doubtful and quoted in ordinary:
            continue
        begin = text.find(quoted)
        while begin >= 0:
            end = begin + len(quoted)
            is_free = all(end <= other.begin or begin >= other.end for other in found)
            if is_free and _is_whole(text, begin, end):
                found.append(Quote(begin, end, column, word, spelling))
            begin = text.find(quoted, max(end, begin + 1))
    return sorted(found)


def _shortness(wanted: tuple[str, Quotable]) -> int:
    return -len(wanted[1].text)


def ordinary_words(
    texts: Sequence[str | None],
    values: Mapping[str, Sequence[str | None]],
    by_word: Collection[str],
) -> list[str]:
    """Return words of values that enough texts of other rows have in lower case, in order.

    Args:
        texts: The texts.
        values: The values of each row, by column.
        by_word: The columns of whose values single words count.
    """
    own: list[set[str]] = [set() for _ in texts]
    for name, column in values.items():
        for row, value in enumerate(column):
            words = words_of(value) if value else []
            if name in by_word or len(words) == 1:
                own[row].update(word.lower() for word in words)
    every: set[str] = set().union(*own)
    counts: Counter[str] = Counter()
    for text, mine in zip(texts, own, strict=True):
        counts.update((set(_PLAIN.findall(text or "")) & every) - mine)
    return sorted(word for word, rows in counts.items() if rows >= MIN_COUNT)


def tokens_of(text: str) -> list[str]:
    """Return the case-folded words of a text, and single characters of scripts without spaces."""
    return _TOKEN.findall(text.casefold())


def _is_whole(text: str, begin: int, end: int) -> bool:
    """Say whether a part of a text is no part of a longer word, number or address."""
    quoted = text[begin:end]
    is_code = _CODE.search(quoted) is not None
    joints = _JOINTS_OF_CODES if is_code else _JOINTS
    before, after = text[max(0, begin - 2) : begin], text[end : end + 2]
    if _joined(quoted[0], before[::-1], joints) or _joined(quoted[-1], after, joints):
        return False
    if not _ADDRESS.search(text) or _ADDRESS.search(quoted):
        return True
    return not _ADDRESS.search(text[_edge(text, begin, -1) : _edge(text, end, 1)])


def _joined(edge: str, beyond: str, joints: str) -> bool:
    """Say whether a word goes on beyond its edge.

    Args:
        edge: Its first or last character.
        beyond: Up to two characters outside, the nearer one first.
        joints: Signs that join words.
    """
    if not beyond or _IS_UNSPACED.match(edge) or _IS_UNSPACED.match(beyond):
        return False
    if _is_of_word(beyond[0]):
        return _is_of_word(edge)
    return beyond[0] in joints and len(beyond) > 1 and _is_of_word(beyond[1])


def _is_of_word(character: str) -> bool:
    # Vowel signs and accents are no letters.
    is_letter = character.isalnum() or unicodedata.category(character)[0] == "M"
    return is_letter or character == "_"


def _edge(text: str, place: int, step: int) -> int:
    """Return where the characters end that no space parts from a place."""
    while 0 < place < len(text) and not text[place - (step < 0)].isspace():
        place += step
    return place
