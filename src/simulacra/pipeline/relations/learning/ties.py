"""Ancestors that a row's parents share: an order's address is one of the order's customer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulacra.pipeline.relations.fitted_relation import Tie
from simulacra.pipeline.relations.graph import KNOWN_FIRST, Role
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.parent_rows import Rows

_TIED = 0.999
_FEWEST_TIED = 20
_UNTIED_BY_CHANCE = 0.5


def find_ties(family: TableInFamily, place: int) -> tuple[Tie, ...]:
    """Find what a linked parent shares with the row's owner in (all but) every row.

    As an order's address is one of the order's customer, or both are of one tenant.

    Args:
        family: The table.
        place: The relation among the table's.
    """
    owner = next((n for n, r in enumerate(family.relations) if r.role is Role.OWNER), None)
    if owner is None:
        return ()
    owners, linked = (family.parents[n][family.numbers] for n in (owner, place))
    both = (owners >= 0) & (linked >= 0)
    if both.sum() < _FEWEST_TIED:
        return ()
    above_owner = list(_above(family, family.relations[owner].key.parent, owners[both]))
    above_linked = list(_above(family, family.relations[place].key.parent, linked[both]))
    for owner_path, table, ancestor in above_owner:
        for parent_path, other_table, other in above_linked:
            is_further = bool(owner_path or parent_path)
            if table == other_table and is_further and _is_shared(ancestor, other):
                return (Tie(owner_path, parent_path),)
    return ()


def _is_shared(ancestor: Rows, other: Rows) -> bool:
    """Say whether two ancestors of rows are the same, and not by chance."""
    same = (ancestor == other).mean()
    by_chance = (ancestor == np.roll(other, len(other) // 2)).mean()
    return bool(same >= _TIED and by_chance <= _UNTIED_BY_CHANCE)


def _above(
    family: TableInFamily, table: str, rows: Rows
) -> Iterator[tuple[tuple[int, ...], str, Rows]]:
    """Yield a table's rows themselves and what they are drawn under, path and table first."""
    yield (), table, rows
    for place, relation in enumerate(family.graph.relations[table]):
        if relation.role in KNOWN_FIRST:
            yield (place,), relation.key.parent, family.seen[table].parents[place][rows]
