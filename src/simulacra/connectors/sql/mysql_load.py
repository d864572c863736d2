"""Rows for MySQL and MariaDB, and what they say of rows that don't fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from simulacra.connectors.sql import ddl
from simulacra.connectors.sql.row_text import lines
from simulacra.connectors.sql.store import Notes, Task, broken
from simulacra.connectors.sql.tables import Index, Key, NewColumn, NewTable, Reference
from simulacra.connectors.sql.values import Wording, as_text, plain
from simulacra.core.errors import OutputError

if TYPE_CHECKING:
    from simulacra.connectors.sql.mysql_connection import LoadingConnection

_WORDING = Wording(title="MySQL")
_INSERTED_ROWS = 1_000
_BROKEN = {1062, 1452, 1048, 3819, 4025, 1216, 1586}
"""Errors that say that rows don't keep a constraint."""

_READ = {"binary": "UNHEX({})", "bits": "CONV({}, 2, 10)"}
"""How values come from text that can't be written as they are."""


def connect(arguments: Mapping[str, Any]) -> LoadingConnection:
    """Return a connection that loads rows from memory.

    Args:
        arguments: Those of ``pymysql.connect``.
    """
    from simulacra.connectors.sql.mysql_connection import LoadingConnection

    return LoadingConnection(**arguments, local_infile=True)


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
                raise _explanation(self._task, int(code), str(message), table)

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


@contextmanager
def explained(task: Task, table: NewTable | None) -> Iterator[None]:
    """Name the constraint, or the column, that rows don't fit."""
    import pymysql

    try:
        yield
    except pymysql.Error as error:
        if table is None or len(error.args) != 2:
            raise
        raise _explanation(task, int(error.args[0]), str(error.args[1]), table) from None


def _explanation(task: Task, code: int, message: str, table: NewTable) -> OutputError:
    # Until the end a table has another name.
    message = re.sub(r"_simulacra_[0-9a-f]{8}_\d+", lambda _: table.name, message)
    why = task.database.scrubbed(message)
    if code in _BROKEN:
        name, columns = _constraint_in(message, table)
        return broken(name, table.where(columns) if columns else table.name, why)
    column = re.search(r"column '?(?:`[^`]+`\.)*[`']?([^`']+)[`']", message)
    where = table.where([column[1]]) if column is not None else table.name
    return OutputError("can't write to the table", where=where, why=why)


def _constraint_in(message: str, table: NewTable) -> tuple[str | None, list[str]]:
    """Return the constraint that a message names, and its columns."""
    if column := re.search(r"[Cc]olumn '([^']+)' cannot be null", message):
        return None, [column[1]]
    found = re.search(r"CONSTRAINT `((?:[^`]|``)+)`|for key '([^']+)'", message)
    if found is None:
        return None, []
    name = (found[1] or found[2]).replace("``", "`").rpartition(".")[2]
    if name == "PRIMARY" and table.primary_key is not None:
        return "PRIMARY", list(table.primary_key.columns)
    keys: tuple[Key | Reference | Index, ...]
    keys = (*table.unique, *table.references, *table.indexes)
    for key in keys:
        if key.name == name:
            return name, [column for column in key.columns if column is not None]
    return name, []
