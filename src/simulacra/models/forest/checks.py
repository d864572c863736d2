"""Checks of arrays read from a bundle: kernels trust indices, so none may lead astray."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simulacra.core.features import FeatureSpec
    from simulacra.models.forest.conditional import Conditional
    from simulacra.models.forest.lookup import Lookup
    from simulacra.models.forest.tree import Tree
    from simulacra.models.forest.unseen import Shares


def check(
    conditional: Conditional, specs: Sequence[FeatureSpec], nominal: NDArray[np.bool_]
) -> None:
    """Refuse a conditional whose arrays lead outside of each other, or in circles.

    Raises:
        ValueError: Says what is wrong.
    """
    if not 0 <= conditional.feature < len(specs):
        raise ValueError("a conditional of no feature")
    cardinality = specs[conditional.feature].cardinality
    _check_tree(conditional.tree, len(conditional.bag), nominal)
    nodes = len(conditional.tree.feature)
    _demand(len(conditional.roots) > 0 and _below(conditional.roots, nodes), "roots")
    _demand(conditional.trust.shape == (nodes,) and bool((conditional.trust > 0).all()), "trust")
    _demand(_below(conditional.bag, cardinality), "bag")
    if conditional.lookup is not None:
        key = conditional.key
        _demand(key is not None and 0 <= key < len(specs), "key")
        _check_lookup(conditional.lookup, specs[key or 0].cardinality, cardinality)
    if conditional.shares is not None:
        _check_shares(conditional.shares, cardinality)


def _check_tree(tree: Tree, bag: int, nominal: NDArray[np.bool_]) -> None:
    from simulacra.models.forest.tree import LEAF

    nodes = np.arange(len(tree.feature))
    _demand(all(len(array) == len(nodes) for array in tree[:6]) and len(nodes) > 0, "nodes")
    inner = np.flatnonzero(tree.feature != LEAF)
    _demand(_below(tree.feature[inner], len(nominal)), "split features")
    # Children stand behind their parents, so every walk comes to an end.
    left = tree.left[inner].astype(np.int64)
    _demand(bool((left > inner).all()) and _below(left + 1, len(nodes)), "children")
    _demand(bool((tree.parent.astype(np.int64) <= nodes).all()), "parents")
    ends = tree.start.astype(np.int64) + tree.size
    _demand(bool((tree.size > 0).all()) and _below(ends, bag + 1), "ranges")
    _demand(tree.bits.ndim == 2 and tree.bits.shape[1] == 4, "sets")
    sets = inner[nominal[tree.feature[inner]]]
    _demand(_below(tree.cut[sets], len(tree.bits)), "sets")


def _check_lookup(found: Lookup, keys: int, cardinality: int) -> None:
    _demand(_are_bounds(found.begin, keys, len(found.bag)), "look-up")
    _demand(_below(found.bag, cardinality), "look-up")


def _check_shares(shared: Shares, cardinality: int) -> None:
    _demand(_are_bounds(shared.begin, cardinality, len(shared.member)), "shares")
    _demand(_below(shared.member, cardinality), "shares")
    rising = len(shared.upto) == len(shared.member) + 1 and bool((np.diff(shared.upto) > 0).all())
    _demand(rising, "shares")


def _are_bounds(begin: NDArray[np.int64], ranges: int, end: int) -> bool:
    return (
        begin.shape == (ranges + 1,)
        and begin[0] == 0
        and begin[-1] == end
        and bool((np.diff(begin) >= 0).all())
    )


def _below(values: NDArray[np.integer], limit: int) -> bool:
    return not len(values) or (int(values.min()) >= 0 and int(values.max()) < limit)


def _demand(holds: bool, what: str) -> None:  # noqa: FBT001 - the one thing it is about
    if not holds:
        raise ValueError(f"the {what} of a tree lead outside of it")
