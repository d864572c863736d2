"""Reflection by SQLAlchemy, with each column's type as the database itself writes it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from simulacra.connectors.sql.connections import engine
from simulacra.connectors.sql.dialects import MYSQL
from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.sqlalchemy.keys import Keys, foreign_keys
from simulacra.connectors.sql.sqlalchemy.names import unescaped
from simulacra.connectors.sql.sqlalchemy.types import enum_values, generic_of_sqlalchemy
from simulacra.connectors.sql.types.native import generic_of
from simulacra.core.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Dialect, Inspector
    from sqlalchemy.types import TypeEngine

_PARTS = ("columns", "pk_constraint", "unique_constraints", "foreign_keys", "check_constraints",
          "indexes", "table_comment")  # fmt: skip


def schemas(database: Database) -> tuple[str | None, list[str]]:
    """Return the default schema, and all."""
    from sqlalchemy import inspect

    with engine(database, read_only=True).connect() as connection:
        inspector = inspect(connection)
        return inspector.default_schema_name, list(inspector.get_schema_names())


def origins(database: Database, wanted: Sequence[str | None], *, views: bool) -> Iterator[Origin]:
    """Yield the origin of each table of some schemas, and of each view if asked for."""
    from sqlalchemy import inspect

    with engine(database, read_only=True).connect() as connection, _quiet():
        if first := database.dialect.reflect_first:
            connection.exec_driver_sql(first)
        for name in wanted:
            types = _native_types(database, connection, name)
            checks = _rows(connection, database.dialect.more_checks, name)
            known = database.dialect.foreign_keys
            keys = None if known is None else foreign_keys(_rows(connection, known, name))
            schema = _Schema(database, inspect(connection), name, types, checks, keys)
            yield from schema.origins(views=views)


def has_rows(database: Database, schema: str | None, table: str) -> bool:
    """Say whether a table holds a row."""
    from sqlalchemy import func, literal_column, select
    from sqlalchemy import table as table_of

    one: Any = select(literal_column("1")).select_from(table_of(table, schema=schema)).limit(1)
    with engine(database, read_only=True).connect() as connection:
        found = connection.execute(select(func.count()).select_from(one.subquery())).scalar()
    return bool(found)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep SQLAlchemy from warning of types it doesn't know: they are asked of the database."""
    from sqlalchemy.exc import SAWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        yield


_Types = dict[tuple[str, str], dict[str, str]]


def _native_types(database: Database, connection: Connection, schema: str | None) -> _Types | None:
    query = database.dialect.native_types
    if query is None:
        return None
    types: _Types = {}
    for of_schema, table, column, kind in _rows(connection, query, schema):
        types.setdefault((of_schema, table), {})[column] = kind
    return types


def _rows(connection: Connection, query: str | None, schema: str | None) -> list[tuple[str, ...]]:
    """Return what a query of :mod:`..catalogs` says of a schema."""
    from sqlalchemy import text

    if query is None:
        return []
    return [tuple(row) for row in connection.execute(text(query), {"schema": schema})]


class _Schema:
    """One schema under an inspector."""

    def __init__(
        self,
        database: Database,
        inspector: Inspector,
        name: str | None,
        types: _Types | None,
        checks: list[tuple[str, ...]],
        keys: Keys | None,
    ) -> None:
        self._database = database
        self._inspector = inspector
        self._name = name
        self._types = types
        self._checks = checks
        self._keys = keys
        self._is_mysql = database.dialect.name == MYSQL.name

    def origins(self, *, views: bool) -> Iterator[Origin]:
        """Yield the tables, then the views."""
        from sqlalchemy.engine.reflection import ObjectKind

        yield from self._of_kind(ObjectKind.TABLE)
        if views:
            for origin in self._of_kind(ObjectKind.ANY_VIEW):
                yield {**origin, "view": True}

    def _of_kind(self, kind: Any) -> Iterator[Origin]:
        wanted = [p for p in _PARTS if p != "foreign_keys" or self._keys is None]
        parts = {part: self._all(part, kind) for part in wanted}
        for key in sorted(parts["columns"], key=lambda key: key[1]):
            if self._types is None or key in self._types:
                yield self._origin(key[1], {part: found.get(key) for part, found in parts.items()})

    def _all(self, part: str, kind: Any) -> dict[Any, Any]:
        get: Callable[..., dict[Any, Any]] = getattr(self._inspector, f"get_multi_{part}")
        try:
            return get(schema=self._name, kind=kind)
        except NotImplementedError:  # a dialect that doesn't tell
            return {}

    def _origin(self, table: str, parts: dict[str, Any]) -> Origin:
        if self._is_mysql:
            parts = {part: unescaped(found) for part, found in parts.items()}
        key = parts["pk_constraint"] or {"name": None, "constrained_columns": []}
        columns = key["constrained_columns"]
        found = {c["name"]: self._column(table, c, columns) for c in parts["columns"]}
        self._check_whole(table, found)
        keys = (
            [self._foreign_key(k) for k in parts["foreign_keys"] or ()]
            if self._keys is None
            else self._keys.get((self._name or "", table), [])
        )
        # MySQL makes an index for each foreign key that has none, and calls it as the key.
        implied = [(k["name"], k["columns"]) for k in keys if self._is_mysql]
        more = [sql for schema, name, sql in self._checks if (schema, name) == (self._name, table)]
        return {
            "dialect": self._database.dialect.name,
            "schema": self._name,
            "table": table,
            "columns": found,
            "primary_key": {"name": key["name"], "columns": list(columns)},
            "unique": [
                {"name": unique["name"], "columns": list(unique["column_names"])}
                for unique in parts["unique_constraints"] or ()
            ],
            "foreign_keys": keys,
            "checks": [
                *(
                    {"name": check["name"], "sql": check["sqltext"]}
                    for check in parts["check_constraints"] or ()
                ),
                *({"name": None, "sql": sql} for sql in more),
            ],
            "indexes": [i for i in _indexes(parts) if (i["name"], i["columns"]) not in implied],
            "comment": (parts["table_comment"] or {}).get("text"),
        }

    def _check_whole(self, table: str, found: Mapping[str, Any]) -> None:
        """Refuse a table of which SQLAlchemy has passed over a column, as it does without a word.

        Raises:
            InputError: It is one.
        """
        known = found if self._types is None else self._types[self._name or "", table]
        if lost := [name for name in known if name not in found]:
            raise InputError(
                "the database's description of the column can't be read",
                where=f"{table}.{lost[0]}",
                mend="Rename it, or leave the table out (exclude)",
            )

    def _column(self, table: str, column: dict[str, Any], key: list[str]) -> dict[str, Any]:
        dialect = self._database.dialect
        name, kind = column["name"], column["type"]
        if self._types is None:
            native, generic = _compiled(kind, self._inspector.dialect), generic_of_sqlalchemy(kind)
        else:
            native = self._types[self._name or "", table].get(name, "")
            generic = generic_of(native, dialect.name)
            if generic["kind"] in {"other", "array"}:
                generic = enum_values(kind) or generic
        counts = column.get("autoincrement") is True
        identity = column.get("identity") or ({} if counts else None)
        computed = column.get("computed")
        return {
            "type": native,
            "generic": generic,
            "nullable": bool(column.get("nullable", True)) and name not in key,
            "default": None if identity is not None else column.get("default"),
            "identity": None
            if identity is None
            else {
                "always": bool(identity.get("always")),
                "start": identity.get("start", 1),
                "increment": identity.get("increment", 1),
            },
            "computed": computed
            and {"sql": computed["sqltext"], "persisted": bool(computed.get("persisted"))},
            "comment": column.get("comment"),
            **({"enum": generic["values"]} if generic["kind"] == "enum" else {}),
        }

    def _foreign_key(self, key: dict[str, Any]) -> dict[str, Any]:
        options = key.get("options") or {}
        initially = options.get("initially")
        return {
            "name": key["name"],
            "columns": list(key["constrained_columns"]),
            "schema": key.get("referred_schema") or self._name,
            "table": key["referred_table"],
            "parent_columns": list(key["referred_columns"]),
            "deferrable": bool(options.get("deferrable")),
            "initially": initially and str(initially).upper(),
            "on_delete": _action(options.get("ondelete")),
            "on_update": _action(options.get("onupdate")),
        }


def _compiled(kind: TypeEngine[Any], dialect: Dialect) -> str:
    from sqlalchemy.exc import CompileError

    try:
        return str(kind.compile(dialect))
    except CompileError:  # a type that the dialect doesn't know
        return str(kind)


def _action(text: str | None) -> str | None:
    return None if text is None or text.upper() == "NO ACTION" else text.upper()


def _indexes(parts: dict[str, Any]) -> list[dict[str, Any]]:
    kept = {unique["name"] for unique in parts["unique_constraints"] or ()}
    return [
        _index(index)
        for index in parts["indexes"] or ()
        if not index.get("duplicates_constraint") and index["name"] not in kept
    ]


def _index(index: dict[str, Any]) -> dict[str, Any]:
    from sqlalchemy import ClauseElement

    options = index.get("dialect_options") or {}

    def option(ending: str) -> Any:
        found = (value for name, value in options.items() if name.endswith(ending))
        # SQL has no truth of its own.
        return next((v for v in found if isinstance(v, ClauseElement) or v), None)

    where = option("_where")
    return {
        "name": index["name"],
        "columns": list(index["column_names"]),
        **({"expressions": index["expressions"]} if index.get("expressions") else {}),
        **({"lengths": option("_length")} if option("_length") else {}),
        "unique": bool(index["unique"]),
        "where": None if where is None else str(where),
        "method": option("_using") or option("_prefix"),
    }
