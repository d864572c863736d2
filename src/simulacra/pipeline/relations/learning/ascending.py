"""Finds the columns in which the children of one parent ascend."""

# mypy: disable-error-code="misc"
# numba's decorators are untyped

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
