"""Chooses the parents of drawn rows that are not their owners: by kind and quota."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import LimitError
from simulacra.core.features import Codes
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.pipeline.relations.drawing.agreement import UNKNOWN, Within
from simulacra.pipeline.relations.drawing.drawn_table import DrawnTable
from simulacra.pipeline.relations.drawing.quotas import can_be_parents, learned_quotas
from simulacra.pipeline.relations.fitted_relation import (
    FittedRelation,
    count_column,
    kind_column,
)
from simulacra.pipeline.relations.graph import Role
from simulacra.pipeline.relations.matching.assignment import levels_without_gaps, match
from simulacra.pipeline.relations.parent_rows import NULL, ORPHAN, Rows


def matched_rows(
    relation: FittedRelation,
    codes: Codes,
    parent: DrawnTable,
    *,
    must: Within | None = None,
    should: Within | None = None,
    rng: RngKey,
) -> Rows:
    """Return the parent of each row by the kinds drawn.

    Args:
        relation: The relation.
        codes: The drawn kind of each row's parent.
        parent: The parent table.
        must: What child and parent must agree in; a row without such a parent has none.
        should: What they agree in if they can.
        rng: The key of this step.
    """
    found = np.full(len(codes), NULL, np.int32)
    if relation.orphans:
        found[codes == relation.kinds + 1] = ORPHAN
    children = np.flatnonzero(codes < relation.kinds)
    if relation.role is Role.KEPT and must is None and not relation.is_single:
        found[children] = codes[children]
        return found
    if relation.role is Role.KEPT:
        kinds: NDArray[np.integer] = np.arange(parent.rows, dtype=np.int32)
        quotas = np.bincount(codes[children], minlength=parent.rows) + 1
    else:
        counts = parent.below[count_column(relation.relation)]
        kinds = parent.below.get(kind_column(relation.relation), np.zeros(len(counts), np.int32))
        quotas = learned_quotas(relation, counts, rng, can_be_parents(relation, parent))
    free = can_be_parents(relation, parent)

    def choose(rows: NDArray[np.intp], within: Within | None, step: str) -> None:
        able = np.flatnonzero(free)
        if not len(rows) or not len(able):
            return
        chosen = match(
            codes[rows].astype(np.int32),
            kinds[able],
            quotas[able],
            rng=rng.child(step),
            child_within=None if within is None else within.children[rows],
            parent_within=None if within is None else within.parents[able],
            most=1 if relation.is_single else None,
        )
        placed = chosen >= 0
        found[rows[placed]] = able[chosen[placed]]
        if relation.is_single:
            free[able[chosen[placed]]] = False

    within = must.and_also(should) if must else should
    told = np.ones(len(children), np.bool_)
    if within is not None:
        told = within.children[children] != UNKNOWN
    choose(children[told], within, "match")
    # A row that needs a parent has any, rather than one that agrees in all it should.
    needs = relation.role is Role.KEPT or (relation.nulls == 0 and relation.role is not Role.SELF)
    left = children[(found[children] == NULL) & (~told | needs)]
    if must is not None:
        bound = must.children[left] != UNKNOWN
        choose(left[bound], must, "strays")
        left = left[~bound]
    choose(left, None, "others" if must is not None else "strays")
    return found


def require_parents(
    relation: FittedRelation, codes: Codes, found: Rows, table: TableSpec, *, where: str
) -> None:
    """Refuse rows without a parent where no column of the key takes nulls.

    Args:
        relation: The relation.
        codes: The drawn kind of each row's parent.
        found: The parent of each row.
        table: The table.
        where: Its name.

    Raises:
        LimitError: There are such rows.
    """
    columns = relation.key.columns
    if any(table.columns[column].nullable for column in columns):
        return
    left = int(((found == NULL) & (codes < relation.kinds)).sum())
    if left:
        raise LimitError(
            f"{left:,} rows find no row of {relation.parent} to refer to",
            where=f"{where}.{','.join(columns)}",
            why="each may be referred to once"
            if relation.is_single
            else "none agrees with the row's other keys",
            mend=f"Ask for more rows of {relation.parent}, or fewer of {where}",
        )


def levels_of(
    relation: FittedRelation, levels: Codes, codes: Codes, within: Within | None
) -> tuple[Codes, Within]:
    """Make a table's relation to itself a forest: each row's parent is one level up.

    Args:
        relation: The relation.
        levels: The drawn level of each row.
        codes: The drawn kind of each row's parent.
        within: What child and parent agree in: levels are without gaps in each part of its own.

    Returns:
        The codes, "none" exactly at level 0, and what child and parent must agree in.
    """
    parts = None if within is None else within.children
    depth = levels_without_gaps(levels, parts).astype(np.int64)
    orphan = codes == relation.kinds + 1
    wanted = np.where((depth == 0) & ~orphan, relation.kinds, codes)
    wanted = np.where((depth > 0) & (wanted >= relation.kinds), 0, wanted)
    return wanted.astype(codes.dtype), Within(depth - 1, depth)
