"""Writing to SQLite: one transaction, rows by ADBC.

Keys and foreign keys can only be said when a table is made. Foreign keys are checked at the end, so
that rows come in any order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.sql.sqlite.connection import connect
from simulacra.connectors.sql.sqlite.errors import explained
from simulacra.connectors.sql.types.spelling import quoted_text
from simulacra.connectors.sql.writing import ddl
from simulacra.connectors.sql.writing.store import Notes, Task, broken
from simulacra.connectors.sql.writing.tables import NewColumn, NewTable
from simulacra.connectors.sql.writing.values import (
    Wording,
    as_text,
    is_bytes,
    plain,
)
from simulacra.core.errors import OutputError

_WORDING = Wording(title="SQLite", zone="+00:00")
_NUMBER_LIKE = re.compile(r"(?i)int|real|floa|doub|num|dec|bool")


def open_store(task: Task) -> SqliteStore:
    """Connect, to write."""
    return SqliteStore(task)


class SqliteStore:
    """Writes tables to SQLite.

    Args:
        task: What is to be written.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._dialect = task.database.dialect
        self._connection = connect(task.database)
        self._orphans: dict[str, int] = {}
        self._is_begun = False
        self._notes = Notes(task)

    # --- making tables ---------------------------------------------------------------------

    def prepare(self) -> None:
        """Begin, and make the tables."""
        self._run("PRAGMA foreign_keys = OFF")
        self._run("PRAGMA busy_timeout = 60000")
        self._run("BEGIN IMMEDIATE")
        self._is_begun = True
        for place in self._task.replaced:
            self._run(f"DROP TABLE {self._dialect.quoted(place.table)}")
        for table in self._task.new():
            constraints = [
                *self._keys(table),
                *(ddl.check_sql(self._dialect, check) for check in table.checks),
                *(
                    ddl.reference_sql(self._dialect, key, self._dialect.quoted(key.parent.table))
                    for key in table.references
                ),
            ]
            name = self._dialect.quoted(table.place.table)
            self._run(ddl.create_table(self._dialect, table, name, constraints=constraints), table)
        self._orphans = {table.name: len(self._orphans_of(table)) for table in self._task.filled()}

    def _keys(self, table: NewTable) -> Iterator[str]:
        if table.primary_key is not None:
            yield ddl.primary_key_sql(self._dialect, table.primary_key)
        for key in table.unique:
            yield ddl.unique_sql(self._dialect, key)

    # --- rows ------------------------------------------------------------------------------

    def load(self, table: NewTable, rows: pa.RecordBatch) -> None:
        """Insert rows."""
        columns = [table.columns[name] for name in rows.schema.names]
        values = [
            self._stored(column, plain(found), table.where([column.name]))
            for column, found in zip(columns, rows.columns, strict=True)
        ]
        numbers = [str(number) for number in range(len(values))]
        batch = pa.RecordBatch.from_arrays(values, numbers)
        names = ddl.listed(self._dialect, rows.schema.names)
        places = ", ".join("?" for _ in values)
        into = f"INSERT INTO {self._dialect.quoted(table.place.table)} ({names})"
        with explained(self._task, table), self._connection.cursor() as cursor:
            cursor.executemany(f"{into} VALUES ({places})", batch)

    def _stored(self, column: NewColumn, values: pa.Array, where: str) -> pa.Array:
        """Return values as SQLite keeps them: whole numbers, floats, texts, bytes."""
        kind = values.type
        wanted = column.generic["kind"]
        if pa.types.is_floating(kind):
            self._notes.nan(values, where)
        if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
            return _fitting(values, where)
        if pa.types.is_duration(kind) and wanted == "integer":
            return values.cast(pa.int64())
        # As text, SQLite would turn decimals into the same floats.
        is_number = pa.types.is_decimal(kind) and _NUMBER_LIKE.search(column.type)
        if pa.types.is_floating(kind) or is_number:
            return values.cast(pa.float64())
        if is_bytes(kind) and wanted != "uuid":
            return values.cast(pa.large_binary())
        text = as_text(values, wanted, _WORDING, where)
        if pa.types.is_timestamp(kind):
            # Moments at full seconds are commonly written without a fraction.
            text = pc.replace_substring_regex(text, r"\.0+($|\+)", r"\1")
        return text

    # --- keys and constraints --------------------------------------------------------------

    def finish(self) -> None:
        """Add indexes, check what refers to what, and commit."""
        for table in self._task.new():
            for index in table.indexes:
                name = self._dialect.quoted(table.place.table)
                self._run(ddl.index_sql(self._dialect, index, name), table)
        for table in self._task.tables.values():
            found = self._orphans_of(table)
            if len(found) > self._orphans.get(table.name, 0):
                raise self._orphan(table, int(found[-1][0]))
        self._run("COMMIT")
        self._is_begun = False

    def _orphans_of(self, table: NewTable) -> list[Any]:
        """Return the foreign key's number for each row that names no other."""
        name = quoted_text(table.place.table)
        return self._rows(f"SELECT fkid FROM pragma_foreign_key_check({name})")  # noqa: S608 - a quoted value

    def _orphan(self, table: NewTable, number: int) -> OutputError:
        name = quoted_text(table.place.table)
        parts = self._rows(
            'SELECT "from", "table" FROM '  # noqa: S608 - a quoted value
            f"pragma_foreign_key_list({name}) WHERE id = {number} ORDER BY seq"
        )
        columns = tuple(column for column, _ in parts)
        names = [key.name for key in table.references if key.columns == columns]
        why = f"there is a row that names none of {parts[0][1]}"
        return broken(names[0] if names else None, table.where(columns), why)

    # --- ending ----------------------------------------------------------------------------

    def abandon(self) -> None:
        """Roll back."""
        # There is nothing to roll back where a transaction could not begin.
        if self._is_begun:
            self._is_begun = False
            self._run("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # --- statements ------------------------------------------------------------------------

    def _run(self, statement: str, table: NewTable | None = None) -> None:
        with explained(self._task, table), self._connection.cursor() as cursor:
            cursor.execute(statement)

    def _rows(self, query: str) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())


def _fitting(values: pa.Array, where: str) -> pa.Array:
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        raise OutputError(
            "SQLite knows whole numbers up to 9,223,372,036,854,775,807, one is beyond", where=where
        ) from None
