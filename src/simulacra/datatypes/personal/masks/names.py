"""Names of people: given names become given names, in whole names as in columns of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

import pyarrow as pa

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.masks.known import Book, book
from simulacra.datatypes.personal.masks.pieces import KEPT, Piece, masked_pieces, shaped

_COMPOUND = re.compile(r"\d+|[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_SIMPLE = re.compile(r"[^\W\d_]+")
_TITLES = frozenset(
    [
        "dr",
        "dra",
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "prof",
        "sir",
        "herr",
        "frau",
        "mme",
        "mlle",
        "jr",
        "sr",
        "ii",
        "iii",
        "iv",
        "phd",
        "md",
    ]
)
_UNSPACED_AT_MOST = 4

Books = Mapping[str, Book]


def masked_first_names(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return given names."""
    return _masked(texts, config, secret, partial(_one_name, part="first"))


def masked_last_names(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return family names."""
    return _masked(texts, config, secret, partial(_one_name, part="last"))


def masked_person_names(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return whole names."""
    return _masked(texts, config, secret, _whole_name)


def _masked(
    texts: pa.Array,
    config: PersonalConfig,
    secret: SecretKey,
    apart: Callable[[str, Books], list[Piece]],
) -> pa.Array:
    locale = config.locale or words.DEFAULT
    books = {part: book(part, locale) for part in ("first", "last")}
    return masked_pieces(
        [apart(text, books) for text in texts.to_pylist()],
        {
            "first": partial(books["first"].masked, secret=secret),
            "last": partial(books["last"].masked, secret=secret),
            "letters": lambda pieces: shaped(pieces, secret, "initial"),
        },
    )


def _one_name(text: str, books: Books, *, part: str) -> list[Piece]:
    """Return the pieces of a name of one part: itself if it is known, else its words."""
    if words.plain(text) in books[part].homes:
        return [(part, text)]
    return _words(text, text, books, lambda place, count: part)  # noqa: ARG005 - any place


def _whole_name(text: str, books: Books) -> list[Piece]:
    last, comma, first = text.partition(",")
    if comma:
        given = _words(first, text, books, lambda place, count: "first")  # noqa: ARG005 - likewise
        return [*_one_name(last, books, part="last"), (KEPT, comma), *given]
    if " " not in text and not text.isascii() and len(text) <= _UNSPACED_AT_MOST:
        cut = 2 if len(text) > 2 and words.plain(text[:2]) in books["last"].homes else 1
        return [("last", text[:cut]), ("first", text[cut:])][: len(text)]
    return _words(
        text,
        text,
        books,
        lambda place, count: "last" if place == count - 1 and place else "first",
    )


def _words(text: str, whole: str, books: Books, part_of: Callable[[int, int], str]) -> list[Piece]:
    """Return the words of a name, or of a part of it, and what stands between.

    Titles and particles (van, de) stay. A word with a hyphen that is not known is taken apart.

    Args:
        text: The name, or a part of it.
        whole: The whole name, which says whether small letters mean something.
        books: The words that are known.
        part_of: Says which part a name is, by its place among how many.
    """
    has_capitals = whole != whole.lower()
    found = list(_COMPOUND.finditer(text))
    named = [match.start() for match in found if _names(match[0], has_capitals=has_capitals)]
    pieces: list[Piece] = []
    end = 0
    for match in found:
        pieces.append((KEPT, text[end : match.start()]))
        end, word = match.end(), match[0]
        if match.start() in named:
            part = part_of(named.index(match.start()), len(named))
            pieces += _known_or_apart(word, part, books[part])
        elif word.isdigit() or len(word) == 1:
            pieces.append(("letters", word))
        else:
            pieces.append((KEPT, word))
    return [*pieces, (KEPT, text[end:])]


def _names(word: str, *, has_capitals: bool) -> bool:
    """Say whether a word is a name, not an initial, a number, a title or a particle."""
    if word.isdigit() or (len(word) == 1 and word.isascii()) or word.lower() in _TITLES:
        return False
    return not (has_capitals and word == word.lower() != word.upper())


def _known_or_apart(word: str, part: str, known: Book) -> list[Piece]:
    if words.plain(word) in known.homes or _SIMPLE.fullmatch(word):
        return [(part, word)]
    pieces: list[Piece] = []
    end = 0
    for match in _SIMPLE.finditer(word):
        role = part if len(match[0]) > 1 else "letters"
        pieces += [(KEPT, word[end : match.start()]), (role, match[0])]
        end = match.end()
    return pieces
