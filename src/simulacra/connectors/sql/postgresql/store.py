"""Writing to PostgreSQL: one transaction, rows by COPY, keys and indexes after the rows."""

from __future__ import annotations

import secrets
from typing import Any

import pyarrow as pa

from simulacra.connectors.sql.connections import engine
from simulacra.connectors.sql.postgresql.errors import explained, explanation, fields_of
from simulacra.connectors.sql.types.spelling import quoted_text, type_name
from simulacra.connectors.sql.writing import ddl
from simulacra.connectors.sql.writing.order import parents_first
from simulacra.connectors.sql.writing.row_text import lines
from simulacra.connectors.sql.writing.store import Task
from simulacra.connectors.sql.writing.tables import Location, NewColumn, NewTable, Reference
from simulacra.connectors.sql.writing.values import Wording, as_text, plain
from simulacra.core.errors import OutputError

_WORDING = Wording(
    title="PostgreSQL",
    true="t",
    false="f",
    bytes_prefix="\\x",
    zone="+00",
    zero_bytes=False,
    extremes=True,
    arrays=True,
    last_year=32_767,
)
_PIECE = 1 << 20
_SEQUENCES = """
SELECT d.refobjid::regclass::text FROM pg_attrdef AS a
JOIN pg_attribute AS c ON c.attrelid = a.adrelid AND c.attnum = a.adnum
JOIN pg_depend AS d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid
JOIN pg_class AS s ON d.refclassid = 'pg_class'::regclass AND s.oid = d.refobjid
WHERE a.adrelid = {}::regclass AND c.attname = {} AND s.relkind = 'S'
"""
"""The sequences that a default takes numbers from, where the column owns none."""
_UNKNOWN = ("0A", "3F", "42")
"""Classes of errors that say that something is not there, not that rows are wrong."""


def open_store(task: Task) -> PostgresqlStore:
    """Connect, to write."""
    return PostgresqlStore(task)


class PostgresqlStore:
    """Writes tables to PostgreSQL.

    Tables that are replaced stay in sight until the end: the new ones lie in a schema of their own
    until then.

    Args:
        task: What is to be written.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._dialect = task.database.dialect
        self._connection = engine(task.database).connect()
        self._connection.begin()
        self._raw: Any = self._connection.connection.driver_connection
        self._staging: str | None = None
        self._loaded: set[Location] = set()
        self._deferred: list[tuple[NewTable, Reference]] = []

    # --- making tables ---------------------------------------------------------------------

    def prepare(self) -> None:
        """Make schemas, types and tables."""
        self._run("SET LOCAL datestyle = 'ISO, YMD'")
        self._run("SET LOCAL timezone = 'UTC'")
        for schema in sorted({t.place.schema for t in self._task.new() if t.place.schema}):
            found = f"SELECT 1 FROM pg_namespace WHERE nspname = {quoted_text(schema)}"  # noqa: S608 - a quoted value
            if not self._rows(found):
                self._run(f"CREATE SCHEMA {self._dialect.quoted(schema)}")
        if self._task.replaced:
            self._make_room()
        for table in self._task.new():
            self._make_types(table)
            name = self._dialect.quoted(self._staging or table.place.schema, table.place.table)
            self._run(ddl.create_table(self._dialect, table, name, defaults=False), table)

    def _make_room(self) -> None:
        """Open a schema for the new tables, or drop the old ones where that is not allowed."""
        allowed = "SELECT has_database_privilege(current_database(), 'CREATE')"
        if self._rows(allowed)[0][0]:
            self._staging = f"simulacra_{secrets.token_hex(6)}"
            self._run(f"CREATE SCHEMA {self._dialect.quoted(self._staging)}")
        else:
            self._drop_replaced()

    def _drop_replaced(self) -> None:
        names = (ddl.quoted_place(self._dialect, place) for place in self._task.replaced)
        self._run(f"DROP TABLE {', '.join(names)}")

    def _make_types(self, table: NewTable) -> None:
        for column in table.columns.values():
            generic = column.generic
            while generic["kind"] == "array":
                generic = generic["items"]
            if generic["kind"] != "enum":
                continue
            schema, name = generic["schema"], generic["name"]
            labels = self._rows(
                "SELECT e.enumlabel FROM pg_enum AS e JOIN pg_type AS t ON t.oid = e.enumtypid "  # noqa: S608 - quoted values
                "JOIN pg_namespace AS n ON n.oid = t.typnamespace "
                f"WHERE n.nspname = {quoted_text(schema)} AND t.typname = {quoted_text(name)} "
                "ORDER BY e.enumsortorder"
            )
            if not labels:
                values = ", ".join(map(quoted_text, generic["values"]))
                self._run(f"CREATE TYPE {type_name(generic, 'postgresql')} AS ENUM ({values})")
            elif not set(generic["values"]) <= {label for (label,) in labels}:
                raise OutputError(
                    f"the type {name} is there with other values",
                    where=table.where([column.name]),
                    mend="Drop it, or write to another schema",
                )

    # --- rows ------------------------------------------------------------------------------

    def load(self, table: NewTable, rows: pa.RecordBatch) -> None:
        """Copy rows into a table."""
        if table.exists:
            self._defer_early_references(table)
        self._loaded.add(table.place)
        cells = [
            as_text(
                plain(values), table.columns[name].generic["kind"], _WORDING, table.where([name])
            )
            for name, values in zip(rows.schema.names, rows.columns, strict=True)
        ]
        schema = table.place.schema if table.exists else self._staging or table.place.schema
        place = self._dialect.quoted(schema, table.place.table)
        text = lines(cells)
        pieces = (bytes(text[i : i + _PIECE]) for i in range(0, len(text), _PIECE))
        with explained(self._task, table, self._staging):
            self._raw.cursor().execute(
                f"COPY {place} ({ddl.listed(self._dialect, rows.schema.names)}) FROM STDIN",
                stream=pieces,
            )

    def _defer_early_references(self, table: NewTable) -> None:
        """Let the foreign keys of a table wait that refer to rows which may not be there yet."""
        for key in table.references:
            others = {t.place for t in self._task.tables.values()}
            is_early = key.parent in others and (
                key.parent == table.place or key.parent not in self._loaded
            )
            if is_early and (table, key) not in self._deferred and not key.deferred:
                self._alter_reference(table, key, "DEFERRABLE INITIALLY DEFERRED")
                self._deferred.append((table, key))

    def _alter_reference(self, table: NewTable, key: Reference, how: str) -> None:
        name = ddl.quoted_place(self._dialect, table.place)
        self._run(
            f"ALTER TABLE {name} ALTER CONSTRAINT {self._dialect.quoted(key.name)} {how}", table
        )

    # --- keys and constraints --------------------------------------------------------------

    def finish(self) -> None:
        """Add keys, check them, and commit."""
        if self._staging is not None:
            self._swap()
        for table in self._task.new():
            self._add_keys(table)
        for table, ready, later in parents_first(self._task.new()):
            for key in (*ready, *later):
                self._alter(table, f"ADD {ddl.reference_sql(self._dialect, key)}")
        # Deferred constraints are checked now, while it is known what was written.
        self._check("SET CONSTRAINTS ALL IMMEDIATE")
        for table, key in self._deferred:
            how = "DEFERRABLE INITIALLY IMMEDIATE" if key.deferrable else "NOT DEFERRABLE"
            self._alter_reference(table, key, how)
        for table in self._task.tables.values():
            for column in table.written():
                if column.counts:
                    self._set_counter(table, column)
        self._connection.commit()

    def _swap(self) -> None:
        self._drop_replaced()
        for table in self._task.new():
            name = self._dialect.quoted(self._staging, table.place.table)
            schema = self._dialect.quoted(table.place.schema)
            self._run(f"ALTER TABLE {name} SET SCHEMA {schema}")
        self._run(f"DROP SCHEMA {self._dialect.quoted(self._staging)}")

    def _add_keys(self, table: NewTable) -> None:
        name = ddl.quoted_place(self._dialect, table.place)
        if table.primary_key is not None:
            self._alter(table, f"ADD {ddl.primary_key_sql(self._dialect, table.primary_key)}")
        for unique in table.unique:
            self._alter(table, f"ADD {ddl.unique_sql(self._dialect, unique)}")
        for index in table.indexes:
            statement = ddl.index_sql(self._dialect, index, name)
            self._try(table, statement, f"the index {index.name}")
        for check in table.checks:
            statement = f"ALTER TABLE {name} ADD {ddl.check_sql(self._dialect, check)}"
            self._try(table, statement, f"the check {check.sql}")
        for column in table.columns.values():
            if column.default is not None:
                where = self._dialect.quoted(column.name)
                statement = f"ALTER TABLE {name} ALTER COLUMN {where} SET DEFAULT {column.default}"
                self._try(table, statement, f"the default {column.default} of {column.name}")
        for statement in ddl.comments(self._dialect, table):
            self._run(statement)

    def _alter(self, table: NewTable, what: str) -> None:
        self._run(f"ALTER TABLE {ddl.quoted_place(self._dialect, table.place)} {what}", table)

    def _try(self, table: NewTable, statement: str, what: str) -> None:
        """Run a statement of the source; leave it out if it names what is not there."""
        from sqlalchemy.exc import DBAPIError

        savepoint = self._connection.begin_nested()
        try:
            self._execute(statement)
        except DBAPIError as error:
            savepoint.rollback()
            fields = fields_of(error)
            if fields.get("C", "")[:2] not in _UNKNOWN:
                found = explanation(error, self._task, table, self._staging)
                raise found or error from None
            self._task.note(f"{table.name}: {what} is left out: {fields.get('M')}")
        else:
            savepoint.commit()

    def _set_counter(self, table: NewTable, column: NewColumn) -> None:
        """Let new rows be numbered after the last, unless they already are."""
        place = ddl.quoted_place(self._dialect, table.place)
        of_column = quoted_text(place), quoted_text(column.name)
        owned = f"SELECT pg_get_serial_sequence({', '.join(of_column)})"
        found = [sequence for (sequence,) in self._rows(owned) if sequence is not None]
        if not found:
            found = [sequence for (sequence,) in self._rows(_SEQUENCES.format(*of_column))]
        for sequence in found:
            self._set_sequence(table, self._dialect.quoted(column.name), sequence)

    def _set_sequence(self, table: NewTable, name: str, sequence: str) -> None:
        """Set a sequence to the furthest value of a column, called ``name`` (quoted)."""
        place = ddl.quoted_place(self._dialect, table.place)
        last, begun, step = self._rows(
            f"SELECT s.last_value, s.is_called, q.seqincrement FROM {sequence} AS s, "  # noqa: S608 - named by the server
            f"pg_sequence AS q WHERE q.seqrelid = {quoted_text(sequence)}::regclass"
        )[0]
        furthest = "max" if step > 0 else "min"
        found = self._rows(f"SELECT {furthest}({name}) FROM {place}")[0][0]  # noqa: S608 - quoted names
        if found is not None and ((found - last) * step > 0 or (found == last and not begun)):
            self._run(f"SELECT setval({quoted_text(sequence)}, {int(found)})", table)

    # --- ending ----------------------------------------------------------------------------

    def abandon(self) -> None:
        """Roll back."""
        if not self._connection.invalidated:
            self._connection.rollback()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # --- statements ------------------------------------------------------------------------

    def _execute(self, statement: str) -> Any:
        return self._connection.exec_driver_sql(
            statement, execution_options={"no_parameters": True}
        )

    def _run(self, statement: str, table: NewTable | None = None) -> None:
        with explained(self._task, table, self._staging):
            self._execute(statement)

    def _check(self, statement: str) -> None:
        with explained(self._task, None, self._staging):
            self._execute(statement)

    def _rows(self, query: str) -> list[Any]:
        return list(self._execute(query))
