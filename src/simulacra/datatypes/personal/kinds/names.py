"""Names of people: whole, given and family names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.kind import Facts, Learner, Reach, matching, says
from simulacra.datatypes.personal.names import Named, family_name, given_name
from simulacra.datatypes.personal.people import People
from simulacra.datatypes.personal.styles import (
    StyleLearner,
    by_style,
    chosen_style,
    in_case,
    put_together,
)

_NAME = r"\p{L}[\p{L}\p{M}'\x{2019}.\- ]*"
_INITIALS = pa.array([chr(65 + n) for n in range(26)], pa.large_string())


class _OneName:
    """A given or a family name."""

    name: str
    part: str
    said: re.Pattern[str]
    reach = Reach.NAMING
    alone = True

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Known names match; others only if the specification says what the column is."""
        looks = matching(texts, _NAME)
        if config.share is not None:
            return looks
        known = [words.known_name(text, self.part) for text in texts.to_pylist()]
        return looks & np.array(known, np.bool_)

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return the locale that knows most of the names."""
        locale = words.likeliest_locale(texts.to_pylist(), self.part)
        return {"locale": locale} if locale else {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn the case."""
        del config
        return StyleLearner({})


class FirstName(_OneName):
    """A given name."""

    name = "first_name"
    part = "first"
    said = says("first_?name", "fname", "f_name", "given_?names?", "forename", "vorname", "prenom")

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return each person's given name."""
        return in_case(facts, Named.of(people, config).first_names)


class LastName(_OneName):
    """A family name."""

    name = "last_name"
    part = "last"
    said = says(
        "last_?name", "lname", "l_name", "sur_?name", "family_?name", "nachname", "apellidos?"
    )

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return each person's family name."""
        return in_case(facts, Named.of(people, config).last_names)


class PersonName:
    """A whole name."""

    name = "person_name"
    reach = Reach.NAMING
    alone = True
    said = says(
        "(?:full|person|customer|client|contact|employee|patient|user|member|owner|author|holder)"
        "_?name",
        "name",
        "fullname",
        "姓名",
    )
    styles: ClassVar[Mapping[str, str]] = {
        "unspaced": r"[\p{Han}\p{Hangul}\p{Hiragana}\p{Katakana}]+",
        "last, first": r"[^,]+,[^,]+",
        "first i. last": r"\S+ \p{L}\.? .+",
        "first last": r"\S+ \S+",
        "first": r"\S+",
        "first middle last": r".+",
    }

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match names of which a first or last word is known; any once it is settled."""
        looks = matching(texts, rf"{_NAME}(?:, {_NAME})?")
        if config.share is not None:
            return looks
        known = [_is_a_person(text) for text in texts.to_pylist()]
        return looks & np.array(known, np.bool_)

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return the locale that knows most of the names."""
        values = texts.to_pylist()
        for part, given in (("first", given_name), ("last", family_name)):
            locale = words.likeliest_locale([given(value) for value in values], part)
            if locale:
                return {"locale": locale}
        return {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn the order, the number of names and the case."""
        del config
        return StyleLearner(self.styles)

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return each person's name."""
        named = Named.of(people, config)
        first, last = named.first_names, named.last_names
        initial = _INITIALS.take(pa.array((people.noise("initial") % np.uint64(26)).astype(int)))
        # Where all pairs are given out, initials tell people apart.
        second = pc.if_else(
            pa.array(named.turn > 0), put_together(" ", _initials(named.turn), "."), ""
        ).cast(pa.large_string())
        made = {
            "unspaced": put_together(last, first),
            "last, first": put_together(last, ", ", first, second),
            "first i. last": put_together(first, " ", initial, ". ", last),
            "first last": put_together(first, second, " ", last),
            "first": first,
            "first middle last": put_together(first, " ", _middle(people, config), " ", last),
        }
        styles, places = chosen_style(facts, people, "first last")
        return in_case(facts, by_style(places, [made[style] for style in styles]))


def _initials(turns: NDArray[np.int64]) -> pa.Array:
    return _INITIALS.take(pa.array(turns % 26))


def _middle(people: People, config: PersonalConfig) -> pa.Array:
    """Return a second given name for each person."""
    pool = words.array(words.first_names(config.locale or words.DEFAULT))
    return pool.take(pa.array((people.noise("middle") % np.uint64(len(pool))).astype(np.int64)))


def _is_a_person(name: str) -> bool:
    """Say whether a name has two parts at least of which one is known."""
    first, last = given_name(name), family_name(name)
    if not first or not last:
        return False
    is_unspaced = " " not in name
    if is_unspaced:
        return len(name) <= 4 and not name.isascii() and words.known_name(last, "last")
    return words.known_name(first, "first")
