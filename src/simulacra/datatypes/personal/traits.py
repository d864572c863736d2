"""Which other columns of a table tell something of its people, found by what rows say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.protocols import Detection
from simulacra.datatypes.letters import Letters, matrix_of
from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.kinds.numbers import compact_of
from simulacra.datatypes.personal.names import given_name
from simulacra.datatypes.personal.people import FEMALE, MALE, UNTOLD
from simulacra.datatypes.personal.schemes import NATIONAL
from simulacra.datatypes.personal.sex import SexColumn, as_texts
from simulacra.datatypes.personal.told import TOLD, Told, days_of, is_day

_MOSTLY = 0.85
"""The share of a value's known first names that must be of one sex; lists of names overlap."""
_FEWEST_KNOWN = 20
_COVERED = 0.8
_SURELY = 0.95
_MOST_VALUES = 12
_LOOKED_AT = 5_000
_NAMED = frozenset({"first_name", "person_name"})
_NAMED_AFTER = _NAMED | {"last_name", "email", "user_name", "url"}
"""Kinds made of a person's names, which are chosen together."""


def with_traits(claims: Mapping[str, Detection], sample: pa.Table) -> dict[str, Detection]:
    """Return claims that say which columns tell what of the people they are about.

    Args:
        claims: The claims on the columns of a table.
        sample: Some of its rows.
    """
    rows = sample.slice(0, _LOOKED_AT)
    return _with_births(_with_sexes(claims, rows), rows)


def _with_births(claims: Mapping[str, Detection], rows: pa.Table) -> dict[str, Detection]:
    """Return claims of which national numbers say which columns tell what they tell."""
    found = dict(claims)
    for name, claim in claims.items():
        told = TOLD.get(str(claim.options.get("number")))
        if told is None or name not in rows.schema.names:
            continue
        scheme = NATIONAL[str(claim.options["number"])]
        texts = compact_of(as_texts(rows.column(name)).fill_null(""))
        right = scheme.matches(texts)
        if right.sum() < _FEWEST_KNOWN:
            continue
        own = rows.filter(pa.array(right))
        letters = matrix_of(texts.filter(pa.array(right)))
        others = [c for c in own.schema.names if c not in claims]
        births = [c for c in others if _tells_births(told, letters, own.column(c))]
        sexes = told.read_sexes(letters)
        columns = [
            column
            for c in others
            if _may_tell(own.schema.field(c).type)
            if (column := _sex_column(c, own.column(c), sexes))
        ]
        options = {
            **({"sex": columns[0].model_dump(mode="json")} if len(columns) == 1 else {}),
            **({"birth": births[0]} if births else {}),
        }
        found[name] = _with_options(claim, options)
    return found


def _tells_births(told: Told, letters: Letters, values: pa.ChunkedArray) -> bool:
    """Say whether numbers have the days of a column in them."""
    if not is_day(values.type):
        return False
    written = letters.copy()
    days = days_of(pa.concat_arrays(values.chunks) if values.num_chunks else values)
    told.write_births(written, days)
    known = ~np.isnat(days)
    same = (written == letters).all(axis=1)[known]
    return bool(known.sum() >= _FEWEST_KNOWN and same.mean() >= _SURELY)


def _with_options(claim: Detection, options: Mapping[str, Any]) -> Detection:
    """Return a claim with more options, the share last."""
    share = claim.options.get("share")
    return Detection(claim.confidence, {**claim.options, **options, "share": share})


def _with_sexes(claims: Mapping[str, Detection], rows: pa.Table) -> dict[str, Detection]:
    """Return claims of which those made of names say which column tells the sex, if any does.

    A column does if its values go with the sexes of the names in the same rows.

    Args:
        claims: The claims on the columns of a table.
        rows: Some of its rows.
    """
    found = dict(claims)
    told = [
        n for n in rows.schema.names if n not in claims and _may_tell(rows.schema.field(n).type)
    ]
    for person in dict.fromkeys(claim.options.get("person", "") for claim in claims.values()):
        own = {n: c for n, c in claims.items() if c.options.get("person", "") == person}
        named = next((n for n, c in own.items() if _has_names(n, c, rows)), None)
        if named is None:
            continue
        sexes = _sexes_of(rows.column(named), str(own[named].options["locale"]))
        columns = [c for name in told if (c := _sex_column(name, rows.column(name), sexes))]
        if len(columns) != 1:
            continue
        for name, claim in own.items():
            if claim.options["kind"] in _NAMED_AFTER:
                found[name] = _with_options(claim, {"sex": columns[0].model_dump(mode="json")})
    return found


def _may_tell(kind: pa.DataType) -> bool:
    types = pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_boolean(kind)
        or types.is_integer(kind)
    )


def _has_names(column: str, claim: Detection, rows: pa.Table) -> bool:
    locale = claim.options.get("locale")
    return (
        claim.options["kind"] in _NAMED
        and column in rows.schema.names
        and locale is not None
        and words.first_names_by_sex(locale) is not None
    )


def _sexes_of(names: pa.ChunkedArray, locale: str) -> NDArray[np.int8]:
    """Return the sexes that names tell by the lists of a locale."""
    by_sex = words.first_names_by_sex(locale)
    assert by_sex is not None  # noqa: S101 - asked before
    pool = words.first_names(locale)
    known = {
        pool[place].casefold(): sex
        for sex, places in zip((FEMALE, MALE), by_sex, strict=True)
        for place in places.tolist()
    }
    texts = ["" if name is None else str(name).strip() for name in names.to_pylist()]
    firsts = [given_name(text) if " " in text else text for text in texts]
    return np.array([known.get(first.casefold(), UNTOLD) for first in firsts], np.int8)


def _sex_column(name: str, values: pa.ChunkedArray, sexes: NDArray[np.int8]) -> SexColumn | None:
    """Return what a column says of sexes, None if it doesn't go with them."""
    encoded = as_texts(values).dictionary_encode()
    if not 2 <= len(encoded.dictionary) <= _MOST_VALUES:
        return None
    places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    told: dict[int, list[str]] = {FEMALE: [], MALE: []}
    covered = 0
    for place, value in enumerate(encoded.dictionary.to_pylist()):
        mine = sexes[places == place]
        known = int((mine != UNTOLD).sum())
        if known < _FEWEST_KNOWN:
            continue
        for sex, texts in told.items():
            if (mine == sex).sum() >= _MOSTLY * known:
                texts.append(value)
                covered += len(mine)
    if not all(told.values()) or covered < _COVERED * int((places >= 0).sum()):
        return None
    return SexColumn(column=name, female=tuple(told[FEMALE]), male=tuple(told[MALE]))
