"""Rows of SQLite, as Arrow through ADBC.

SQLite keeps any value in any column. So each column is looked at first, and read as what it is
declared to be if all its values are that, else as what holds them all. Rows come in the order of
their row numbers (of the primary key in tables without); those of views sorted by all columns.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.reading.reader import ReadColumn
from simulacra.connectors.sql.sqlite.columns import BLOB, INTEGER, REAL, TEXT, Survey, planned
from simulacra.connectors.sql.sqlite.connection import connect
from simulacra.core.context import RunContext

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Cursor

_FIRST_ROW = {INTEGER: "0", REAL: "0.0", TEXT: "''", BLOB: "x''"}
_BATCH_ROWS = "adbc.sqlite.query.batch_rows"
_AT_ONCE = 200
"""Columns looked at in one query: SQLite takes 2,000 results."""


def open_reader(database: Database, ctx: RunContext) -> SqliteReader:
    """Begin a snapshot."""
    return SqliteReader(database, ctx)


class SqliteReader:
    """Reads tables in one transaction of one connection, which several passes can share.

    Args:
        database: The file.
        ctx: Where to tell of columns that hold other values than they declare.
    """

    def __init__(self, database: Database, ctx: RunContext) -> None:
        self._database = database
        self._note = ctx.progress.note
        self._lock = threading.Lock()
        self._connection = connect(database, read_only=True)
        weakref.finalize(self, self._connection.close)
        # A transaction sees one state from its first read on.
        for statement in ("PRAGMA busy_timeout = 60000", *database.dialect.snapshot, _FIRST_READ):
            self._one(statement)

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        with self._lock:
            cursor = self._connection.cursor()
        try:
            yield cursor
        finally:
            with self._lock:
                cursor.close()

    def _one(self, query: str) -> tuple[Any, ...]:
        with self._cursor() as cursor:
            cursor.execute(query)
            row: tuple[Any, ...] = cursor.fetchone() or ()
            return row

    def columns(self, origin: Origin, name: str) -> list[ReadColumn]:
        """Plan how a table is read, by what its columns hold."""
        surveys = {c: Survey(self._quoted(c), column) for c, column in origin["columns"].items()}
        for start in range(0, len(surveys), _AT_ONCE):
            part = list(surveys.values())[start : start + _AT_ONCE]
            wanted = ", ".join(survey.sql for survey in part)
            found = list(self._one(f"SELECT {wanted} FROM {self._table(origin)}"))  # noqa: S608 - names are quoted
            for survey in part:
                survey.take(found)
        plans = []
        for column, survey in surveys.items():
            plan, told = planned(column, survey)
            if told:
                self._note(f"{name}.{column}: {told}")
            plans.append(plan)
        return plans

    def _quoted(self, *names: str) -> str:
        return self._database.dialect.quoted(*names)

    def _table(self, origin: Origin) -> str:
        name = self._quoted(origin["schema"], origin["table"])
        # Without it an index that has all columns wanted may be read, in its own order.
        return name if origin.get("view") else f"{name} NOT INDEXED"

    def rows(self, origin: Origin) -> int:
        """Count the rows of a table."""
        name = self._quoted(origin["schema"], origin["table"])
        return int(self._one(f"SELECT count(*) FROM {name}")[0])  # noqa: S608 - names are quoted

    def batches(
        self, origin: Origin, columns: Sequence[ReadColumn], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Start over and yield the columns."""
        wanted = ", ".join(column.sql for column in columns)
        rows = f"SELECT {wanted} FROM {self._table(origin)}"  # noqa: S608 - names are quoted
        if origin.get("view"):
            order = ", ".join(map(self._quoted, origin["columns"]))
            rows = f"SELECT * FROM ({rows} ORDER BY {order} LIMIT -1)"  # noqa: S608 - names are quoted
        # ADBC takes the columns' types from the first rows: one is put before that shows them.
        first = ", ".join(_FIRST_ROW[column.storage] for column in columns)
        with self._cursor() as cursor:
            cursor.adbc_statement.set_options(**{_BATCH_ROWS: str(batch_rows)})
            cursor.execute(f"SELECT {first} UNION ALL {rows}")
            skipped = 1
            for batch in cursor.fetch_record_batch():
                yield batch.slice(skipped)
                skipped = 0


_FIRST_READ = "SELECT count(*) FROM sqlite_schema"
