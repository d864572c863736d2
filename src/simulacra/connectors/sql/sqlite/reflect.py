"""Reflection of SQLite, by its own catalogue and the statements that it keeps.

All of it goes through the driver that reads the rows. Python's own would be a second SQLite in one
process, and what one of the two unlocks is unlocked for both: the snapshot would be lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.sqlite.connection import connect
from simulacra.connectors.sql.sqlite.statement import (
    Referring,
    Statement,
    index_parts,
    statement_of,
)
from simulacra.connectors.sql.types.native import generic_of
from simulacra.connectors.sql.types.spelling import quoted_text

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

_SCHEMA = "main"
_STORED, _VIRTUAL, _HIDDEN = 3, 2, 1
_LITERAL = re.compile(
    r"(?is)[-+]?[\d.]+(e[-+]?\d+)?|0x[0-9a-f]+|x?'([^']|'')*'|null|true|false|current_\w+|\(.*\)"
)
Row = dict[str, Any]


def schemas(database: Database) -> tuple[str | None, list[str]]:
    """Return the only schema."""
    del database
    return _SCHEMA, [_SCHEMA]


def origins(database: Database, wanted: Sequence[str | None], *, views: bool) -> Iterator[Origin]:
    """Yield the origin of each table, and of each view if asked for."""
    del wanted
    with closing(connect(database, read_only=True)) as connection:
        found = _rows(
            connection,
            "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type, name",
        )
        for row in found:
            if row["type"] == "table":
                yield _Table(connection, row["name"], statement_of(row["sql"] or "")).origin()
            elif views:
                yield {**_Table(connection, row["name"], Statement()).origin(), "view": True}


def has_rows(database: Database, schema: str | None, table: str) -> bool:
    """Say whether a table holds a row."""
    del schema
    with closing(connect(database, read_only=True)) as connection:
        query = f"SELECT 1 FROM {database.dialect.quoted(table)} LIMIT 1"  # noqa: S608 - quoted names
        return bool(_rows(connection, query))


def _rows(connection: Connection, query: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetch_arrow_table().to_pylist())


class _Table:
    """A table under an open connection."""

    def __init__(self, connection: Connection, name: str, said: Statement) -> None:
        self._connection = connection
        self._name = name
        self._said = said

    def _pragma(self, pragma: str, of: str) -> list[Row]:
        return _rows(self._connection, f"SELECT * FROM pragma_{pragma}({quoted_text(of)})")  # noqa: S608 - a quoted value

    def origin(self) -> Origin:
        """Return what is known of it."""
        columns = [c for c in self._pragma("table_xinfo", self._name) if c["hidden"] != _HIDDEN]
        key = [c["name"] for c in sorted(columns, key=lambda c: c["pk"]) if c["pk"]]
        indexes = sorted(self._pragma("index_list", self._name), key=lambda i: -i["seq"])
        return {
            "dialect": "sqlite",
            "schema": _SCHEMA,
            "table": self._name,
            "columns": {column["name"]: self._column(column, key) for column in columns},
            "primary_key": {"name": self._said.primary_key, "columns": key},
            "unique": [self._unique(index) for index in indexes if index["origin"] == "u"],
            "foreign_keys": self._foreign_keys(),
            "checks": [{"name": name, "sql": sql} for name, sql in self._said.checks],
            "indexes": [self._index(index) for index in indexes if index["origin"] == "c"],
            "comment": None,
        }

    def _column(self, column: Row, key: list[str]) -> Row:
        native, name = column["type"], column["name"]
        counts = key == [name] and native.upper() == "INTEGER"
        default = column["dflt_value"]
        is_computed = column["hidden"] in {_STORED, _VIRTUAL}
        return {
            "type": native,
            "generic": generic_of(native, "sqlite"),
            "nullable": not column["notnull"] and name not in key,
            "default": None if counts or default is None else _bracketed(default),
            "identity": {"always": False, "start": 1, "increment": 1} if counts else None,
            "computed": {
                "sql": self._said.computed[name],
                "persisted": column["hidden"] == _STORED,
            }
            if is_computed
            else None,
            "comment": None,
        }

    def _columns_of(self, index: str) -> list[str | None]:
        parts = sorted(self._pragma("index_xinfo", index), key=lambda part: part["seqno"])
        return [part["name"] for part in parts if part["key"]]

    def _unique(self, index: Row) -> Row:
        columns = [str(name) for name in self._columns_of(index["name"])]
        folded = tuple(name.lower() for name in columns)
        name = next((name for name, found in self._said.unique if found == folded), None)
        return {"name": name, "columns": columns}

    def _index(self, index: Row) -> Row:
        name = index["name"]
        made = f"SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = {quoted_text(name)}"  # noqa: S608 - a quoted value
        parts, where = index_parts(_rows(self._connection, made)[0]["sql"])
        columns = self._columns_of(name)
        return {
            "name": name,
            "columns": columns,
            **({"expressions": parts} if None in columns else {}),
            "unique": bool(index["unique"]),
            "where": where,
            "method": None,
        }

    def _foreign_keys(self) -> list[Row]:
        parts: dict[int, list[Row]] = {}
        for part in self._pragma("foreign_key_list", self._name):
            parts.setdefault(part["id"], []).append(part)
        # The last is number 0.
        found = [parts[number] for number in sorted(parts, reverse=True)]
        said = self._said.references
        if len(said) != len(found):
            said = [Referring(None)] * len(found)
        return [self._foreign_key(*pair) for pair in zip(found, said, strict=True)]

    def _foreign_key(self, parts: list[Row], said: Referring) -> Row:
        parts = sorted(parts, key=lambda part: part["seq"])
        parent = parts[0]["table"]
        named = [part["to"] for part in parts]
        if None in named:
            columns = sorted(self._pragma("table_info", parent), key=lambda c: c["pk"])
            named = [column["name"] for column in columns if column["pk"]]
        return {
            "name": said.name,
            "columns": [part["from"] for part in parts],
            "schema": _SCHEMA,
            "table": parent,
            "parent_columns": named,
            "deferrable": said.deferrable,
            "initially": "DEFERRED" if said.deferred else None,
            "on_delete": _action(parts[0]["on_delete"]),
            "on_update": _action(parts[0]["on_update"]),
        }


def _action(text: str) -> str | None:
    return None if text == "NO ACTION" else text


def _bracketed(default: str) -> str:
    """Return a default as it can be said again: an expression stands in brackets."""
    return default if _LITERAL.fullmatch(default.strip()) else f"({default})"
