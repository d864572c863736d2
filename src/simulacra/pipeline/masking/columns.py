"""Columns by their paths, those within nested ones too, and what is masked of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulacra.core.errors import UsageError
from simulacra.core.schema import ColumnSpec, DatasetSpec
from simulacra.datatypes.personal.column_names import joined
from simulacra.datatypes.personal.kind import Reach
from simulacra.datatypes.personal.registry import kind_names, kind_of

Place = tuple[str, str]
"""A table, and the path of a leaf of its columns: ``email``, ``address.street``, ``phones[]``."""
PERSONAL = "personal"
IDENTIFIER = "identifier"
CODE = "code"
"""What users call an identifier that is to be masked."""


@dataclass(frozen=True, slots=True)
class Mask:
    """How a column is masked.

    Attributes:
        datatype: The datatype that does it.
        options: Its options.
        why: What decided it, for the user.
    """

    datatype: str
    options: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    @property
    def kind(self) -> str:
        """What the values are taken for, in a word."""
        if self.datatype == IDENTIFIER:
            return CODE
        return str(self.options.get("kind", self.datatype))


def leaves(spec: DatasetSpec) -> dict[Place, ColumnSpec]:
    """Return all columns without parts, by place."""
    return {
        (table, path): leaf
        for table, one in spec.tables.items()
        for name, column in one.columns.items()
        for path, leaf in _leaves(name, column)
    }


def _leaves(path: str, column: ColumnSpec) -> Iterator[tuple[str, ColumnSpec]]:
    if column.fields is not None:
        for name, part in column.fields.items():
            yield from _leaves(f"{path}.{name}", part)
    elif column.items is not None:
        yield from _leaves(f"{path}[]", column.items)
    else:
        yield path, column


def shown(place: Place) -> str:
    """Return a place as users write it."""
    return ".".join(place)


def named(text: str, known: Mapping[Place, ColumnSpec], option: str) -> list[Place]:
    """Return the columns that a user names: a column, all parts of one, or all of a table.

    Args:
        text: ``table.column`` or ``table``; the column alone, if there is one table.
        known: All columns.
        option: What names it, for messages.

    Raises:
        UsageError: There is no such column.
    """
    tables = list(dict.fromkeys(table for table, _ in known))
    wanted = [text, f"{tables[0]}.{text}"] if len(tables) == 1 else [text]
    for one in wanted:
        found = [
            place
            for place in known
            if place[0] == one
            or shown(place) == one
            or shown(place).startswith((f"{one}.", f"{one}["))
        ]
        if found:
            return found
    table = next((name for name in tables if text.startswith(f"{name}.")), None)
    if table is None:
        mend = f"Write TABLE.COLUMN; there are the tables {', '.join(tables)}"
    else:
        mend = f"{table} has {', '.join(path for name, path in known if name == table)}"
    raise UsageError("there is no such column", where=text, why=f"{option} names it", mend=mend)


def called_kind(path: str) -> str | None:
    """Return the kind of personal data that a column's name says, the first that it does."""
    name = joined(path.rpartition(".")[2])
    return next((kind for kind in kind_names() if kind_of(kind).said.search(name)), None)


def says_much(kind: str) -> bool:
    """Say whether a column's name is enough to take it for a kind that is masked elsewhere.

    ``name`` is not: articles have names as well.
    """
    return kind_of(kind).reach in {Reach.IDENTIFYING, Reach.PLACE}
