"""Where people live and what firms are called: addresses, postcodes, cities, countries, firms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.datatypes.letters import in_order, texts_of
from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.kind import Facts, Learner, Reach, matching, says
from simulacra.datatypes.personal.patterns import (
    PatternLearner,
    by_pattern,
    only,
    patterns_of,
    written,
)
from simulacra.datatypes.personal.people import People
from simulacra.datatypes.personal.styles import (
    StyleLearner,
    by_style,
    chosen_style,
    in_case,
    put_together,
    spelled,
    taken,
)
from simulacra.datatypes.personal.template import Template

_NAMED = r"\P{N}*\p{L}\P{N}*"
_HAN = r".*\p{Han}.*"
_HOUSES = 299


def _city_places(people: People, locale: str) -> NDArray[np.uint64]:
    """Return the place of each person's city in the locale's list."""
    return people.noise("city") % np.uint64(len(words.drawn(locale, "city")))


class _Place:
    """What a place is called."""

    reach = Reach.PLACE
    alone = False

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match words of letters."""
        del config
        return matching(texts, _NAMED)

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return zh_CN for Chinese names."""
        return {"locale": "zh_CN"} if matching(texts, _HAN).mean() > 0.5 else {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn the case."""
        del config
        return StyleLearner({})


class City(_Place):
    """A town. Those of one person agree with the beginning of the postcode."""

    name = "city"
    said = says("city", "town", "municipality", "ort", "stadt", "ville", "ciudad", "城市")

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return each person's town."""
        locale = config.locale or words.DEFAULT
        pool = words.array(words.drawn(locale, "city"))
        return in_case(facts, taken(pool, _city_places(people, locale)))


class Country(_Place):
    """A country. Taken only where the specification says so: it has statistics."""

    name = "country"
    reach = Reach.CHOSEN
    said = says("country", "nation", "land", "pays", "国家")

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match anything with letters."""
        del config
        return matching(texts, r".*\p{L}.*")

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return a country for each person."""
        pool = words.array(words.countries(config.locale or words.DEFAULT))
        return in_case(facts, taken(pool, people.noise("country") % np.uint64(len(pool))))


class Company:
    """The name of a firm."""

    name = "company"
    reach = Reach.NAMING
    alone = False
    said = says("company(?:_?name)?", "employer", "firm", "organi[sz]ation", "firma", "公司")

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match anything with letters."""
        del config
        return matching(texts, r".*\p{L}.*")

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return zh_CN for Chinese names."""
        return {"locale": "zh_CN"} if matching(texts, _HAN).mean() > 0.5 else {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn the case."""
        del config
        return StyleLearner({})

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return a firm for each person, of names of families and the ends that firms have."""
        locale = config.locale or words.DEFAULT
        starts, ends = words.company_parts(locale)
        size = len(starts) * len(ends)
        chosen = people.permuted(size, "company", people.column)
        width = np.uint64(len(starts))
        start = taken(words.array(starts), chosen % width)
        end = taken(words.array(ends), chosen // width % np.uint64(len(ends)))
        gap = "" if locale.startswith(("zh", "ja", "ko")) else " "
        turn = spelled(chosen // np.uint64(size))
        return in_case(facts, put_together(start, turn, gap, end))


class StreetAddress:
    """A street and a number."""

    name = "street_address"
    reach = Reach.IDENTIFYING
    alone = False
    said = says(
        "(?:street_?|postal_?)?addr(?:ess)?(?:_?(?:line)?_?[12])?",
        "street", "strasse", "stra(?:ß|ss)e", "rue", "calle", "地址", "住址",
    )  # fmt: skip
    styles: ClassVar[Mapping[str, str]] = {
        "unspaced": _HAN,
        "number street": r"[0-9]+[A-Za-z]?,? .*",
        "street, number": r".*, ?[0-9]+.*",
        "street number": r".*[0-9].*",
        "street": r".*",
    }

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match words of letters with a number before or behind, or Chinese characters."""
        del config
        word = r"[\p{L}\p{M}][\p{L}\p{M}'\x{2019}.\-]*"
        western = (
            rf"[0-9]+[\p{{L}}/\-0-9]{{0,6}},? .*{word}.*"
            rf"|{word}(?:[ ,.]+.*)?[ ,.]+.*[0-9].*|{word}[a-zß.] ?[0-9]+[a-z]?"
        )
        return matching(texts, f"{western}|{_HAN}")

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return zh_CN for Chinese addresses."""
        return {"locale": "zh_CN"} if matching(texts, _HAN).mean() > 0.5 else {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn whether the number stands first, and the case."""
        del config
        return StyleLearner(self.styles)

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return an address for each person, unlike all others'."""
        pool = words.drawn(config.locale or words.DEFAULT, "street_name")
        size = len(pool) * _HOUSES
        chosen = people.permuted(size, "address")
        street = taken(words.array(pool), chosen // np.uint64(_HOUSES) % np.uint64(len(pool)))
        # House numbers go up without end where streets are given out.
        number = spelled(
            chosen % np.uint64(_HOUSES)
            + np.uint64(1)
            + chosen // np.uint64(size) * np.uint64(_HOUSES)
        )
        made = {
            "unspaced": put_together(street, number, "号"),
            "number street": put_together(number, " ", street),
            "street, number": put_together(street, ", ", number),
            "street number": put_together(street, " ", number),
            "street": street,
        }
        styles, places = chosen_style(facts, people, "number street")
        return in_case(facts, by_style(places, [made[style] for style in styles]))


class Postcode:
    """A postcode, in the source's own patterns; its beginning is that of the person's town."""

    name = "postcode"
    reach = Reach.PLACE
    alone = False
    said = says(
        "post(?:al)?_?code", "zip", "zip_?code", "postleitzahl", "plz", "postnummer", "邮编",
        "邮政编码",
    )  # fmt: skip

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match three to ten signs of which one at least is a digit."""
        del config
        return matching(texts, r"[0-9A-Za-z][0-9A-Za-z \-]{1,8}[0-9A-Za-z]") & matching(
            texts, ".*[0-9].*"
        )

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return nothing."""
        del texts
        return {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn the patterns."""
        del config
        return PatternLearner()

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return a postcode for each person: the first two signs are the town's."""
        towns = People(
            people.key, _city_places(people, config.locale or words.DEFAULT), people.column
        )
        parts = []
        for pattern, rows in by_pattern(people, patterns_of(facts)):
            choices = pattern.choices
            compact = Template(choices).draw(only(people, rows), "postcode")
            for place in range(min(2, len(choices) - 1)):
                signs = np.array([ord(c) for c in choices[place]], np.uint32)
                chosen = only(towns, rows).noise("postcode", str(place)) % np.uint64(len(signs))
                compact[:, place] = signs[chosen.astype(np.intp)]
            parts.append((rows, texts_of(written(pattern, compact))))
        return in_order(parts, len(people.numbers))
