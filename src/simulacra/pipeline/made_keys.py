"""Which columns are made of row numbers, no two values alike: those can be keys."""

from __future__ import annotations

from simulacra.core import registry
from simulacra.core.protocols import TellingApart
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec, TableSpec


def is_made_apart(column: ColumnSpec) -> bool:
    """Say whether the values of a column are made of row numbers, so that none comes twice."""
    if column.fields is not None or column.items is not None:
        return False
    datatype = registry.load(Kind.DATATYPE, column.type)
    return isinstance(datatype, TellingApart) and datatype.tells_apart(column.options)


def made_by_row(table: TableSpec) -> frozenset[str]:
    """Return the columns that belong to the numbers of rows: keys, and whoever a key tells of.

    Where a key is personal, all that is personal stays with it: a row tells of one person.
    """
    keys = {name for key in (table.primary_key, *table.unique) for name in key}
    made = {n for n, c in table.columns.items() if is_made_apart(c)}
    alike = {table.columns[name].type for name in made & keys}
    return frozenset(
        name
        for name, column in table.columns.items()
        if column.type in alike or (name in made and column.type == "identifier")
    )
