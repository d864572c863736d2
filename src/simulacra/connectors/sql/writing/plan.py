"""What is to be done with each table: made, filled or replaced."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from simulacra.connectors.replacing import IfExists
from simulacra.connectors.sql.dialects import Dialect
from simulacra.connectors.sql.options import SqlWriteOptions
from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.writing.design import design
from simulacra.connectors.sql.writing.existing import (
    check_unreferenced,
    children_first,
    default_schema,
    existing_tables,
    filled_table,
)
from simulacra.connectors.sql.writing.names import Names
from simulacra.connectors.sql.writing.store import Task
from simulacra.connectors.sql.writing.tables import Location, NewTable
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError
from simulacra.core.schema import DatasetSpec, TableSpec


def plan(
    database: Database,
    tables: Mapping[str, pa.Schema],
    spec: DatasetSpec | None,
    options: SqlWriteOptions,
    ctx: RunContext,
) -> Task:
    """Decide for each table whether it is made, filled or replaced.

    Raises:
        OutputError: One is there that may not be touched, or doesn't fit.
    """
    known = spec.tables if spec is not None else {}
    main = options.schema_name or default_schema(database)
    places = {name: _place(name, known.get(name), main, options, database) for name in tables}
    _check_apart(places, database.dialect)
    existing = existing_tables(database, {place.schema for place in places.values()})
    found = {name: existing[place] for name, place in places.items() if place in existing}
    for name, origin in found.items():
        _check_allowed(name, origin, options.if_exists, database)
    is_replacing = options.if_exists == IfExists.REPLACE
    filled = {} if is_replacing and database.dialect.swaps else found
    replaced = {places[name] for name in found if is_replacing}
    check_unreferenced(replaced, existing)
    names = Names(database.dialect.name, _taken(existing, replaced, places))
    made = {name: schema for name, schema in tables.items() if name not in filled}
    old = {name: filled_table(name, tables[name], origin) for name, origin in filled.items()}
    new = design(made, spec, places, names, database.dialect, old, ctx.progress.note)
    both: dict[str, NewTable] = {**new, **old}
    return Task(
        database,
        {name: both[name] for name in tables},
        tuple(children_first(replaced, existing)),
        ctx,
    )


def _place(
    name: str,
    spec: TableSpec | None,
    main: str | None,
    options: SqlWriteOptions,
    database: Database,
) -> Location:
    """Return where a table goes: into the schema it came from, where databases have schemas."""
    origin = spec.origin if spec is not None else {}
    schema, table = origin.get("schema"), origin.get("table")
    if database.dialect.has_schemas and options.schema_name is None and schema is not None:
        if name == f"{schema}.{table}":
            return Location(schema, str(table))
        if origin.get("dialect") == database.dialect.name and name == table:
            return Location(schema, name)
    return Location(main, name)


def _check_apart(places: Mapping[str, Location], dialect: Dialect) -> None:
    taken: dict[Location, str] = {}
    for name, place in places.items():
        if "table" in dialect.folds:
            place = Location(place.schema, place.table.lower())  # noqa: PLW2901
        if place in taken:
            raise OutputError(
                f"{taken[place]} and {name} would be the same table", mend="Rename one of them"
            )
        taken[place] = name


def _check_allowed(name: str, origin: Origin, if_exists: IfExists, database: Database) -> None:
    if origin.get("view"):
        raise OutputError("there is a view of this name", where=name, mend="Drop or rename it")
    place = Location(origin["schema"], origin["table"])
    has_rows = database.dialect.reflect().has_rows
    if if_exists == IfExists.FAIL and has_rows(database, place.schema, place.table):
        raise OutputError(
            "the table holds rows already",
            where=f"{database.safe}, {name}",
            mend="Use --if-exists append or --if-exists replace",
        )


def _taken(
    existing: Mapping[Location, Origin], replaced: set[Location], places: Mapping[str, Location]
) -> dict[str | None, set[str]]:
    """Return the names in each schema that nothing new may have."""
    taken: dict[str | None, set[str]] = {}
    for place in places.values():
        taken.setdefault(place.schema, set()).add(place.table)
    for place, origin in existing.items():
        if place not in replaced:
            named = (
                origin["primary_key"],
                *origin["unique"],
                *origin["indexes"],
                *origin["foreign_keys"],
            )
            names = {str(part["name"]) for part in named if part["name"]}
            taken.setdefault(place.schema, set()).update({place.table, *names})
    return taken
