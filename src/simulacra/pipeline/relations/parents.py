"""Chooses the parents of drawn rows: owners by their counts, others by kind and quota."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import LimitError
from simulacra.core.features import Codes
from simulacra.core.random import RngKey
from simulacra.pipeline.relations.drawn import DrawnTable
from simulacra.pipeline.relations.fitted import (
    Distinct,
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
    separate_pairs,
)
from simulacra.pipeline.relations.resolve import Rows
from simulacra.pipeline.relations.rows import with_parents


def owned_rows(
    relation: FittedRelation,
    parent: DrawnTable,
    rows: int,
    *,
    most: int | None,
    where: str,
    rng: RngKey,
) -> Rows:
    """Return the owner of each row: the children of one after the other's, then those of none.

    Args:
        relation: The relation.
        parent: The owners.
        rows: How many rows there are.
        most: How many one owner may have, None if any number.
        where: The table's name, for messages.
        rng: The key of this step.

    Raises:
        LimitError: There are more rows than owners that may have but one each.
    """
    orphans = round(relation.orphan_share * rows)
    owned = with_parents(relation, rows)
    quotas = parent.below[count_column(relation.relation)]
    if owned and not len(quotas):
        owned = 0
    none = rows - owned - orphans
    if most is not None and owned > most * len(quotas):
        raise LimitError(
            f"{owned:,} rows for {len(quotas):,} rows of {relation.parent}, of which each has at "
            f"most {most:,}",
            where=f"{where}.{','.join(relation.relation.key.columns)}",
            mend=f"Ask for more rows of {relation.parent}, or fewer of {where}",
        )
    if not owned:
        most = None
    counts = calibrate(as_learned(relation, quotas, rng), owned, most=most, rng=rng)
    return np.concatenate(
        [
            np.repeat(np.arange(len(counts), dtype=np.int32), counts),
            np.full(none, NULL, np.int32),
            np.full(orphans, ORPHAN, np.int32),
        ]
    )


def as_learned(
    relation: FittedRelation, drawn: NDArray[np.int32], rng: RngKey
) -> NDArray[np.int64]:
    """Give parents, in the order of the numbers drawn for them, as many children as learned.

    Few parents' numbers, drawn each by itself, miss the few that have most children.
    """
    numbers, parents = np.array(relation.counts, np.int64).reshape(-1, 2).T
    if not len(numbers) or not len(drawn):
        return drawn.astype(np.int64)
    upto = np.cumsum(parents) / parents.sum()
    chance = rng.child("ties").generator().random(len(drawn))
    middle = (np.arange(len(drawn)) + 0.5) / len(drawn)
    found = np.empty(len(drawn), np.int64)
    found[np.lexsort((chance, drawn))] = numbers[np.searchsorted(upto, middle)]
    return found


def matched_rows(
    relation: FittedRelation,
    codes: Codes,
    parent: DrawnTable,
    within: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    *,
    rng: RngKey,
) -> Rows:
    """Return the parent of each row by the kinds drawn.

    Args:
        relation: The relation.
        codes: The drawn kind of each row's parent.
        parent: The parent table.
        within: What child and parent must agree in, for the rows of each; None if in nothing.
        rng: The key of this step.
    """
    found = np.full(len(codes), NULL, np.int32)
    if relation.orphans:
        found[codes == relation.kinds + 1] = ORPHAN
    if relation.role is Role.KEPT:
        known = codes < relation.kinds
        found[known] = codes[known]
        return found
    children = np.flatnonzero(codes < relation.kinds)
    if not len(children) or not parent.rows:
        return found
    counts = parent.below[count_column(relation.relation)]
    kinds = parent.below.get(kind_column(relation.relation), np.zeros(len(counts), np.int32))
    quotas = as_learned(relation, counts, rng)
    most = 1 if relation.is_single else None
    wanted = codes[children].astype(np.int32)
    chosen = match(
        wanted,
        kinds,
        quotas,
        rng=rng.child("match"),
        child_within=None if within is None else within[0][children],
        parent_within=None if within is None else within[1],
        most=most,
    )
    strays = np.flatnonzero(chosen < 0)
    if len(strays) and relation.nulls == 0 and most is None and relation.role is not Role.SELF:
        # Where no parent shares what it should, any parent is better than none.
        chosen[strays] = match(wanted[strays], kinds, quotas, rng=rng.child("strays"))
    found[children] = chosen
    return found


def levels_of(
    relation: FittedRelation, levels: Codes, codes: Codes
) -> tuple[Codes, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Make a table's relation to itself a forest: each row's parent is one level up.

    Returns:
        The codes, "none" exactly at level 0, and what child and parent must agree in.
    """
    depth: NDArray[np.int64] = levels_without_gaps(levels.astype(np.int32)).astype(np.int64)
    orphan = codes == relation.kinds + 1
    wanted = np.where((depth == 0) & ~orphan, relation.kinds, codes)
    wanted = np.where((depth > 0) & (wanted >= relation.kinds), 0, wanted)
    return wanted.astype(codes.dtype), (depth - 1, depth)


def tied(
    relation: FittedRelation,
    owner: Rows,
    owner_table: str,
    tables: Mapping[str, DrawnTable],
    own: DrawnTable,
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Return what a row and the parent chosen must agree in, None if in nothing.

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
    return above.astype(np.int64), across.astype(np.int64)


def followed(rows: Rows, table: str, path: Sequence[int], tables: Mapping[str, DrawnTable]) -> Rows:
    """Return where a path of at most one relation leads from rows of a table."""
    for place in path:
        onward = tables[table].parents[place]
        rows = np.where(rows < 0, np.int32(-1), onward[np.maximum(rows, 0)])
    return rows


def separated(
    distinct: Distinct,
    parents: Sequence[Rows],
    kinds: Codes,
    tables: int,
    *,
    where: str,
    rng: RngKey,
) -> Rows:
    """Return the last relation's parents, changed so that no two rows share all of them.

    Args:
        distinct: A key that foreign keys alone make up.
        parents: The parents of all rows, for each relation.
        kinds: The drawn kinds of the last relation's parents: rows of one kind may swap.
        tables: How many rows the last relation's parent has.
        where: The table's name, for messages.
        rng: The key of this step.

    Raises:
        LimitError: There are more rows than different parents.
    """
    *others, last = distinct.relations
    owner = parents[others[0]].astype(np.int64)
    for other in others[1:]:
        owner = owner * (int(parents[other].max(initial=0)) + 1) + parents[other]
    if len(others) > 1:
        owner = np.unique(owner, return_inverse=True)[1]
    found = parents[last].copy()
    known = np.flatnonzero((owner >= 0) & (found >= 0))
    made = separate_pairs(
        owner[known].astype(np.int32), found[known], kinds[known], parents=tables, rng=rng
    )
    if len(made) and made.min() < 0:
        raise LimitError(
            "more rows than different parents",
            where=where,
            why=f"no two may share their parents, and one parent has but {tables:,} to choose from",
            mend="Ask for fewer rows, or more rows of the parents",
        )
    found[known] = made
    return found
