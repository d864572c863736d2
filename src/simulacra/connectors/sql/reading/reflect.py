"""What the tables of a database are, and which of them are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from simulacra.connectors.sql.options import SqlReadOptions
from simulacra.connectors.sql.origin import STAGED, Origin
from simulacra.connectors.sql.place import Database, connecting
from simulacra.core.declared import DeclaredTable
from simulacra.core.errors import InputError, UsageError
from simulacra.core.schema import ForeignKey

_SYSTEM = {"information_schema", "pg_catalog", "pg_toast", "mysql", "performance_schema", "sys"}


def reflect(database: Database, options: SqlReadOptions) -> dict[str, Origin]:
    """Return the origin of every table wanted, by the table's name.

    A table is called by its bare name if no other that is read has it, else ``schema.table``.

    Raises:
        InputError: The database can't be read, or holds no table.
        UsageError: A schema is not there, or a pattern fits no table.
    """
    reflector = database.dialect.reflect()
    with connecting(database):
        default, known = reflector.schemas(database)
        wanted = _wanted(options.schemas, default, known, database)
        origins = [
            origin
            for origin in reflector.origins(database, wanted, views=options.views)
            if not STAGED.match(origin["table"])
        ]
    _find_parents(origins)
    bare = [origin["table"] for origin in origins]
    named = {
        origin["table"]
        if bare.count(origin["table"]) == 1
        else f"{origin['schema']}.{origin['table']}": origin
        for origin in origins
    }
    chosen = _chosen(named, options, database)
    if not chosen:
        raise InputError(
            "there is no table",
            where=database.safe,
            why=f"schemas read: {', '.join(map(str, wanted))}; there are {', '.join(known)}",
            mend="Choose with schema=NAME or schema=*, views=true, include and exclude",
        )
    return chosen


def _find_parents(origins: list[Origin]) -> None:
    """Call tables and columns in foreign keys as they are called themselves.

    Databases that don't mind the case let keys name them otherwise.
    """
    tables = {(origin["schema"], origin["table"]): origin for origin in origins}
    folded = {(schema, table.lower()): key for key in tables for schema, table in [key]}
    for origin in origins:
        for key in origin["foreign_keys"]:
            named = key["schema"], key["table"]
            found = named if named in tables else folded.get((key["schema"], key["table"].lower()))
            if found is None:
                continue
            key["schema"], key["table"] = found
            columns = {name.lower(): name for name in tables[found]["columns"]}
            key["parent_columns"] = [
                name if name in tables[found]["columns"] else columns.get(name.lower(), name)
                for name in key["parent_columns"]
            ]


def _wanted(
    asked: tuple[str, ...], default: str | None, known: list[str], database: Database
) -> list[str | None]:
    if not asked:
        return [default]
    if "*" in asked:
        return [name for name in known if name.lower() not in _SYSTEM]
    for name in asked:
        if name not in known:
            raise UsageError(
                f"there is no schema {name!r}",
                where=database.safe,
                mend=f"There are {', '.join(known)}",
            )
    return list(asked)


def _chosen(
    named: Mapping[str, Origin], options: SqlReadOptions, database: Database
) -> dict[str, Origin]:
    def fits(name: str, pattern: str) -> bool:
        if fnmatchcase(name, pattern):
            return True
        # Else p* would be all that is in public.
        full = f"{named[name]['schema']}.{named[name]['table']}"
        return "." in pattern and fnmatchcase(full, pattern)

    for pattern in (*options.include, *options.exclude):
        if named and not any(fits(name, pattern) for name in named):
            raise UsageError(
                f"no table is called {pattern!r}",
                where=database.safe,
                mend=f"There are {', '.join(named)}",
            )
    return {
        name: origin
        for name, origin in named.items()
        if (not options.include or any(fits(name, pattern) for pattern in options.include))
        and not any(fits(name, pattern) for pattern in options.exclude)
    }


def declared_of(tables: Mapping[str, Origin]) -> dict[str, DeclaredTable]:
    """Return the constraints of tables, from their origins."""
    return {name: _declared(origin, tables) for name, origin in tables.items()}


def _declared(origin: Origin, tables: Mapping[str, Origin]) -> DeclaredTable:
    columns = origin["columns"]
    indexes = (
        index["columns"]
        for index in origin["indexes"]
        if index["unique"] and index["where"] is None and None not in index["columns"]
    )
    keys = [*(unique["columns"] for unique in origin["unique"]), *indexes]
    return DeclaredTable(
        primary_key=tuple(origin["primary_key"]["columns"]),
        unique=tuple(dict.fromkeys(tuple(key) for key in keys)),
        foreign_keys=tuple(_foreign_keys(origin, tables)),
        not_null=frozenset(name for name, column in columns.items() if not column["nullable"]),
        origin=origin,
    )


def _foreign_keys(origin: Origin, tables: Mapping[str, Origin]) -> Iterable[ForeignKey]:
    for key in origin["foreign_keys"]:
        for name, parent in tables.items():
            if (parent["schema"], parent["table"]) == (key["schema"], key["table"]):
                yield ForeignKey(
                    columns=key["columns"], parent=name, parent_columns=key["parent_columns"]
                )
