"""Tables to be written: what a specification and its origin make of them in one database."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from simulacra.connectors.sql.types.generic import Generic


@dataclass(frozen=True, slots=True)
class NewColumn:
    """One column.

    Attributes:
        name: Its name.
        arrow: The type of the values that come.
        generic: What the database's type means.
        type: The database's type, as SQL.
        nullable: Whether it takes nulls.
        default: Its default, as SQL.
        counts: Whether the database numbers new rows here.
        always: Whether it refuses other numbers than its own.
        start: The first number.
        increment: From one number to the next.
        computed: What the database makes it from, as SQL: it is not written.
        persisted: Whether what it makes is stored.
        comment: What it is.
        measured: Whether its length is that of the longest text: a key can't be any longer.
    """

    name: str
    arrow: pa.DataType
    generic: Generic
    type: str
    nullable: bool = True
    default: str | None = None
    counts: bool = False
    always: bool = False
    start: int = 1
    increment: int = 1
    computed: str | None = None
    persisted: bool = False
    comment: str | None = None
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """Columns in which no row occurs twice; a primary key or another."""

    name: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key.

    Attributes:
        name: The constraint's name.
        columns: The columns that refer.
        parent: The place of the table referred to.
        parent_columns: The columns referred to.
        deferrable: Whether it may be checked when a transaction ends.
        deferred: Whether it is.
        on_delete: What becomes of the rows when that referred to is deleted.
        on_update: The same when its key changes.
    """

    name: str
    columns: tuple[str, ...]
    parent: Location
    parent_columns: tuple[str, ...]
    deferrable: bool = False
    deferred: bool = False
    on_delete: str | None = None
    on_update: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """An index that keeps no key.

    Attributes:
        name: Its name.
        columns: The columns, None for an expression.
        expressions: The columns and expressions, as SQL, if any is an expression.
        unique: Whether no row occurs twice.
        where: The rows that are in it, as SQL.
        method: How it is kept, as ``gin``.
        lengths: How many characters of a column are in it.
    """

    name: str
    columns: tuple[str | None, ...]
    expressions: tuple[str, ...] = ()
    unique: bool = False
    where: str | None = None
    method: str | None = None
    lengths: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold for each row, as SQL."""

    name: str | None
    sql: str


@dataclass(frozen=True, slots=True)
class Location:
    """Where a table is; ``schema`` is None where there is but one."""

    schema: str | None
    table: str


@dataclass(frozen=True, slots=True)
class NewTable:
    """One table.

    Attributes:
        name: What the dataset calls it.
        place: Where it is in the database.
        columns: Its columns, by name, in order.
        primary_key: Its primary key, None if there is none.
        unique: Its other keys.
        references: Its foreign keys.
        checks: What must hold for each row.
        indexes: Its other indexes.
        comment: What it is.
        exists: Whether it is there and only filled; all but the columns is then the database's.
    """

    name: str
    place: Location
    columns: dict[str, NewColumn]
    primary_key: Key | None = None
    unique: tuple[Key, ...] = ()
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    indexes: tuple[Index, ...] = ()
    comment: str | None = None
    exists: bool = False

    def written(self) -> list[NewColumn]:
        """Return the columns that are written: those the database doesn't make itself."""
        return [column for column in self.columns.values() if column.computed is None]

    def where(self, columns: tuple[str, ...] | list[str]) -> str:
        """Return the place of columns, as messages name it."""
        return f"{self.name}.{','.join(columns)}"
