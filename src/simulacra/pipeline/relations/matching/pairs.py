"""Changes parents, as few as possible, so that no two rows have the same pair of them."""

# mypy: disable-error-code="arg-type,assignment,no-any-return"
# in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Flags, Ints, SmallInts, kernel
from simulacra.core.errors import UsageError
from simulacra.core.random import RngKey
from simulacra.datatypes.line_kernels import mixed
from simulacra.pipeline.relations.matching.sorting import below, dense, line_up

_NOTHING = 0
_SLOTS_PER_ROW = 2
_REACH = 512
"""How many rows are looked at for one to swap with."""
_LEAST_REACH = 16
_EVERY_ROW = 16
"""So many rows on either side are all looked at, of those farther away ever fewer."""
_ROUNDS = 3


class _Rows(NamedTuple):
    """The rows, and the set of all their pairs.

    ``again`` marks the rows whose pair another row has; ``owners_of`` counts the owners of each
    parent, ``parents_of`` the parents of each owner.
    """

    line: SmallInts
    owner: SmallInts
    parent: SmallInts
    pairs: Ints
    again: Flags
    owners_of: SmallInts
    parents_of: SmallInts


@kernel
def _slot(pairs: Ints, pair: np.int64) -> np.int64:
    """Return where a pair is, or where it would be entered."""
    word = mixed(np.uint64(pair))
    size = np.uint64(len(pairs))
    high = (word >> np.uint64(32)) * size
    low = (word & np.uint64(0xFFFFFFFF)) * size
    place = np.int64((high + (low >> np.uint64(32))) >> np.uint64(32))
    while pairs[place] != _NOTHING and pairs[place] != pair:
        place += 1
        if place == len(pairs):
            place = np.int64(0)
    return place


@kernel
def _has(pairs: Ints, pair: np.int64) -> bool:
    return pairs[_slot(pairs, pair)] == pair


@kernel
def _remove(pairs: Ints, pair: np.int64) -> None:
    """Take out a pair, and enter those anew that lie behind it without a gap."""
    place = _slot(pairs, pair)
    pairs[place] = _NOTHING
    while True:
        place += 1
        if place == len(pairs):
            place = np.int64(0)
        other = pairs[place]
        if other == _NOTHING:
            return
        pairs[place] = _NOTHING
        pairs[_slot(pairs, other)] = other


@kernel
def _pair(rows: _Rows, owner: np.int32, parent: np.int64) -> np.int64:
    """Return a number for a pair, above ``_NOTHING``."""
    return np.int64(owner) * len(rows.owners_of) + parent + 1


@kernel
def _enter(rows: _Rows, owner: np.int32, parent: np.int64) -> bool:
    """Add a pair; return whether it was not there yet."""
    pair = _pair(rows, owner, parent)
    place = _slot(rows.pairs, pair)
    if rows.pairs[place] == pair:
        return False
    rows.pairs[place] = pair
    rows.owners_of[parent] += 1
    rows.parents_of[owner] += 1
    return True


@kernel
def _leave(rows: _Rows, owner: np.int32, parent: np.int64) -> None:
    _remove(rows.pairs, _pair(rows, owner, parent))
    rows.owners_of[parent] -= 1
    rows.parents_of[owner] -= 1


@kernel
def _enter_all(rows: _Rows) -> bool:
    """Add all pairs, and mark the rows whose pair is there already; return whether any is."""
    repeated = False
    for row in range(len(rows.owner)):
        if rows.owner[row] >= 0 and rows.parent[row] >= 0:
            rows.again[row] = not _enter(rows, rows.owner[row], rows.parent[row])
            repeated |= rows.again[row]
    return repeated


@kernel
def _near(place: int, step: int, away: int) -> tuple[int, int]:
    """Return where to look next, on one side and the other in turn, and how far away that is."""
    if step & 1:
        return place + away, away
    away += 1 + away // _EVERY_ROW
    return place - away, away


@kernel
def _swap(rows: _Rows, place: int, reach: int) -> bool:
    """Swap the parent of a repeated row with the nearest in line that lets both be distinct."""
    row = rows.line[place]
    mine, found = rows.owner[row], rows.parent[row]
    away = 0
    for step in range(reach):
        at, away = _near(place, step, away)
        if at < 0 or at >= len(rows.line):
            continue
        other = rows.line[at]
        theirs, offered = rows.owner[other], rows.parent[other]
        if theirs < 0 or offered < 0 or theirs == mine or offered == found:
            continue
        if _has(rows.pairs, _pair(rows, mine, offered)):
            continue
        if _has(rows.pairs, _pair(rows, theirs, found)):
            continue
        if not rows.again[other]:
            _leave(rows, theirs, offered)
        _enter(rows, mine, offered)
        _enter(rows, theirs, found)
        rows.parent[row], rows.parent[other] = offered, found
        rows.again[row] = rows.again[other] = False
        return True
    return False


@kernel
def _swap_all(rows: _Rows) -> bool:
    """Swap the repeated rows that can be; return whether none is left."""
    owners = (rows.parents_of > 0).sum()
    # Where nearly all owners have a parent, looking far is in vain: half as far after each failure.
    reach = np.full(len(rows.owners_of), _REACH, np.int16)
    done = True
    for place in range(len(rows.line)):
        row = rows.line[place]
        if not rows.again[row]:
            continue
        found = rows.parent[row]
        full = rows.parents_of[rows.owner[row]] == len(rows.owners_of)
        if full or rows.owners_of[found] == owners:
            done = False
        elif not _swap(rows, place, reach[found]):
            reach[found] = max(reach[found] // 2, _LEAST_REACH)
            done = False
    return done


@kernel
def _lacking(rows: _Rows, place: int, seed: np.uint64) -> np.int64:
    """Return a parent that a row's owner lacks, one of a row near in line if there is."""
    row = rows.line[place]
    mine = rows.owner[row]
    away = 0
    for step in range(_REACH):
        at, away = _near(place, step, away)
        if 0 <= at < len(rows.line):
            offered = rows.parent[rows.line[at]]
            if offered >= 0 and not _has(rows.pairs, _pair(rows, mine, offered)):
                return np.int64(offered)
    parents = len(rows.owners_of)
    candidate = below(parents, seed, row)
    while _has(rows.pairs, _pair(rows, mine, candidate)):
        candidate = candidate + 1 if candidate + 1 < parents else np.int64(0)
    return candidate


@kernel
def _replace_all(rows: _Rows, seed: np.uint64) -> None:
    """Give each repeated row left a parent that its owner lacks, or none if it has all."""
    for place in range(len(rows.line)):
        row = rows.line[place]
        if not rows.again[row]:
            continue
        rows.again[row] = False
        rows.parent[row] = -1
        if rows.parents_of[rows.owner[row]] < len(rows.owners_of):
            rows.parent[row] = _lacking(rows, place, seed)
            _enter(rows, rows.owner[row], rows.parent[row])


def separate_pairs(
    owner: NDArray[np.integer],
    parent: NDArray[np.integer],
    order: NDArray[np.integer],
    *,
    parents: int,
    rng: RngKey,
) -> SmallInts:
    """Change parents so that no owner has one twice.

    A row that repeats swaps its parent with a row near it in line, so that every parent keeps the
    number of its children. Only where none will do (a parent has more children than there are
    owners, say) it takes one that its owner lacks.

    Args:
        owner: The owner of each row, shape ``(rows,)``; rows with a negative one are left alone.
        parent: The parent of each row, shape ``(rows,)``; likewise.
        order: A code of each row, shape ``(rows,)``; rows of near codes swap parents.
        parents: How many parents there are.
        rng: Decides in which order rows of one code stand.

    Returns:
        The parent of each row, shape ``(rows,)``; -1 where an owner has more rows than there are
        parents.

    Raises:
        UsageError: A parent is not below ``parents``.
    """
    if len(parent) and int(parent.max()) >= parents:
        raise UsageError(f"there is no parent {int(parent.max()):,} among {parents:,}")
    owners = int(owner.max(initial=-1)) + 1
    rows = _Rows(
        line_up(dense(order)[0], rng.child("line"))[0],
        owner.astype(np.int32),
        parent.astype(np.int32),
        np.zeros(_SLOTS_PER_ROW * len(parent) + 1, np.int64),
        np.zeros(len(parent), bool),
        np.zeros(parents, np.int32),
        np.zeros(owners, np.int32),
    )
    if _enter_all(rows) and not any(_swap_all(rows) for _ in range(_ROUNDS)):
        _replace_all(rows, rng.child("other").words(1)[0])
    return rows.parent
