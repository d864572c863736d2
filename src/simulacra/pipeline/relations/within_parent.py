"""The children of one parent among themselves: their places, and columns in which they ascend."""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel

_FEWEST_PAIRS = 100
_MOST_BROKEN = 0.001


class SortedWatch:
    """Finds the columns in which siblings ascend in the order of the rows.

    Args:
        parents: How many parents there are.
        columns: How many columns are watched.
    """

    def __init__(self, parents: int, columns: int) -> None:
        self._last = np.full((columns, parents), np.nan)
        self._pairs = np.zeros((columns, 2), np.int64)

    def add(self, parents: NDArray[np.int32], values: NDArray[np.float64]) -> None:
        """Take the next rows.

        Args:
            parents: The row numbers of their parents, shape ``(rows,)``; negative for none.
            values: Their values, shape ``(rows, columns)``, NaN for none.
        """
        for column in range(len(self._last)):
            _compare(
                parents,
                np.ascontiguousarray(values[:, column]),
                self._last[column],
                self._pairs[column],
            )

    def ascending(self) -> list[bool]:
        """Say of each column whether siblings ascend in it, all but a few of enough pairs."""
        return [
            bool(pairs >= _FEWEST_PAIRS and broken <= _MOST_BROKEN * pairs)
            for pairs, broken in self._pairs
        ]


@kernel
def _compare(
    parents: NDArray[np.int32],
    values: NDArray[np.float64],
    last: NDArray[np.float64],
    pairs: NDArray[np.int64],
) -> None:
    for row in range(len(parents)):
        parent = parents[row]
        if parent < 0 or np.isnan(values[row]):
            continue
        if not np.isnan(last[parent]):
            pairs[0] += 1
            pairs[1] += values[row] < last[parent]
        last[parent] = values[row]


@kernel
def places(parents: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Return each row's place among the rows of its parent, from 0; 0 without a parent.

    Args:
        parents: Row numbers of the parents, shape ``(rows,)``.
        count: How many parents there are.
    """
    seen = np.zeros(count, np.int32)
    found = np.zeros(len(parents), np.int32)
    for row in range(len(parents)):
        if parents[row] >= 0:
            found[row] = seen[parents[row]]
            seen[parents[row]] += 1
    return found


@kernel
def depths(parents: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return how many rows are above each in its own table; rows on a circle count as roots.

    Args:
        parents: Row numbers of the parents, shape ``(rows,)``; negative for none.
    """
    unknown, ahead = -1, -2
    found = np.full(len(parents), unknown, np.int32)
    path = np.empty(len(parents), np.int64)
    for row in range(len(parents)):
        length, at = 0, row
        while at >= 0 and found[at] == unknown:
            found[at] = ahead
            path[length] = at
            length += 1
            at = parents[at]
        depth = 0 if at < 0 or found[at] == ahead else found[at] + 1
        for step in range(length - 1, -1, -1):
            found[path[step]] = depth
            depth += 1
    return found
