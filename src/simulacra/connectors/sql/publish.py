"""Writing the tables of a dataset to a database: all of them together, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, Self

import pyarrow as pa
from pydantic import Field

from simulacra.connectors.files import place_of
from simulacra.connectors.publish import staged, sync
from simulacra.connectors.replacing import IfExists
from simulacra.connectors.sql.connections import require
from simulacra.connectors.sql.design import design
from simulacra.connectors.sql.existing import (
    check_unreferenced,
    children_first,
    default_schema,
    existing_tables,
    filled_table,
    has_rows,
    recover,
)
from simulacra.connectors.sql.names import Names
from simulacra.connectors.sql.place import Database, database_of, failing
from simulacra.connectors.sql.store import Store, Task
from simulacra.connectors.sql.tables import Location, NewTable
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError
from simulacra.core.protocols import BLOCK_ROWS, Config, TableWriter
from simulacra.core.schema import DatasetSpec, TableSpec

Origin = Mapping[str, Any]
_BATCH_BYTES = 32 << 20


class SqlWriteOptions(Config):
    """Options to write a database with."""

    if_exists: Annotated[
        IfExists,
        Field(
            description="If a table is there: fail (unless it is empty), append to it or replace it"
        ),
    ] = IfExists.FAIL
    schema_name: Annotated[
        str | None, Field(alias="schema", description="Where tables are made", min_length=1)
    ] = None


@contextmanager
def publish(
    uri: str,
    tables: Mapping[str, pa.Schema],
    spec: DatasetSpec | None,
    options: SqlWriteOptions,
    ctx: RunContext,
) -> Iterator[Mapping[str, TableWriter]]:
    """Give a writer for each table; all become visible at the end, or none after an exception.

    Args:
        uri: URL or path of a database.
        tables: The columns that will be written, by table.
        spec: Their keys, and what the store they came from says of them.
        options: What to do with tables that are there.
        ctx: Limits and progress.

    Raises:
        OutputError: Tables are there that may not be touched, can't hold the rows, or the rows
            don't keep a constraint; or the database refuses.
        PluginError: A driver is not installed.
    """
    target = database_of(uri)
    require(target.dialect)
    for name, schema in tables.items():
        check_names(schema, name)
    with _file_of(target) as database:
        with failing(target):
            recover(database)
            task = _plan(database, tables, spec, options, ctx)
            store = _store(task)
        with _filling(store, target, ctx.progress.note):
            writers = {
                name: TableFiller(store, table, target) for name, table in task.tables.items()
            }
            yield writers
            for writer in writers.values():
                writer.check_finished()


@contextmanager
def _file_of(target: Database) -> Iterator[Database]:
    """Give the database itself, or for a file that is not there one that takes its place."""
    if not target.dialect.is_file or target.path.exists():
        yield target
        return
    with staged(place_of(str(target.path))) as path:
        yield replace(target, url=target.url.set(database=str(path)))
        sync(path)


@contextmanager
def _filling(store: Store, target: Database, note: Callable[[str], None]) -> Iterator[None]:
    """Finish what is written in the block, or leave the database as it was."""
    try:
        with failing(target):
            store.prepare()
        yield
        with failing(target):
            store.finish()
    except BaseException:
        try:
            with failing(target):
                store.abandon()
        except OutputError as error:
            note(f"what was begun could not be undone: {error}")
        raise
    finally:
        store.close()


def _store(task: Task) -> Store:
    from importlib import import_module

    module, name = _STORES[task.database.dialect.name]
    made: Store = getattr(import_module(f"simulacra.connectors.sql.{module}"), name)(task)
    return made


_STORES = {
    "postgresql": ("to_postgresql", "PostgresqlStore"),
    "mysql": ("to_mysql", "MysqlStore"),
    "sqlite": ("to_sqlite", "SqliteStore"),
    "duckdb": ("to_duckdb", "DuckdbStore"),
    "sql": ("to_any", "AnyStore"),
}


# --- what is to be done ------------------------------------------------------------------------


def _plan(
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
    _check_apart(places)
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


def _check_apart(places: Mapping[str, Location]) -> None:
    taken: dict[Location, str] = {}
    for name, place in places.items():
        if place in taken:
            raise OutputError(
                f"{taken[place]} and {name} would be the same table", mend="Rename one of them"
            )
        taken[place] = name


def _check_allowed(name: str, origin: Origin, if_exists: IfExists, database: Database) -> None:
    if origin.get("view"):
        raise OutputError("there is a view of this name", where=name, mend="Drop or rename it")
    place = Location(origin["schema"], origin["table"])
    if if_exists == IfExists.FAIL and has_rows(database, place):
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


# --- rows --------------------------------------------------------------------------------------


class TableFiller:
    """Writes one table of several.

    Args:
        store: The database.
        table: The table.
        database: The database as users know it.
    """

    def __init__(self, store: Store, table: NewTable, database: Database) -> None:
        self._store = store
        self._table = table
        self._database = database
        self._columns = [column.name for column in table.written()]
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0
        self._bytes = 0
        self._is_open = False

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows.

        Raises:
            OutputError: The database can't hold a value, or refuses.
        """
        if batch.num_rows == 0:
            return
        batch = batch.select(self._columns)
        for column in self._table.written():
            if not column.nullable and batch.column(column.name).null_count:
                raise OutputError(
                    "there is a null in a column that takes none",
                    where=self._table.where([column.name]),
                )
        self._waiting.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= BLOCK_ROWS or self._bytes >= _BATCH_BYTES:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = pa.Table.from_batches(self._waiting)
        self._waiting, self._rows, self._bytes = [], 0, 0
        rows = max(min(BLOCK_ROWS, int(table.num_rows * _BATCH_BYTES / max(table.nbytes, 1))), 1)
        with failing(self._database, where=self._table.name):
            for batch in table.combine_chunks().to_batches(max_chunksize=rows):
                self._store.load(self._table, batch)

    def check_finished(self) -> None:
        """Refuse to publish a table whose writer was left by an exception.

        Raises:
            OutputError: It was.
        """
        if self._is_open:
            raise OutputError("the table was not finished", where=self._table.name)

    def __enter__(self) -> Self:
        """Begin."""
        self._is_open = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End; the rows become visible with those of the other tables."""
        if exc_info[0] is None:
            self._flush()
            self._is_open = False
