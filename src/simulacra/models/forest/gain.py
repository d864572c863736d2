"""What a cut gains: entropies updated row by row through a table of n·log n.

A node costs O(rows × features), whatever the number of codes.
"""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.models.forest.tree import Table, Target


class Logs(NamedTuple):
    """Tables of n·log n, shape ``(largest count + 1,)``.

    Attributes:
        whole: n·log n.
        step: By how much the next n raises it.
    """

    whole: NDArray[np.float64]
    step: NDArray[np.float64]


def log_tables(rows: int) -> Logs:
    """Return the tables for counts up to ``rows``."""
    counts = np.arange(rows + 2, dtype=np.float64)
    whole = counts * np.log(np.maximum(counts, 1.0))
    return Logs(whole[:-1].copy(), np.diff(whole))


@kernel
def best_cut(
    sorted_target: NDArray[np.uint8],
    counts: NDArray[np.int64],
    present: NDArray[np.int64],
    totals: NDArray[np.int64],
    logs: Logs,
    least: float,
) -> tuple[float, int]:
    """Return the gain, in nats, of the best cut between consecutive codes, and its place.

    Args:
        sorted_target: Target groups of the rows, sorted by code.
        counts: Rows per code.
        present: The codes that occur, in the same order.
        totals: Rows per target group.
        logs: Tables up to the number of rows.
        least: Rows wanted on either side.
    """
    rows = len(sorted_target)
    left, right = np.zeros_like(totals), totals.copy()
    left_sum, right_sum = 0.0, 0.0
    for group in range(len(totals)):
        right_sum += logs.whole[totals[group]]
    entropy = logs.whole[rows] - right_sum
    best, place, passed = -1.0, -1, 0
    for rank in range(len(present) - 1):
        for row in range(passed, passed + counts[present[rank]]):
            group = sorted_target[row]
            left_sum += logs.step[left[group]]
            left[group] += 1
            right[group] -= 1
            right_sum -= logs.step[right[group]]
        passed += counts[present[rank]]
        if rows - passed < least:
            break
        gain = entropy - logs.whole[passed] - logs.whole[rows - passed] + left_sum + right_sum
        if passed >= least and gain > best:
            best, place = gain, rank
    return best, place


@kernel
def _span(
    split: NDArray[np.uint16],
    coarse: NDArray[np.uint8],
    rows: NDArray[np.int32],
    between: tuple[int, int],
) -> tuple[int, int, int]:
    """Return the least and greatest fine code of two coarse groups, and the lower's greatest."""
    first, last, threshold = 1 << 16, -1, -1
    for row in rows:
        side, code = coarse[row], int(split[row])
        if side == between[0]:
            threshold = max(threshold, code)
        if side == between[0] or side == between[1]:
            first, last = min(first, code), max(last, code)
    return first, last, threshold


@kernel
def exact_cut(
    table: Table,
    target: Target,
    feature: int,
    rows: NDArray[np.int32],
    group: NDArray[np.uint8],
    between: tuple[int, int],
    least: int,
    logs: Logs,
) -> int:
    """Return the best threshold on the fine code within two neighbouring coarse groups.

    Exact thresholds keep exact dependencies, as of an hour on a clock time.

    Args:
        table: All rows.
        target: What is split for.
        feature: The ordinal feature to cut.
        rows: The node's rows.
        group: Group of each target code in this node.
        between: The coarse groups on either side of the coarse cut.
        least: Rows wanted on either side; the coarse cut itself stands if no cut has them.
        logs: Tables up to the number of rows.
    """
    split, coarse = table.split[feature], table.coarse[feature]
    groups = 0
    for own in group:
        groups = max(groups, int(own) + 1)
    left, right = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    first, last, threshold = _span(split, coarse, rows, between)
    near = np.zeros((last - first + 1, groups), np.int32)
    passed = 0
    for row in rows:
        side, own = coarse[row], group[target.codes[row]]
        if side < between[0]:
            left[own] += 1
            passed += 1
            continue
        right[own] += 1
        if side <= between[1]:
            near[int(split[row]) - first, own] += 1
    best = -np.inf
    for code in range(len(near)):
        gain, here = 0.0, 0
        for own in range(groups):
            left[own] += near[code, own]
            right[own] -= near[code, own]
            here += near[code, own]
            gain += logs.whole[left[own]] + logs.whole[right[own]]
        passed += here
        rest = len(rows) - passed
        gain -= logs.whole[passed] + logs.whole[rest]
        if here > 0 and passed >= least and rest >= least and gain > best:
            best, threshold = gain, first + code
    return threshold
