"""What a database declares of its tables, as data that makes them again, here or elsewhere.

Each table is described by one JSON-able dictionary, its *origin*::

    {
      "dialect": "postgresql",            # Dialect.name
      "schema": "sales",                  # as it really is, also where it is the default one
      "table": "orders",
      "view": true,                       # only if it is one
      "columns": {                        # in the table's order
        "id": {
          "type": "numeric(15,2)",        # as the database writes it; of a domain, its base type
          "generic": {"kind": "decimal", "precision": 15, "scale": 2},
          "nullable": false,
          "default": "now()" | null,      # SQL of the dialect; null, too, for identity columns
          "identity": {"always": false, "start": 1, "increment": 1} | null,
          "computed": {"sql": "a + b", "persisted": true} | null,
          "comment": "…" | null,
          "enum": ["new", "paid"]         # only if it is one
        }
      },
      "primary_key": {"name": "orders_pkey" | null, "columns": ["id"]},   # columns may be []
      "unique": [{"name": … | null, "columns": […]}],
      "foreign_keys": [{
        "name": … | null, "columns": […],
        "schema": …, "table": …, "parent_columns": […],                   # as they really are
        "deferrable": bool, "initially": "DEFERRED" | "IMMEDIATE" | null,
        "on_delete": "CASCADE" | null, "on_update": … | null
      }],
      "checks": [{"name": … | null, "sql": "price > 0"}],
      "indexes": [{
        "name": …, "columns": ["a", null], "expressions": ["a", "lower(b)"],
        "lengths": {"a": 3},
        "unique": bool, "where": "deleted IS NULL" | null, "method": "gin" | null
      }],                                 # not those that keep a key; "columns" has null, and
                                          # "expressions" is there, where an expression is indexed;
                                          # "lengths" only where MySQL indexes the start of a text
      "comment": "…" | null
    }

``identity`` stands for whatever numbers new rows: identity columns, ``serial`` (of which the
default ``nextval(…)`` is left out), ``AUTO_INCREMENT``, SQLite's ``INTEGER PRIMARY KEY``.

``generic`` says what a type means, whatever it is called:

=============  ===============================================================================
kind           further keys (left out where nothing is said)
=============  ===============================================================================
``boolean``
``integer``    ``bits`` 8, 16, 32, 64 or 128; ``unsigned`` true
``decimal``    ``precision`` and ``scale``; without them, any number of digits
``float``      ``bits`` 32 or 64
``text``       ``length`` in characters; ``fixed`` true: padded with blanks
``binary``     ``length`` in bytes; ``fixed`` true
``date``
``time``       ``digits`` of seconds; ``zone`` true: with an offset
``timestamp``  ``digits`` of seconds; ``zone`` true: an instant, not a wall clock
``interval``
``uuid``
``json``
``bits``       ``length``; ``fixed`` true
``enum``       ``values``; ``name`` and ``schema`` of a type that has them
``set``        ``values`` of which any number is held, joined by commas
``array``      ``items``, a generic type; ``length`` if fixed
``nested``     structs and maps of DuckDB
``other``      anything else: read as text
=============  ===============================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from simulacra.connectors.sql import reflect_duckdb, reflect_sqlalchemy
from simulacra.connectors.sql.names import STAGED
from simulacra.connectors.sql.options import SqlReadOptions
from simulacra.connectors.sql.place import Database, connecting
from simulacra.connectors.sql.reflect_sqlalchemy import Origin
from simulacra.core.declared import DeclaredTable
from simulacra.core.errors import InputError, UsageError
from simulacra.core.schema import ForeignKey

_SYSTEM = {"information_schema", "pg_catalog", "pg_toast", "mysql", "performance_schema", "sys"}
_REFLECTORS = {"sqlalchemy": reflect_sqlalchemy, "duckdb": reflect_duckdb}


def reflect(database: Database, options: SqlReadOptions) -> dict[str, Origin]:
    """Return the origin of every table wanted, by the table's name.

    A table is called by its bare name if no other that is read has it, else ``schema.table``.

    Raises:
        InputError: The database can't be read, or holds no table.
        UsageError: A schema is not there, or a pattern fits no table.
    """
    reflector = _REFLECTORS[database.dialect.reflector]
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
        full = f"{named[name]['schema']}.{named[name]['table']}"
        return fnmatchcase(name, pattern) or fnmatchcase(full, pattern)

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
