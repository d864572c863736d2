"""Rows of DuckDB, as Arrow by itself. Rows come in the order in which they were inserted."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import pyarrow as pa

from simulacra.connectors.sql.duckdb.connection import connect
from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.reading.conversions import (
    Convert,
    bounded,
    duration,
    time_of_day,
    to_type,
)
from simulacra.connectors.sql.reading.reader import ReadColumn
from simulacra.connectors.sql.types.generic import Generic
from simulacra.core.context import RunContext

if TYPE_CHECKING:
    import duckdb


def open_reader(database: Database, ctx: RunContext) -> DuckdbReader:
    """Begin a snapshot."""
    return DuckdbReader(database, ctx)


class DuckdbReader:
    """Reads tables of a file that nobody can change meanwhile: it is open for reading only.

    Args:
        database: The file.
        ctx: How much of the machine DuckDB may use.
    """

    def __init__(self, database: Database, ctx: RunContext) -> None:
        self._database = database
        self._connection = connect(database, read_only=True)
        weakref.finalize(self, self._connection.close)
        for setting in (
            "SET TimeZone = 'UTC'",
            f"SET threads = {ctx.limits.threads}",
            f"SET memory_limit = '{ctx.limits.memory // 4} B'",
        ):
            self._connection.execute(setting)

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        cursor = self._connection.cursor()
        for statement in self._database.dialect.snapshot:
            cursor.execute(statement)
        return cursor

    def columns(self, origin: Origin, name: str) -> list[ReadColumn]:
        """Plan how a table is read: DuckDB itself says which Arrow types it gives."""
        del name
        columns = origin["columns"]
        wanted = {c: self._expression(c, column["generic"]) for c, column in columns.items()}
        with closing(self._cursor()) as cursor:
            query = f"SELECT {', '.join(wanted.values())} FROM {self._table(origin)} LIMIT 0"  # noqa: S608 - names are quoted
            given = _stream(cursor.sql(query), 1).schema
        return [
            _column(c, wanted[c], column["generic"], given.field(i).type)
            for i, (c, column) in enumerate(columns.items())
        ]

    def _quoted(self, *names: str) -> str:
        return self._database.dialect.quoted(*names)

    def _table(self, origin: Origin) -> str:
        return self._quoted(origin["schema"], origin["table"])

    def _expression(self, column: str, generic: Generic) -> str:
        cast = _CASTS.get(generic["kind"])
        if generic["kind"] == "integer" and generic["bits"] > 64:
            cast = "DECIMAL(38, 0)"
        if generic["kind"] == "time" and generic.get("zone"):
            cast = "VARCHAR"
        quoted = self._quoted(column)
        return f"CAST({quoted} AS {cast})" if cast else quoted

    def rows(self, origin: Origin) -> int:
        """Count the rows of a table."""
        with closing(self._cursor()) as cursor:
            row = cursor.execute(f"SELECT count(*) FROM {self._table(origin)}").fetchone()  # noqa: S608 - names are quoted
            return int(row[0]) if row else 0

    def batches(
        self, origin: Origin, columns: Sequence[ReadColumn], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Start over and yield the columns."""
        wanted = ", ".join(column.sql for column in columns)
        query = f"SELECT {wanted} FROM {self._table(origin)}"  # noqa: S608 - names are quoted
        if origin.get("view"):
            query += f" ORDER BY {', '.join(map(self._quoted, origin['columns']))}"
        with closing(self._cursor()) as cursor:
            yield from _stream(cursor.sql(query), batch_rows)


def _stream(relation: duckdb.DuckDBPyRelation, batch_rows: int) -> pa.RecordBatchReader:
    # DuckDB has renamed the method; both are there for some versions.
    make = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return make(batch_rows)


_CASTS = dict.fromkeys(("text", "uuid", "json", "bits", "enum", "other"), "VARCHAR")


def _column(name: str, sql: str, generic: Generic, given: pa.DataType) -> ReadColumn:
    kind, convert = _PLANS.get(generic["kind"], _as_given)(given)
    return ReadColumn(name, sql, kind, convert)


def _as_given(given: pa.DataType) -> tuple[pa.DataType, Convert]:
    return given, to_type(given)


def _text(given: pa.DataType) -> tuple[pa.DataType, Convert]:
    del given
    return pa.string(), to_type(pa.string())


def _moment(given: pa.DataType) -> tuple[pa.DataType, Convert]:
    # A session's zone may go by another name, as Etc/UTC; moments are the same.
    zoned = pa.types.is_timestamp(given) and given.tz is not None
    kind = pa.timestamp(given.unit, "UTC") if zoned else given
    return kind, bounded(kind)


_PLANS: Mapping[str, Callable[[pa.DataType], tuple[pa.DataType, Convert]]] = {
    **dict.fromkeys((*_CASTS, "text"), _text),
    "binary": lambda _: (pa.binary(), to_type(pa.binary())),
    "date": _moment,
    "timestamp": _moment,
    "time": lambda given: (
        (given, time_of_day) if pa.types.is_time64(given) and given.unit == "us" else _text(given)
    ),
    "interval": lambda _: (pa.duration("us"), duration),
}
