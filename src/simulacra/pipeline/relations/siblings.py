"""What is true of the rows of one parent: they are numbered, apart, or share further parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.schema import TableSpec
from simulacra.pipeline.relations.fitted import Distinct, Tie
from simulacra.pipeline.relations.graph import Graph, Role
from simulacra.pipeline.relations.resolve import Rows
from simulacra.pipeline.uniques import declared_keys

_FEWEST_FURTHER = 0.01
"""Share of rows that are not the first of their parent, below which places tell nothing."""
_MOST_CHOICES = 10_000
_TIED = 0.999
_FEWEST_TIED = 20
_UNTIED_BY_CHANCE = 0.5


def numbered_by_place(
    table: TableSpec, sample: pa.Table, places: NDArray[np.int32], owned: NDArray[np.bool_]
) -> dict[str, int]:
    """Return the columns that number a parent's rows, each with the number of the first.

    Args:
        table: The table.
        sample: A sample of its rows.
        places: Each row's place among those of its owner.
        owned: Which rows have an owner.
    """
    if not owned.any() or (places[owned] > 0).mean() < _FEWEST_FURTHER:
        return {}
    used = {column for key in table.foreign_keys for column in key.columns}
    found = {}
    for name, column in table.columns.items():
        if name in used or column.unique or not pa.types.is_integer(column.arrow_type()):
            continue
        values = sample.column(name)
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


def distinct_keys(
    name: str,
    table: TableSpec,
    sample: pa.Table,
    graph: Graph,
    numbered: Mapping[str, int],
) -> tuple[Distinct, ...]:
    """Return the table's keys of several columns that are kept by choosing or sorting siblings.

    Those that foreign keys alone make up, and those of an owner and columns that its rows differ
    in. Other keys with foreign keys in them are kept as keys without.
    """
    found = []
    filled = {c for relation in graph.relations[name] for c in relation.key.columns}
    for key in [table.primary_key, *table.unique]:
        inside, rest = _parts_of(key, name, graph)
        if not inside or len(key) < 2 or numbered.keys() & rest:
            continue
        if any(table.columns[column].unique for column in rest):
            continue
        read = [_grid(sample.column(column)) for column in rest]
        owned = any(graph.relations[name][place].role is Role.OWNER for place in inside)
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
    name: str,
    table: TableSpec,
    graph: Graph,
    numbered: Mapping[str, int],
    distinct: Sequence[Distinct],
) -> list[tuple[str, ...]]:
    """Return the declared keys that are kept neither by siblings nor by the parents chosen."""
    relations = graph.relations[name]
    apart = [
        {*key.columns, *(c for place in key.relations for c in relations[place].key.columns)}
        for key in distinct
    ]
    found = []
    for key in declared_keys(table):
        inside, rest = _parts_of(key, name, graph)
        owned = any(relations[place].role is Role.OWNER for place in inside)
        is_numbered = owned and numbered.keys() & rest
        if (rest or not inside) and not is_numbered and set(key) not in apart:
            found.append(key)
    return found


def _parts_of(key: Sequence[str], name: str, graph: Graph) -> tuple[list[int], list[str]]:
    """Return the relations that are whole parts of a key, and its other columns."""
    relations = graph.relations[name]
    inside = [n for n, relation in enumerate(relations) if set(relation.key.columns) <= set(key)]
    filled = {column for place in inside for column in relations[place].key.columns}
    return inside, [column for column in key if column not in filled]


def _grid(values: pa.ChunkedArray) -> tuple[tuple[int, int, int], tuple[str, ...]] | None:
    """Return the grid that a column's values lie on, None if they lie on none."""
    if is_counted(values.type):
        numbers = np.unique(counted(values.drop_null()))
        if not len(numbers):
            return (0, 0, 1), ()
        step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 1
        return (int(numbers[0]), int(numbers[-1]), max(step, 1)), ()
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        choices = tuple(sorted(pc.unique(values.drop_null()).to_pylist()))
        if len(choices) <= _MOST_CHOICES:
            return (0, max(len(choices) - 1, 0), 1), choices
    return None


def is_counted(kind: pa.DataType) -> bool:
    """Say whether values of a type are counted in whole ticks."""
    return bool(pa.types.is_integer(kind) or pa.types.is_temporal(kind))


def counted(values: pa.Array | pa.ChunkedArray) -> NDArray[np.int64]:
    """Return numbers or times in ticks, shape ``(rows,)``; there must be no null."""
    if pa.types.is_temporal(values.type):
        values = values.cast(pa.int32() if values.type.bit_width == 32 else pa.int64())
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    numbers: NDArray[np.int64] = values.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def find_ties(
    name: str,
    place: int,
    graph: Graph,
    rows: Sequence[Rows],
    parents: Mapping[str, Sequence[Rows]],
) -> tuple[Tie, ...]:
    """Find what a linked parent shares with the row's owner in (all but) every row.

    As an order's address is one of the order's customer, or both are of one tenant.

    Args:
        name: The table.
        place: The relation among the table's.
        graph: All relations.
        rows: The parents of (a sample of) the table's rows, for each relation.
        parents: The parents of all rows of each table, for each relation.
    """
    relations = graph.relations[name]
    owner = next((n for n, r in enumerate(relations) if r.role is Role.OWNER), None)
    if owner is None:
        return ()
    owner_table, parent_table = relations[owner].key.parent, relations[place].key.parent
    both = (rows[owner] >= 0) & (rows[place] >= 0)
    if both.sum() < _FEWEST_TIED:
        return ()
    above_owner, above_parent = rows[owner][both], rows[place][both]
    ties = []
    for own, table, ancestor in _above(owner_table, above_owner, graph, parents):
        for other, other_table, other_ancestor in _above(
            parent_table, above_parent, graph, parents
        ):
            if table != other_table or not (own or other):
                continue
            same = (ancestor == other_ancestor).mean()
            shuffled = (ancestor == np.roll(other_ancestor, len(other_ancestor) // 2)).mean()
            if same >= _TIED and shuffled <= _UNTIED_BY_CHANCE:
                ties.append(Tie(own, other))
    return tuple(ties[:1])


def _above(
    table: str, rows: Rows, graph: Graph, parents: Mapping[str, Sequence[Rows]]
) -> Iterator[tuple[tuple[int, ...], str, Rows]]:
    """Yield a table's rows themselves and what they are drawn under, path and table first."""
    yield (), table, rows
    for place, relation in enumerate(graph.relations[table]):
        if relation.role in {Role.OWNER, Role.LINK, Role.KEPT}:
            onward = parents[table][place]
            yield (place,), relation.key.parent, onward[rows]
