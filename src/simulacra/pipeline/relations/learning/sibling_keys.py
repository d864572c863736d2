"""Keys that the rows of one parent keep among themselves: they are numbered, or told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.schema import TableSpec
from simulacra.pipeline.relations.family import Distinct
from simulacra.pipeline.relations.graph import Relation, Role
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.ticks import Ticks
from simulacra.pipeline.uniques import declared_keys

_FEWEST_FURTHER = 0.01
"""Share of rows that are not the first of their parent, below which places tell nothing."""
_MOST_CHOICES = 10_000
_AS_THEY_ARE = Ticks(0, 0, 1)
"""Counts whole numbers and times."""


def numbered_by_place(family: TableInFamily, places: NDArray[np.int32]) -> dict[str, int]:
    """Return the columns that number an owner's rows, each with the number of the first.

    Args:
        family: The table.
        places: The place of each row of the sample among those of its owner.
    """
    owner = next((n for n, r in enumerate(family.relations) if r.role is Role.OWNER), None)
    if owner is None:
        return {}
    owned = family.parents[owner][family.numbers] >= 0
    if not owned.any() or (places[owned] > 0).mean() < _FEWEST_FURTHER:
        return {}
    used = {column for key in family.spec.foreign_keys for column in key.columns}
    found = {}
    for name, column in family.spec.columns.items():
        if name in used or column.unique or not pa.types.is_integer(column.arrow_type()):
            continue
        values = family.sample.column(name)
        if values.null_count:
            continue
        first = values.to_numpy()[owned].astype(np.int64) - places[owned]
        if first.min() == first.max():
            found[name] = int(first[0])
    return found


def is_alone(columns: Sequence[str], table: TableSpec) -> bool:
    """Say whether a foreign key's columns are a key of their own: no parent has two rows."""
    keys = [table.primary_key, *table.unique]
    keys += [[name] for name, column in table.columns.items() if column.unique]
    return any(key and set(key) <= set(columns) for key in keys)


def distinct_keys(family: TableInFamily, numbered: Mapping[str, int]) -> tuple[Distinct, ...]:
    """Return the table's keys of several columns that are kept by choosing or sorting siblings.

    Those that foreign keys alone make up, and those of an owner and columns that its rows differ
    in. Other keys with foreign keys in them are kept as keys without.

    Args:
        family: The table.
        numbered: Columns that number an owner's rows: keys with them are kept already.
    """
    table, relations = family.spec, family.relations
    found = []
    filled = {column for relation in relations for column in relation.key.columns}
    for key in [table.primary_key, *table.unique]:
        inside, rest = _parts_of(key, relations)
        if not inside or len(key) < 2 or numbered.keys() & rest:
            continue
        if any(table.columns[column].unique for column in rest):
            continue
        read = [_grid(family.sample.column(column)) for column in rest]
        owned = any(relations[place].role is Role.OWNER for place in inside)
        whole = not filled & set(rest) and not any(table.columns[c].nullable for c in key)
        if not rest or (owned and whole and all(read)):
            grids = [grid for grid in read if grid is not None]
            found.append(
                Distinct(
                    tuple(inside),
                    tuple(rest),
                    tuple(grid for grid, _ in grids),
                    tuple(choices for _, choices in grids),
                )
            )
    return tuple(found)


def other_keys(
    family: TableInFamily, numbered: Mapping[str, int], distinct: Sequence[Distinct]
) -> list[tuple[str, ...]]:
    """Return the declared keys that are kept neither by siblings nor by the parents chosen.

    Args:
        family: The table.
        numbered: Columns that number an owner's rows.
        distinct: Keys that siblings or parents keep.
    """
    relations = family.relations
    apart = [
        {*key.columns, *(c for place in key.relations for c in relations[place].key.columns)}
        for key in distinct
    ]
    found = []
    for key in declared_keys(family.spec):
        inside, rest = _parts_of(key, relations)
        owned = any(relations[place].role is Role.OWNER for place in inside)
        is_numbered = owned and numbered.keys() & rest
        if (rest or not inside) and not is_numbered and set(key) not in apart:
            found.append(key)
    return found


def _parts_of(key: Sequence[str], relations: Sequence[Relation]) -> tuple[list[int], list[str]]:
    """Return the relations that are whole parts of a key, and its other columns."""
    inside = [n for n, relation in enumerate(relations) if set(relation.key.columns) <= set(key)]
    filled = {column for place in inside for column in relations[place].key.columns}
    return inside, [column for column in key if column not in filled]


def _grid(values: pa.ChunkedArray) -> tuple[tuple[int, int, int], tuple[str, ...]] | None:
    """Return the grid that a column's values lie on, None if they lie on none."""
    if pa.types.is_integer(values.type) or pa.types.is_temporal(values.type):
        numbers = np.unique(_AS_THEY_ARE.count(values.drop_null().combine_chunks()))
        if not len(numbers):
            return (0, 0, 1), ()
        step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 1
        return (int(numbers[0]), int(numbers[-1]), max(step, 1)), ()
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        choices = tuple(sorted(pc.unique(values.drop_null()).to_pylist()))
        if len(choices) <= _MOST_CHOICES:
            return (0, max(len(choices) - 1, 0), 1), choices
    return None
