"""Connections to MySQL and MariaDB, by pymysql: one that reads, one that takes rows in bulk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymysql.connections import Connection, MySQLResult

from simulacra.connectors.sql.place import Database

_PIECE = 1 << 16


def connect(database: Database, *, read_only: bool = False) -> Connection:
    """Return a connection in UTC and UTF-8.

    Args:
        database: Where to.
        read_only: Makes no difference here.
    """
    del read_only
    return _opened(Connection(**_arguments(database)))


def connect_loading(database: Database) -> LoadingConnection:
    """Return a connection that loads rows from memory."""
    made: LoadingConnection = _opened(LoadingConnection(**_arguments(database), local_infile=True))
    return made


def _arguments(database: Database) -> Mapping[str, Any]:
    """Return what pymysql takes; ``~/.my.cnf`` gives what the URL leaves out."""
    from sqlalchemy.dialects.mysql.pymysql import dialect

    _, arguments = dialect().create_connect_args(database.url)
    file = Path("~/.my.cnf").expanduser()
    if not database.url.password and file.is_file():
        arguments["read_default_file"] = str(file)
    return {
        **arguments,
        "charset": "utf8mb4",
        "init_command": "SET time_zone = '+00:00'",
        "defer_connect": True,
    }


def _opened(connection: Any) -> Any:
    # pymysql takes passwords for Latin 1; servers, and their own clients, for UTF-8.
    connection.password = connection.password.decode("latin1").encode()
    connection.connect()
    return connection


class LoadingConnection(Connection):  # type: ignore[misc]  # pymysql ships no types
    """Sends what :meth:`load` was given, whatever file the server asks for.

    A server that is not to be trusted can ask a client for any of its files: pymysql would send it.
    """

    def load(self, statement: str, rows: memoryview) -> None:
        """Run a ``LOAD DATA LOCAL INFILE`` statement.

        Args:
            statement: The statement; the file it names doesn't matter.
            rows: The file's content.
        """
        self._rows = rows
        try:
            with self.cursor() as cursor:
                cursor.execute(statement)
        finally:
            self._rows = memoryview(b"")

    def _read_query_result(self, unbuffered: bool = False) -> Any:  # noqa: FBT001, FBT002 - pymysql's own
        del unbuffered
        self._result = None
        result = _Result(self)
        result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return result.affected_rows


class _Result(MySQLResult):  # type: ignore[misc]  # pymysql ships no types
    def _read_load_local_packet(self, first_packet: Any) -> None:
        del first_packet
        connection = self.connection
        rows: memoryview = connection._rows  # noqa: SLF001 - its own
        for start in range(0, len(rows), _PIECE):
            connection.write_packet(bytes(rows[start : start + _PIECE]))
        connection.write_packet(b"")
        # An error of the server is raised here.
        self._read_ok_packet(connection._read_packet())  # noqa: SLF001 - as pymysql does
