"""Children per parent, as a chart shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.references import Reference, ReferenceCounts
from simulacra.pipeline.pictures.safe import FEWEST, SYNTHETIC, grouped, merged, shares

_EACH = 20
"""Up to so many children every number has a bin of its own; beyond, bins grow by a quarter."""


def children_per_parent(
    reference: Reference, counted: Mapping[str, ReferenceCounts]
) -> dict[str, Any]:
    """Return which share of the parents has how many children, on each side.

    Args:
        reference: The foreign key.
        counted: What each side tells of it: ``real``, ``synthetic``, and ``holdout`` if there is
            one.

    Returns:
        ``{"reference": str, "table": str, "parent": str}`` and either ``"bins": [[least, most]]``
        (both included; most is None in the last, which is open) with ``"shares": {side: [share
        of parents]}`` and ``"parents": {side: int}``, or ``"why"`` nothing may be shown. Every bin
        is of no real parent or of ten at least.
    """
    picture: dict[str, Any] = {
        "reference": reference.label,
        "table": reference.table,
        "parent": reference.parent,
    }
    parents = {side: int(counts.parents.sum()) for side, counts in counted.items()}
    usual = {
        side: counts
        for side, counts in counted.items()
        if side == SYNTHETIC or parents[side] >= FEWEST
    }
    if "real" not in usual or not parents.get(SYNTHETIC):
        return picture | {"why": f"fewer than {FEWEST} real parents, or no synthetic ones"}
    starts = _starts(max(int(counts.children.max(initial=0)) for counts in usual.values()))
    counts = {side: _binned(each, starts) for side, each in usual.items()}
    groups = merged(counts)
    if len(groups) < 2:
        return picture | {"why": f"too few real parents to tell apart by groups of {FEWEST}"}
    least = [int(starts[start]) for start, _ in groups]
    most = [begin - 1 for begin in least[1:]]
    return picture | {
        "bins": [list(pair) for pair in zip(least, [*most, None], strict=True)],
        "shares": shares(grouped(counts, groups), parents),
        "parents": {side: parents[side] for side in usual},
    }


def _starts(most: int) -> NDArray[np.int64]:
    """Return the least number of children of each bin, rising."""
    starts = list(range(_EACH + 1))
    while starts[-1] <= most:
        starts.append(_rounded(starts[-1] * 1.25))
    return np.array(starts[: max(int(np.searchsorted(starts, most, side="right")), 1)], np.int64)


def _rounded(value: float) -> int:
    """Return a whole number with two leading digits."""
    unit = 10 ** max(len(str(int(value))) - 2, 0)
    return int(max(-(-value // unit) * unit, 1))


def _binned(counts: ReferenceCounts, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    binned = np.zeros(len(starts), np.int64)
    np.add.at(binned, np.searchsorted(starts, counts.children, side="right") - 1, counts.parents)
    return binned
