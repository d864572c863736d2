"""What is true of the rows of one parent: they are numbered, apart, or share further parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.errors import SpecError
from simulacra.core.schema import TableSpec
from simulacra.pipeline.relations.fitted import Distinct, Tie
from simulacra.pipeline.relations.graph import Graph, Role
from simulacra.pipeline.relations.resolve import Rows

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


def distinct_keys(
    name: str,
    table: TableSpec,
    sample: pa.Table,
    graph: Graph,
    numbered: Mapping[str, int],
) -> tuple[Distinct, ...]:
    """Return the table's keys of several columns that have foreign keys in them.

    Raises:
        SpecError: A key has a column that can't be told apart.
    """
    found = []
    for key in [table.primary_key, *table.unique]:
        inside = [
            place
            for place, relation in enumerate(graph.relations[name])
            if set(relation.key.columns) <= set(key)
        ]
        if not inside or len(key) < 2:
            continue
        filled = {c for place in inside for c in graph.relations[name][place].key.columns}
        rest = [column for column in key if column not in filled]
        owner = any(graph.relations[name][place].role is Role.OWNER for place in inside)
        if owner and any(column in numbered for column in rest):
            continue
        if any(table.columns[column].unique for column in rest):
            continue
        read = [_grid(name, column, sample.column(column)) for column in rest]
        found.append(
            Distinct(
                tuple(inside),
                tuple(rest),
                tuple(grid for grid, _ in read),
                tuple(choices for _, choices in read),
            )
        )
    return tuple(found)


def _grid(
    table: str, column: str, values: pa.ChunkedArray
) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    known = values.drop_null()
    if is_counted(known.type):
        numbers = np.unique(counted(known))
        if not len(numbers):
            return (0, 0, 1), ()
        step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 1
        return (int(numbers[0]), int(numbers[-1]), max(step, 1)), ()
    if pa.types.is_string(known.type) or pa.types.is_large_string(known.type):
        choices = tuple(sorted(pc.unique(known).to_pylist()))
        if len(choices) <= _MOST_CHOICES:
            return (0, max(len(choices) - 1, 0), 1), choices
    raise SpecError(
        f"it is part of a key with a foreign key, and {known.type} values can't be told apart",
        where=f"{table}.{column}",
        mend="Take it out of the key, or make it an identifier",
    )


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
            if table != other_table or not (own or other) or not other:
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
