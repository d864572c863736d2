"""Words of lists: names of people, of countries. Each becomes another of the list that it is in.

A word that several locales know belongs to the first that does, the column's own before all, so
that no two words ever become one. A word of no list becomes two of the column's locale.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.masking.permuting import permuted
from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.masks.pieces import in_case_of

_LISTS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "first": words.first_names,
    "last": words.last_names,
    "country": words.countries,
    "city": lambda locale: words.drawn(locale, "city"),
}


@dataclass(frozen=True, slots=True)
class Book:
    """All words of a sort that are known.

    Attributes:
        topic: ``first``, ``last``, ``country`` or ``city``.
        locale: Whose words come first.
        homes: The locale and the place in its list of each word, by :func:`words.plain`.
        lists: The words of each locale that are in none before.
    """

    topic: str
    locale: str
    homes: dict[str, tuple[str, int]]
    lists: dict[str, list[str]]

    def knows(self, texts: pa.Array) -> NDArray[np.bool_]:
        """Say which texts are words of a list, whatever their case and accents."""
        return np.array([words.plain(text) in self.homes for text in texts.to_pylist()], np.bool_)

    def masked(self, texts: pa.Array, secret: SecretKey) -> pa.Array:
        """Return the word that each becomes, in its case."""
        values = texts.to_pylist()
        keys = [words.plain(value) for value in values]
        made: dict[str, str] = {}
        places: dict[str, dict[str, int]] = {}
        for key in keys:
            if key in self.homes:
                home, place = self.homes[key]
                places.setdefault(home, {})[key] = place
        for home, known in places.items():
            listed = self.lists[home]
            numbers = np.fromiter(known.values(), np.int64, len(known))
            label = ("word", self.topic, self.locale, home)
            moved = permuted(secret, numbers, len(listed), *label)
            made.update(zip(known, (listed[n] for n in moved.tolist()), strict=True))
        unknown = list(dict.fromkeys(key for key in keys if key not in made))
        made.update(zip(unknown, self._doubles(unknown, secret), strict=True))
        found = [in_case_of(value, made[key]) for value, key in zip(values, keys, strict=True)]
        return pa.array(found, pa.large_string())

    def _doubles(self, keys: list[str], secret: SecretKey) -> list[str]:
        """Return two words of the locale for each key."""
        listed = self.lists[self.locale]
        size, between = len(listed), "-" if is_spaced(self.locale) else ""
        found = []
        for number in secret.numbers(keys, "word", self.topic, self.locale):
            rest, first = divmod(number, size)
            second = (first + 1 + rest % (size - 1)) % size
            found.append(f"{listed[first]}{between}{listed[second]}")
        return found


@cache
def book(topic: str, locale: str) -> Book:
    """Return the words of a topic, those of one locale before all others."""
    homes: dict[str, tuple[str, int]] = {}
    lists: dict[str, list[str]] = {}
    # Names of towns are made up: no other locale's tell anything.
    others = () if topic == "city" else (words.DEFAULT, *words.locales())
    for home in dict.fromkeys((locale, *others)):
        listed = lists.setdefault(home, [])
        for word in _LISTS[topic](home):
            if homes.setdefault(words.plain(word), (home, len(listed))) == (home, len(listed)):
                listed.append(word)
    return Book(topic, locale, homes, lists)


@cache
def is_spaced(locale: str) -> bool:
    """Say whether words of a locale are written apart."""
    return unicodedata.east_asian_width(words.last_names(locale)[0][0]) not in "WF"
