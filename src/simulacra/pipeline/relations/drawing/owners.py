"""Chooses the owner of each drawn row: the rows of one owner after those of another."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import LimitError
from simulacra.core.random import RngKey
from simulacra.pipeline.relations.drawing.owner_room import most_owned, usable_owners
from simulacra.pipeline.relations.drawing.quotas import can_be_parents, learned_quotas
from simulacra.pipeline.relations.drawing.table_run import TableRun
from simulacra.pipeline.relations.fitted_relation import FittedRelation, count_column
from simulacra.pipeline.relations.matching.assignment import calibrate
from simulacra.pipeline.relations.parent_rows import NULL, ORPHAN, Rows

_BOUNDLESS = 2**31


def choose_owners(run: TableRun, owner: int, rng: RngKey) -> Rows:
    """Return the owner of each row: the children of one after the other's, then those of none.

    Args:
        run: The table.
        owner: The place of the owner among its relations.
        rng: The key of this step.

    Raises:
        LimitError: There are more rows than their owners have room for.
    """
    relation = run.family.relations[owner]
    parent = run.tables[relation.parent]
    most = most_owned(run, owner)
    usable = usable_owners(run, owner) & can_be_parents(relation, parent)
    orphans = round(relation.orphan_share * run.rows)
    owned = relation.with_parents(run.rows)
    may_be_none = any(run.fitted.spec.columns[column].nullable for column in relation.key.columns)
    if may_be_none and not usable.any():
        owned = 0
    room = _BOUNDLESS * int(usable.sum()) if most is None else int(most[usable].sum())
    if owned > room:
        raise _too_many(run, relation, owned, int(usable.sum()), room)
    counts = np.zeros(parent.rows, np.int64)
    drawn = parent.below[count_column(relation.relation)]
    wanted = learned_quotas(relation, drawn, rng, usable)[usable]
    counts[usable] = calibrate(wanted, owned, rng=rng)
    if most is not None:
        counts[usable] = _within_room(counts[usable], most[usable], rng.child("room"))
    return np.concatenate(
        [
            np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            np.full(run.rows - owned - orphans, NULL, np.int32),
            np.full(orphans, ORPHAN, np.int32),
        ]
    )


def _too_many(
    run: TableRun, relation: FittedRelation, owned: int, able: int, room: int
) -> LimitError:
    return LimitError(
        f"{owned:,} rows for {able:,} rows of {relation.parent}, which have room for {room:,}",
        where=f"{run.name}.{','.join(relation.key.columns)}",
        why="no two rows may agree in the key that it is part of"
        if able
        else "none agrees with rows of the other parents",
        mend=f"Ask for more rows of {relation.parent}, or fewer of {run.name}",
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
