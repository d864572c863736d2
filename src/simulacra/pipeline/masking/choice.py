"""Which columns are masked, and how: by the specification, by keys, and by what the user says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.protocols import Masking
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec, DatasetSpec
from simulacra.datatypes.arrow_kinds import holds_integers, is_text
from simulacra.datatypes.personal.agreement import one_locale
from simulacra.datatypes.personal.registry import kind_names
from simulacra.pipeline.masking.columns import (
    CODE,
    IDENTIFIER,
    PERSONAL,
    Mask,
    Place,
    called_kind,
    leaves,
    named,
    says_much,
    shown,
)
from simulacra.pipeline.masking.families import Families, masks_of_keys

_OF_TEXTS = frozenset({"text", "category", "constant", IDENTIFIER})
_TOLD_BY_NAME = frozenset(
    {"email", "phone", "iban", "card", "ssn", "first_name", "last_name", "street_address", "ip"}
)
"""Kinds that a column is of if it is called so, even if so few values are in it that they would be
categories: a copy draws those that many rows share, but here each row would keep its own."""


def choose_masks(
    spec: DatasetSpec,
    *,
    mask: Sequence[str] = (),
    keep: Sequence[str] = (),
    keep_keys: bool = False,
    is_given: bool,
    ctx: RunContext,
) -> dict[Place, Mask]:
    """Return how columns are masked; those that are not in it stay as they are.

    Args:
        spec: The tables.
        mask: Columns to mask besides, as ``table.column`` or ``table.column=kind``.
        keep: Columns or tables to leave as they are.
        keep_keys: Whether keys stay that are identifiers and no personal data.
        is_given: Whether the user gave the specification; then it alone decides, and columns that
            their names tell of are only reported.
        ctx: Where to say what else might be masked.

    Raises:
        UsageError: A column isn't there, can't be masked, or is named as both.
    """
    known = leaves(spec)
    families = Families(spec)
    kept = _kept(spec, known, families, keep)
    chosen = {
        place: Mask(column.type, column.options, "it leads to people")
        for place, column in known.items()
        if _leads_to_people(column) and place not in kept
    }
    alike = _told_by_name(known, chosen, kept)
    if is_given:
        for place, found in alike.items():
            ctx.progress.note(f"{shown(place)} stays as it is, although {found.why}")
    else:
        chosen |= alike
    chosen |= _asked_for(mask, known, families, kept)
    keys = masks_of_keys(spec, families, known, chosen, keep_keys=keep_keys)
    masks = _agreed(chosen | {place: one for place, one in keys.items() if place not in kept})
    return {place: masks[place] for place in known if place in masks}


def _leads_to_people(column: ColumnSpec) -> bool:
    datatype = registry.load(Kind.DATATYPE, column.type)
    return isinstance(datatype, Masking) and datatype.leads_to_people


def _kept(
    spec: DatasetSpec,
    known: Mapping[Place, ColumnSpec],
    families: Families,
    keep: Sequence[str],
) -> set[Place]:
    """Return the columns that stay, and with them all that hold the same keys."""
    stays = {place for text in keep for place in named(text, known, "--keep")}
    stays |= {place for place in known if spec.tables[place[0]].keep}
    return {member for place in stays for member in families.of(place)}


def _told_by_name(
    known: Mapping[Place, ColumnSpec], chosen: Mapping[Place, Mask], kept: set[Place]
) -> dict[Place, Mask]:
    """Return columns that their names tell of.

    They are called as ones of the same kind that are masked, or as what always leads to people.
    A town may have statistics in one table and lead to a person in another; were it masked there
    alone, here it could be read.
    """
    masked: dict[str, Place] = {}
    for place, one in chosen.items():
        if one.datatype == PERSONAL:
            masked.setdefault(one.kind, place)
    found = {}
    for place, column in known.items():
        if place in chosen or place in kept or column.type not in _OF_TEXTS:
            continue
        kind = called_kind(place[1]) if is_text(column.arrow_type()) else None
        if kind in masked and says_much(kind):
            why = f"it is called as {shown(masked[kind])} is, which is masked"
            found[place] = Mask(PERSONAL, {"kind": kind}, why)
        elif kind in _TOLD_BY_NAME and column.type != IDENTIFIER:
            found[place] = Mask(PERSONAL, {"kind": kind}, "its name says so")
    return found


def _asked_for(
    mask: Sequence[str],
    known: Mapping[Place, ColumnSpec],
    families: Families,
    kept: set[Place],
) -> dict[Place, Mask]:
    found: dict[Place, Mask] = {}
    for text in mask:
        where, equals, kind = text.partition("=")
        if equals and kind != CODE and kind not in kind_names():
            raise UsageError(
                f"there is no kind {kind!r}",
                where=where,
                why="--mask names it",
                mend=f"Choose from {CODE}, {', '.join(kind_names())}",
            )
        for place in named(where, known, "--mask"):
            if place in kept:
                raise UsageError(
                    "it is to be masked and kept", where=shown(place), mend="Say one of the two"
                )
            for member in families.of(place):
                found[member] = _as_asked(member, known[member], kind)
    return found


def _as_asked(place: Place, column: ColumnSpec, kind: str) -> Mask:
    arrow_type = column.arrow_type()
    asked = "--mask says so"
    if is_text(arrow_type):
        if column.type == PERSONAL and kind in {"", column.options.get("kind")}:
            return Mask(PERSONAL, column.options, asked)
        kind = kind or called_kind(place[1]) or CODE
        return (
            Mask(IDENTIFIER, {}, asked) if kind == CODE else Mask(PERSONAL, {"kind": kind}, asked)
        )
    datatype = registry.load(Kind.DATATYPE, column.type)
    if not kind and isinstance(datatype, Masking):
        return Mask(column.type, column.options, asked)
    if kind in {"", CODE} and holds_integers(arrow_type) and column.type != "float":
        return Mask(IDENTIFIER, {}, asked)
    raise UsageError(
        f"a column of type {column.type} ({arrow_type}) can't be masked"
        + (f" as {kind}" if kind else ""),
        where=shown(place),
        why=f"texts can, and whole numbers as {CODE}",
        mend="Leave it out, or synthesise the table, which makes all its values anew",
    )


def _agreed(masks: Mapping[Place, Mask]) -> dict[Place, Mask]:
    """Return masks of which those of people use the words of one locale."""
    options: dict[Place, Mapping[str, Any]] = {
        place: one.options for place, one in masks.items() if one.datatype == PERSONAL
    }
    agreed = one_locale(list(options.values()))
    settled = dict(zip(options, agreed, strict=True))
    return {
        place: replace(one, options=settled[place]) if place in settled else one
        for place, one in masks.items()
    }
