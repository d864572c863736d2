"""Writing the tables of a dataset to a database: all of them together, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa

from simulacra.connectors.files import place_of
from simulacra.connectors.publish import staged, sync
from simulacra.connectors.sql.connections import require
from simulacra.connectors.sql.options import SqlWriteOptions
from simulacra.connectors.sql.place import Database, database_of, failing
from simulacra.connectors.sql.writing.existing import recover
from simulacra.connectors.sql.writing.filler import TableFiller
from simulacra.connectors.sql.writing.plan import plan
from simulacra.connectors.sql.writing.store import Store
from simulacra.core.batches import check_names
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError
from simulacra.core.protocols import TableWriter
from simulacra.core.schema import DatasetSpec


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
            task = plan(database, tables, spec, options, ctx)
            store: Store = database.dialect.part("store").open_store(task)
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
