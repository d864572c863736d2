"""The words that personal data are made of, by locale: those of Faker's providers.

A pool is read or drawn once from Faker, seeded, and then used for all rows: a million rows are a
million look-ups, not a million calls.
"""

from __future__ import annotations

import pkgutil
import re
import unicodedata
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

DEFAULT = "en_US"
_DRAWS = 3_000
_SEED = 20_031
_FEWEST = 12
"""A shorter list of names stands for a rule that makes them."""
_PLAIN = {
    "ß": "ss",
    "æ": "ae",
    "Æ": "Ae",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "\u0131": "i",
}


@cache
def locales() -> tuple[str, ...]:
    """Return the locales that have names of people."""
    found = import_module("faker.providers.person").__path__
    return tuple(sorted(m.name for m in pkgutil.iter_modules(found) if "_" in m.name))


@cache
def _provider(topic: str, locale: str) -> Any:
    try:
        return import_module(f"faker.providers.{topic}.{locale}").Provider
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("faker.providers"):
            raise
        return import_module(f"faker.providers.{topic}.{DEFAULT}").Provider


def _listed(topic: str, locale: str, prefix: str) -> list[str]:
    """Return the words of all of a provider's lists whose names begin so, in order."""
    provider = _provider(topic, locale)
    found: dict[str, None] = {}
    for name in sorted(dir(provider)):
        words = getattr(provider, name) if name.startswith(prefix) else ()
        if isinstance(words, (tuple, list, dict)):
            found |= dict.fromkeys(word for word in words if isinstance(word, str) and word)
    return sorted(found)


def _names(locale: str, part: str) -> list[str]:
    """Return a locale's names; drawn where Faker has a rule for them, not a list."""
    listed = _listed("person", locale, f"{part}_names")
    return listed if len(listed) >= _FEWEST else list(drawn(locale, f"{part}_name"))


@cache
def first_names(locale: str) -> tuple[str, ...]:
    """Return given names, no two of which are the same without their accents."""
    names = _names(locale, "first")
    if locale.startswith("zh"):
        # Given names of two characters are made of any; Faker lists a hundred or so.
        single = [name for name in names if len(name) == 1]
        names += [one + other for one in single for other in single]
    return _apart(names)


@cache
def first_names_by_sex(
    locale: str,
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return the places, in ``first_names``, of women's names and of men's.

    Names of both are in neither. None where Faker does not tell them apart.
    """
    lists = [
        {name.casefold() for name in _listed("person", locale, f"first_names_{sex}")}
        for sex in ("female", "male")
    ]
    women, men = lists[0] - lists[1], lists[1] - lists[0]
    names = [name.casefold() for name in first_names(locale)]
    found = tuple(np.flatnonzero([name in own for name in names]) for own in (women, men))
    return (found[0], found[1]) if min(map(len, found)) >= _FEWEST else None


@cache
def last_names(locale: str) -> tuple[str, ...]:
    """Return family names, no two of which are the same without their accents."""
    return _apart(_names(locale, "last"))


def _apart(words: list[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for word in words:
        kept.setdefault(_ascii(word) or word, word)
    return tuple(kept.values())


@cache
def drawn(locale: str, method: str) -> tuple[str, ...]:
    """Return different words that a method of Faker gives, as ``street_name`` or ``city``."""
    from faker import Faker

    fake = Faker(locale, use_weighting=False)
    fake.seed_instance(_SEED)
    make = getattr(fake, method)
    return tuple(sorted({" ".join(str(make()).split()) for _ in range(_DRAWS)}))


@cache
def company_parts(locale: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what names of firms begin and end with."""
    starts = _listed("company", locale, "company_prefixes") or list(last_names(locale))
    ends = _listed("company", locale, "company_suffixes") or _listed(
        "company", DEFAULT, "company_suf"
    )
    return tuple(starts), tuple(ends)


@cache
def countries(locale: str) -> tuple[str, ...]:
    """Return the names of countries."""
    return tuple(_listed("address", locale, "countries"))


@cache
def slugs(locale: str, part: str) -> tuple[str, ...]:
    """Return what stands for each name in an address: lower-case ASCII letters, all different.

    Args:
        locale: Whose names.
        part: ``first`` or ``last``. Names in other scripts get Latin ones of the same locale where
            Faker has them, else English ones.
    """
    names = (first_names if part == "first" else last_names)(locale)
    latin = [_ascii(name) for name in _listed("person", locale, f"{part}_romanized_names")]
    latin = latin or [_ascii(n) for n in (first_names if part == "first" else last_names)(DEFAULT)]
    seen: set[str] = set()
    found = []
    for place, name in enumerate(names):
        slug = base = _ascii(name) or latin[place % len(latin)]
        turn = 0
        while slug in seen:
            turn += 1
            slug = base + _letters(turn)
        seen.add(slug)
        found.append(slug)
    return tuple(found)


def _letters(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(97 + rest) + text
    return text


def plain(word: str) -> str:
    """Return what tells a word from others: its letters a to z, or all of it in small letters."""
    return _ascii(word) or word.casefold()


def _ascii(word: str) -> str:
    """Return the letters a to z of a word; empty if others are lost but accents."""
    for special, plain in _PLAIN.items():
        word = word.replace(special, plain)
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    letters = [c for c in bare if c.isalpha()]
    if not letters or not all(c.isascii() for c in letters):
        return ""
    return re.sub(r"[^a-z]", "", bare.lower())


@cache
def array(words: tuple[str, ...]) -> pa.Array:
    """Return words as Arrow has them."""
    return pa.array(words, pa.large_string())


@cache
def _owners(part: str) -> dict[str, frozenset[str]]:
    """Return for each name, in lower case, the locales that have it."""
    found: dict[str, set[str]] = {}
    for locale in locales():
        for word in _names(locale, part):
            found.setdefault(word.casefold(), set()).add(locale)
    return {word: frozenset(owners) for word, owners in found.items()}


def known_name(word: str, part: str) -> bool:
    """Say whether any locale knows a word as a ``first`` or ``last`` name."""
    return word.casefold() in _owners(part)


def likeliest_locale(values: list[str], part: str) -> str | None:
    """Return the locale that knows most of some names; None if none knows a third of them.

    Of those that know about as many, the one with the shortest list says most.
    """
    if not values:
        return None
    owners = _owners(part)
    counts: dict[str, int] = {}
    for value in values:
        for locale in owners.get(value.casefold(), ()):
            counts[locale] = counts.get(locale, 0) + 1
    best = max(counts.values(), default=0)
    if best * 3 < len(values):
        return None
    close = [locale for locale, count in counts.items() if count >= 0.95 * best]
    if DEFAULT in close:
        return DEFAULT
    sizes = {locale: len(_names(locale, part)) for locale in close}
    return min(close, key=lambda locale: (sizes[locale], locale))
