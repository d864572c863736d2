"""What is at the target already: what may be filled, what must make room, what forbids both."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pyarrow as pa

from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.types.generic import generic_of_arrow, holds
from simulacra.connectors.sql.writing.order import parents_first
from simulacra.connectors.sql.writing.tables import Key, Location, NewColumn, NewTable, Reference
from simulacra.core.arrow_types import type_to_text
from simulacra.core.errors import OutputError


def recover(database: Database) -> None:
    """Let SQLite undo what a killed process left half done, which readers may not."""
    if database.dialect.name == "sqlite":
        begun = database.path.with_name(f"{database.path.name}-journal")
        if begun.is_file():
            from simulacra.connectors.sql.sqlite.connection import connect

            with closing(connect(database)) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM sqlite_schema")
                cursor.fetchall()


def default_schema(database: Database) -> str | None:
    """Return where tables are made unless told; None if there is but one place."""
    if database.dialect.is_file and not database.path.is_file():
        return database.dialect.default_schema
    schema: str | None = database.dialect.reflect().schemas(database)[0]
    return schema


def existing_tables(database: Database, schemas: set[str | None]) -> dict[Location, Origin]:
    """Return the origins of the tables and views that some schemas hold."""
    if database.dialect.is_file and not database.path.is_file():
        return {}
    reflector = database.dialect.reflect()
    known = reflector.schemas(database)[1]
    wanted = [schema for schema in schemas if schema is None or schema in known]
    return {
        Location(origin["schema"], origin["table"]): origin
        for origin in reflector.origins(database, wanted, views=True)
    }


def filled_table(name: str, schema: pa.Schema, origin: Origin) -> NewTable:
    """Return a table that is there and that rows of a schema fit into.

    Raises:
        OutputError: They don't: a column is missing, of another kind, or wants a value.
    """
    known: Mapping[str, Any] = origin["columns"]
    for column in schema.names:
        if column not in known:
            raise OutputError(
                "the table that is there has no such column",
                where=f"{name}.{column}",
                mend=f"It has {', '.join(known)}; add the column, or use --if-exists replace",
            )
    for column, about in known.items():
        if column not in schema.names and not _may_be_missing(about):
            raise OutputError(
                "the table that is there wants a value in each row, none comes",
                where=f"{name}.{column}",
                mend="Give the column a default, or use --if-exists replace",
            )
    return NewTable(
        name=name,
        place=Location(origin["schema"], origin["table"]),
        columns={field.name: _filled_column(name, field, known[field.name]) for field in schema},
        primary_key=_key(origin["primary_key"]) if origin["primary_key"]["columns"] else None,
        unique=tuple(_key(unique) for unique in origin["unique"]),
        references=tuple(reference_of(key) for key in origin["foreign_keys"]),
        exists=True,
    )


def _may_be_missing(column: Mapping[str, Any]) -> bool:
    given = (column["default"], column["identity"], column["computed"])
    return bool(column["nullable"]) or any(value is not None for value in given)


def _filled_column(table: str, field: pa.Field, about: Mapping[str, Any]) -> NewColumn:
    generic, computed = about["generic"], about["computed"]
    if computed is None and not holds(generic, field.type):
        raise OutputError(
            f"the column that is there is {about['type']}, not {type_to_text(field.type)}",
            where=f"{table}.{field.name}",
            why=f"{generic['kind']} can't hold {generic_of_arrow(field.type)['kind']}",
            mend="Change the column, or use --if-exists replace",
        )
    return NewColumn(
        name=field.name,
        arrow=field.type,
        generic=generic,
        type=about["type"],
        nullable=about["nullable"],
        counts=about["identity"] is not None,
        computed=computed and computed["sql"],
    )


def _key(key: Mapping[str, Any]) -> Key:
    return Key(key["name"], tuple(key["columns"]))


def reference_of(key: Mapping[str, Any]) -> Reference:
    """Return a foreign key as an origin describes it."""
    return Reference(
        name=key["name"],
        columns=tuple(key["columns"]),
        parent=Location(key["schema"], key["table"]),
        parent_columns=tuple(key["parent_columns"]),
        deferrable=bool(key["deferrable"]),
        deferred=key["initially"] == "DEFERRED",
        on_delete=key["on_delete"],
        on_update=key["on_update"],
    )


def children_first(places: set[Location], existing: Mapping[Location, Origin]) -> list[Location]:
    """Order tables that are there so that each comes before those it refers to, if that can be."""
    tables = [
        NewTable(
            name=place.table,
            place=place,
            columns={},
            references=tuple(map(reference_of, existing[place]["foreign_keys"])),
        )
        for place in sorted(places, key=lambda place: place.table)
    ]
    return [table.place for table, _, _ in reversed(parents_first(tables))]


def check_unreferenced(replaced: set[Location], existing: Mapping[Location, Origin]) -> None:
    """Refuse to replace tables that others refer to.

    Raises:
        OutputError: A table that stays refers to one of them.
    """
    for place, origin in existing.items():
        for key in map(reference_of, origin["foreign_keys"]):
            if key.parent in replaced and place not in replaced:
                raise OutputError(
                    f"{key.parent.table} can't be replaced",
                    where=f"{place.table}.{','.join(key.columns)}",
                    why="this foreign key, of a table that stays, refers to it",
                    mend="Use --if-exists append, or drop the foreign key",
                )
