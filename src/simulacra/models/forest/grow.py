"""Growing one tree.

Bags of codes in the leaves, drawn from at random, make a tree a conditional distribution; a chain
of such trees, one feature after another, makes a joint one (Reiter, "Using CART to generate
partially synthetic public use microdata", Journal of Official Statistics 21, 2005; Watson et al.,
"Adversarial random forests for density estimation and generative modeling", AISTATS 2023).
"""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.models.forest.gain import Logs, exact_cut
from simulacra.models.forest.split import Bench, choose_split
from simulacra.models.forest.tree import GROUPS, LEAF, Limits, Table, Target, Tree


class _Cut(NamedTuple):
    """A split as nodes hold it: the feature (-1: none), its kind, and the threshold or set."""

    feature: int
    nominal: bool
    at: int


@kernel
def goes_left(code: int, cut: int, nominal: bool, bits: NDArray[np.uint64]) -> bool:  # noqa: FBT001
    """Say on which side of a split a code falls."""
    if nominal:
        return (bits[cut, code >> 6] >> np.uint64(code & 63)) & np.uint64(1) == np.uint64(1)
    return code <= cut


@kernel
def _partition(
    column: NDArray[np.uint16],
    rows: NDArray[np.int32],
    spare: NDArray[np.int32],
    cut: _Cut,
    bits: NDArray[np.uint64],
) -> int:
    """Bring the rows that go left to the front, keeping order; return how many there are."""
    first, second = 0, 0
    for row in rows:
        if goes_left(np.int64(column[row]), cut.at, cut.nominal, bits):
            rows[first] = row
            first += 1
        else:
            spare[second] = row
            second += 1
    for place in range(second):
        rows[first + place] = spare[place]
    return first


@kernel
def _doubled(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return room for twice as many sets."""
    room = np.zeros((2 * len(bits), 4), np.uint64)
    for place in range(len(bits)):
        for word in range(4):
            room[place, word] = bits[place, word]
    return room


@kernel
def _find_cut(
    table: Table,
    target: Target,
    rows: NDArray[np.int32],
    limits: Limits,
    logs: Logs,
    bench: Bench,
    codes_left: NDArray[np.uint64],
) -> _Cut:
    """Choose a node's split and make it exact.

    Args:
        table: All rows.
        target: What is split for.
        rows: The node's rows.
        limits: When to stop.
        logs: Tables up to the number of rows.
        bench: See there.
        codes_left: Filled with the set of groups that go left, if the feature is nominal.
    """
    looked = min(len(rows), limits.split_rows)
    feature, place = choose_split(table, target, rows, looked, limits, logs, bench)
    while feature < 0 and looked < len(rows):
        # Some rows may show too little of what all of them would; only then it's worth its cost.
        looked = min(len(rows), 4 * looked)
        feature, place = choose_split(table, target, rows, looked, limits, logs, bench)
    if feature < 0:
        return _Cut(feature=-1, nominal=False, at=0)
    if table.nominal[feature]:
        for rank in range(place + 1):
            code = bench.present[rank]
            codes_left[code >> 6] |= np.uint64(1) << np.uint64(code & 63)
        return _Cut(feature=feature, nominal=True, at=0)
    if table.exact[feature]:
        return _Cut(feature=feature, nominal=False, at=bench.present[place])
    between = (bench.present[place], bench.present[place + 1])
    least = limits.min_leaf
    at = exact_cut(table, target, feature, rows, bench.group, between, least, logs)
    return _Cut(feature=feature, nominal=False, at=at)


@kernel
def grow(
    table: Table,
    target: Target,
    features: NDArray[np.int64],
    rows: NDArray[np.int32],
    limits: Limits,
    logs: Logs,
    seed: np.uint64,
) -> Tree:
    """Grow a tree of the target given other features.

    Args:
        table: All rows.
        target: What to learn.
        features: The features to split by, shape ``(features,)``, dtype int64.
        rows: The rows to learn from, in random order, shape ``(rows,)``, dtype int32. They are
            put in the order of the tree's bag.
        limits: When to stop.
        logs: Tables up to the number of rows.
        seed: Of the tree's random stream.
    """
    room = 2 * (len(rows) // limits.min_leaf) + 3
    nodes = np.zeros((6, room), np.uint32)
    feature, cut, left, parent, start, size = nodes
    feature[:] = LEAF
    depth = np.zeros(room, np.uint8)
    bits = np.zeros((16, 4), np.uint64)
    sets, used, waiting = 0, 1, 1
    size[0] = len(rows)
    todo = np.zeros(room, np.int64)
    spare = np.empty(len(rows), np.int32)
    group, present = np.zeros(GROUPS, np.uint8), np.zeros(GROUPS, np.int64)
    bench = Bench(group, present, features.copy(), np.full(1, seed, np.uint64))
    while waiting > 0:
        waiting -= 1
        node = todo[waiting]
        begin, count = np.int64(start[node]), np.int64(size[node])
        if count < 2 * limits.min_leaf or depth[node] >= limits.max_depth:
            continue
        here = rows[begin : begin + count]
        if sets == len(bits):
            bits = _doubled(bits)
        for word in range(4):
            bits[sets, word] = 0
        found = _find_cut(table, target, here, limits, logs, bench, bits[sets])
        if found.feature < 0:
            continue
        if found.nominal:
            found = _Cut(feature=found.feature, nominal=True, at=sets)
            sets += 1
        first = _partition(table.split[found.feature], here, spare, found, bits)
        if first < limits.min_leaf or count - first < limits.min_leaf:
            # What was seen of a large node promised more than the whole of it holds.
            continue
        feature[node], cut[node], left[node] = found.feature, found.at, used
        start[used], size[used] = begin, first
        start[used + 1], size[used + 1] = begin + first, count - first
        for child in (used, used + 1):
            parent[child] = node
            depth[child] = depth[node] + 1
            todo[waiting] = child
            waiting += 1
        used += 2
    kept = nodes[:, :used].copy()
    return Tree(kept[0], kept[1], kept[2], kept[3], kept[4], kept[5], bits[: max(sets, 1)].copy())
