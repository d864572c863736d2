"""Reflection of DuckDB, by its own catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from simulacra.connectors.sql.duckdb.connection import connect
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.types.native import generic_of

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
Key = tuple[str, str]


def schemas(database: Database) -> tuple[str | None, list[str]]:
    """Return the default schema, and all."""
    with closing(connect(database, read_only=True)) as connection:
        rows = _rows(connection, "duckdb_schemas")
    return database.dialect.default_schema, sorted({row["schema_name"] for row in rows})


def origins(database: Database, wanted: Sequence[str | None], *, views: bool) -> Iterator[Row]:
    """Yield the origin of each table of some schemas, and of each view if asked for."""
    with closing(connect(database, read_only=True)) as connection:
        columns = _by_table(_rows(connection, "duckdb_columns"))
        constraints = _by_table(_rows(connection, "duckdb_constraints"))
        indexes = _by_table(_rows(connection, "duckdb_indexes"))
        tables = _rows(connection, "duckdb_tables")
        found = _rows(connection, "duckdb_views") if views else []
    for row in (*tables, *found):
        key = row["schema_name"], row.get("table_name") or row.get("view_name") or ""
        if key[0] in wanted:
            origin = _origin(
                key, columns[key], constraints.get(key, []), indexes.get(key, []), row["comment"]
            )
            yield origin if "table_name" in row else {**origin, "view": True}


def has_rows(database: Database, schema: str | None, table: str) -> bool:
    """Say whether a table holds a row."""
    name = database.dialect.quoted(schema, table)
    with closing(connect(database, read_only=True)) as connection:
        query = f"SELECT 1 FROM {name} LIMIT 1"  # noqa: S608 - quoted names
        return connection.execute(query).fetchone() is not None


_CATALOGUE = """
SELECT * FROM {}() WHERE database_name = current_database() {} ORDER BY {}
"""
_ORDERS = {
    "duckdb_schemas": ("", "schema_name"),
    "duckdb_tables": ("AND NOT internal", "schema_name, table_name"),
    "duckdb_views": ("AND NOT internal", "schema_name, view_name"),
    "duckdb_columns": ("AND NOT internal", "table_oid, column_index"),
    "duckdb_constraints": ("", "table_oid, constraint_index"),
    "duckdb_indexes": ("", "table_oid, index_oid"),
}


def _rows(connection: duckdb.DuckDBPyConnection, function: str) -> list[Row]:
    found = connection.execute(_CATALOGUE.format(function, *_ORDERS[function]))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _by_table(rows: list[Row]) -> dict[Key, list[Row]]:
    tables: dict[Key, list[Row]] = {}
    for row in rows:
        tables.setdefault((row["schema_name"], row["table_name"]), []).append(row)
    return tables


def _origin(
    key: Key, columns: list[Row], constraints: list[Row], indexes: list[Row], comment: str | None
) -> Row:
    def of_kind(kind: str) -> list[Row]:
        return [c for c in constraints if c["constraint_type"] == kind]

    keys = [
        {"name": c["constraint_name"], "columns": c["constraint_column_names"]}
        for c in of_kind("PRIMARY KEY")
    ]
    return {
        "dialect": "duckdb",
        "schema": key[0],
        "table": key[1],
        "columns": {column["column_name"]: _column(column) for column in columns},
        "primary_key": keys[0] if keys else {"name": None, "columns": []},
        "unique": [
            {"name": c["constraint_name"], "columns": c["constraint_column_names"]}
            for c in of_kind("UNIQUE")
        ],
        "foreign_keys": [
            {
                "name": c["constraint_name"],
                "columns": c["constraint_column_names"],
                "schema": key[0],
                "table": c["referenced_table"],
                "parent_columns": c["referenced_column_names"],
                "deferrable": False,
                "initially": None,
                "on_delete": None,
                "on_update": None,
            }
            for c in of_kind("FOREIGN KEY")
        ],
        "checks": [
            {"name": c["constraint_name"], "sql": c["expression"]} for c in of_kind("CHECK")
        ],
        "indexes": [_index(index, columns) for index in indexes],
        "comment": comment,
    }


def _column(row: Row) -> Row:
    native, default = row["data_type"], row["column_default"]
    generic = generic_of(native, "duckdb")
    counts = default is not None and default.startswith("nextval(")
    computed = row.get("generation_expression") if row.get("is_generated") else None
    computed = computed and _bare(computed, native)
    return {
        "type": native,
        "generic": generic,
        "nullable": row["is_nullable"],
        "default": None if counts or computed is not None else default,
        "identity": {"always": False, "start": 1, "increment": 1} if counts else None,
        "computed": computed and {"sql": computed, "persisted": False},
        "comment": row["comment"],
        **({"enum": generic["values"]} if generic["kind"] == "enum" else {}),
    }


def _bare(expression: str, native: str) -> str:
    """Take off the cast to the column's type that DuckDB puts around what makes it."""
    beginning, ending = "CAST(", f" AS {native.replace(',', ', ')})"
    inner = expression[len(beginning) : -len(ending)]
    depths = list(accumulate((sign == "(") - (sign == ")") for sign in inner))
    is_whole = min(depths, default=0) >= 0
    if expression.startswith(beginning) and expression.endswith(ending) and is_whole:
        return inner
    return expression


def _index(row: Row, columns: list[Row]) -> Row:
    names = [column["column_name"] for column in columns]
    # What is indexed is listed as a text: ['(lower(b))', a]
    listed = re.findall(r"'((?:[^']|'')*)'|([^,\[\]\s][^,]*)", row["expressions"][1:-1])
    parts = [_unquoted(quoted.replace("''", "'") or plain) for quoted, plain in listed]
    plain = [part if part in names else None for part in parts]
    return {
        "name": row["index_name"],
        "columns": plain,
        **({"expressions": parts} if None in plain else {}),
        "unique": row["is_unique"],
        "where": None,
        "method": None,
    }


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') and part.endswith('"') else part
