"""What follows from rows' parents: places among siblings, depths in a tree."""

# mypy: disable-error-code="misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.pipeline.relations.parent_rows import Rows


@kernel
def places(parents: Rows, count: int) -> NDArray[np.int32]:
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
def depths(parents: Rows) -> NDArray[np.int32]:
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
