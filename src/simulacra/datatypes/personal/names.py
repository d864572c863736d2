"""The names of people: which given and family name each one has, in any column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.people import FEMALE, MALE, UNTOLD, People, Places
from simulacra.datatypes.personal.styles import taken


@dataclass(frozen=True, slots=True)
class Named:
    """What people are called.

    Attributes:
        locale: Whose names.
        first: The place of each given name, shape ``(rows,)``, dtype int64.
        last: The place of each family name.
        turn: How often all pairs were given out before: from 1 on, names alone don't tell people
            apart.
    """

    locale: str
    first: Places
    last: Places
    turn: Places

    @classmethod
    def of(cls, people: People, config: PersonalConfig) -> Named:
        """Name people; those of one key and locale are called alike in every column."""
        locale = config.locale or words.DEFAULT
        firsts, lasts = len(words.first_names(locale)), len(words.last_names(locale))
        by_sex = None if people.sexes is None else words.first_names_by_sex(locale)
        if by_sex is None or people.sexes is None:
            pairs = people.permuted(firsts * lasts, "names").astype(np.int64)
            return cls(locale, pairs % firsts, pairs // firsts % lasts, pairs // (firsts * lasts))
        # Names of women and of men are different ones, so pairs stay different too.
        unsaid = (people.noise("sex") % np.uint64(2)).astype(np.int8) + np.int8(FEMALE)
        sexes = np.where(people.sexes == UNTOLD, unsaid, people.sexes)
        first, last, turn = (np.zeros(len(sexes), np.int64) for _ in range(3))
        for sex, pool in zip((FEMALE, MALE), by_sex, strict=True):
            of_sex = sexes == sex
            pairs = people.permuted(len(pool) * lasts, "names", str(sex)).astype(np.int64)[of_sex]
            first[of_sex] = pool[pairs % len(pool)]
            last[of_sex] = pairs // len(pool) % lasts
            turn[of_sex] = pairs // (len(pool) * lasts)
        return cls(locale, first, last, turn)

    @property
    def first_names(self) -> pa.Array:
        """The given names."""
        return taken(words.array(words.first_names(self.locale)), self.first)

    @property
    def last_names(self) -> pa.Array:
        """The family names."""
        return taken(words.array(words.last_names(self.locale)), self.last)

    @property
    def first_slugs(self) -> pa.Array:
        """The given names as addresses write them: a to z."""
        return taken(words.array(words.slugs(self.locale, "first")), self.first)

    @property
    def last_slugs(self) -> pa.Array:
        """The family names as addresses write them."""
        return taken(words.array(words.slugs(self.locale, "last")), self.last)


def given_name(name: str) -> str:
    """Return the given name of a whole one, in whatever order."""
    if "," in name:
        return (name.split(",", 1)[1].split() or [""])[0]
    return (name.split() or [""])[0] if " " in name else name[1:]


def family_name(name: str) -> str:
    """Return the family name of a whole one."""
    if "," in name:
        return name.split(",", 1)[0]
    return (name.split() or [""])[-1] if " " in name else name[:1]
