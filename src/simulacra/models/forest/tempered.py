"""The draws of a forest, with temperature and top-p: of leaves, look-ups and shared places.

A row walks as always; temperature and top-p act on what it draws from where it ends. Each kernel
has the place of one that draws as learned.
"""

# mypy: disable-error-code="arg-type,misc,no-any-return,return-value"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.models.forest.draw import rows_by_node, shuffle
from simulacra.models.forest.lookup import Lookup, nearest_seen
from simulacra.models.forest.tree import Tree
from simulacra.models.forest.unseen import Shares
from simulacra.models.forest.words import uniform
from simulacra.models.tempering import Way, runs, tempered_upto


@kernel
def draw_tempered(
    seen: NDArray[np.uint16],
    nominal: NDArray[np.bool_],
    tree: Tree,
    roots: NDArray[np.uint32],
    bag: NDArray[np.uint32],
    trust: NDArray[np.float32],
    words: NDArray[np.uint64],
    way: Way,
) -> NDArray[np.uint32]:
    """Draw one feature of many rows; see :func:`~simulacra.models.forest.draw.draw`.

    Args:
        seen: What earlier features are, as trees see it, shape ``(rows, features)``, dtype uint16.
        nominal: Whether a feature is nominal, shape ``(features,)``.
        tree: The feature's trees; each row takes one at random.
        roots: Their roots.
        bag: Codes, in the order of the trees' ranges.
        trust: For each node, the probability to draw from it rather than from its parent.
        words: One random word a row, shape ``(rows,)``, dtype uint64.
        way: How codes are drawn.

    Returns:
        The drawn codes, shape ``(rows,)``.
    """
    codes = np.empty(len(words), np.uint32)
    order, ends, jitter = rows_by_node(seen, nominal, tree, roots, trust, words)
    state = np.empty(1, np.uint64)
    begin = np.int64(0)
    for number in range(len(tree.feature)):
        end = ends[number]
        if end > begin:
            state[0] = words[order[begin]]
            rows, start = order[begin:end], np.int64(tree.start[number])
            shuffle(rows, state)
            there, numbers = runs(np.sort(bag[start : start + np.int64(tree.size[number])]))
            upto = tempered_upto(numbers, way)
            for stratum in range(len(rows)):
                row = rows[stratum]
                point = (stratum + jitter[row]) / len(rows)
                codes[row] = there[_place(upto, point)]
        begin = end
    return codes


@kernel
def draw_by_key_tempered(
    found: Lookup,
    key: NDArray[np.uint32],
    words: NDArray[np.uint64],
    way: Way,
    codes: NDArray[np.uint32],
) -> None:
    """Move ``codes`` to those seen with the key.

    See :func:`~simulacra.models.forest.lookup.draw_by_key`.
    """
    state = np.empty(1, np.uint64)
    for row in range(len(codes)):
        begin, end = found.begin[key[row]], found.begin[key[row] + 1]
        if end <= begin:
            continue
        near = nearest_seen(found.bag, begin, end, np.int64(codes[row]))
        if way.ordinal or found.bag[near] == codes[row]:
            codes[row] = found.bag[near]
            continue
        there, numbers = runs(found.bag[begin:end])
        upto = tempered_upto(numbers, way)
        state[0] = words[row] + np.uint64(1)
        codes[row] = there[_place(upto, uniform(state))]


@kernel
def share_draws_tempered(
    shared: Shares,
    words: NDArray[np.uint64],
    way: Way,
    codes: NDArray[np.uint32],
) -> None:
    """Let the codes drawn stand for those that share their places.

    See :func:`~simulacra.models.forest.unseen.share_draws`.
    """
    state = np.empty(1, np.uint64)
    for row in range(len(codes)):
        low, high = shared.begin[codes[row]], shared.begin[codes[row] + 1]
        if high - low < 2:
            continue
        numbers = np.diff(shared.upto[low : high + 1])
        upto = tempered_upto(numbers, way)
        state[0] = ~words[row]
        codes[row] = shared.member[low + _place(upto, uniform(state))]


@kernel
def _place(upto: NDArray[np.float64], point: float) -> int:
    """Return where a number in [0, 1) falls; rounding may have made it 1."""
    return np.int64(np.searchsorted(upto, min(point, 1.0 - 2.0**-53), side="right"))
