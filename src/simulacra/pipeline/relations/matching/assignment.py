"""Assigns parents to children: one-dimensional optimal transport between kinds, by quota.

Children have a wanted kind of parent, parents a kind and a quota. Both stand in line by kind, at
random within one; each child takes the next place. So every parent gets its quota, and a child
whose kind is short of places gets a parent of the next kind: of all assignments that fill the
quotas, none has a smaller sum of distances between kinds (the monotone rearrangement of optimal
transport on a line; Villani, "Topics in Optimal Transportation", 2003, theorem 2.18).
"""

# mypy: disable-error-code="assignment,no-any-return"
# in kernels Python's and numpy's numbers are one

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Hashes, Ints, SmallInts, kernel
from simulacra.core.errors import UsageError
from simulacra.core.random import RngKey
from simulacra.datatypes.line_kernels import mixed
from simulacra.pipeline.relations.matching.sorting import dense, line_up, shuffled

UNMATCHED = -1
"""The parent of a child for which there is none."""
_NO_LIMIT = 2**31


@kernel
def _settle(quotas: Ints, total: int, most: int) -> tuple[int, int]:
    """Mark quotas that must be ``most`` by a minus sign; return the rest of the total.

    Scaling the others to the rest then takes none of them above ``most``.

    Returns:
        What is left of the total for the others, and the sum of those.
    """
    while True:
        rest, weight = total, 0
        for quota in quotas:
            if quota < 0:
                rest -= most
            else:
                weight += quota
        settled = False
        if most < rest:
            for place in range(len(quotas)):
                if quotas[place] > 0 and quotas[place] * rest >= most * weight:
                    quotas[place] = -most
                    settled = True
        if not settled:
            return rest, weight


@kernel
def _calibrate(quotas: Ints, total: int, most: int, word: np.uint64) -> int:
    """Scale quotas, in place, to a total; return the total reached.

    It is less only if ``most`` for every quota is less. Shares of one are handed on from each to
    the next, beginning with a random one, so that each is rounded up as often as its share says.
    """
    if most * len(quotas) <= total:
        quotas[:] = most
        return most * len(quotas)
    positive = (quotas > 0).sum()
    if positive * most < total or positive == 0:
        # Those that want children take all they may, the others share the rest evenly.
        for place in range(len(quotas)):
            quotas[place] = -most if quotas[place] > 0 else 1
    rest, weight = _settle(quotas, total, most)
    carry = np.int64(word % np.uint64(weight)) if weight else np.int64(0)
    for place in range(len(quotas)):
        if quotas[place] < 0:
            quotas[place] = most
        elif quotas[place] > 0:
            part = quotas[place] * rest + carry
            quotas[place] = part // weight
            carry = part % weight
    return total


@kernel
def _assign(
    children: SmallInts,
    child_starts: Ints,
    parents: SmallInts,
    parent_starts: Ints,
    quotas: Ints,
    most: int,
    seed: np.uint64,
    out: SmallInts,
) -> None:
    """Write the parent of each child, run by run of both in line."""
    for run in range(len(child_starts) - 1):
        begin, end = child_starts[run], child_starts[run + 1]
        parent, last = parent_starts[run], parent_starts[run + 1]
        total = end - begin
        if total == 0:
            continue
        places = np.int64(0)
        word = mixed(seed + np.uint64(run) * np.uint64(0x9E3779B97F4A7C15))
        if parent < last:
            places = _calibrate(quotas[parent:last], total, most, word)
        # If there are fewer places than children, those that get none are spread evenly.
        carry = np.int64(word % np.uint64(total))
        for place in range(begin, end):
            carry += places
            if carry < total:
                out[children[place]] = -1
                continue
            carry -= total
            while quotas[parent] == 0:
                parent += 1
            quotas[parent] -= 1
            out[children[place]] = parents[parent]


def calibrate(
    quotas: NDArray[np.integer], total: int, *, rng: RngKey, most: int | None = None
) -> Ints:
    """Scale quotas to whole numbers of a given sum.

    Each becomes one of the two whole numbers next to its share of the total, at random and in
    expectation that share, wherever it stands. So quotas that sum to the total stay as they are,
    and where they all but do, as few as possible change. Quotas of 0 stay 0 unless all are, or the
    others may not take more.

    Args:
        quotas: Whole numbers from 0, shape ``(parents,)``.
        total: What they shall sum to.
        rng: Decides what is rounded up.
        most: The most that one may be.

    Returns:
        Whole numbers, shape ``(parents,)``.

    Raises:
        UsageError: A quota is negative, or ``most`` for every parent is less than the total.
    """
    _check(quotas, most)
    order = shuffled(len(quotas), rng)
    scaled = quotas[order].astype(np.int64)
    reached = 0
    if len(scaled):
        reached = _calibrate(scaled, total, _limit(most), rng.child("share").words(1)[0])
    if reached < total:
        raise UsageError(
            f"{total:,} children for {len(quotas):,} parents",
            why="there are no parents" if most is None else f"a parent has at most {most:,}",
        )
    out = np.empty(len(quotas), np.int64)
    out[order] = scaled
    return out


def match(
    child_group: NDArray[np.integer],
    parent_group: NDArray[np.integer],
    quotas: NDArray[np.integer],
    *,
    rng: RngKey,
    child_within: NDArray[np.integer] | None = None,
    parent_within: NDArray[np.integer] | None = None,
    most: int | None = None,
) -> SmallInts:
    """Assign a parent to every child, of its own group or one near, as often as quotas say.

    Quotas are first scaled to the number of children (see :func:`calibrate`); with ``within``, in
    each part to the number of children there.

    Args:
        child_group: The wanted group of each child, shape ``(children,)``; neighbours are alike.
        parent_group: The group of each parent, shape ``(parents,)``.
        quotas: How many children each parent shall have in proportion, shape ``(parents,)``.
        rng: Decides everything random.
        child_within: What of each child must equal ``parent_within`` of its parent.
        parent_within: The same of each parent.
        most: The most children of one parent.

    Returns:
        The row of each child's parent, shape ``(children,)``: ``UNMATCHED`` where no parent is of
        its part, and for as many children as find no place because of ``most``.

    Raises:
        UsageError: A quota is negative, or only one of the two ``within`` is given.
    """
    _check(quotas, most)
    if (child_within is None) != (parent_within is None):
        raise UsageError("only one side says what it must be matched within")
    wanted, given = dense(child_group, parent_group)
    if child_within is None or parent_within is None:
        children, _ = line_up(wanted, rng.child("children"))
        parents, _ = line_up(given, rng.child("parents"))
        child_starts, parent_starts = np.array([0, len(children)]), np.array([0, len(parents)])
    else:
        where_children, where_parents = dense(child_within, parent_within)
        children, child_starts = line_up(wanted, rng.child("children"), within=where_children)
        parents, parent_starts = line_up(given, rng.child("parents"), within=where_parents)
    places = quotas[parents].astype(np.int64)
    seed: Hashes = rng.child("shares").words(1)
    out = np.empty(len(children), np.int32)
    _assign(children, child_starts, parents, parent_starts, places, _limit(most), seed[0], out)
    return out


def _limit(most: int | None) -> int:
    return _NO_LIMIT if most is None else min(most, _NO_LIMIT)


def _check(quotas: NDArray[np.integer], most: int | None) -> None:
    if len(quotas) and quotas.min() < 0:
        raise UsageError(f"a parent shall have {int(quotas.min()):,} children")
    if most is not None and most < 1:
        raise UsageError(f"a parent shall have at most {most} children", mend="Give at least 1")


def levels_without_gaps(
    level: NDArray[np.integer], within: NDArray[np.integer] | None = None
) -> NDArray[np.integer]:
    """Lower the levels of trees until each below another has rows, and the first is 0.

    Args:
        level: How many rows shall be above each row, shape ``(rows,)``, from 0.
        within: In which part of the table each row is, if rows hang on rows of their own part.

    Returns:
        The levels, of the same shape and dtype.
    """
    part = np.zeros(len(level), np.int64) if within is None else within
    order = np.lexsort((level, part))
    sorted_level, sorted_part = level[order], part[order]
    first = np.ones(len(level), np.bool_)
    first[1:] = sorted_part[1:] != sorted_part[:-1]
    steps = ~first
    steps[1:] &= sorted_level[1:] != sorted_level[:-1]
    deep = np.cumsum(steps)
    found = np.empty_like(level)
    # Each part counts from where it begins.
    found[order] = deep - np.maximum.accumulate(np.where(first, deep, 0))
    return found
