"""Statements that make tables, keys and indexes: the one place where they are worded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from simulacra.connectors.sql.dialects import Dialect
from simulacra.connectors.sql.types.spelling import quoted_text
from simulacra.connectors.sql.writing.tables import (
    Check,
    Index,
    Key,
    Location,
    NewColumn,
    NewTable,
    Reference,
)


def quoted_place(dialect: Dialect, place: Location) -> str:
    """Return a table's name, quoted, with its schema."""
    return dialect.quoted(place.schema, place.table)


def listed(dialect: Dialect, columns: Iterable[str]) -> str:
    """Return names, quoted, by commas."""
    return ", ".join(dialect.quoted(column) for column in columns)


def create_table(
    dialect: Dialect,
    table: NewTable,
    name: str,
    *,
    constraints: Iterable[str] = (),
    defaults: bool = True,
    ending: str = "",
) -> str:
    """Return the statement that makes a table.

    Args:
        dialect: The kind of database.
        table: The table.
        name: What it shall be called, quoted.
        constraints: What is said after the columns.
        defaults: Whether columns get their defaults.
        ending: What is said after the brackets.
    """
    columns = (column_sql(dialect, column, default=defaults) for column in table.columns.values())
    return f"CREATE TABLE {name} (\n  " + ",\n  ".join((*columns, *constraints)) + f"\n){ending}"


def column_sql(dialect: Dialect, column: NewColumn, *, default: bool = True) -> str:
    """Return the definition of a column."""
    parts = [dialect.quoted(column.name), column.type]
    if column.computed is not None:
        kept = "STORED" if column.persisted and dialect.name != "duckdb" else "VIRTUAL"
        parts.append(f"GENERATED ALWAYS AS ({column.computed}) {kept}")
    elif column.counts:
        parts.append(_COUNTING[dialect.name](column))
    elif default and column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    if not column.nullable and column.computed is None:
        parts.append("NOT NULL")
    elif dialect.name == "mysql" and column.computed is None:
        parts.append("NULL")  # a TIMESTAMP takes none unless told
    if dialect.name == "mysql" and column.comment:
        parts.append(f"COMMENT {quoted_text(column.comment, backslashes=True)}")
    return " ".join(part for part in parts if part)


def _identity(column: NewColumn) -> str:
    how = "ALWAYS" if column.always else "BY DEFAULT"
    return (
        f"GENERATED {how} AS IDENTITY (START WITH {column.start} INCREMENT BY {column.increment})"
    )


_COUNTING: dict[str, Callable[[NewColumn], str]] = {
    "postgresql": _identity,
    "mysql": lambda _: "AUTO_INCREMENT",
    "sqlite": lambda _: "",  # an INTEGER PRIMARY KEY counts by itself
    "duckdb": lambda column: f"DEFAULT {column.default}" if column.default else "",
}


# --- constraints -------------------------------------------------------------------------------


def primary_key_sql(dialect: Dialect, key: Key) -> str:
    """Return the primary key's constraint."""
    return f"{_called(dialect, key.name)}PRIMARY KEY ({listed(dialect, key.columns)})"


def unique_sql(dialect: Dialect, key: Key) -> str:
    """Return the constraint of another key."""
    return f"{_called(dialect, key.name)}UNIQUE ({listed(dialect, key.columns)})"


def check_sql(dialect: Dialect, check: Check) -> str:
    """Return a check's constraint."""
    return f"{_called(dialect, check.name)}CHECK ({check.sql})"


def reference_sql(dialect: Dialect, key: Reference, parent: str | None = None) -> str:
    """Return a foreign key's constraint.

    Args:
        dialect: The kind of database.
        key: The foreign key.
        parent: What the table referred to is called, quoted, if not yet as it will be.
    """
    parts = [
        f"{_called(dialect, key.name)}FOREIGN KEY ({listed(dialect, key.columns)})",
        f"REFERENCES {parent or quoted_place(dialect, key.parent)}",
        f"({listed(dialect, key.parent_columns)})",
    ]
    # What else may be said is not words of ours: it comes with a specification.
    if dialect.name != "duckdb":
        parts += [f"ON DELETE {key.on_delete}"] if key.on_delete in _ACTIONS else []
        parts += [f"ON UPDATE {key.on_update}"] if key.on_update in _ACTIONS else []
    if key.deferrable and dialect.name in {"postgresql", "sqlite"}:
        parts.append(f"DEFERRABLE INITIALLY {'DEFERRED' if key.deferred else 'IMMEDIATE'}")
    return " ".join(parts)


_ACTIONS = {"CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"}


def _called(dialect: Dialect, name: str | None) -> str:
    return f"CONSTRAINT {dialect.quoted(name)} " if name is not None else ""


def index_sql(dialect: Dialect, index: Index, table: str) -> str:
    """Return the statement that makes an index on a table (its name quoted)."""
    unique = "UNIQUE " if index.unique else ""
    using = f"USING {index.method} " if _is_word(index.method) else ""
    where = f" WHERE {index.where}" if index.where is not None else ""
    parts = ", ".join(index_parts(dialect, index))
    return f"CREATE {unique}INDEX {dialect.quoted(index.name)} ON {table} {using}({parts}){where}"


def index_parts(dialect: Dialect, index: Index) -> Iterator[str]:
    """Yield what an index holds, as SQL."""
    for number, column in enumerate(index.columns):
        if column is None:
            yield f"({index.expressions[number]})"
        else:
            length = index.lengths.get(column)
            yield dialect.quoted(column) + (f"({int(length)})" if length else "")


def _is_word(text: str | None) -> bool:
    return text is not None and text.isidentifier() and text.lower() != "art"


def comments(dialect: Dialect, table: NewTable) -> Iterator[str]:
    """Yield the statements that say what a table and its columns are."""
    name = quoted_place(dialect, table.place)
    if table.comment:
        yield f"COMMENT ON TABLE {name} IS {quoted_text(table.comment)}"
    for column in table.columns.values():
        if column.comment:
            where = f"{name}.{dialect.quoted(column.name)}"
            yield f"COMMENT ON COLUMN {where} IS {quoted_text(column.comment)}"


def orphans_query(
    dialect: Dialect, key: Reference, child: str, parent: str, *, ending: str = "LIMIT 1"
) -> str:
    """Return a query of rows whose foreign key names no row.

    Args:
        dialect: The kind of database.
        key: The foreign key.
        child: The table that refers, quoted.
        parent: The table referred to, quoted.
        ending: What is said at the end.
    """
    own = [f"c.{dialect.quoted(column)}" for column in key.columns]
    other = [f"p.{dialect.quoted(column)}" for column in key.parent_columns]
    same = " AND ".join(f"{a} = {b}" for a, b in zip(own, other, strict=True))
    given = " AND ".join(f"{column} IS NOT NULL" for column in own)
    return (
        f"SELECT {', '.join(own)} FROM {child} AS c LEFT JOIN {parent} AS p ON {same} "  # noqa: S608 - quoted names
        f"WHERE {other[0]} IS NULL AND {given} {ending}"
    )
