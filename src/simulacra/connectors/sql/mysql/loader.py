"""Rows for MySQL and MariaDB."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from simulacra.connectors.sql.mysql.connection import LoadingConnection
from simulacra.connectors.sql.mysql.errors import explained, explanation
from simulacra.connectors.sql.writing import ddl
from simulacra.connectors.sql.writing.row_text import lines
from simulacra.connectors.sql.writing.store import Notes, Task
from simulacra.connectors.sql.writing.tables import NewColumn, NewTable
from simulacra.connectors.sql.writing.values import Wording, as_text, plain

_WORDING = Wording(title="MySQL")
_INSERTED_ROWS = 1_000
_READ = {"binary": "UNHEX({})", "bits": "CONV({}, 2, 10)"}
"""How values come from text that can't be written as they are."""


def run(connection: LoadingConnection, statement: str) -> list[Any]:
    """Run a statement as it is; return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


class RowLoader:
    """Puts rows into tables.

    Args:
        task: What is written.
        can_load: Whether the server takes files of rows; else they are inserted.
    """

    def __init__(self, task: Task, *, can_load: bool) -> None:
        self._task = task
        self._can_load = can_load
        self._notes = Notes(task)

    def put(
        self, connection: LoadingConnection, table: NewTable, place: str, rows: pa.RecordBatch
    ) -> None:
        """Put rows into a table, which is called ``place`` (quoted) for the time being.

        Raises:
            OutputError: It can't hold them.
        """
        columns = [table.columns[name] for name in rows.schema.names]
        for column, values in zip(columns, rows.columns, strict=True):
            if pa.types.is_floating(values.type):
                self._notes.nan(values, table.where([column.name]))
        cells = [
            as_text(plain(values), column.generic["kind"], _WORDING, table.where([column.name]))
            for column, values in zip(columns, rows.columns, strict=True)
        ]
        with explained(self._task, table):
            if self._can_load:
                self._load_text(connection, table, place, columns, cells)
            else:
                self._insert(connection, place, columns, cells)

    def _load_text(
        self,
        connection: LoadingConnection,
        table: NewTable,
        place: str,
        columns: Sequence[NewColumn],
        cells: Sequence[pa.Array],
    ) -> None:
        targets, settings = [], []
        for number, column in enumerate(columns):
            how = _READ.get(column.generic["kind"])
            name = self._task.database.dialect.quoted(column.name)
            targets.append(name if how is None else f"@c{number}")
            if how is not None:
                settings.append(f"{name} = {how.format(f'@c{number}')}")
        ending = f" SET {', '.join(settings)}" if settings else ""
        connection.load(
            f"LOAD DATA LOCAL INFILE 'rows' INTO TABLE {place} CHARACTER SET utf8mb4 "
            f"({', '.join(targets)}){ending}",
            lines(cells),
        )
        # With LOCAL, the server warns of what it would refuse otherwise.
        for level, code, message in run(connection, "SHOW WARNINGS"):
            if level != "Note":
                raise explanation(self._task, int(code), str(message), table)

    def _insert(
        self,
        connection: LoadingConnection,
        place: str,
        columns: Sequence[NewColumn],
        cells: Sequence[pa.Array],
    ) -> None:
        names = ddl.listed(self._task.database.dialect, [column.name for column in columns])
        values = ", ".join(_READ.get(c.generic["kind"], "{}").format("%s") for c in columns)
        into = f"INSERT INTO {place} ({names})".replace("%", "%%")
        rows = zip(*(column.to_pylist() for column in cells), strict=True)
        with connection.cursor() as cursor:
            while piece := list(islice(rows, _INSERTED_ROWS)):
                cursor.executemany(f"{into} VALUES ({values})", piece)
