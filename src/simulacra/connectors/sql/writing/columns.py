"""Columns to be written: their types, defaults and what else a database keeps of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from simulacra.connectors.sql.dialects import POSTGRESQL, Dialect
from simulacra.connectors.sql.types.fitting import fitted
from simulacra.connectors.sql.types.generic import Generic, common, generic_of_arrow, holds, refined
from simulacra.connectors.sql.types.spelling import quoted_text, type_name
from simulacra.connectors.sql.writing.defaults import carried, is_null
from simulacra.connectors.sql.writing.tables import Location, NewColumn
from simulacra.core.schema import ColumnSpec, ForeignKey


@dataclass(slots=True)
class Draft:
    """A column before its type in the database is known.

    Attributes:
        name: Its name.
        arrow: The type of the values that come.
        generic: What it means.
        native: Its type as the database writes it, if it comes from the same kind.
        nullable: Whether it takes nulls.
        origin: What is known of it where it comes from.
        source: Name of the dialect it comes from.
    """

    name: str
    arrow: pa.DataType
    generic: Generic
    native: str | None
    nullable: bool
    origin: Mapping[str, Any]
    source: str

    @property
    def counts(self) -> bool:
        """Whether its source numbers new rows here."""
        return self.origin.get("identity") is not None and self.generic["kind"] == "integer"

    def is_listed(self, dialect: Dialect) -> str:
        """Return the check, as SQL, that a value is one of an enum's."""
        values = ", ".join(quoted_text(value) for value in self.generic["values"])
        return f"{dialect.quoted(self.name)} IN ({values})"

    def column(
        self,
        dialect: Dialect,
        place: Location,
        *,
        is_keyed: bool,
        may_count: bool,
        is_only_key: bool,
    ) -> tuple[NewColumn, list[str]]:
        """Return the column, and what could not be kept of it.

        Args:
            dialect: The kind of database.
            place: The table it is in.
            is_keyed: Whether a key holds it.
            may_count: Whether it is the first of a key: MySQL numbers no others.
            is_only_key: Whether it alone is the primary key.
        """
        lost: list[str] = []
        generic, kind = self._type(dialect, place, lost, is_only_key=is_only_key)
        computed = self.origin.get("computed")
        if computed is not None and self.native is None:
            lost.append(f"written like others, not made from {computed['sql']}")
            computed = None
        identity = self.origin.get("identity") or {}
        counts = self.counts and (may_count or dialect.name not in _COUNT_IN_KEYS)
        column = NewColumn(
            name=self.name,
            arrow=self.arrow,
            generic=generic,
            type=kind,
            nullable=self.nullable,
            default=None if counts or computed else self._default(dialect, generic, lost),
            counts=counts,
            always=bool(identity.get("always")),
            start=int(identity.get("start") or 1),
            increment=int(identity.get("increment") or 1),
            computed=computed and computed["sql"],
            persisted=bool(computed and computed.get("persisted")),
            comment=self.origin.get("comment"),
            measured=dialect.name == "mysql" and is_keyed and kind in _UNMEASURED,
        )
        return column, lost

    def _type(
        self, dialect: Dialect, place: Location, lost: list[str], *, is_only_key: bool
    ) -> tuple[Generic, str]:
        generic = self.generic
        if self.native is not None and not _has_named_type(generic):
            return generic, self.native
        if dialect.name == POSTGRESQL.name:
            generic = _with_type_names(generic, place, self.name)
        elif dialect.name == "sqlite" and is_only_key and generic["kind"] == "integer":
            return generic, "INTEGER"  # the row's own number
        made, loss = fitted(generic, self.arrow, dialect.name)
        if loss:
            lost.append(loss)
        return made, type_name(made, dialect.name)

    def _default(self, dialect: Dialect, generic: Generic, lost: list[str]) -> str | None:
        default: str | None = self.origin.get("default")
        if default is None or is_null(default):
            return None
        if self.native is not None:
            return default
        translated = carried(default, generic, self.source, dialect.name)
        if translated is None:
            lost.append(f"the default {default} is left out, {dialect.title} may not understand it")
        return translated


_COUNT_IN_KEYS = {"mysql", "sqlite"}
"""Dialects that number new rows only in a key."""

_UNMEASURED = {"LONGTEXT", "LONGBLOB"}
"""What MySQL can't have in a key."""


def drafted(
    field: pa.Field,
    spec: ColumnSpec | None,
    origin: Mapping[str, Any] | None,
    source: str,
    *,
    in_key: bool,
    is_native: bool,
) -> Draft:
    """Begin a column.

    Args:
        field: Its name and the type of its values.
        spec: What the specification says of it.
        origin: What it is where it comes from.
        source: Name of the dialect that it comes from.
        in_key: Whether the primary key holds it.
        is_native: Whether it comes from the same kind of database.
    """
    known = origin or {}
    generic = known.get("generic")
    if generic is None or not holds(generic, field.type):
        generic, is_native, known = generic_of_arrow(field.type), False, {}
    nullable = known.get("nullable", spec is None or spec.nullable) and not in_key
    draft = Draft(
        name=field.name,
        arrow=field.type,
        generic=generic if is_native else refined(generic, field.type),
        native=known["type"] if is_native else None,
        nullable=bool(nullable),
        origin=known,
        source=source,
    )
    if draft.counts and draft.native is None and generic.get("unsigned"):
        # Rows are numbered by signed integers in most databases; new numbers are small.
        draft.generic = {"kind": "integer", "bits": min(2 * generic["bits"], 64)}
    return draft


def draft_of(column: NewColumn) -> Draft:
    """Return a column that is there, so that others can be fitted to it."""
    return Draft(column.name, column.arrow, column.generic, column.type, column.nullable, {}, "")


def fit_references(
    drafts: Mapping[str, dict[str, Draft]],
    references: Mapping[str, list[ForeignKey]],
    fixed: frozenset[str],
) -> None:
    """Give foreign keys the types of the keys they refer to, over any number of steps.

    Args:
        drafts: The columns of each table.
        references: The foreign keys of each table that is made.
        fixed: The tables that are there already: their keys' types are taken as they are.
    """
    for name, keys in references.items():
        for key in keys:
            for column, parent in zip(key.columns, key.parent_columns, strict=True):
                if key.parent in fixed:
                    own, model = drafts[name][column], drafts[key.parent][parent]
                    own.generic, own.native = model.generic, model.native
    pairs = [
        (drafts[name][column], drafts[key.parent][parent])
        for name, keys in references.items()
        for key in keys
        for column, parent in zip(key.columns, key.parent_columns, strict=True)
    ]
    _fit(pairs)


def _fit(pairs: Sequence[tuple[Draft, Draft]]) -> None:
    """Give columns that refer to others types that both can have."""
    for _ in range(len(pairs) + 1):
        changed = False
        for child, parent in pairs:
            if child.native is not None and parent.native is not None:
                continue
            fixed = parent.native is not None or parent.counts
            wanted = parent.generic if fixed else common(child.generic, parent.generic)
            for draft in (child, parent):
                if draft.native is None and draft.generic != wanted:
                    draft.generic = wanted
                    changed = True
        if not changed:
            return


def _has_named_type(generic: Generic) -> bool:
    if generic["kind"] == "array":
        return _has_named_type(generic["items"])
    return generic["kind"] == "enum" and "name" in generic


def _with_type_names(generic: Generic, place: Location, column: str) -> Generic:
    """Give an enum the name and schema of a type of its own."""
    if generic["kind"] == "array":
        return {**generic, "items": _with_type_names(generic["items"], place, column)}
    if generic["kind"] != "enum":
        return generic
    name = generic.get("name") or f"{place.table}_{column}"
    return {**generic, "name": name, "schema": place.schema}
