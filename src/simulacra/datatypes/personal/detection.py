"""Which kind of personal data a column holds, by its values and its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.protocols import ColumnProfile, Detection
from simulacra.datatypes.arrow_kinds import is_text
from simulacra.datatypes.personal.column_names import joined, owner
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.kind import WHOLE_NUMBERS, Kind, Reach, is_long_number
from simulacra.datatypes.personal.registry import kind_names, kind_of
from simulacra.datatypes.personal.schemes import DIGITS_ALONE

_LOOKED_AT = 1_000
"""Different values of the sample that are looked at."""
_FEW = 20
"""A column of fewer different values is a category, unless hardly any two rows share one."""
_CALLED_SHARE = 0.8
_ALONE_SHARE = 0.9
_NAMING_SHARE = 0.5
"""The share of values that must match where the name says it, where nothing does, and of names of
people, of which no list has all."""


@dataclass(frozen=True, slots=True)
class _Claim:
    kind: Kind
    confidence: float
    share: float


def detect(profile: ColumnProfile) -> Detection:
    """Claim a column of texts, or of whole numbers, that tell of people.

    Confidence is above that of other datatypes where the column's name and its values agree, or the
    values have check digits or a form that nothing else has; where neither holds there is no claim.
    """
    is_number = is_long_number(profile.type)
    if not (is_number or is_text(profile.type)) or not len(profile.sample):
        return Detection(0.0)
    filled = profile.rows - profile.nulls
    is_own = profile.distinct * 2 > filled
    if profile.distinct < _FEW and not is_own:
        return Detection(0.0)
    texts = _looked_at(profile.sample)
    if not len(texts):
        return Detection(0.0)
    claims = [
        claim
        for name in kind_names()
        if (not is_number or name in WHOLE_NUMBERS)
        if (claim := _claim(kind_of(name), profile.name, texts, is_own=is_own)) is not None
    ]
    if not claims:
        return Detection(0.0)
    best = max(claims, key=lambda claim: claim.confidence)
    options: dict[str, Any] = {"kind": best.kind.name, **best.kind.settle(texts)}
    if is_number and best.kind.name == "national_id" and options.get("number") not in DIGITS_ALONE:
        return Detection(0.0)
    whose = owner(profile.name, best.kind.said)
    if whose:
        options["person"] = whose
    if best.kind.reach is Reach.IDENTIFYING and not is_own:
        options["people"] = profile.distinct
    options["share"] = int(best.share * 1_000) / 1_000
    return Detection(best.confidence, options)


def _looked_at(sample: pa.Array) -> pa.Array:
    """Return different values, evenly from all of the sample, that are more than spaces."""
    texts = pc.unique(sample.cast(pa.large_string()))
    texts = texts.filter(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(texts)), 0))
    places = np.unique(np.linspace(0, len(texts) - 1, min(_LOOKED_AT, len(texts))).astype(np.int64))
    return texts.take(pa.array(places))


def _claim(kind: Kind, name: str, texts: pa.Array, *, is_own: bool) -> _Claim | None:
    if kind.reach is Reach.CHOSEN or (kind.reach is Reach.PLACE and not is_own):
        return None
    called = kind.said.search(joined(name)) is not None
    if not called and not kind.alone:
        return None
    share = float(kind.matches(texts, PersonalConfig(kind=kind.name)).mean())
    if kind.reach is Reach.NAMING and kind.alone:
        needed = _NAMING_SHARE / 2 if called and kind.name != "person_name" else _NAMING_SHARE
        needed = needed if called else _ALONE_SHARE
    else:
        needed = _CALLED_SHARE if called else _ALONE_SHARE
    if share < needed or (not called and len(texts) < _FEW):
        return None
    return _Claim(kind, 0.96 if called else 0.92, share)
