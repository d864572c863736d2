"""Columns of a table that tell of one person agree on their words and on how many people."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from simulacra.core.protocols import Detection
from simulacra.datatypes.personal.kind import Reach
from simulacra.datatypes.personal.registry import kind_of
from simulacra.datatypes.personal.traits import with_traits
from simulacra.datatypes.personal.words import last_names

_TELLS_LOCALE = (
    "person_name", "last_name", "first_name", "street_address", "city", "company", "phone",
)  # fmt: skip
"""Kinds whose values tell a locale, the surest first."""


def agree(claims: Mapping[str, Detection], sample: pa.Table | None = None) -> dict[str, Detection]:
    """Return the claims on the columns of one table, with options that fit together.

    Args:
        claims: The claims on the columns that are personal.
        sample: Some rows of the table, in which other columns may tell of the same people.
    """
    main = _locale([claim for claim in claims.values() if "person" not in claim.options])
    main = main or _locale(list(claims.values()))
    agreed = {}
    for name, claim in claims.items():
        whose = claim.options.get("person", "")
        same = [c for c in claims.values() if c.options.get("person", "") == whose]
        options: dict[str, Any] = dict(claim.options)
        locale = _locale(same) or main
        if locale:
            options["locale"] = locale
        people = _people(same)
        options.pop("people", None)
        if people:
            options["people"] = people
        share = options.pop("share", None)
        agreed[name] = Detection(claim.confidence, {**options, "share": share})
    return agreed if sample is None else with_traits(agreed, sample)


def _locale(claims: list[Detection]) -> str | None:
    for kind in _TELLS_LOCALE:
        for claim in claims:
            if claim.options["kind"] == kind and "locale" in claim.options:
                return str(claim.options["locale"])
    return None


def _people(claims: list[Detection]) -> int | None:
    """Return how many people a table tells of; None if each row has its own."""
    found: list[int | None] = [
        claim.options.get("people")
        for claim in claims
        if kind_of(claim.options["kind"]).reach is Reach.IDENTIFYING
    ]
    known = [people for people in found if people is not None]
    return max(known) if known and len(known) == len(found) else None


def one_locale(columns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return options of columns of a whole dataset that are masked, with locales that agree.

    A name becomes the same one everywhere only if the same words are used; those of each script
    come from the locale that most of its columns have.

    Args:
        columns: The options of each column.
    """
    found = Counter(str(c["locale"]) for c in columns if c.get("locale"))
    ranked = sorted(found, key=lambda locale: (-found[locale], locale))
    by_script: dict[str, str] = {}
    for locale in ranked:
        by_script.setdefault(_script(locale), locale)
    agreed = []
    for options in columns:
        own = options.get("locale")
        common = by_script[_script(own)] if own else next(iter(ranked), None)
        agreed.append({**options, "locale": common})
    return agreed


def _script(locale: str) -> str:
    """Return the script that a locale's names are written in, as LATIN."""
    return unicodedata.name(last_names(locale)[0][0]).partition(" ")[0]
