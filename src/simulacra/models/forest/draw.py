"""Drawing from trees: a walk of O(depth) steps and a share of a bag, for each row."""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.models.forest.grow import goes_left
from simulacra.models.forest.tree import LEAF, Tree
from simulacra.models.forest.words import pick, uniform


@kernel
def trust_in_nodes(
    tree: Tree, bag: NDArray[np.unsignedinteger], cardinality: int, shrinkage: float
) -> NDArray[np.float32]:
    """Return for each node the probability to draw from it rather than from its parent.

    A leaf of few rows is a noisy picture of what may follow; the rest of the probability goes to
    its surroundings, in the manner of Witten and Bell ("The zero-frequency problem", IEEE Trans.
    Information Theory 37, 1991): more where a leaf holds many different codes, none where all are
    equal, so that what is certain stays certain.

    Args:
        tree: The trees.
        bag: Codes, in the order of the trees' ranges.
        cardinality: How many codes there are.
        shrinkage: The most rows' worth of trust that the surroundings get.
    """
    trust = np.ones(len(tree.feature), np.float32)
    last_seen_in = np.full(cardinality, -1, np.int64)
    for node in range(len(trust)):
        begin, size = np.int64(tree.start[node]), np.int64(tree.size[node])
        surroundings = shrinkage
        if tree.feature[node] == LEAF:
            distinct = 0
            for place in range(begin, begin + size):
                distinct += last_seen_in[bag[place]] != node
                last_seen_in[bag[place]] = node
            surroundings = min(shrinkage, float(distinct - 1))
        if tree.parent[node] != node:
            trust[node] = size / (size + surroundings)
    return trust


@kernel
def draw(
    seen: NDArray[np.uint16],
    nominal: NDArray[np.bool_],
    tree: Tree,
    roots: NDArray[np.uint32],
    bag: NDArray[np.uint32],
    trust: NDArray[np.float32],
    words: NDArray[np.uint64],
    codes: NDArray[np.uint32],
) -> None:
    """Draw one feature of many rows.

    Rows that come to the same node share its range evenly: the range is cut into as many equal
    strata as there are rows, and each row, in random order, draws from one of them (stratified
    sampling: Neyman, "On the two different aspects of the representative method", 1934). Every row
    by itself draws as from the whole range, but all together come nearer to it than independent
    draws would.

    Args:
        seen: What earlier features are, as trees see it, shape ``(rows, features)``, dtype uint16.
        nominal: Whether a feature is nominal, shape ``(features,)``.
        tree: The feature's trees; each row takes one at random.
        roots: Their roots.
        bag: Codes, in the order of the trees' ranges.
        trust: For each node, the probability to draw from it rather than from its parent.
        words: One random word a row, shape ``(rows,)``, dtype uint64.
        codes: Filled with the drawn codes, shape ``(rows,)``, dtype uint32.
    """
    order, ends, jitter = rows_by_node(seen, nominal, tree, roots, trust, words)
    state = np.empty(1, np.uint64)
    begin = np.int64(0)
    for number in range(len(tree.feature)):
        end = ends[number]
        if end > begin:
            state[0] = words[order[begin]]
            rows, size = order[begin:end], np.int64(tree.size[number])
            shuffle(rows, state)
            for stratum in range(len(rows)):
                row = rows[stratum]
                place = np.int64((stratum + jitter[row]) / len(rows) * size)
                # Rounding may reach the end itself.
                codes[row] = bag[np.int64(tree.start[number]) + min(place, size - 1)]
        begin = end


@kernel
def rows_by_node(
    seen: NDArray[np.uint16],
    nominal: NDArray[np.bool_],
    tree: Tree,
    roots: NDArray[np.uint32],
    trust: NDArray[np.float32],
    words: NDArray[np.uint64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Let each row walk down a tree, and maybe a little up; see :func:`draw`.

    Returns:
        The rows, those that draw from the same node together; for each node where its rows end;
        and a uniform number a row.
    """
    rows = len(words)
    state = np.empty(1, np.uint64)
    nodes = np.empty(rows, np.int64)
    jitter = np.empty(rows, np.float64)
    begins = np.zeros(len(tree.feature) + 1, np.int64)
    for row in range(rows):
        state[0] = words[row]
        node = np.int64(roots[pick(len(roots), state)])
        while tree.feature[node] != LEAF:
            feature = np.int64(tree.feature[node])
            left = goes_left(
                np.int64(seen[row, feature]), np.int64(tree.cut[node]), nominal[feature], tree.bits
            )
            node = np.int64(tree.left[node]) + (0 if left else 1)
        while trust[node] < 1.0 and uniform(state) >= trust[node]:
            node = np.int64(tree.parent[node])
        nodes[row] = node
        jitter[row] = uniform(state)
        begins[node + 1] += 1
    for number in range(len(tree.feature)):
        begins[number + 1] += begins[number]
    order = np.empty(rows, np.int64)
    for row in range(rows):
        order[begins[nodes[row]]] = row
        # It becomes the end of the node's rows, which is where those of the next one begin.
        begins[nodes[row]] += 1
    return order, begins, jitter


@kernel
def shuffle(rows: NDArray[np.int64], state: NDArray[np.uint64]) -> None:
    """Put rows into a random order."""
    for last in range(len(rows) - 1, 0, -1):
        other = pick(last + 1, state)
        rows[last], rows[other] = rows[other], rows[last]
