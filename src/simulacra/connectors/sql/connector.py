"""The connectors of databases: one a kind, all alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, ClassVar, Self

from simulacra.connectors.files import C, parse_options
from simulacra.connectors.sql.dialects import DUCKDB, GENERIC, MYSQL, POSTGRESQL, SQLITE
from simulacra.connectors.sql.options import SqlReadOptions, SqlWriteOptions
from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.errors import InputError
from simulacra.core.protocols import BatchSource, TableWriter
from simulacra.core.schema import DatasetSpec

if TYPE_CHECKING:
    import pyarrow as pa

    from simulacra.connectors.sql.place import Database


class _Databases:
    """What the connectors of all databases do; what differs is in :mod:`.dialects`."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    schemes: ClassVar[tuple[str, ...]]
    fills: ClassVar[bool] = True
    """Tables can be put beside others, and rows into tables that are there."""
    chooses_tables: ClassVar[bool] = True
    """The options include and exclude are its own: other tables are not looked at."""

    def read(
        self, uri: str, options: Mapping[str, Any], ctx: RunContext
    ) -> Mapping[str, BatchSource]:
        """Open the tables of a database, all in one snapshot.

        Raises:
            InputError: It can't be read, or holds no table.
            UsageError: An option makes no sense.
            PluginError: A driver is not installed.
        """
        from simulacra.connectors.sql.reading.reflect import reflect
        from simulacra.connectors.sql.reading.source import open_tables

        chosen = self._options(SqlReadOptions, options)
        database = self._there(uri)
        tables = reflect(database, chosen)
        if not database.dialect.tested:
            ctx.progress.note(f"{database.safe}: Simulacra is not tested with this database")
        return open_tables(database, tables, ctx)

    def declared(
        self, uri: str, options: Mapping[str, Any], ctx: RunContext
    ) -> Mapping[str, DeclaredTable]:
        """Return what a database declares of the tables that ``read`` opens.

        Raises:
            InputError: It can't be read, or holds no table.
            UsageError: An option makes no sense.
            PluginError: A driver is not installed.
        """
        from simulacra.connectors.sql.reading.reflect import declared_of, reflect

        del ctx
        chosen = self._options(SqlReadOptions, options)
        return declared_of(reflect(self._there(uri), chosen))

    @staticmethod
    def _there(uri: str) -> Database:
        from simulacra.connectors.sql.place import database_of

        database = database_of(uri)
        if database.dialect.is_file and not database.path.is_file():
            raise InputError("there is no such file", where=database.safe)
        return database

    def publish(
        self,
        uri: str,
        tables: Mapping[str, pa.Schema],
        spec: DatasetSpec | None,
        options: Mapping[str, Any],
        ctx: RunContext,
    ) -> AbstractContextManager[Mapping[str, TableWriter]]:
        """Give a writer for each table; all become visible at the end, or none.

        Raises:
            OutputError: The database refuses, or tables are there that may not be touched.
            UsageError: An option makes no sense.
            PluginError: A driver is not installed.
        """
        from simulacra.connectors.sql.writing.publish import publish

        return publish(uri, tables, spec, self._options(SqlWriteOptions, options), ctx)

    def writer(
        self, uri: str, table: str, schema: pa.Schema, options: Mapping[str, Any], ctx: RunContext
    ) -> TableWriter:
        """Return a writer of one table.

        Raises:
            OutputError: The database refuses, or the table is there and may not be touched.
            UsageError: An option makes no sense.
            PluginError: A driver is not installed.
        """
        return _Alone(self.publish(uri, {table: schema}, None, options, ctx), table)

    def _options(self, kind: type[C], options: Mapping[str, Any]) -> C:
        """Check the options that are for reading, or for writing; leave out those for the other."""
        known = {
            name: {field.alias or key for key, field in config.model_fields.items()}
            for name, config in (("read", SqlReadOptions), ("write", SqlWriteOptions))
        }
        own = known["read" if kind is SqlReadOptions else "write"]
        others = set().union(*known.values()) - own
        chosen = {name: value for name, value in options.items() if name not in others}
        return parse_options(kind, chosen, self.name)


class _Alone:
    """Writes the only table that is published."""

    def __init__(
        self, together: AbstractContextManager[Mapping[str, TableWriter]], table: str
    ) -> None:
        self._together = together
        self._table = table
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Open the output."""
        writers = self._open.enter_context(self._together)
        self._writer: TableWriter = self._open.enter_context(writers[self._table])
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        self._writer.write(batch)

    def __exit__(self, *exc_info: object) -> None:
        """Publish the output, or drop it after an exception."""
        leave: Callable[..., object] = self._open.__exit__
        leave(*exc_info)


class Postgresql(_Databases):
    """Reads and writes PostgreSQL."""

    name: ClassVar[str] = POSTGRESQL.name
    schemes: ClassVar[tuple[str, ...]] = POSTGRESQL.schemes


class Mysql(_Databases):
    """Reads and writes MySQL and MariaDB."""

    name: ClassVar[str] = MYSQL.name
    schemes: ClassVar[tuple[str, ...]] = MYSQL.schemes


class Sqlite(_Databases):
    """Reads and writes SQLite."""

    name: ClassVar[str] = SQLITE.name
    suffixes: ClassVar[tuple[str, ...]] = SQLITE.suffixes
    schemes: ClassVar[tuple[str, ...]] = SQLITE.schemes


class Duckdb(_Databases):
    """Reads and writes DuckDB."""

    name: ClassVar[str] = DUCKDB.name
    suffixes: ClassVar[tuple[str, ...]] = DUCKDB.suffixes
    schemes: ClassVar[tuple[str, ...]] = DUCKDB.schemes


class Sql(_Databases):
    """Reads and writes what else SQLAlchemy can reach, untested."""

    name: ClassVar[str] = GENERIC.name
    schemes: ClassVar[tuple[str, ...]] = GENERIC.schemes
