"""What trees are made of: plain arrays in named tuples, which numba passes without cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

GROUPS = 256
"""Coarse groups a feature has at most: what a split tells apart in one step."""

LEAF = np.uint32(0xFFFFFFFF)
"""Stands for the feature of a node that has no split."""


class Table(NamedTuple):
    """Rows as trees see them.

    Attributes:
        split: Codes that nodes compare, shape ``(features, rows)``, dtype uint16: the fine code
            of an ordinal feature, the coarse group of a nominal one.
        coarse: Coarse groups, by which splits are found, shape ``(features, rows)``, dtype uint8.
        nominal: Whether a feature is nominal, shape ``(features,)``, dtype bool.
        exact: Whether ``coarse`` equals ``split``, shape ``(features,)``, dtype bool.
    """

    split: NDArray[np.uint16]
    coarse: NDArray[np.uint8]
    nominal: NDArray[np.bool_]
    exact: NDArray[np.bool_]


class Target(NamedTuple):
    """The feature that a tree is grown for.

    Attributes:
        codes: Its coarse codes, shape ``(rows,)``, dtype uint8.
        ordinal: Whether they are ordered.
    """

    codes: NDArray[np.uint8]
    ordinal: bool


class Limits(NamedTuple):
    """When a tree stops growing; the options of :class:`ForestConfig` as numba takes them.

    Attributes:
        min_leaf: Rows in a leaf, at least.
        max_depth: Splits on a path, at most.
        tries: Features looked at per node.
        penalty: Nats a split must gain per parameter.
        split_rows: Rows looked at per node.
    """

    min_leaf: int
    max_depth: int
    tries: int
    penalty: float
    split_rows: int


class Tree(NamedTuple):
    """One or several trees; node arrays have shape ``(nodes,)`` and dtype uint32.

    A node owns the range ``start : start + size`` of a bag of rows (later of their codes), and
    its range holds those of its children, so an ancestor is as easy to draw from as a leaf.

    Attributes:
        feature: The feature a node compares, or ``LEAF``.
        cut: Ordinal: codes up to it go left. Nominal: the row of ``bits`` whose set groups do.
        left: The left child; the right one follows it.
        parent: The parent; a root is its own.
        start: Where the node's range begins.
        size: The rows in it.
        bits: Sets of coarse groups, shape ``(sets, 4)``, dtype uint64.
    """

    feature: NDArray[np.uint32]
    cut: NDArray[np.uint32]
    left: NDArray[np.uint32]
    parent: NDArray[np.uint32]
    start: NDArray[np.uint32]
    size: NDArray[np.uint32]
    bits: NDArray[np.uint64]


def plant(trees: list[Tree], nominal: NDArray[np.bool_]) -> tuple[Tree, NDArray[np.uint32]]:
    """Put trees into one set of arrays.

    Returns:
        The arrays, and each tree's root in them, shape ``(trees,)``, dtype uint32.
    """

    def offsets(counts: list[int]) -> NDArray[np.uint32]:
        return np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.uint32)

    nodes = offsets([len(tree.feature) for tree in trees])
    bags = offsets([int(tree.size[0]) for tree in trees])
    sets = offsets([len(tree.bits) for tree in trees])
    cuts = []
    for tree, first in zip(trees, sets, strict=True):
        compares_sets = np.zeros(len(tree.feature), np.bool_)
        inner = tree.feature != LEAF
        compares_sets[inner] = nominal[tree.feature[inner]]
        cuts.append(tree.cut + np.where(compares_sets, first, np.uint32(0)))
    return Tree(
        feature=np.concatenate([tree.feature for tree in trees]),
        cut=np.concatenate(cuts).astype(np.uint32),
        left=np.concatenate([tree.left + n for tree, n in zip(trees, nodes, strict=True)]),
        parent=np.concatenate([tree.parent + n for tree, n in zip(trees, nodes, strict=True)]),
        start=np.concatenate([tree.start + b for tree, b in zip(trees, bags, strict=True)]),
        size=np.concatenate([tree.size for tree in trees]),
        bits=np.concatenate([tree.bits for tree in trees]),
    ), nodes
