"""Kinds of parents, by what their children are like: a few codes in order, neighbours alike."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Flags, Floats, Ints, SmallInts, kernel
from simulacra.core.random import RngKey
from simulacra.pipeline.relations.learning.child_sums import ChildSums, Intraclass

CHANCE = 0.0001
"""How often independent children may be taken for alike, over all channels together."""
_SAMPLE = 200_000
_LEAST_TOLD = 1 / 64**2
"""A split must halve a range that accounts for this share of the children's variance.

64 equal ranges of one number that all siblings share have it just so.
"""
_LEAST_DOUBT = 1e-9
_LEAF = -1


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of a table's rows, seen from their children.

    Attributes:
        codes: The kind of each parent, shape ``(parents,)``; ``count - 1`` for those without
            children.
        count: How many codes there are, the last one included: 2 if children tell no kinds.
        intraclass: How much alike siblings are in each channel.
    """

    codes: NDArray[np.uint16]
    count: int
    intraclass: Intraclass


class _Parts(NamedTuple):
    """Sums of children, and what draws their means to that of all: the mean, and how strongly."""

    sums: Floats
    children: SmallInts
    missing: SmallInts
    centre: Floats
    doubt: Floats


class _Tree(NamedTuple):
    """A k-d tree over the shrunk means of channels.

    ``channel`` is what each node looks at, ``_LEAF`` for a leaf; parents whose mean is above
    ``cut`` go to the second of ``children``. A leaf has its code in place of both.
    """

    channel: Ints
    cut: Floats
    children: Ints


@kernel
def _shrunk(parts: _Parts, row: int, channel: int) -> float:
    """Return a parent's mean, drawn to that of all children as far as few children tell."""
    size = np.float64(parts.children[row] - parts.missing[channel, row])
    mean: float = (parts.sums[row, channel] - size * parts.centre[channel]) / (
        size + parts.doubt[channel]
    )
    return mean


@kernel
def _means(parts: _Parts, rows: Ints, channel: int, out: Floats) -> None:
    """Write the shrunk means of one channel for some parents."""
    for i in range(len(rows)):
        out[i] = _shrunk(parts, rows[i], channel)


@kernel
def _walk(parts: _Parts, tree: _Tree, childless: int, out: NDArray[np.uint16]) -> None:
    """Write the kind of every parent."""
    for row in range(len(out)):
        if parts.children[row] == 0:
            out[row] = childless
            continue
        node = np.int64(0)
        while tree.channel[node] >= 0:
            above = _shrunk(parts, row, tree.channel[node]) > tree.cut[node]
            node = tree.children[node, 1 if above else 0]
        out[row] = tree.children[node, 0]


def fit_kinds(sums: ChildSums, *, most: int, min_rows: int) -> Kinds:
    """Divide parents into kinds by the means of their children.

    Channels in which siblings are no more alike than by chance are left out. The means of the
    others, drawn to the mean of all as far as few children leave them in doubt (empirical Bayes),
    are ranked; the parents are split again and again at the median of the channel that tells most,
    so that every split is one that children show.

    Args:
        sums: What the children are like.
        most: The most kinds.
        min_rows: The fewest parents of a kind, at least 1.
    """
    found = sums.intraclass()
    codes = np.zeros(sums.parents, np.uint16)
    telling = np.flatnonzero(found.chance <= CHANCE / max(sums.channels, 1))
    rows = np.flatnonzero(sums.children)
    if not len(telling) or most < 2 or len(rows) < 2 * min_rows:
        codes[sums.children == 0] = 1
        return Kinds(codes, 2, found)
    if len(rows) > _SAMPLE:
        chosen = RngKey(0, ("kinds",)).generator().choice(len(rows), _SAMPLE, replace=False)
        rows = rows[np.sort(chosen)]
    centre = found.mean - sums.origin
    share = np.maximum(found.correlation, np.finfo(np.float64).tiny)
    # Not quite 0: of a parent whose children lack the channel, nothing is known.
    doubt = np.maximum((1 - share) / share, 1e-9)
    parts = _Parts(sums.sums, sums.children, sums.missing, centre, doubt)
    means = np.empty((len(telling), len(rows)))
    weights = np.empty(len(telling))
    for place, channel in enumerate(telling):
        _means(parts, rows, int(channel), means[place])
        sizes = sums.children[rows] - sums.missing[channel, rows]
        weights[place] = share[channel] * (sizes / (sizes + doubt[channel])).mean()
    tree, count = _grow(means, weights, telling, most, min_rows)
    _walk(parts, tree, count, codes)
    return Kinds(codes, count + 1, found)


@dataclass(slots=True)
class _Node:
    rows: Ints
    channel: int = _LEAF
    cut: float = 0.0
    below: tuple[_Node, _Node] | None = None


def _grow(
    means: Floats, weights: Floats, channels: Ints, most: int, min_rows: int
) -> tuple[_Tree, int]:
    """Return a tree, and how many leaves it has.

    Args:
        means: The means of each telling channel, shape ``(telling, rows)``.
        weights: The share of the children's variance that each channel's means account for.
        channels: The number of each telling channel.
        most: The most leaves.
        min_rows: The fewest rows of a leaf.
    """
    ranks = np.stack([_ranks(row) for row in means])
    root = _Node(np.arange(means.shape[1]))
    leaves, order = 1, 0
    waiting = [(0.0, order, root)]
    while waiting and leaves < most:
        _, _, node = heapq.heappop(waiting)
        if not _split(node, means, ranks, weights, min_rows):
            continue
        leaves += 1
        for child in node.below or ():
            order += 1
            told = weights * ranks[:, child.rows].var(axis=1)
            heapq.heappush(waiting, (-len(child.rows) * told.max(), order, child))
    nodes = list(_nodes(root))
    places = {id(node): place for place, node in enumerate(nodes)}
    codes = {id(leaf): code for code, leaf in enumerate(_in_order(root, np.ones(len(means), bool)))}
    below = [
        [places[id(child)] for child in node.below] if node.below else [codes[id(node)]] * 2
        for node in nodes
    ]
    channel = [_LEAF if node.channel == _LEAF else channels[node.channel] for node in nodes]
    cuts = np.array([node.cut for node in nodes])
    return _Tree(np.array(channel, np.int64), cuts, np.array(below, np.int64)), leaves


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0 to 1; equal values share the middle of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    ranks: Floats = middle[place] / len(values)
    return ranks


def _split(node: _Node, means: Floats, ranks: Floats, weights: Floats, min_rows: int) -> bool:
    """Split a node by the channel that tells most and can be split, at its median."""
    rows = node.rows
    if len(rows) < 2 * min_rows:
        return False
    # A range of w holds a variance of w²/12 if ranks are spread evenly over it.
    told = weights * ranks[:, rows].var(axis=1) * 12
    for channel in np.argsort(-told, kind="stable"):
        if told[channel] < _LEAST_TOLD:
            return False
        values = means[channel, rows]
        cut = _cut(np.sort(values), min_rows)
        if cut is not None:
            above = values > cut
            node.channel, node.cut = int(channel), cut
            node.below = _Node(rows[~above]), _Node(rows[above])
            return True
    return False


def _cut(values: Floats, min_rows: int) -> float | None:
    """Return the value between two different ones nearest to the median of sorted values."""
    steps = np.flatnonzero(values[1:] > values[:-1]) + 1
    steps = steps[(steps >= min_rows) & (steps <= len(values) - min_rows)]
    if not len(steps):
        return None
    nearest = steps[np.argmin(np.abs(steps - len(values) // 2))]
    return float(values[nearest - 1])


def _nodes(node: _Node) -> Iterator[_Node]:
    yield node
    for child in node.below or ():
        yield from _nodes(child)


def _in_order(node: _Node, ascending: Flags) -> Iterator[_Node]:
    """Yield leaves so that neighbours are alike: to and fro, as a plough goes over a field."""
    if node.below is None:
        yield node
        return
    first, second = node.below if ascending[node.channel] else node.below[::-1]
    yield from _in_order(first, ascending)
    turned = ~ascending
    turned[node.channel] = ascending[node.channel]
    yield from _in_order(second, turned)
