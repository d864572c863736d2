"""Writing to any database that SQLAlchemy reaches: the plainest statements, row by row.

New tables are dropped again after a failure. Tables that are there are filled, or their rows
replaced, in one transaction: their rows wait in files until all are known, and go in parents first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.sql.connections import engine
from simulacra.connectors.sql.types.generic import Generic
from simulacra.connectors.sql.writing.order import parents_first
from simulacra.connectors.sql.writing.store import Task
from simulacra.connectors.sql.writing.tables import Location, NewColumn, NewTable
from simulacra.connectors.sql.writing.values import Wording, as_text, is_bytes, plain

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.types import TypeEngine

_WORDING = Wording(title="the database", extremes=True)
_KEY_LENGTH = 255
_ROWS = 5_000


def open_store(task: Task) -> AnyStore:
    """Connect, to write."""
    return AnyStore(task)


class AnyStore:
    """Writes tables through SQLAlchemy alone.

    Args:
        task: What is to be written; of the tables that are replaced only the rows are.
    """

    def __init__(self, task: Task) -> None:
        from sqlalchemy import MetaData

        self._task = task
        self._connection = engine(task.database).connect()
        self._metadata = MetaData()
        self._tables = {table.place: self._described(table) for table in task.tables.values()}
        self._made: list[Location] = []
        self._room = tempfile.TemporaryDirectory(prefix="simulacra-")
        self._spools: dict[Location, pa.RecordBatchFileWriter] = {}

    def _described(self, table: NewTable) -> Table:
        from sqlalchemy import CheckConstraint, PrimaryKeyConstraint, Table, UniqueConstraint, text

        keyed = {
            column
            for key in (table.primary_key, *table.unique, *table.references)
            if key is not None
            for column in key.columns
        }
        parts: list[Any] = [
            _column(column, is_keyed=column.name in keyed) for column in table.columns.values()
        ]
        if not table.exists:
            if table.primary_key is not None:
                key = table.primary_key
                parts.append(PrimaryKeyConstraint(*key.columns, name=key.name))
            parts += [UniqueConstraint(*key.columns, name=key.name) for key in table.unique]
            parts += [CheckConstraint(text(check.sql), name=check.name) for check in table.checks]
        return Table(table.place.table, self._metadata, *parts, schema=table.place.schema)

    # --- making tables ---------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the new tables, without foreign keys: rows come in any order."""
        for table in self._task.new():
            self._made.append(table.place)
            self._tables[table.place].create(self._connection)
        self._connection.commit()

    # --- rows ------------------------------------------------------------------------------

    def load(self, table: NewTable, rows: pa.RecordBatch) -> None:
        """Insert rows into a new table; put those for others aside."""
        if not table.exists:
            self._insert(table, rows)
            return
        if table.place not in self._spools:
            path = Path(self._room.name) / str(len(self._spools))
            self._spools[table.place] = pa.ipc.new_file(path, rows.schema)
        self._spools[table.place].write_batch(rows)

    def _insert(self, table: NewTable, rows: pa.RecordBatch) -> None:
        statement = self._tables[table.place].insert()
        for start in range(0, rows.num_rows, _ROWS):
            piece = rows.slice(start, _ROWS)
            columns = [
                _python(table.columns[name], plain(values), table.where([name]))
                for name, values in zip(piece.schema.names, piece.columns, strict=True)
            ]
            made = [
                dict(zip(piece.schema.names, row, strict=True))
                for row in zip(*columns, strict=True)
            ]
            self._connection.execute(statement, made)

    # --- keys and constraints --------------------------------------------------------------

    def finish(self) -> None:
        """Add foreign keys and indexes, then fill the tables that are there, and commit."""
        self._connection.commit()
        for table in self._task.new():
            self._add_references(table)
        self._connection.commit()
        filled = [table for table, _, _ in parents_first(self._task.filled())]
        for table in reversed(filled):
            if table.place in self._task.replaced:
                self._connection.execute(self._tables[table.place].delete())
        readers = {}
        for number, (place, spool) in enumerate(self._spools.items()):
            spool.close()
            readers[place] = pa.ipc.open_file(Path(self._room.name) / str(number))
        for table in filled:
            if reader := readers.get(table.place):
                for number in range(reader.num_record_batches):
                    self._insert(table, reader.get_batch(number))
        self._connection.commit()

    def _add_references(self, table: NewTable) -> None:
        from sqlalchemy import ForeignKeyConstraint, Index
        from sqlalchemy.schema import AddConstraint

        made = self._tables[table.place]
        for key in table.references:
            parent = self._tables[key.parent]
            constraint = ForeignKeyConstraint(
                list(key.columns),
                [parent.c[column] for column in key.parent_columns],
                name=key.name,
                use_alter=True,
                ondelete=key.on_delete,
                onupdate=key.on_update,
            )
            made.append_constraint(constraint)
            self._connection.execute(AddConstraint(constraint))
        for index in table.indexes:
            names = [column for column in index.columns if column is not None]
            Index(index.name, *(made.c[name] for name in names), unique=index.unique).create(
                self._connection
            )

    # --- ending ----------------------------------------------------------------------------

    def abandon(self) -> None:
        """Roll back, and drop what was made, with the keys that it really has by now."""
        from sqlalchemy import MetaData, Table, inspect

        self._connection.rollback()
        inspector = inspect(self._connection)
        there = MetaData()
        made = [
            Table(place.table, there, schema=place.schema, autoload_with=self._connection)
            for place in self._made
            if inspector.has_table(place.table, schema=place.schema)
        ]
        there.drop_all(self._connection, tables=made)
        self._connection.commit()

    def close(self) -> None:
        """Close the connection, and drop the rows that waited."""
        for spool in self._spools.values():
            spool.close()
        self._room.cleanup()
        self._connection.close()


def _column(column: NewColumn, *, is_keyed: bool) -> Any:
    from sqlalchemy import Column, text

    return Column(
        column.name,
        _type(column.generic, is_keyed=is_keyed),
        nullable=column.nullable,
        server_default=text(column.default) if column.default is not None else None,
        autoincrement=column.counts,
        comment=column.comment,
    )


def _type(generic: Generic, *, is_keyed: bool) -> TypeEngine[Any]:
    from sqlalchemy import types

    kind, length = generic["kind"], generic.get("length")
    if kind == "integer":
        return _integer_type(generic)
    if is_keyed and length is None:
        length = _KEY_LENGTH
    text = types.String(length) if length is not None else types.Text()
    known: dict[str, Callable[[], TypeEngine[Any]]] = {
        "boolean": types.Boolean,
        "float": types.Double,
        "date": types.Date,
        "time": types.Time,
        "decimal": lambda: types.Numeric(generic["precision"], generic["scale"]),
        "binary": lambda: types.LargeBinary(length),
        "timestamp": lambda: types.DateTime(timezone=bool(generic.get("zone"))),
    }
    return known[kind]() if kind in known else text


def _integer_type(generic: Generic) -> TypeEngine[Any]:
    from sqlalchemy import types

    bits = generic["bits"] * (2 if generic.get("unsigned") else 1)
    if bits > 64:
        return types.Numeric(20 if generic["bits"] == 64 else 38, 0)
    small = {8: types.SmallInteger(), 16: types.SmallInteger(), 32: types.Integer()}
    return small.get(bits, types.BigInteger())


def _python(column: NewColumn, values: pa.Array, where: str) -> list[Any]:
    """Return values as Python's own."""
    kind = values.type
    if pa.types.is_timestamp(kind):
        moments = values
        if kind.unit == "ns":
            moments = pc.floor_temporal(values, unit="microsecond")
        values = moments.cast(pa.timestamp("us", kind.tz), safe=False)
    elif pa.types.is_time(kind):
        values = values.cast(pa.time64("us"), safe=False)
    elif pa.types.is_duration(kind):
        values = values.cast(pa.int64())
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    moments_too = pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind)
    known = numbers or moments_too or pa.types.is_boolean(kind) or pa.types.is_duration(kind)
    if known and column.generic["kind"] != "text":
        return list(values.to_pylist())
    if is_bytes(kind) and column.generic["kind"] != "uuid":
        return list(values.to_pylist())
    return list(as_text(values, column.generic["kind"], _WORDING, where).to_pylist())
