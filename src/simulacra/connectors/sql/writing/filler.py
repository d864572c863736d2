"""Rows on their way into one table."""

from __future__ import annotations

from typing import Self

import pyarrow as pa

from simulacra.connectors.sql.place import Database, failing
from simulacra.connectors.sql.writing.store import Store
from simulacra.connectors.sql.writing.tables import NewTable
from simulacra.core.errors import OutputError
from simulacra.core.protocols import BLOCK_ROWS

_BATCH_BYTES = 32 << 20


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
