"""How many rows owners have room for, by the keys that their rows must keep."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulacra.pipeline.relations.drawing.agreement import (
    UNKNOWN,
    Within,
    shared_ancestors,
    shared_columns,
)
from simulacra.pipeline.relations.drawing.table_run import TableRun
from simulacra.pipeline.relations.graph import Role


def most_owned(run: TableRun, owner: int) -> NDArray[np.int64] | None:
    """Return how many rows each owner may have, None if any number.

    Args:
        run: The table.
        owner: The place of the owner among its relations.
    """
    relations = run.family.relations
    count = run.tables[relations[owner].parent].rows
    bounds = [np.ones(count, np.int64)] if relations[owner].is_single else []
    for key in run.family.distinct:
        others = [place for place in key.relations if place != owner]
        # How many there will be of those drawn later isn't known.
        is_open = any(relations[n].nulls or relations[n].role is Role.LATE for n in others)
        is_bound = owner in key.relations and not is_open
        if is_bound and len(key.columns) <= 1 and all(key.choices):
            able = [_able_parents(run, owner, place) for place in others]
            able.append(np.full(count, math.prod(map(len, key.choices)), np.int64))
            bounds.append(np.prod(able, axis=0))
    return np.min(bounds, axis=0) if bounds else None


def usable_owners(run: TableRun, owner: int) -> NDArray[np.bool_]:
    """Return which owners may have rows: those for which all needed parents are there.

    Args:
        run: The table.
        owner: The place of the owner among its relations.
    """
    family = run.family
    owner_table = family.relations[owner].parent
    able = np.ones(run.tables[owner_table].rows, np.bool_)
    for place, relation in family.of_role(Role.LINK, Role.KEPT):
        if relation.nulls or relation.orphans or relation.key.when:
            continue
        owners = np.arange(len(able), dtype=np.int32)
        parent = run.tables[relation.parent]
        must = _shared_with_owner(run, owner, place)
        should = shared_ancestors(relation, owners, owner_table, parent, run.tables)
        for within in (must, should):
            if within is not None:
                found = np.isin(within.children, within.parents)
                able &= found | (within.children == UNKNOWN)
    return able


def _able_parents(run: TableRun, owner: int, place: int) -> NDArray[np.int64]:
    """Return how many parents in one relation there are for the rows of each owner."""
    relations = run.family.relations
    count = run.tables[relations[owner].parent].rows
    if relations[place].role is Role.SELF:
        return np.full(count, run.rows, np.int64)
    parents = run.tables[relations[place].parent].rows
    must = _shared_with_owner(run, owner, place)
    if must is None:
        return np.full(count, parents, np.int64)
    codes, counts = np.unique(must.parents, return_counts=True)
    at = np.minimum(np.searchsorted(codes, must.children), max(len(codes) - 1, 0))
    found = np.where(codes[at] == must.children, counts[at], 0) if len(codes) else at * 0
    return np.where(must.children == UNKNOWN, parents, found).astype(np.int64)


def _shared_with_owner(run: TableRun, owner: int, place: int) -> Within | None:
    """Return what each owner, if it has a row, must agree in with that row's other parent."""
    relations = run.family.relations
    owners = np.arange(run.tables[relations[owner].parent].rows, dtype=np.int32)
    parents = [owners if other == owner else owners[:0] for other in range(len(relations))]
    return shared_columns(place, relations, [owner], parents, run.parent_column, {})
