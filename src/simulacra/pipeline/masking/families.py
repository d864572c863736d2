"""Columns that hold the same keys: what one is masked by, all are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from simulacra.core.schema import ColumnSpec, DatasetSpec
from simulacra.datatypes.arrow_kinds import holds_integers, is_text
from simulacra.pipeline.detect import key_likeness
from simulacra.pipeline.masking.columns import (
    IDENTIFIER,
    PERSONAL,
    Mask,
    Place,
    called_kind,
    shown,
)

_CALLED_A_KEY = 0.4
_KINDS_OF_KEYS = frozenset({"email", "phone", "iban", "card", "ssn"})
"""Kinds that a key of texts is of if its column is called so."""


class Families:
    """The columns of a dataset that foreign keys join.

    Args:
        spec: Its tables.
    """

    def __init__(self, spec: DatasetSpec) -> None:
        self._spec = spec
        self._above: dict[Place, Place] = {}
        for name, table in spec.tables.items():
            for key in table.foreign_keys:
                for column, parent in zip(key.columns, key.parent_columns, strict=True):
                    self._join((name, column), (key.parent, parent))

    def _head(self, place: Place) -> Place:
        while place in self._above:
            place = self._above[place]
        return place

    def _join(self, child: Place, parent: Place) -> None:
        one, other = self._head(child), self._head(parent)
        if one != other:
            self._above[one] = other

    def of(self, place: Place) -> list[Place]:
        """Return the columns that hold the same keys as one, itself among them."""
        head = self._head(place)
        joined = [p for p in {place, head, *self._above} if self._head(p) == head]
        return sorted(joined)


def masks_of_keys(
    spec: DatasetSpec,
    families: Families,
    known: Mapping[Place, ColumnSpec],
    chosen: Mapping[Place, Mask],
    *,
    keep_keys: bool,
) -> dict[Place, Mask]:
    """Return how keys are masked: identifiers, and all that hold the same values.

    Args:
        spec: The tables.
        families: Which columns hold the same keys.
        known: All columns.
        chosen: What is masked for leading to people.
        keep_keys: Whether identifiers stay as they are.
    """
    found: dict[Place, Mask] = {}
    for place in dict.fromkeys([*_identifiers(spec, known), *chosen]):
        family = families.of(place)
        told = _told_by(family, chosen)
        if told is not None:
            mask = replace(told[1], why=f"it holds what {shown(told[0])} does")
        elif keep_keys:
            continue
        else:
            mask = _as_key(place, known[place])
        for member in family:
            if member in chosen:
                found[member] = replace(mask, why=chosen[member].why)
            elif member in known:
                reason = "it is a key" if member == place else f"it holds what {shown(place)} does"
                found.setdefault(member, replace(mask, why=mask.why or reason))
    return found


def _told_by(family: Iterable[Place], chosen: Mapping[Place, Mask]) -> tuple[Place, Mask] | None:
    for place in family:
        if place in chosen:
            return place, chosen[place]
    return None


def _as_key(place: Place, column: ColumnSpec) -> Mask:
    kind = called_kind(place[1]) if is_text(column.arrow_type()) else None
    if kind in _KINDS_OF_KEYS:
        return Mask(PERSONAL, {"kind": kind})
    return Mask(IDENTIFIER)


def _identifiers(spec: DatasetSpec, known: Mapping[Place, ColumnSpec]) -> list[Place]:
    """Return the columns of keys that name rows: of primary keys, and of those referred to.

    Parts of a key referred to are identifiers if they are called so, though their values repeat.
    """
    found: dict[Place, None] = {}
    for name, table in spec.tables.items():
        for column in table.primary_key:
            place = (name, column)
            if place in known and known[place].type == IDENTIFIER:
                found[name, column] = None
        for key in table.foreign_keys:
            for column in key.parent_columns:
                place = (key.parent, column)
                if place in known and _names_rows(place, known[place], spec):
                    found[place] = None
    return list(found)


def _names_rows(place: Place, column: ColumnSpec, spec: DatasetSpec) -> bool:
    if column.type == IDENTIFIER:
        return True
    columns = list(spec.tables[place[0]].columns)
    kind = column.arrow_type()
    can_be = is_text(kind) or holds_integers(kind)
    return can_be and key_likeness(place[1], columns.index(place[1])) > _CALLED_A_KEY
