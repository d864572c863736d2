"""Finding the best split of a node by the entropy of the target's codes.

A split must gain more than it costs: Akaike's criterion, applied node by node, with the logarithm
of the number of cuts tried for the choice among them. The target is grouped anew in every node,
into groups of about equal mass, so that a small node is not asked for detail that it can't show.

Nominal codes are ordered by the mean of a random score of the target's groups, which is the
optimal order for two groups (Breiman et al., "Classification and regression trees", 1984, theorem
4.5) and a random projection of it for more.
"""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.models.forest.gain import Logs, best_cut
from simulacra.models.forest.tree import GROUPS, Limits, Table, Target
from simulacra.models.forest.words import pick, uniform

MOST_TARGET_GROUPS = 16
"""Groups that a node's target codes are seen as, at most."""
ROWS_PER_TARGET_GROUP = 8
"""Rows of a node per group of its target codes, about."""


class Bench(NamedTuple):
    """What the choice of a node's split leaves behind, made once a tree.

    Attributes:
        group: The group of each target code in this node, shape ``(256,)``, dtype uint8.
        present: Codes of the chosen feature in the order of the cut, shape ``(256,)``, dtype int64.
        order: The features to choose from, shuffled node by node.
        state: Of the tree's random stream, shape ``(1,)``.
    """

    group: NDArray[np.uint8]
    present: NDArray[np.int64]
    order: NDArray[np.int64]
    state: NDArray[np.uint64]


@kernel
def group_target(counts: NDArray[np.int64], target: Target, group: NDArray[np.uint8]) -> int:
    """Group a node's target codes; fills ``group`` (code to group) and returns their number.

    Ordinal codes: runs of about equal mass, a heavy code by itself. Nominal codes: the most
    frequent each by itself, the rest together.
    """
    rows, present = 0, 0
    for count in counts:
        rows += count
        present += count > 0
    most = min(MOST_TARGET_GROUPS, max(2, rows // ROWS_PER_TARGET_GROUP))
    if target.ordinal:
        current, mass, used = 0, 0, False
        for code in range(len(counts)):
            count = counts[code]
            if count > 0:
                if used and current < most - 1 and mass + 0.5 * count > rows / most:
                    current += 1
                    mass = 0
                mass += count
                used = True
            group[code] = current
        return current + 1
    groups = min(present, most)
    group[:] = groups
    for rank in range(groups):
        best = -1
        for code in range(len(counts)):
            if group[code] == groups and (best < 0 or counts[code] > counts[best]):
                best = code
        group[best] = rank
    for code in range(len(counts)):
        group[code] = min(group[code], groups - 1)
    return groups


@kernel
def order_by_score(
    codes: NDArray[np.uint8],
    local: NDArray[np.uint8],
    score: NDArray[np.float64],
    present: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the codes in ``present`` ordered by the mean score of their rows' target groups."""
    means = np.zeros(GROUPS)
    rows = np.zeros(GROUPS)
    for row in range(len(codes)):
        means[codes[row]] += score[local[row]]
        rows[codes[row]] += 1.0
    order = present.copy()
    for place in range(len(order)):
        # Insertion sort: there are few, and numba's own sorts take seconds to compile.
        code = order[place]
        means[code] /= rows[code]
        while place > 0 and means[order[place - 1]] > means[code]:
            order[place] = order[place - 1]
            place -= 1  # noqa: PLW2901
        order[place] = code
    return order


@kernel
def sort_target(
    codes: NDArray[np.uint8],
    local: NDArray[np.uint8],
    counts: NDArray[np.int64],
    present: NDArray[np.int64],
) -> NDArray[np.uint8]:
    """Return ``local`` sorted by code, in the order of ``present``."""
    begin = np.empty(GROUPS, np.int64)
    passed = 0
    for code in present:
        begin[code] = passed
        passed += counts[code]
    found = np.empty_like(local)
    for row in range(len(codes)):
        code = codes[row]
        found[begin[code]] = local[row]
        begin[code] += 1
    return found


@kernel
def count_codes(codes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the rows per code, shape ``(256,)``."""
    counts = np.zeros(GROUPS, np.int64)
    for code in codes:
        counts[code] += 1
    return counts


@kernel
def occurring(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the codes that occur, ascending."""
    codes = np.empty(len(counts), np.int64)
    found = 0
    for code in range(len(counts)):
        if counts[code] > 0:
            codes[found] = code
            found += 1
    return codes[:found]


@kernel
def take(column: NDArray[np.uint8], rows: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return the codes of some rows."""
    found = np.empty(len(rows), np.uint8)
    for place in range(len(rows)):
        found[place] = column[rows[place]]
    return found


@kernel
def choose_split(  # noqa: C901 - one loop; what can be named apart is
    table: Table,
    target: Target,
    rows: NDArray[np.int32],
    looked: int,
    limits: Limits,
    logs: Logs,
    bench: Bench,
) -> tuple[int, int]:
    """Choose the split of a node.

    Args:
        table: All rows.
        target: What is split for.
        rows: The node's rows, in random order.
        looked: How many of them to look at.
        limits: When to stop.
        logs: Tables up to the number of rows.
        bench: ``group`` and ``present`` are filled.

    Returns:
        The feature (-1: none is worth it) and the place of the cut in ``bench.present``.
    """
    part = rows[:looked]
    local = take(target.codes, part)
    counts = count_codes(local)
    if len(occurring(counts)) < 2:
        return -1, 0
    groups = group_target(counts, target, bench.group)
    if groups < 2:
        return -1, 0
    for row in range(len(local)):
        local[row] = bench.group[local[row]]
    totals = count_codes(local)[:groups]
    score = np.empty(groups)
    for place in range(groups):
        score[place] = place if target.ordinal else uniform(bench.state)
    least = limits.min_leaf * looked / len(rows)
    best, feature, cut, tries = 0.0, -1, 0, limits.tries
    for place in range(len(bench.order)):
        other = place + pick(len(bench.order) - place, bench.state)
        candidate = bench.order[other]
        bench.order[place], bench.order[other] = candidate, bench.order[place]
        codes = take(table.coarse[candidate], part)
        counts = count_codes(codes)
        present = occurring(counts)
        if len(present) < 2:
            continue
        cost = limits.penalty * (groups - 1) + np.log(len(present))
        if table.nominal[candidate] and len(present) > 2:
            present = order_by_score(codes, local, score, present)
            # An order fitted to the target is itself something learned.
            cost += 0.5 * limits.penalty * (len(present) - 2)
        ranked = sort_target(codes, local, counts, present)
        gain, at = best_cut(ranked, counts, present, totals, logs, least)
        if gain - cost > best:
            best, feature, cut = gain - cost, candidate, at
            for rank in range(len(present)):
                bench.present[rank] = present[rank]
        tries -= 1
        if tries == 0:
            break
    return feature, cut
