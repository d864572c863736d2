"""Rows of PostgreSQL, as Arrow through ADBC (binary ``COPY``).

The order of rows is that in which the table lies on disk, which within one snapshot never changes
if the table is scanned from its start by one process: the settings below see to that. Sorting by
the primary key would cost as much as reading. Views are sorted by all they hold.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.postgresql.connection import connect_arrow
from simulacra.connectors.sql.reading.conversions import (
    bounded,
    decimal_from_text,
    duration,
    items_of,
    time_of_day,
)
from simulacra.connectors.sql.reading.reader import ReadColumn, decimal, digits_of, integer, plain
from simulacra.connectors.sql.types.generic import Generic
from simulacra.core.context import RunContext

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

_SETTINGS = {
    "TimeZone": "UTC",
    # one scan, from the table's start, in its order
    "enable_indexscan": "off",
    "enable_indexonlyscan": "off",
    "enable_bitmapscan": "off",
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
    # learning takes as long as it takes
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}
_SET = """
SELECT set_config(name, value, false) FROM (VALUES {}) AS wanted(name, value)
WHERE name IN (SELECT s.name FROM pg_settings AS s)
"""
_BOUNDED = (
    "CASE WHEN {0} > '9999-12-31 23:59:59.999999' THEN '10000-01-01' "
    "WHEN {0} < '0001-01-01' THEN '0001-12-31 BC' ELSE {0} END"
)
_BOUNDED_DATE = _BOUNDED.replace(" 23:59:59.999999", "")
_SPECIAL = "('NaN', 'Infinity', '-Infinity')"
_MAGNITUDE = (
    f"max(scale({{0}})) FILTER (WHERE {{0}}::text NOT IN {_SPECIAL}), "
    f"max(length(trunc(abs({{0}}))::text)) FILTER (WHERE {{0}}::text NOT IN {_SPECIAL}), "
    f"coalesce(bool_or({{0}}::text IN {_SPECIAL}), false)"
)


def open_reader(database: Database, ctx: RunContext) -> PostgresqlReader:
    """Begin a snapshot."""
    del ctx
    return PostgresqlReader(database)


class PostgresqlReader:
    """Reads tables in one snapshot, which every pass joins with a connection of its own.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keeper = self._connected()
        weakref.finalize(self, self._keeper.close)
        self._run(self._keeper, *database.dialect.snapshot)
        (name,) = self._one(self._keeper, database.dialect.export_snapshot or "")
        self._join = (
            *database.dialect.snapshot,
            (database.dialect.join_snapshot or "").format(name),
        )

    def _connected(self) -> Connection:
        connection = connect_arrow(self._database)
        values = ", ".join(f"('{name}', '{value}')" for name, value in _SETTINGS.items())
        self._run(connection, _SET.format(values))
        return connection

    @staticmethod
    def _run(connection: Connection, *statements: str) -> None:
        for statement in statements:
            with closing(connection.cursor()) as cursor:
                cursor.execute(statement)

    @staticmethod
    def _one(connection: Connection, query: str) -> tuple[Any, ...]:
        with closing(connection.cursor()) as cursor:
            cursor.execute(query)
            row: tuple[Any, ...] = cursor.fetchone() or ()
            return row

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        with closing(self._connected()) as connection:
            self._run(connection, *self._join)
            with closing(connection.cursor()) as cursor:
                yield cursor

    def columns(self, origin: Origin, name: str) -> list[ReadColumn]:
        """Plan how a table is read; decimals and arrays without a size are looked at."""
        del name
        columns = origin["columns"]
        unsized = [c for c, column in columns.items() if _is_unsized(column["generic"])]
        lists = [c for c, column in columns.items() if column["generic"]["kind"] == "array"]
        wanted = [_MAGNITUDE.format(self._quoted(c)) for c in unsized]
        wanted += [f"max(array_ndims({self._quoted(c)}))" for c in lists]
        found: list[Any] = []
        if wanted:
            with self._cursor() as cursor:
                cursor.execute(f"SELECT {', '.join(wanted)} FROM {self._table(origin)}")  # noqa: S608 - names are quoted
                found = list(cursor.fetchone() or ())
        sizes = {c: tuple(found[3 * i : 3 * i + 3]) for i, c in enumerate(unsized)}
        depths = dict(zip(lists, found[3 * len(unsized) :], strict=True))
        return [
            _column(c, self._quoted(c), column["generic"], sizes.get(c), depths.get(c))
            for c, column in columns.items()
        ]

    def _quoted(self, *names: str) -> str:
        return self._database.dialect.quoted(*names)

    def _table(self, origin: Origin) -> str:
        return self._quoted(origin["schema"], origin["table"])

    def rows(self, origin: Origin) -> int:
        """Count the rows of a table."""
        with self._cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self._table(origin)}")  # noqa: S608 - names are quoted
            (count,) = cursor.fetchone() or (0,)
            return int(count)

    def batches(
        self, origin: Origin, columns: Sequence[ReadColumn], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Start over and yield the columns as ADBC gives them, some 16 MB a batch."""
        del batch_rows
        wanted = ", ".join(column.sql for column in columns)
        query = f"SELECT {wanted} FROM {self._table(origin)} AS t"  # noqa: S608 - names are quoted
        if origin.get("view"):
            query += " ORDER BY t::text"
        with self._cursor() as cursor:
            cursor.execute(query)
            yield from cursor.fetch_record_batch()


def _is_unsized(generic: Generic) -> bool:
    return generic["kind"] == "decimal" and digits_of(generic) is None


def _column(
    name: str,
    sql: str,
    generic: Generic,
    size: tuple[int | None, int | None, bool] | None,
    depth: int | None,
) -> ReadColumn:
    if size is not None:
        return _surveyed_decimal(name, sql, size)
    if generic["kind"] == "array" and (depth or 1) == 1:
        return _list(name, sql, generic)
    return _PLANS.get(generic["kind"], _text)(name, sql, generic)


def _surveyed_decimal(name: str, sql: str, size: tuple[int | None, int | None, bool]) -> ReadColumn:
    """Plan for a decimal of any size by what it holds: exact if 76 digits have room, else not."""
    scale, whole, special = size[0] or 0, size[1] or 1, size[2]
    if special or scale + whole > 76:
        return plain(name, f"{sql}::float8", pa.float64())
    kind = decimal(38 if scale + whole <= 38 else 76, scale)
    return ReadColumn(name, f"{sql}::text", kind, decimal_from_text(kind))


def _decimal(name: str, sql: str, generic: Generic) -> ReadColumn:
    precision, scale = digits_of(generic) or (38, 0)
    kind = decimal(precision, scale)
    # The text of money has signs of currency.
    number = f"{sql}::numeric" if generic.get("money") else sql
    return ReadColumn(name, f"{number}::text", kind, decimal_from_text(kind))


def _integer(name: str, sql: str, generic: Generic) -> ReadColumn:
    if generic.get("unsigned"):  # oid
        return plain(name, f"{sql}::bigint", pa.int64())
    return plain(name, sql, integer(generic))


def _float(name: str, sql: str, generic: Generic) -> ReadColumn:
    return plain(name, sql, pa.float32() if generic["bits"] == 32 else pa.float64())


def _date(name: str, sql: str, generic: Generic) -> ReadColumn:
    del generic
    return ReadColumn(name, _BOUNDED_DATE.format(sql), pa.date32(), bounded(pa.date32()))


def _timestamp(name: str, sql: str, generic: Generic) -> ReadColumn:
    kind = pa.timestamp("us", "UTC" if generic.get("zone") else None)
    return ReadColumn(name, _BOUNDED.format(sql), kind, bounded(kind))


def _time(name: str, sql: str, generic: Generic) -> ReadColumn:
    if generic.get("zone"):
        return _text(name, sql, generic)
    return ReadColumn(name, sql, pa.time64("us"), time_of_day)


def _interval(name: str, sql: str, generic: Generic) -> ReadColumn:
    del generic
    return ReadColumn(name, sql, pa.duration("us"), duration)


def _text(name: str, sql: str, generic: Generic) -> ReadColumn:
    """Text as text; what has no Arrow type, too. ``char(n)`` loses its padding."""
    del generic
    return plain(name, f"{sql}::text", pa.string())


def _list(name: str, sql: str, generic: Generic) -> ReadColumn:
    items = generic["items"]
    if _is_unsized(items):
        items = {"kind": "float", "bits": 64}
        sql = f"{sql}::float8[]"
    inner = _PLANS.get(items["kind"], _text)(name, sql, items)
    cast = inner.sql.removeprefix(f"{sql}::")
    kind = pa.list_(inner.type)
    sql = sql if cast == inner.sql else f"{sql}::{cast}[]"
    return ReadColumn(name, sql, kind, items_of(inner.convert, kind))


_PLANS: Mapping[str, Callable[[str, str, Generic], ReadColumn]] = {
    "boolean": lambda name, sql, _: plain(name, sql, pa.bool_()),
    "integer": _integer,
    "decimal": _decimal,
    "float": _float,
    "binary": lambda name, sql, _: plain(name, sql, pa.binary()),
    "date": _date,
    "timestamp": _timestamp,
    "time": _time,
    "interval": _interval,
}
