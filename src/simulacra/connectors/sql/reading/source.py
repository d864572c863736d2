"""Tables of a database as sources: read again and again, all in the same snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property

import pyarrow as pa

from simulacra.connectors.sql.connections import require
from simulacra.connectors.sql.origin import Origin
from simulacra.connectors.sql.place import Database, connecting
from simulacra.connectors.sql.reading.reader import ReadColumn, Reader
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.protocols import BLOCK_ROWS


def open_tables(
    database: Database, tables: Mapping[str, Origin], ctx: RunContext
) -> dict[str, SqlSource]:
    """Open tables in one snapshot, which lasts as long as any of them is in use.

    Raises:
        InputError: The database can't be read.
        PluginError: A driver is not installed.
    """
    with connecting(database):
        require(database.dialect)
        reader: Reader = database.dialect.part("reader").open_reader(database, ctx)
    return {name: SqlSource(database, reader, name, origin, ctx) for name, origin in tables.items()}


class SqlSource:
    """A table of a database.

    Args:
        database: Where it is.
        reader: Reads it, and others, in one snapshot.
        name: What it is called in messages.
        origin: What the database declares of it.
        ctx: Where to tell of values that can't be kept as they are.

    Raises:
        InputError: It can't be read.
    """

    def __init__(
        self, database: Database, reader: Reader, name: str, origin: Origin, ctx: RunContext
    ) -> None:
        self._database = database
        self._reader = reader
        self._name = name
        self._origin = origin
        self._note = ctx.progress.note
        self._noted: set[str] = set()
        with self._connecting():
            columns = reader.columns(origin, name)
        self._columns = {column.name: column for column in columns}
        self._schema = pa.schema([(column.name, column.type) for column in columns])

    def _connecting(self) -> AbstractContextManager[None]:
        return connecting(self._database, where=f"{self._name} in {self._database.safe}")

    @property
    def schema(self) -> pa.Schema:
        """Names and Arrow types of the columns."""
        return self._schema

    def rows(self) -> int:
        """Return the number of rows, counted by the database.

        Raises:
            InputError: It can't be read.
        """
        return self._rows

    @cached_property
    def _rows(self) -> int:
        with self._connecting():
            return self._reader.rows(self._origin)

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Start over and yield the rows, in the same order every time, whatever the columns.

        Raises:
            InputError: The database can't be read, or a value is not what its column declares.
        """
        names = self._schema.names if columns is None else list(columns)
        chosen = [self._columns[name] for name in names]
        schema = pa.schema([self._schema.field(name) for name in names])
        with self._connecting():
            for batch in self._reader.batches(self._origin, chosen, batch_rows):
                arrays = [
                    self._converted(*pair) for pair in zip(batch.columns, chosen, strict=True)
                ]
                whole = pa.RecordBatch.from_arrays(arrays, schema=schema)
                for start in range(0, whole.num_rows, batch_rows):
                    yield whole.slice(start, batch_rows)

    def _converted(self, values: pa.Array, column: ReadColumn) -> pa.Array:
        where = f"{self._name}.{column.name}"

        def note(message: str) -> None:
            told = f"{where} {message}"
            if told not in self._noted:
                self._noted.add(told)
                self._note(told)

        try:
            return column.convert(values, note)
        except pa.ArrowException as error:
            declared = self._origin["columns"][column.name]["type"]
            raise InputError(
                f"a value is not what the column declares ({declared})",
                where=where,
                why=str(error).splitlines()[0],
                mend="Correct it, or leave the table out (exclude)",
            ) from error
