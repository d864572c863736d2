"""How likely a code is where a row's walk through the trees ends."""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.models.forest.grow import goes_left
from simulacra.models.forest.tree import LEAF, Tree


class Occurrences(NamedTuple):
    """Where in a bag each code stands.

    Attributes:
        begin: Where each code's places begin, shape ``(cardinality + 1,)``, dtype int64.
        places: Places in the bag, by code, rising for each, dtype int64.
    """

    begin: NDArray[np.int64]
    places: NDArray[np.int64]


def occurrences(bag: NDArray[np.unsignedinteger], cardinality: int) -> Occurrences:
    """Index a bag by its codes.

    Args:
        bag: Codes.
        cardinality: How many codes there are.
    """
    begin = np.zeros(cardinality + 1, np.int64)
    np.cumsum(np.bincount(bag, minlength=cardinality), out=begin[1:])
    return Occurrences(begin, np.argsort(bag, kind="stable").astype(np.int64))


@kernel
def likelihoods(
    seen: NDArray[np.uint16],
    nominal: NDArray[np.bool_],
    tree: Tree,
    roots: NDArray[np.uint32],
    found: Occurrences,
    trust: NDArray[np.float32],
    codes: NDArray[np.uint32],
    shares: NDArray[np.float64],
) -> None:
    """Work out the probability with which each row would draw its code.

    It is the mean over the trees; in each, over the nodes from the leaf upwards, by the trust that
    each has.

    Args:
        seen: What earlier features are, as trees see it, shape ``(rows, features)``.
        nominal: Whether a feature is nominal, shape ``(features,)``.
        tree: The feature's trees.
        roots: Their roots.
        found: Where the codes stand in the trees' bag.
        trust: For each node, the probability to draw from it rather than from its parent.
        codes: The code of each row, shape ``(rows,)``, dtype uint32.
        shares: Filled with the probabilities, shape ``(rows,)``.
    """
    for row in range(len(codes)):
        begin, end = found.begin[codes[row]], found.begin[codes[row] + 1]
        total = 0.0
        for root in roots:
            node = np.int64(root)
            while tree.feature[node] != LEAF:
                feature = np.int64(tree.feature[node])
                left = goes_left(
                    np.int64(seen[row, feature]),
                    np.int64(tree.cut[node]),
                    nominal[feature],
                    tree.bits,
                )
                node = np.int64(tree.left[node]) + (0 if left else 1)
            reached = 1.0
            while True:
                parent = np.int64(tree.parent[node])
                stays = 1.0 if parent == node else np.float64(trust[node])
                start, size = np.int64(tree.start[node]), np.int64(tree.size[node])
                inside = _first_from(found.places, begin, end, start + size)
                inside -= _first_from(found.places, begin, end, start)
                total += reached * stays * inside / size
                reached *= 1.0 - stays
                if parent == node or reached <= 0.0:
                    break
                node = parent
        shares[row] = total / len(roots)


@kernel
def _first_from(places: NDArray[np.int64], low: int, high: int, place: int) -> int:
    """Return the first index in ``low`` to ``high`` whose place is not below the one asked for."""
    while low < high:
        middle = (low + high) // 2
        if places[middle] < place:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def looked_up(
    begin: NDArray[np.int64],
    bag: NDArray[np.unsignedinteger],
    key: NDArray[np.uint32],
    codes: NDArray[np.uint32],
    shares: NDArray[np.float64],
) -> None:
    """Replace probabilities by how often each code was seen with its key, where the key was seen.

    Args:
        begin: Where each key's bag begins.
        bag: Codes, by key, rising for each.
        key: The key's codes, shape ``(rows,)``.
        codes: The code of each row.
        shares: Probabilities, changed.
    """
    for row in range(len(codes)):
        first, last = begin[key[row]], begin[key[row] + 1]
        if last <= first:
            continue
        wanted = np.int64(codes[row])
        low, high = first, last
        while low < high:
            middle = (low + high) // 2
            if np.int64(bag[middle]) < wanted:
                low = middle + 1
            else:
                high = middle
        start, high = low, last
        while low < high:
            middle = (low + high) // 2
            if np.int64(bag[middle]) <= wanted:
                low = middle + 1
            else:
                high = middle
        shares[row] = (low - start) / (last - first)
