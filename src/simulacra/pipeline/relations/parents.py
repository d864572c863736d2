"""Chooses the parents of drawn rows: owners by their counts, others by kind and quota."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import LimitError
from simulacra.core.features import Codes
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.pipeline.relations.agreement import NOBODY, UNKNOWN, Within
from simulacra.pipeline.relations.drawn import DrawnTable
from simulacra.pipeline.relations.fitted import (
    FittedRelation,
    count_column,
    kind_column,
)
from simulacra.pipeline.relations.graph import Role
from simulacra.pipeline.relations.key_index import NULL, ORPHAN
from simulacra.pipeline.relations.matching import (
    calibrate,
    levels_without_gaps,
    match,
)
from simulacra.pipeline.relations.resolve import Rows
from simulacra.pipeline.relations.rows import with_parents

_BOUNDLESS = 2**31


def owned_rows(
    relation: FittedRelation,
    parent: DrawnTable,
    rows: int,
    *,
    most: NDArray[np.int64] | None,
    usable: NDArray[np.bool_],
    needed: bool,
    where: str,
    rng: RngKey,
) -> Rows:
    """Return the owner of each row: the children of one after the other's, then those of none.

    Args:
        relation: The relation.
        parent: The owners.
        rows: How many rows there are.
        most: How many each owner may have, None if any number.
        usable: Which owners may have any.
        needed: Whether no row may be without.
        where: The table's name, for messages.
        rng: The key of this step.

    Raises:
        LimitError: There are more rows than owners that may have but one each.
    """
    orphans = round(relation.orphan_share * rows)
    owned = with_parents(relation, rows)
    quotas = parent.below[count_column(relation.relation)]
    usable = usable & with_keys(relation, parent)
    able = int(usable.sum())
    if owned and not able and not needed:
        owned = 0
    none = rows - owned - orphans
    room = _BOUNDLESS * able if most is None else int(most[usable].sum())
    if owned > room:
        raise LimitError(
            f"{owned:,} rows for {able:,} rows of {relation.parent}, which have room for {room:,}",
            where=f"{where}.{','.join(relation.relation.key.columns)}",
            why="no two rows may agree in the key that it is part of"
            if able
            else "none agrees with rows of the other parents",
            mend=f"Ask for more rows of {relation.parent}, or fewer of {where}",
        )
    counts = np.zeros(len(quotas), np.int64)
    wanted = as_learned(relation, quotas, rng, usable)[usable]
    counts[usable] = calibrate(wanted, owned, rng=rng)
    if most is not None:
        counts[usable] = _within_room(counts[usable], most[usable], rng.child("room"))
    return np.concatenate(
        [
            np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            np.full(none, NULL, np.int32),
            np.full(orphans, ORPHAN, np.int32),
        ]
    )


def _within_room(
    counts: NDArray[np.int64], most: NDArray[np.int64], rng: RngKey
) -> NDArray[np.int64]:
    """Deal counts out anew where there is no room for them: who had many first, as learned.

    What finds no room at all is lowered, and others take over.
    """
    if (counts <= most).all():
        return counts
    chance = rng.generator().permutation(len(counts))
    wish = np.empty(len(counts), np.int64)
    wish[np.lexsort((chance, -counts))] = np.arange(len(counts))
    waiting = np.argsort(-most, kind="stable").tolist()[::-1]
    kept = np.zeros(len(counts), np.int64)
    able: list[int] = []
    for count in -np.sort(-counts):
        while waiting and most[waiting[-1]] >= count:
            heapq.heappush(able, int(wish[waiting.pop()]))
        if not able:
            break
        kept[heapq.heappop(able)] = count
    found: NDArray[np.int64] = kept[wish]
    left = int(counts.sum() - found.sum())
    while left:
        # Those that have some take what is left, one each.
        free = np.flatnonzero(found < most)
        free = free[np.lexsort((chance[free], found[free] == 0))][:left]
        found[free] += 1
        left -= len(free)
    return found


def with_keys(relation: FittedRelation, parent: DrawnTable) -> NDArray[np.bool_]:
    """Return which rows of a parent can be referred to: those without nulls in their key."""
    known = np.ones(parent.rows, np.bool_)
    for column in relation.relation.key.parent_columns:
        if column in parent.values and parent.values[column].null_count:
            known &= parent.values[column].is_valid().to_numpy(zero_copy_only=False)
    return known


def as_learned(
    relation: FittedRelation,
    drawn: NDArray[np.int32],
    rng: RngKey,
    usable: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Give parents, in the order of the numbers drawn for them, as many children as learned.

    Few parents' numbers, drawn each by itself, miss the few that have most children. Parents that
    may have none come first, where the numbers are least.
    """
    numbers, parents = np.array(relation.counts, np.int64).reshape(-1, 2).T
    if not len(numbers) or not len(drawn):
        return drawn.astype(np.int64)
    upto = np.cumsum(parents) / parents.sum()
    chance = rng.child("ties").generator().random(len(drawn))
    middle = (np.arange(len(drawn)) + 0.5) / len(drawn)
    found = np.empty(len(drawn), np.int64)
    found[np.lexsort((chance, drawn, usable))] = numbers[np.searchsorted(upto, middle)]
    return found


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
        quotas = as_learned(relation, counts, rng, with_keys(relation, parent))
    free = with_keys(relation, parent)

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
    columns = relation.relation.key.columns
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


def tied(
    relation: FittedRelation,
    owner: Rows,
    owner_table: str,
    tables: Mapping[str, DrawnTable],
    own: DrawnTable,
) -> Within | None:
    """Return what a row and the parent chosen should agree in, None if in nothing.

    Args:
        relation: The relation whose parent is chosen.
        owner: The row numbers of the rows' owners.
        owner_table: The owners' table.
        tables: The tables drawn so far.
        own: The table itself, whose owners are known.
    """
    if not relation.ties:
        return None
    tie = relation.ties[0]
    above = followed(owner, owner_table, tie.owner_path, tables)
    table = own if relation.role is Role.SELF else tables[relation.parent]
    if not tie.parent_path:
        across = np.arange(table.rows, dtype=np.int32)
    else:
        across = table.parents[tie.parent_path[0]]
    return Within(
        np.where(above < 0, UNKNOWN, above.astype(np.int64)),
        np.where(across < 0, NOBODY, across.astype(np.int64)),
    )


def followed(rows: Rows, table: str, path: Sequence[int], tables: Mapping[str, DrawnTable]) -> Rows:
    """Return where a path of at most one relation leads from rows of a table."""
    for place in path:
        onward = tables[table].parents[place]
        rows = np.where(rows < 0, NULL, onward[np.maximum(rows, 0)] if len(onward) else NULL)
        rows = rows.astype(np.int32)
    return rows
