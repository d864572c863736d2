"""Which columns hold nothing but keys, and so have no statistics to be kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from simulacra.core.schema import DatasetSpec, TableSpec
from simulacra.metrics.columns import KEY_TYPE

_IDENTIFIER = "identifier"
_NAMES = frozenset({_IDENTIFIER, "text"})
_NUMBERS = frozenset({"integer", "float", "decimal"})

_Column = tuple[str, str]
"""A table and one of its columns."""


def without_keys(spec: DatasetSpec, *, spared: Collection[tuple[str, str]] = ()) -> DatasetSpec:
    """Return the specification as metrics see it: columns that only refer have the type ``key``.

    A column only refers if it holds values of an identifier or of a primary key of one column, at
    once or by way of further foreign keys. Keys made of columns that mean something (a place and a
    day) are data like others. So are those of kept tables, whose texts and keys are categories.

    Args:
        spec: The specification.
        spared: Columns (with their tables) that stay as they are.
    """
    kept = {name for name, table in spec.tables.items() if table.keep}
    keys = {
        (name, column)
        for name, table in spec.tables.items()
        if name not in kept
        for column in _identifying(table)
    }
    refers: set[_Column] = set()
    while found := {
        here for here, there in _links(spec) if there in keys | refers and here not in refers
    }:
        refers |= found
    types = dict.fromkeys(_categories(spec, kept), "category")
    types |= dict.fromkeys(refers, KEY_TYPE)
    return spec.model_copy(
        update={
            "tables": {
                name: _typed(
                    table,
                    {
                        column: kind
                        for (owner, column), kind in types.items()
                        if owner == name and (owner, column) not in spared
                    },
                )
                for name, table in spec.tables.items()
            }
        }
    )


def _identifying(table: TableSpec) -> list[str]:
    if len(table.primary_key) == 1:
        return table.primary_key
    return [name for name, column in table.columns.items() if column.type == _IDENTIFIER]


def _links(spec: DatasetSpec) -> Iterator[tuple[_Column, _Column]]:
    """Yield each column that refers, and the column that it refers to."""
    for name, table in spec.tables.items():
        if table.keep:
            continue
        for key in table.foreign_keys:
            for column, there in zip(key.columns, key.parent_columns, strict=True):
                yield (name, column), (key.parent, there)


def _categories(spec: DatasetSpec, kept: Collection[str]) -> Iterator[_Column]:
    """Yield the columns that choose among the rows of kept tables, or say which they are."""
    for name, table in spec.tables.items():
        for column, about in table.columns.items():
            if name in kept and about.type in _NAMES:
                yield name, column
        for key in table.foreign_keys:
            column = key.columns[0]
            plain = table.columns[column].type in _NUMBERS | _NAMES
            if key.parent in kept and len(key.columns) == 1 and plain:
                yield name, column


def _typed(table: TableSpec, types: Mapping[str, str]) -> TableSpec:
    if not types:
        return table
    columns = {
        name: column.model_copy(update={"type": types[name]}) if name in types else column
        for name, column in table.columns.items()
    }
    return table.model_copy(update={"columns": columns})
