"""From the tables of a dataset, their specification and origin, to tables of one database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from simulacra.connectors.sql.dialects import Dialect
from simulacra.connectors.sql.writing.columns import Draft, draft_of, drafted, fit_references
from simulacra.connectors.sql.writing.names import Names, check_apart, check_name
from simulacra.connectors.sql.writing.tables import (
    Check,
    Index,
    Key,
    Location,
    NewColumn,
    NewTable,
    Reference,
)
from simulacra.core.schema import DatasetSpec, ForeignKey, Orphans, TableSpec

Note = Callable[[str], None]


def design(
    tables: Mapping[str, pa.Schema],
    spec: DatasetSpec | None,
    places: Mapping[str, Location],
    names: Names,
    dialect: Dialect,
    filled: Mapping[str, NewTable],
    note: Note,
) -> dict[str, NewTable]:
    """Return the tables to be made, by name.

    Types, defaults, checks, indexes and comments are those of the origin if that is the same kind
    of database, else what comes nearest to them; what can't be carried over is told.

    Args:
        tables: The columns that will be written, by table.
        spec: Their keys and origins, None if nothing is known.
        places: Where each goes.
        names: Hands out names.
        dialect: The kind of database.
        filled: The tables that are there and only filled.
        note: Takes what is left out.

    Raises:
        OutputError: A name is too long.
    """
    known = spec.tables if spec is not None else {}
    parts = {
        name: _Part(name, schema, known.get(name), places[name], dialect)
        for name, schema in tables.items()
    }
    references = {name: _kept_references(part, parts, filled, note) for name, part in parts.items()}
    drafts = {name: part.drafts for name, part in parts.items()}
    for name, table in filled.items():
        drafts[name] = {column.name: draft_of(column) for column in table.columns.values()}
    fit_references(drafts, references, frozenset(filled))
    keys = _keys(parts, references)
    return {
        name: part.table(keys[name], references[name], places, names, note)
        for name, part in parts.items()
    }


class _Part:
    """One table under design."""

    def __init__(
        self,
        name: str,
        schema: pa.Schema,
        spec: TableSpec | None,
        place: Location,
        dialect: Dialect,
    ) -> None:
        self.name = name
        self.place = place
        self.dialect = dialect
        self.columns = set(schema.names)
        self.spec = spec
        self.origin: Mapping[str, Any] = spec.origin if spec is not None else {}
        self.is_native = self.origin.get("dialect") == dialect.name and dialect.tested
        check_name(place.table, dialect.name, dialect.title, name)
        for column in schema.names:
            check_name(column, dialect.name, dialect.title, f"{name}.{column}")
        if "column" in dialect.folds:
            check_apart(schema.names, dialect.title, name)
        self.primary_key = self._primary_key()
        self.drafts = self._drafts(schema)

    def _primary_key(self) -> tuple[str, ...]:
        key = tuple(self.spec.primary_key) if self.spec is not None else ()
        return key if set(key) <= self.columns else ()

    def _drafts(self, schema: pa.Schema) -> dict[str, Draft]:
        known = self.spec.columns if self.spec is not None else {}
        origins = self.origin.get("columns", {})
        return {
            field.name: drafted(
                field,
                known.get(field.name),
                origins.get(field.name),
                str(self.origin.get("dialect", "")),
                in_key=field.name in self.primary_key,
                is_native=self.is_native,
            )
            for field in schema
        }

    def uniques(self) -> list[Key]:
        """Return the keys beside the primary one; unique indexes are not among them."""
        if self.spec is None:
            return []
        found = [Key(u["name"], tuple(u["columns"])) for u in self.origin.get("unique", ())]
        indexed = [tuple(i["columns"]) for i in self.origin.get("indexes", ()) if _is_key(i)]
        more = [
            *(tuple(key) for key in self.spec.unique),
            *(
                (name,)
                for name, column in self.spec.columns.items()
                # Drawn anew, no other kind of column is sure to hold no value twice.
                if column.unique and column.type == "identifier" and not self.origin
            ),
        ]
        known = [frozenset(k) for k in (self.primary_key, *indexed, *(u.columns for u in found))]
        for columns in more:
            if frozenset(columns) not in known:
                found.append(Key(None, columns))
                known.append(frozenset(columns))
        return [key for key in found if set(key.columns) <= self.columns]

    def indexes(self) -> list[dict[str, Any]]:
        """Return the indexes of the origin that can be made here."""
        return [
            index
            for index in self.origin.get("indexes", ())
            if {column for column in index["columns"] if column is not None} <= self.columns
            and (self.is_native or (None not in index["columns"] and index["where"] is None))
        ]

    def table(
        self,
        uniques: list[Key],
        references: list[ForeignKey],
        places: Mapping[str, Location],
        names: Names,
        note: Note,
    ) -> NewTable:
        """Return the table."""
        place = (self.place.schema, self.place.table)
        indexes = self._named_indexes(names, place)
        keyed = {
            *self.primary_key,
            *(column for key in uniques for column in key.columns),
            *(column for index in indexes if index.unique for column in index.columns),
            *(column for key in references for column in key.columns),
        }
        columns = self._columns(keyed, uniques, note)
        primary = None
        if self.primary_key:
            wanted = (self.origin.get("primary_key") or {}).get("name") if self.is_native else None
            name = names.free(wanted, f"{self.place.table}_pkey", "key", place)
            primary = Key(name, self.primary_key)
        if self.origin and not self.is_native:
            self._note_losses(note)
        return NewTable(
            name=self.name,
            place=self.place,
            columns=columns,
            primary_key=primary,
            unique=tuple(self._named(key, "key", names) for key in uniques),
            references=tuple(self._reference(key, places, names) for key in references),
            checks=self._checks(columns, names),
            indexes=tuple(indexes),
            comment=self.origin.get("comment"),
        )

    def _columns(
        self, keyed: set[str | None], uniques: list[Key], note: Note
    ) -> dict[str, NewColumn]:
        firsts = {key[0] for key in (self.primary_key, *(u.columns for u in uniques)) if key}
        columns = {}
        for name, draft in self.drafts.items():
            where = f"{self.name}.{name}"
            column, lost = draft.column(
                self.dialect, self.place, is_keyed=name in keyed, may_count=name in firsts,
                is_only_key=self.primary_key == (name,),
            )  # fmt: skip
            columns[name] = column
            for what in lost:
                note(f"{where}: {what}")
        return columns

    def _named(self, key: Key, what: str, names: Names) -> Key:
        otherwise = "_".join((self.place.table, *key.columns, what))
        place = (self.place.schema, self.place.table)
        return replace(key, name=names.free(key.name, otherwise, what, place))

    def _named_indexes(self, names: Names, place: tuple[str | None, str]) -> list[Index]:
        return [
            Index(
                name=names.free(
                    index["name"],
                    "_".join((self.place.table, *filter(None, index["columns"]), "idx")),
                    "key",
                    place,
                ),
                columns=tuple(index["columns"]),
                expressions=tuple(index.get("expressions", ())),
                unique=bool(index["unique"]),
                where=index["where"],
                method=index["method"] if self.is_native else None,
                lengths=dict(index.get("lengths", {})) if self.is_native else {},
            )
            for index in self.indexes()
        ]

    def _reference(
        self, key: ForeignKey, places: Mapping[str, Location], names: Names
    ) -> Reference:
        found: Mapping[str, Any] = next(
            (
                o
                for o in self.origin.get("foreign_keys", ())
                if (o["columns"], o["parent_columns"]) == (key.columns, key.parent_columns)
            ),
            {},
        )
        otherwise = "_".join((self.place.table, *key.columns, "fkey"))
        place = (self.place.schema, self.place.table)
        return Reference(
            name=names.free(found.get("name"), otherwise, "reference", place),
            columns=tuple(key.columns),
            parent=places[key.parent],
            parent_columns=tuple(key.parent_columns),
            deferrable=bool(found.get("deferrable")),
            deferred=found.get("initially") == "DEFERRED",
            on_delete=found.get("on_delete"),
            on_update=found.get("on_update"),
        )

    def _checks(self, columns: Mapping[str, NewColumn], names: Names) -> tuple[Check, ...]:
        place = (self.place.schema, self.place.table)
        checks = []
        if self.is_native:
            for check in self.origin.get("checks", ()):
                name = check["name"]
                if name is not None:
                    name = names.free(name, f"{self.place.table}_check", "check", place)
                checks.append(Check(name, check["sql"]))
        for name, draft in self.drafts.items():
            if draft.generic["kind"] == "enum" and columns[name].generic["kind"] != "enum":
                free = names.free(None, f"{self.place.table}_{name}_check", "check", place)
                checks.append(Check(free, draft.is_listed(self.dialect)))
        return tuple(checks)

    def _note_losses(self, note: Note) -> None:
        """Tell of what another kind of database may not understand."""
        for check in self.origin.get("checks", ()):
            note(f"{self.name}: the check {check['sql']} is left out, {self._why()}")
        kept = {index["name"] for index in self.indexes()}
        for index in self.origin.get("indexes", ()):
            if index["name"] not in kept:
                note(f"{self.name}: the index {index['name']} is left out, {self._why()}")

    def _why(self) -> str:
        return f"{self.dialect.title} may not understand it"


def _is_key_of(table: NewTable, columns: list[str]) -> bool:
    keys = (table.primary_key, *table.unique)
    return any(key is not None and set(key.columns) == set(columns) for key in keys)


def _is_key(index: Mapping[str, Any]) -> bool:
    return bool(index["unique"]) and index["where"] is None and None not in index["columns"]


def _kept_references(
    part: _Part, parts: Mapping[str, _Part], filled: Mapping[str, NewTable], note: Note
) -> list[ForeignKey]:
    """Return the foreign keys that can be constraints, and tell of the others."""
    kept = []
    found = {name: made.columns for name, made in parts.items()}
    found |= {name: set(table.columns) for name, table in filled.items()}
    for key in part.spec.foreign_keys if part.spec is not None else ():
        where = f"{part.name}.{','.join(key.columns)}"
        if key.when is not None or not set(key.columns) <= part.columns:
            continue  # no database knows keys of some rows only
        if not set(key.parent_columns) <= found.get(key.parent, set()):
            note(f"{where}: no foreign key, {key.parent} is not written")
        elif key.orphans == Orphans.KEEP:
            note(f"{where}: no foreign key, rows that name no {key.parent} are kept")
        elif key.parent in filled and not _is_key_of(filled[key.parent], key.parent_columns):
            note(f"{where}: no foreign key, {key.parent} is there without such a key")
        else:
            kept.append(key)
    return kept


def _keys(
    parts: Mapping[str, _Part], references: Mapping[str, list[ForeignKey]]
) -> dict[str, list[Key]]:
    """Return the unique keys of each table: what is referred to must be one."""
    keys = {name: part.uniques() for name, part in parts.items()}
    for key in (key for found in references.values() for key in found if key.parent in parts):
        parent = parts[key.parent]
        known = [
            frozenset(parent.primary_key),
            *(frozenset(unique.columns) for unique in keys[key.parent]),
            *(frozenset(i["columns"]) for i in parent.indexes() if _is_key(i)),
        ]
        if frozenset(key.parent_columns) not in known:
            keys[key.parent].append(Key(None, tuple(key.parent_columns)))
    return keys
