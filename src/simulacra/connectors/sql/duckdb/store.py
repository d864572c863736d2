"""Writing to DuckDB: one transaction, rows straight from Arrow.

Foreign keys can only be said when a table is made, and are checked row by row: rows of tables that
have some wait in temporary tables until all are there, and go in parents first.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa

from simulacra.connectors.sql.duckdb.connection import connect
from simulacra.connectors.sql.duckdb.errors import explained
from simulacra.connectors.sql.types.spelling import quoted_text
from simulacra.connectors.sql.writing import ddl
from simulacra.connectors.sql.writing.order import parents_first
from simulacra.connectors.sql.writing.store import Task, broken
from simulacra.connectors.sql.writing.tables import NewColumn, NewTable, Reference
from simulacra.connectors.sql.writing.values import Wording, as_text, is_bytes, plain

_WORDING = Wording(title="DuckDB", true="true", false="false", zone="+00", extremes=True)
_ROWS = "simulacra_rows"


def open_store(task: Task) -> DuckdbStore:
    """Connect, to write."""
    return DuckdbStore(task)


class DuckdbStore:
    """Writes tables to DuckDB.

    Args:
        task: What is to be written.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._dialect = task.database.dialect
        self._connection = connect(task.database)
        self._mark = f"_simulacra_{secrets.token_hex(4)}"
        self._waiting = {
            table.place: f"{self._mark}_{number}"
            for number, table in enumerate(task.tables.values())
            if table.references or _counters(table)
        }

    # --- making tables ---------------------------------------------------------------------

    def prepare(self) -> None:
        """Begin, and make the tables, or those in which rows wait."""
        limits = self._task.ctx.limits
        self._run(f"SET memory_limit = '{limits.memory // 2**20}MiB'")
        self._run(f"SET threads = {limits.threads}")
        self._run("BEGIN TRANSACTION")
        for schema in sorted({t.place.schema for t in self._task.new() if t.place.schema}):
            self._run(f"CREATE SCHEMA IF NOT EXISTS {self._dialect.quoted(schema)}")
        for place in self._task.replaced:
            self._run(f"DROP TABLE {ddl.quoted_place(self._dialect, place)}")
        for table in self._task.tables.values():
            if table.place in self._waiting:
                columns = ", ".join(
                    f"{self._dialect.quoted(column.name)} {column.type}"
                    for column in table.written()
                )
                self._run(f"CREATE TEMP TABLE {self._now(table)} ({columns})", table)
            elif not table.exists:
                self._create(table, ())

    def _create(self, table: NewTable, references: Sequence[Reference]) -> None:
        """Make a table with some of its foreign keys."""
        constraints = [
            *([ddl.primary_key_sql(self._dialect, table.primary_key)] if table.primary_key else []),
            *(ddl.unique_sql(self._dialect, key) for key in table.unique),
            *(ddl.check_sql(self._dialect, check) for check in table.checks),
            *(ddl.reference_sql(self._dialect, key) for key in references),
        ]
        name = ddl.quoted_place(self._dialect, table.place)
        self._run(ddl.create_table(self._dialect, table, name, constraints=constraints), table)

    # --- rows ------------------------------------------------------------------------------

    def load(self, table: NewTable, rows: pa.RecordBatch) -> None:
        """Insert rows."""
        columns = [table.columns[name] for name in rows.schema.names]
        values = [
            _readable(column, plain(found), table.where([column.name]))
            for column, found in zip(columns, rows.columns, strict=True)
        ]
        numbers = [f"c{number}" for number in range(len(values))]
        self._connection.register(_ROWS, pa.Table.from_arrays(values, numbers))
        names = ddl.listed(self._dialect, rows.schema.names)
        found = f"SELECT {', '.join(numbers)} FROM {_ROWS}"  # noqa: S608 - our own names
        self._run(f"INSERT INTO {self._now(table)} ({names}) {found}", table)
        self._connection.unregister(_ROWS)

    # --- keys and constraints --------------------------------------------------------------

    def finish(self) -> None:
        """Put rows that wait into their tables, add indexes, and commit."""
        for table, ready, later in parents_first(self._task.tables.values()):
            if table.place in self._waiting:
                self._settle(table, ready, later)
        for table in self._task.new():
            name = ddl.quoted_place(self._dialect, table.place)
            for index in table.indexes:
                self._run(ddl.index_sql(self._dialect, index, name), table)
            for statement in ddl.comments(self._dialect, table):
                self._run(statement)
        for table, column in self._numbered():
            self._advance(table, column)
        # What refers to a table that came later could not be checked before.
        for table in self._task.new():
            for key in table.references:
                self._check_reference(table, key, ddl.quoted_place(self._dialect, table.place))
        self._run("COMMIT")

    def _settle(
        self, table: NewTable, ready: Sequence[Reference], later: Sequence[Reference]
    ) -> None:
        kept = [key for key in ready if key.parent.schema == table.place.schema]
        for key in (*later, *(key for key in ready if key not in kept)):
            why = "a cycle" if key in later else "another schema"
            if not table.exists:
                self._leave_out(table, key, f"it knows none in {why}")
        own = [key for key in kept if key.parent == table.place]
        for key in kept:
            if key not in own:
                self._check_reference(table, key, self._now(table))
        if not table.exists:
            self._make_counters(table)
            self._create(self._counting(table), kept)
        if not own:
            self._insert(table, "")
        elif not self._insert_by_levels(table, own):
            # Rows that refer to themselves, or to each other, can't go in.
            self._run(f"DROP TABLE {ddl.quoted_place(self._dialect, table.place)}")
            self._create(self._counting(table), [key for key in kept if key not in own])
            for key in own:
                self._leave_out(table, key, "its rows refer to each other in a circle")
            self._insert(table, "")
        self._run(f"DROP TABLE {self._now(table)}")
        del self._waiting[table.place]

    def _leave_out(self, table: NewTable, key: Reference, why: str) -> None:
        self._task.note(
            f"{table.where(key.columns)}: checked, but not kept as a foreign key of "
            f"{key.parent.table}: DuckDB can't, {why}"
        )

    def _insert(self, table: NewTable, condition: str) -> None:
        names = ddl.listed(self._dialect, [column.name for column in table.written()])
        place = ddl.quoted_place(self._dialect, table.place)
        self._run(
            f"INSERT INTO {place} ({names}) SELECT {names} FROM {self._now(table)}{condition}",  # noqa: S608 - quoted names
            table,
        )

    def _insert_by_levels(self, table: NewTable, own: Sequence[Reference]) -> bool:
        """Insert rows after those of the same table that they refer to.

        Returns:
            Whether that could be done; else nothing is left but the temporary table.
        """
        for key in own:
            self._check_reference(table, key, self._now(table), among=self._now(table))
        place, todo = ddl.quoted_place(self._dialect, table.place), f"{self._mark}_todo"
        columns = sorted({column for key in own for column in key.columns})
        names = ddl.listed(self._dialect, columns)
        waiting = self._now(table)
        rows = f"SELECT rowid AS r, {names} FROM {waiting}"  # noqa: S608 - quoted names
        self._run(f"CREATE OR REPLACE TEMP TABLE {todo} AS {rows}")
        conditions = []
        for key in own:
            given = [f"t.{self._dialect.quoted(column)}" for column in key.columns]
            there = [f"p.{self._dialect.quoted(column)}" for column in key.parent_columns]
            same = " AND ".join(f"{a} = {b}" for a, b in zip(given, there, strict=True))
            none = " OR ".join(f"{column} IS NULL" for column in given)
            conditions.append(f"({none} OR EXISTS (SELECT 1 FROM {place} AS p WHERE {same}))")  # noqa: S608 - quoted names
        ready = f"SELECT t.r FROM {todo} AS t WHERE {' AND '.join(conditions)}"  # noqa: S608 - quoted names
        while True:
            found = f"{self._mark}_ready"
            self._run(f"CREATE OR REPLACE TEMP TABLE {found} AS {ready}")
            if not self._count(found):
                break
            self._insert(table, f" WHERE rowid IN (SELECT r FROM {found})")  # noqa: S608 - our own names
            self._run(f"DELETE FROM {todo} WHERE r IN (SELECT r FROM {found})")  # noqa: S608 - our own names
        return not self._count(todo)

    def _count(self, name: str) -> int:
        found = self._connection.execute(f"SELECT count(*) FROM {name}").fetchone()  # noqa: S608 - our own names
        return int(found[0]) if found is not None else 0

    def _check_reference(
        self, table: NewTable, key: Reference, rows: str, *, among: str | None = None
    ) -> None:
        """Refuse rows whose foreign key names no row."""
        parent = among or ddl.quoted_place(self._dialect, key.parent)
        query = ddl.orphans_query(self._dialect, key, rows, parent)
        found = self._connection.execute(query).fetchone()
        if found is not None:
            why = f"{key.parent.table} has no row of {', '.join(map(str, found))}"
            raise broken(key.name, table.where(key.columns), why)

    def _make_counters(self, table: NewTable) -> None:
        """Make sequences that begin after the highest key: they can't be set later."""
        for column in _counters(table):
            name = self._dialect.quoted(column.name)
            furthest = "max" if column.increment > 0 else "min"
            query = f"SELECT {furthest}({name}) FROM {self._now(table)}"  # noqa: S608 - quoted names
            found = self._connection.execute(query).fetchone()
            start = column.start
            if found is not None and found[0] is not None:
                start = (
                    max(start, found[0] + 1) if column.increment > 0 else min(start, found[0] - 1)
                )
            sequence = self._sequence(table, column)
            self._run(
                f"CREATE OR REPLACE SEQUENCE {sequence} START {int(start)} "
                f"INCREMENT {int(column.increment)}"
            )

    def _numbered(self) -> Iterator[tuple[NewTable, NewColumn]]:
        """Yield the columns that number rows in tables that were there."""
        for table in self._task.filled():
            yield from ((table, column) for column in table.written() if column.counts)

    def _advance(self, table: NewTable, column: NewColumn) -> None:
        """Let a table that was there number new rows after the last, unless it already does."""
        place = ddl.quoted_place(self._dialect, table.place)
        (default,) = self._row(
            "SELECT column_default FROM duckdb_columns() WHERE database_name = current_database() "  # noqa: S608 - quoted values
            f"AND schema_name = {quoted_text(str(table.place.schema))} "
            f"AND table_name = {quoted_text(table.place.table)} "
            f"AND column_name = {quoted_text(column.name)}"
        )
        first, second = (self._row(f"SELECT {default}")[0] for _ in range(2))
        furthest = "max" if second > first else "min"
        (last,) = self._row(f"SELECT {furthest}({self._dialect.quoted(column.name)}) FROM {place}")  # noqa: S608 - quoted names
        if last is None or (last - second) * (second - first) <= 0:
            return
        if self._row("SELECT count(*) FROM duckdb_functions() WHERE function_name = 'setval'")[0]:
            self._run(f"SELECT setval{default.removeprefix('nextval')[:-1]}, {int(last)})", table)
        else:
            steps = -((second - last) // (second - first))
            self._run(f"SELECT max({default}) FROM range({int(steps)})", table)  # noqa: S608 - the database's own

    def _row(self, query: str) -> tuple[Any, ...]:
        return self._connection.execute(query).fetchone() or ()

    def _sequence(self, table: NewTable, column: NewColumn) -> str:
        return self._dialect.quoted(table.place.schema, f"{table.place.table}_{column.name}_seq")

    def _counting(self, table: NewTable) -> NewTable:
        """Return the table with defaults that count."""
        columns = {
            name: replace(column, default=f"nextval({quoted_text(self._sequence(table, column))})")
            if column.counts
            else column
            for name, column in table.columns.items()
        }
        return replace(table, columns=columns)

    # --- ending ----------------------------------------------------------------------------

    def abandon(self) -> None:
        """Roll back; a transaction that failed has already been."""
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.TransactionException:
            return

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # --- statements ------------------------------------------------------------------------

    def _now(self, table: NewTable) -> str:
        waiting = self._waiting.get(table.place)
        return waiting if waiting is not None else ddl.quoted_place(self._dialect, table.place)

    def _run(self, statement: str, table: NewTable | None = None) -> None:
        with explained(self._task, table):
            self._connection.execute(statement)


def _counters(table: NewTable) -> list[NewColumn]:
    return [] if table.exists else [c for c in table.columns.values() if c.counts]


def _readable(column: NewColumn, values: pa.Array, where: str) -> pa.Array:
    """Return values of a type that DuckDB reads and turns into the column's."""
    kind, wanted = values.type, column.generic["kind"]
    if pa.types.is_date(kind):
        return values.cast(pa.date32())
    is_text = wanted in {"text", "json", "other", "enum"} and not pa.types.is_string(kind)
    if is_text or pa.types.is_decimal256(kind) or (is_bytes(kind) and wanted == "uuid"):
        return as_text(values, wanted, _WORDING, where)
    if wanted == "integer" and pa.types.is_duration(kind):
        return values.cast(pa.int64())
    return values
