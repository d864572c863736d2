"""Rows of MySQL and MariaDB, by :mod:`.rows` over one connection that holds the snapshot.

Snapshots can't be shared between connections there, so passes take turns
(:mod:`..reading.one_at_a_time`). Rows come in the order of the primary key, in which InnoDB keeps
them; of tables without one, in InnoDB's own order; of views, sorted by all columns.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.sql.mysql.connection import connect
from simulacra.connectors.sql.mysql.rows import rows_of
from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database
from simulacra.connectors.sql.reading.conversions import Convert, Note, moments_from_text, to_type
from simulacra.connectors.sql.reading.one_at_a_time import OneAtATime
from simulacra.connectors.sql.reading.reader import ReadColumn, decimal, digits_of, integer
from simulacra.connectors.sql.types.generic import Generic
from simulacra.core.context import RunContext

_SETTINGS = (
    # learning takes as long as it takes: the server is not to hang up
    "SET SESSION net_write_timeout = 31536000",
    "SET SESSION wait_timeout = 31536000",
)
_SPATIAL = {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
            "multipolygon", "geometrycollection", "geomcollection"}  # fmt: skip


def open_reader(database: Database, ctx: RunContext) -> MysqlReader:
    """Begin a snapshot."""
    del ctx
    return MysqlReader(database)


class MysqlReader:
    """Reads tables in one snapshot, a pass at a time.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = connect(database)
        weakref.finalize(self, _close, self._connection)
        self._turns = OneAtATime()
        with self._connection.cursor() as cursor:
            for statement in (*_SETTINGS, *database.dialect.snapshot):
                cursor.execute(statement)

    def columns(self, origin: Origin, name: str) -> list[ReadColumn]:
        """Plan how a table is read; truths and times are looked at."""
        del name
        columns = origin["columns"]
        looked = [c for c in columns if columns[c]["generic"]["kind"] in {"boolean", "time"}]
        ranges: dict[str, tuple[Any, Any]] = {}
        if looked:
            wanted = [
                f"MIN({self._number(origin, c)}), MAX({self._number(origin, c)})" for c in looked
            ]
            found = self._ask(f"SELECT {', '.join(wanted)} FROM {self._table(origin)}")  # noqa: S608 - names are quoted
            ranges = {c: (found[2 * i], found[2 * i + 1]) for i, c in enumerate(looked)}
        return [
            _column(c, self._quoted(c), column, ranges.get(c, (None, None)))
            for c, column in columns.items()
        ]

    def _number(self, origin: Origin, column: str) -> str:
        is_time = origin["columns"][column]["generic"]["kind"] == "time"
        quoted = self._quoted(column)
        return f"TIME_TO_SEC({quoted})" if is_time else f"({quoted} + 0)"

    def _quoted(self, *names: str) -> str:
        return self._database.dialect.quoted(*names)

    def _table(self, origin: Origin) -> str:
        return self._quoted(origin["schema"], origin["table"])

    def _ask(self, query: str) -> tuple[Any, ...]:
        def question() -> tuple[Any, ...]:
            with self._connection.cursor() as cursor:
                cursor.execute(query)
                row: tuple[Any, ...] = cursor.fetchone()
                return row

        answer: tuple[Any, ...] = self._turns.ask(question)
        return answer

    def rows(self, origin: Origin) -> int:
        """Count the rows of a table."""
        return int(self._ask(f"SELECT COUNT(*) FROM {self._table(origin)}")[0])  # noqa: S608 - names are quoted

    def batches(
        self, origin: Origin, columns: Sequence[ReadColumn], batch_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Start over and yield the columns as the server's text of them."""
        wanted = ", ".join(column.sql for column in columns)
        query = f"SELECT {wanted} FROM {self._table(origin)} {self._order(origin)}"  # noqa: S608 - names are quoted
        names = [column.name for column in columns]
        return self._turns.run(lambda: self._pass(query, names, batch_rows))

    def _order(self, origin: Origin) -> str:
        key = origin["primary_key"]["columns"]
        if key:
            return f"FORCE INDEX (PRIMARY) ORDER BY {', '.join(map(self._quoted, key))}"
        if not origin.get("view"):
            return "USE INDEX ()"
        return f"ORDER BY {', '.join(map(self._quoted, origin['columns']))}"

    def _pass(self, query: str, names: list[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
        rows = rows_of(self._connection, query, names, batch_rows)
        try:
            for batch in rows:  # noqa: UP028 - "yield from" would close what is to be emptied
                yield batch
        except GeneratorExit:
            self._stop(rows)
            raise

    def _stop(self, rows: Iterator[pa.RecordBatch]) -> None:
        """Let the server end a query early, and take in what it has sent by then."""
        from pymysql import Error

        with suppress(Error), closing(connect(self._database)) as other:
            other.query(f"KILL QUERY {self._connection.thread_id()}")
        with suppress(Error):
            for _ in rows:
                pass


def _close(connection: Any) -> None:
    if connection.open:
        connection.close()


def _column(name: str, sql: str, column: Mapping[str, Any], span: tuple[Any, Any]) -> ReadColumn:
    generic = column["generic"]
    least, most = (float(end) if end is not None else 0.0 for end in span)
    if generic["kind"] == "boolean" and (least < 0 or most > 1):
        generic = {"kind": "integer", "bits": 8}
    if generic["kind"] == "time" and (least < 0 or most >= _DAY):
        return ReadColumn(name, sql, pa.duration("us"), _duration)
    if column["type"].partition("(")[0].partition(" ")[0].lower() in _SPATIAL:
        return _plain(name, f"ST_AsText({sql})", pa.string())
    return _PLANS.get(generic["kind"], _other)(name, sql, generic)


_DAY = 86_400
"""Seconds."""


def _plain(name: str, sql: str, kind: pa.DataType) -> ReadColumn:
    return ReadColumn(name, sql, kind, _parsed(kind))


def _parsed(kind: pa.DataType) -> Convert:
    """Read values from the server's text of them."""
    cast = to_type(kind)

    def convert(values: pa.Array, note: Note) -> pa.Array:
        return cast(values.cast(pa.string()), note)

    return convert


def _duration(values: pa.Array, note: Note) -> pa.Array:
    """Read ``-838:59:59.000000``: MySQL's times are lengths of time, too."""
    del note
    parts = pc.extract_regex(
        values.cast(pa.string()),
        r"^(?P<sign>-?)(?P<hours>\d+):(?P<minutes>\d+):(?P<seconds>\d+)(?P<rest>\.?\d*)$",
    )

    def number(part: str) -> pa.Array:
        return pc.struct_field(parts, part).cast(pa.int64())

    seconds = pc.add(
        pc.add(pc.multiply(number("hours"), 3600), pc.multiply(number("minutes"), 60)),
        number("seconds"),
    )
    rest = pc.binary_replace_slice(pc.struct_field(parts, "rest"), 0, 1, "")
    rest = pc.utf8_rpad(rest, 6, "0").cast(pa.int64())
    count = pc.add(pc.multiply(seconds, 1_000_000), rest)
    minus = pc.equal(pc.struct_field(parts, "sign"), "-")
    return pc.if_else(minus, pc.negate(count), count).view(pa.duration("us"))


def _decimal(name: str, sql: str, generic: Generic) -> ReadColumn:
    precision, scale = digits_of(generic) or (65, 30)
    return _plain(name, sql, decimal(precision, scale))


def _float(name: str, sql: str, generic: Generic) -> ReadColumn:
    # As text a float has 6 digits; as a double it has all.
    return _plain(name, f"({sql} + 0e0)", pa.float32() if generic["bits"] == 32 else pa.float64())


def _timestamp(name: str, sql: str, generic: Generic) -> ReadColumn:
    kind = pa.timestamp("us", "UTC" if generic.get("zone") else None)
    return ReadColumn(name, sql, kind, moments_from_text(kind))


def _text(name: str, sql: str, generic: Generic) -> ReadColumn:
    del generic
    return _plain(name, sql, pa.string())


def _other(name: str, sql: str, generic: Generic) -> ReadColumn:
    del generic
    return _plain(name, f"CAST({sql} AS CHAR)", pa.string())


def _bits(name: str, sql: str, generic: Generic) -> ReadColumn:
    return _plain(name, f"LPAD(BIN({sql}), {generic['length']}, '0')", pa.string())


_PLANS: Mapping[str, Callable[[str, str, Generic], ReadColumn]] = {
    "boolean": lambda name, sql, _: _plain(name, f"({sql} + 0)", pa.bool_()),
    "integer": lambda name, sql, generic: _plain(name, f"({sql} + 0)", integer(generic)),
    "decimal": _decimal,
    "float": _float,
    "text": _text,
    "json": _text,
    "uuid": _text,
    "enum": _text,
    "set": _text,
    "binary": lambda name, sql, _: ReadColumn(name, sql, pa.binary(), to_type(pa.binary())),
    "bits": _bits,
    "date": lambda name, sql, _: ReadColumn(name, sql, pa.date32(), moments_from_text(pa.date32())),
    "timestamp": _timestamp,
    "time": lambda name, sql, _: _plain(name, sql, pa.time64("us")),
}
