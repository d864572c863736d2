"""Writing to MySQL and MariaDB.

They can't roll back ``CREATE TABLE``: new tables are filled under other names, get their keys, and
take their own names all at once. Tables that are there are filled in one transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.sql.mysql.connection import LoadingConnection, connect_loading
from simulacra.connectors.sql.mysql.errors import explained
from simulacra.connectors.sql.mysql.loader import RowLoader, run
from simulacra.connectors.sql.origin import STAGED
from simulacra.connectors.sql.types.spelling import quoted_text
from simulacra.connectors.sql.writing import ddl
from simulacra.connectors.sql.writing.order import parents_first
from simulacra.connectors.sql.writing.store import Task, broken
from simulacra.connectors.sql.writing.tables import (
    Check,
    Key,
    Location,
    NewColumn,
    NewTable,
    Reference,
)
from simulacra.connectors.sql.writing.values import is_bytes, plain
from simulacra.core.errors import OutputError

Named = TypeVar("Named", Check, Reference)

_MODE = "STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION"
_COLLATIONS = ("utf8mb4_0900_bin", "utf8mb4_nopad_bin", "utf8mb4_bin")
"""Those in which texts are the same only if all their characters are, the best first.

In others ``a`` is ``A``, and keys that are unique elsewhere are not.
"""
_MOST_NAME = 64
_MOST_KEY_CHARACTERS = 768
_USUAL_LENGTH = 255
_INDEXED_LENGTH = 191


def open_store(task: Task) -> MysqlStore:
    """Connect, to write."""
    return MysqlStore(task)


class MysqlStore:
    """Writes tables to MySQL or MariaDB.

    Args:
        task: What is to be written.

    Raises:
        OutputError: The URL names no database.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._dialect = task.database.dialect
        if any(table.place.schema is None for table in task.tables.values()):
            raise OutputError(
                "the URL names no database",
                where=task.database.safe,
                mend="Write mysql://user@host/database",
            )
        self._connection = self._connect()
        self._filling: LoadingConnection | None = None
        self._mark = f"_simulacra_{secrets.token_hex(4)}"
        self._staging = {
            table.place: replace(table.place, table=f"{self._mark}_{number}")
            for number, table in enumerate(task.new())
        }
        self._lengths: dict[tuple[Location, str], int] = {}

    def _connect(self) -> LoadingConnection:
        made = connect_loading(self._task.database)
        run(made, f"SET SESSION sql_mode = '{_MODE}'")
        # What refers to what is checked at the end, by joins: rows come in any order.
        run(made, "SET SESSION foreign_key_checks = 0")
        run(made, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        return made

    # --- making tables ---------------------------------------------------------------------

    def prepare(self) -> None:
        """Make the tables under other names."""
        self._rows_in = RowLoader(
            self._task, can_load=bool(self._rows("SELECT @@local_infile")[0][0])
        )
        self._rows(f"SELECT GET_LOCK({_literal(self._mark)}, 0)")
        self._clear_abandoned()
        self._taken = self._constraint_names()
        if filled := self._task.filled():
            for table in filled:
                self._check_transactional(table)
            self._filling = self._connect()
            run(self._filling, "BEGIN")
        ending = f" ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE {self._collation()}"
        for table in self._task.new():
            comment = f" COMMENT={_literal(table.comment)}" if table.comment else ""
            constraints = [
                *self._keys_of_counters(table),
                *(ddl.check_sql(self._dialect, self._renamed(check)) for check in table.checks),
                *(
                    ddl.reference_sql(self._dialect, self._renamed(key))
                    for key in table.references
                    if self._is_filled(key.parent)
                ),
            ]
            name = self._name(self._staging[table.place])
            statement = ddl.create_table(
                self._dialect, table, name, constraints=constraints, ending=ending + comment
            )
            self._run(statement, table)

    def _clear_abandoned(self) -> None:
        """Drop what runs have left that were killed: no one holds the lock of their name."""
        schemas = {_literal(str(table.place.schema)) for table in self._task.tables.values()}
        found = self._rows(
            "SELECT table_schema, table_name FROM information_schema.tables "  # noqa: S608 - quoted values
            f"WHERE table_schema IN ({', '.join(sorted(schemas))}) "
            r"AND table_name LIKE '\_simulacra\_%'"
        )
        for schema, name in found:
            if mark := STAGED.match(name):
                lock = _literal(mark[0].removesuffix("_"))
                if self._rows(f"SELECT IS_FREE_LOCK({lock})")[0][0]:
                    self._run(f"DROP TABLE IF EXISTS {self._name(Location(schema, name))}")

    def _collation(self) -> str:
        query = "SELECT collation_name FROM information_schema.collations"
        found = {name for (name,) in self._rows(query)}
        return next(name for name in _COLLATIONS if name in found)

    def _constraint_names(self) -> set[str]:
        """Return the names that no other constraint in the database can have."""
        schemas = ", ".join(_literal(str(place.schema)) for place in self._staging)
        if not schemas:
            return set()
        rows = self._rows(
            "SELECT constraint_name FROM information_schema.table_constraints WHERE "  # noqa: S608 - quoted values
            f"constraint_schema IN ({schemas}) AND constraint_type IN ('FOREIGN KEY', 'CHECK')"
        )
        return {name.lower() for (name,) in rows}

    def _renamed(self, part: Named) -> Named:
        """Give a constraint a name for the time being, if a table that is replaced has its."""
        if not part.name or part.name.lower() not in self._taken:
            return part
        return replace(part, name=f"{self._mark}_{part.name}"[:_MOST_NAME])

    def _check_transactional(self, table: NewTable) -> None:
        schema, name = _literal(str(table.place.schema)), _literal(table.place.table)
        query = (
            "SELECT engine FROM information_schema.tables "  # noqa: S608 - quoted values
            f"WHERE table_schema = {schema} AND table_name = {name}"
        )
        for (engine,) in self._rows(query):
            if engine != "InnoDB":
                raise OutputError(
                    f"a table of the engine {engine} can't be filled safely",
                    where=table.name,
                    why="it can't take back rows",
                    mend="Convert it to InnoDB, or use --if-exists replace",
                )

    def _is_filled(self, place: Location) -> bool:
        return place not in self._staging

    def _counter_key(self, table: NewTable) -> Key | None:
        """Return the key that begins with the column that numbers rows.

        It has to be there from the beginning.
        """
        keys = [key for key in (table.primary_key, *table.unique) if key is not None]
        for key in keys:
            if table.columns[key.columns[0]].counts:
                return key
        return None

    def _keys_of_counters(self, table: NewTable) -> list[str]:
        key = self._counter_key(table)
        if key is None:
            return []
        if key is table.primary_key:
            return [ddl.primary_key_sql(self._dialect, key)]
        return [ddl.unique_sql(self._dialect, key)]

    # --- rows ------------------------------------------------------------------------------

    def load(self, table: NewTable, rows: pa.RecordBatch) -> None:
        """Put rows into a table."""
        self._measure(table, rows)
        place = self._staging.get(table.place, table.place)
        connection = (
            self._filling if table.exists and self._filling is not None else self._connection
        )
        self._rows_in.put(connection, table, self._name(place), rows)
        if not table.exists:
            connection.commit()

    def _measure(self, table: NewTable, rows: pa.RecordBatch) -> None:
        for column in table.written():
            if column.measured:
                values = plain(rows.column(column.name))
                count = pc.binary_length if is_bytes(values.type) else pc.utf8_length
                if pa.types.is_null(values.type):
                    continue
                longest = pc.max(count(values)).as_py() or 0
                place = (table.place, column.name)
                self._lengths[place] = max(self._lengths.get(place, 0), longest)

    # --- keys and constraints --------------------------------------------------------------

    def finish(self) -> None:
        """Add keys, check them, and give the tables their names."""
        ordered = parents_first(self._task.new())
        for table, _, _ in ordered:
            if changes := [*self._measured_columns(table), *self._added_keys(table)]:
                self._alter(table, changes)
        for table, ready, later in ordered:
            changes = [
                f"ADD {ddl.reference_sql(self._dialect, self._renamed(key), self._now(key.parent))}"
                for key in (*ready, *later)
                if not self._is_filled(key.parent)
            ]
            if changes:
                self._alter(table, changes)
        for table in self._task.tables.values():
            for key in table.references:
                self._check_reference(table, key)
        if self._filling is not None:
            with explained(self._task, None):
                self._filling.commit()
        if self._staging:
            self._swap()

    def _measured_columns(self, table: NewTable) -> Iterator[str]:
        """Yield what gives the texts of keys a length: their longest's."""
        keys = [
            *(key.columns for key in (table.primary_key, *table.unique) if key is not None),
            *(index.columns for index in table.indexes if index.unique),
            *(key.columns for key in table.references),
        ]
        for column in table.columns.values():
            if column.measured:
                length = max(self._lengths.get((table.place, column.name), 0), 1)
                together = max(len(key) for key in keys if column.name in key)
                if length <= _USUAL_LENGTH and together * _USUAL_LENGTH <= _MOST_KEY_CHARACTERS:
                    length = _USUAL_LENGTH
                kind = "VARBINARY" if column.generic["kind"] == "binary" else "VARCHAR"
                sized = replace(column, type=f"{kind}({length})")
                yield f"MODIFY {ddl.column_sql(self._dialect, sized)}"

    def _added_keys(self, table: NewTable) -> Iterator[str]:
        there = self._counter_key(table)
        if table.primary_key is not None and table.primary_key is not there:
            yield f"ADD {ddl.primary_key_sql(self._dialect, table.primary_key)}"
        for key in table.unique:
            if key is not there:
                yield f"ADD {ddl.unique_sql(self._dialect, key)}"
        for index in table.indexes:
            kind = "UNIQUE " if index.unique else ""
            if index.method is not None and index.method.upper() in {"FULLTEXT", "SPATIAL"}:
                kind = f"{index.method.upper()} "
            elif not index.unique:
                # Long texts are in an index by their beginnings only.
                long = {
                    column: _INDEXED_LENGTH
                    for column in index.columns
                    if column is not None and _is_long(table.columns[column])
                }
                index = replace(index, lengths={**long, **index.lengths})  # noqa: PLW2901
            parts = ", ".join(ddl.index_parts(self._dialect, index))
            yield f"ADD {kind}INDEX {self._dialect.quoted(index.name)} ({parts})"

    def _alter(self, table: NewTable, changes: Sequence[str]) -> None:
        name = self._name(self._staging[table.place])
        self._run(f"ALTER TABLE {name} {', '.join(changes)}", table)

    def _check_reference(self, table: NewTable, key: Reference) -> None:
        """Refuse rows whose foreign key names no row: one join finds them all."""
        connection = self._filling or self._connection
        # What others do to the rows that are referred to waits until these are committed.
        ending = "LIMIT 1 LOCK IN SHARE MODE" if self._filling is not None else "LIMIT 1"
        query = ddl.orphans_query(
            self._dialect, key, self._now(table.place), self._now(key.parent), ending=ending
        )
        for values in run(connection, query):
            raise broken(
                key.name,
                table.where(key.columns),
                f"{key.parent.table} has no row of {', '.join(map(str, values))}",
            )

    def _swap(self) -> None:
        """Give all tables their names at once; drop those that made room."""
        old = {
            place: replace(place, table=f"{self._mark}_old_{number}")
            for number, place in enumerate(self._task.replaced)
        }
        moves = [*old.items(), *((now, place) for place, now in self._staging.items())]
        self._run("SET SESSION foreign_key_checks = 1")
        renamed = ", ".join(f"{self._name(a)} TO {self._name(b)}" for a, b in moves)
        self._run(f"RENAME TABLE {renamed}")
        self._staging = {}
        self._run("SET SESSION foreign_key_checks = 0")
        if old:
            self._run(f"DROP TABLE {', '.join(map(self._name, old.values()))}")
        for table in self._task.new():
            self._name_constraints(table)

    def _name_constraints(self, table: NewTable) -> None:
        """Give foreign keys the names that tables had which are gone now."""
        changes = []
        for key in table.references:
            made = self._renamed(key)
            if made.name != key.name:
                changes.append(f"DROP FOREIGN KEY {self._dialect.quoted(made.name)}")
                changes.append(f"ADD {ddl.reference_sql(self._dialect, key)}")
        if changes:
            self._run(f"ALTER TABLE {self._name(table.place)} {', '.join(changes)}", table)

    # --- ending ----------------------------------------------------------------------------

    def abandon(self) -> None:
        """Roll back, and drop what was made."""
        if self._filling is not None and self._filling.open:
            self._filling.rollback()
        if self._staging:
            if not self._connection.open:
                self._connection = self._connect()
            names = ", ".join(map(self._name, self._staging.values()))
            self._run(f"DROP TABLE IF EXISTS {names}")

    def close(self) -> None:
        """Close the connections."""
        for connection in (self._connection, self._filling):
            if connection is not None and connection.open:
                connection.close()

    # --- statements ------------------------------------------------------------------------

    def _name(self, place: Location) -> str:
        return ddl.quoted_place(self._dialect, place)

    def _now(self, place: Location) -> str:
        return self._name(self._staging.get(place, place))

    def _run(self, statement: str, table: NewTable | None = None) -> None:
        with explained(self._task, table):
            run(self._connection, statement)

    def _rows(self, query: str) -> list[Any]:
        return run(self._connection, query)


def _literal(text: str) -> str:
    return quoted_text(text, backslashes=True)


def _is_long(column: NewColumn) -> bool:
    return column.type.upper().endswith(("TEXT", "BLOB", "JSON")) and not column.measured
