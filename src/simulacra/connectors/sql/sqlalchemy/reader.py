"""Rows of any database that SQLAlchemy can reach, as Python objects: slow, but it works.

Rows come sorted by the primary key, without one by all columns that can be sorted.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulacra.connectors.sql.connections import engine
from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.reading.conversions import to_type
from simulacra.connectors.sql.reading.one_at_a_time import OneAtATime
from simulacra.connectors.sql.reading.reader import ReadColumn, decimal, digits_of, integer
from simulacra.connectors.sql.types.generic import Generic
from simulacra.core.context import RunContext

if TYPE_CHECKING:
    from sqlalchemy import Connection, FromClause

_UNSORTED = {"json", "binary", "array", "nested", "other", "bits"}


def open_reader(database: Database, ctx: RunContext) -> CursorReader:
    """Begin a snapshot."""
    return CursorReader(database, ctx)


class CursorReader:
    """Reads tables in one transaction, a pass at a time.

    Args:
        database: Where they are.
        ctx: Where to tell if transactions don't see one state there.
    """

    def __init__(self, database: Database, ctx: RunContext) -> None:
        self._connection = _connected(database, ctx)
        weakref.finalize(self, _close, self._connection)
        self._turns = OneAtATime()

    def columns(self, origin: Origin, name: str) -> list[ReadColumn]:
        """Plan how a table is read."""
        del name
        return [_column(c, column["generic"]) for c, column in origin["columns"].items()]

    def rows(self, origin: Origin) -> int:
        """Count the rows of a table."""
        from sqlalchemy import func, select

        query = select(func.count()).select_from(_table(origin))
        count: int = self._turns.ask(lambda: self._connection.execute(query).scalar_one())
        return count

    def batches(
        self, origin: Origin, columns: Sequence[ReadColumn], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Start over and yield the columns."""
        return self._turns.run(lambda: self._pass(origin, columns, batch_rows))

    def _pass(
        self, origin: Origin, columns: Sequence[ReadColumn], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        from sqlalchemy import select

        table = _table(origin)
        key = origin["primary_key"]["columns"] or [
            c
            for c, column in origin["columns"].items()
            if column["generic"]["kind"] not in _UNSORTED
        ]
        query = select(*(table.c[column.name] for column in columns))
        query = query.order_by(*(table.c[name] for name in key))
        streaming = self._connection.execution_options(
            stream_results=True, max_row_buffer=batch_rows
        )
        with streaming.execute(query) as result:
            for rows in result.partitions(batch_rows):
                values = zip(*rows, strict=True)
                arrays = [_array(v, c) for v, c in zip(values, columns, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, [column.name for column in columns])


def _connected(database: Database, ctx: RunContext) -> Connection:
    made = engine(database, read_only=True)
    connection = made.connect()
    with suppress(NotImplementedError):
        raw: Any = connection.connection.dbapi_connection
        known = made.dialect.get_isolation_level_values(raw)
        level = next((name for name in database.dialect.isolation if name in known), None)
        if level is not None:
            connection.rollback()
            return connection.execution_options(isolation_level=level)
    ctx.progress.note(f"{database.safe}: what others write while it is read may be seen")
    return connection


def _close(connection: Connection) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    with suppress(SQLAlchemyError):  # the server may have hung up
        connection.close()


def _table(origin: Origin) -> FromClause:
    from sqlalchemy import column, quoted_name, table

    def name(text: str) -> str:
        return quoted_name(text, quote=True)

    schema = origin["schema"]
    return table(
        name(origin["table"]),
        *(column(name(c)) for c in origin["columns"]),
        schema=None if schema is None else name(schema),
    )


def _array(values: Sequence[Any], column: ReadColumn) -> pa.Array:
    make = _OBJECTS.get(column.storage, _as_it_is)
    try:
        made = [None if value is None else make(value) for value in values]
        return pa.array(made, column.type)
    except (ValueError, TypeError, ArithmeticError):  # as text: what it is will be told
        return pa.array([None if value is None else str(value) for value in values], pa.string())


def _column(name: str, generic: Generic) -> ReadColumn:
    """Plan a column; ``storage`` is the kind of its values."""
    kind = generic["kind"]
    if kind == "decimal":
        digits = digits_of(generic)
        arrow = decimal(*digits) if digits else pa.float64()
        kind = kind if digits else "float"
    elif kind == "integer":
        arrow = integer(generic)
    elif kind == "timestamp":
        arrow = pa.timestamp("us", "UTC" if generic.get("zone") else None)
    elif kind == "time" and generic.get("zone"):
        kind, arrow = "text", pa.string()
    else:
        arrow = _ARROW.get(kind, pa.string())
    kind = "text" if pa.types.is_string(arrow) else kind
    return ReadColumn(name, "", arrow, to_type(arrow), kind)


_ARROW = {
    "boolean": pa.bool_(),
    "float": pa.float64(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "interval": pa.duration("us"),
}


def _as_it_is(value: Any) -> Any:
    return value


def _day(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value


def _moment(value: Any) -> Any:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return datetime(value.year, value.month, value.day) if is_day else value  # noqa: DTZ001 - as found


_OBJECTS: Mapping[str, Callable[[Any], Any]] = {
    "text": lambda value: value if isinstance(value, str) else str(value),
    "boolean": lambda value: value if isinstance(value, bool) else bool(int(value)),
    "integer": int,
    "float": float,
    "decimal": lambda value: value if isinstance(value, Decimal) else Decimal(str(value)),
    "binary": bytes,
    "date": _day,
    "timestamp": _moment,
}
"""What driver's objects become, by kind; they differ from driver to driver."""
