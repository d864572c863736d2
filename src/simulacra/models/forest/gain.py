"""What a cut gains: entropies updated row by row through a table of n·log n.

A node costs O(rows × features), whatever the number of codes.
"""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulacra.models.forest.tree import GROUPS, Table, Target


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


@njit(nogil=True, cache=True)
def best_cut(
    sorted_target: NDArray[np.uint8],
    counts: NDArray[np.int64],
    totals: NDArray[np.int64],
    logs: Logs,
    least: float,
) -> tuple[float, int]:
    """Return the gain, in nats, of the best cut between consecutive codes, and its place.

    Args:
        sorted_target: Target groups of the rows, sorted by code.
        counts: Rows per code that occurs, in the same order.
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
    for rank in range(len(counts) - 1):
        for row in range(passed, passed + counts[rank]):
            group = sorted_target[row]
            left_sum += logs.step[left[group]]
            left[group] += 1
            right[group] -= 1
            right_sum -= logs.step[right[group]]
        passed += counts[rank]
        if rows - passed < least:
            break
        gain = entropy - logs.whole[passed] - logs.whole[rows - passed] + left_sum + right_sum
        if passed >= least and gain > best:
            best, place = gain, rank
    return best, place


@njit(nogil=True, cache=True)
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
    left = np.zeros(GROUPS, np.int64)
    right = np.zeros(GROUPS, np.int64)
    near = np.empty(len(rows), np.int64)
    found, passed, threshold = 0, 0, 0
    for row in rows:
        side, own = coarse[row], group[target.codes[row]]
        if side < between[0]:
            left[own] += 1
            passed += 1
            continue
        right[own] += 1
        if side <= between[1]:
            near[found] = (np.int64(split[row]) << 8) | own
            found += 1
        if side == between[0]:
            threshold = max(threshold, int(split[row]))
    near = np.sort(near[:found])
    left_sum, right_sum = 0.0, 0.0
    for place in range(GROUPS):
        left_sum += logs.whole[left[place]]
        right_sum += logs.whole[right[place]]
    best = -np.inf
    for place in range(found - 1):
        own = near[place] & 255
        left_sum += logs.step[left[own]]
        left[own] += 1
        right[own] -= 1
        right_sum -= logs.step[right[own]]
        passed += 1
        enough = passed >= least and len(rows) - passed >= least
        gain = left_sum - logs.whole[passed] + right_sum - logs.whole[len(rows) - passed]
        if enough and gain > best and near[place] >> 8 != near[place + 1] >> 8:
            best, threshold = gain, near[place] >> 8
    return threshold
