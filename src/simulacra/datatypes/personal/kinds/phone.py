"""Telephone numbers, in the source's own patterns, of the plans of their countries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.letters import in_order, texts_of
from simulacra.datatypes.personal import phones
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.kind import Facts, Learner, Reach, matching, says
from simulacra.datatypes.personal.patterns import (
    Pattern,
    PatternLearner,
    by_pattern,
    only,
    patterns_of,
    written,
)
from simulacra.datatypes.personal.people import People
from simulacra.datatypes.personal.template import Template

_CHINESE_MOBILE = "1[3-9][0-9]{9}"
_EXTENSION = r"(?: ?(?:x|ext\.?|#) ?[0-9]{1,6})?"


class Phone:
    """A telephone number."""

    name = "phone"
    reach = Reach.IDENTIFYING
    alone = False
    said = says(
        "(?:tele|cell|mobile_?|home_?|work_?)?phone(?:_?(?:number|no|num|nr))?[0-9]?",
        "mobile(?:_?(?:number|no|nr))?", "cell", "tel[0-9]?", "telefon[eo]?", "fax", "msisdn",
        "handy(?:nummer)?", "手机号?码?", "电话号?码?",
    )  # fmt: skip

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Match 6 to 15 digits (ITU-T E.164) between signs that telephone numbers have."""
        del config
        looks = matching(texts, rf"\+?[0-9(][0-9()\[\] ./\-]*[0-9]{_EXTENSION}")
        digits = pc.count_substring_regex(texts, "[0-9]").to_numpy()
        found: NDArray[np.bool_] = looks & (digits >= 6) & (digits <= 21)
        return found

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return zh_CN for Chinese mobile numbers, which have a form of their own."""
        return {"locale": "zh_CN"} if matching(texts, _CHINESE_MOBILE).mean() > 0.95 else {}

    def learner(self, config: PersonalConfig) -> Learner:
        """Learn the patterns, each with its country's code."""
        del config
        return PatternLearner(phones.country_codes())

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Return a number for each person, unlike all others' of its pattern."""
        parts = []
        for pattern, rows in by_pattern(people, patterns_of(facts)):
            template = _template(pattern, config.locale)
            compact = template.draw(only(people, rows), "phone", people.column)
            parts.append((rows, texts_of(written(pattern, compact))))
        return in_order(parts, len(people.numbers))


def _template(pattern: Pattern, locale: str | None) -> Template:
    """Return how numbers of a pattern are made: by the country's plan where it has such ones."""
    choices = pattern.choices
    region = phones.region_of(pattern.head, locale)
    if region is None or set(pattern.signs) - {"9"}:
        return Template(choices)
    met = [set(choice) for choice in choices]
    plan = phones.heads(region, len(choices))
    kept = tuple(head for head in plan if all(d in few for d, few in zip(head, met, strict=False)))
    # Where none fits, numbers are of another plan than the country's.
    return Template((kept, *choices[len(kept[0]) :])) if kept else Template(choices)
