"""Codes that the learned sample lacks, but all rows have: drawn as often as they should be.

By Good and Turing (Good, "The population frequencies of species", Biometrika 40, 1953) what was
never seen is about as frequent as what was seen once. So every such code joins the place of a rare
seen one (of its neighbour, if codes are ordered) and shares its draws in proportion to the counts.
Those seen more often in the sample than their counts promise are the ones that give up draws.
"""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.core.features import FeatureKind
from simulacra.models.forest.words import next_word


class Shares(NamedTuple):
    """Codes that share a place.

    Attributes:
        begin: For each code the first of its sharers in ``member``; shape ``(cardinality + 1,)``.
        member: The sharers, one after the other.
        upto: Cumulative counts of ``member``, shape ``(members + 1,)``, dtype int64.
    """

    begin: NDArray[np.int64]
    member: NDArray[np.uint32]
    upto: NDArray[np.int64]


def shares(
    kind: FeatureKind,
    counts: NDArray[np.int64],
    sampled: NDArray[np.int64],
    generator: np.random.Generator,
) -> Shares | None:
    """Return which codes share draws, None when the sample lacks none.

    Args:
        kind: Whether codes are ordered.
        counts: Rows per code over all rows, shape ``(cardinality,)``.
        sampled: Rows per code in the sample.
        generator: Chooses places for nominal codes.
    """
    missing = np.flatnonzero((counts > 0) & (sampled == 0))
    seen = np.flatnonzero(sampled > 0)
    if len(missing) == 0 or len(seen) == 0:
        return None
    if kind is FeatureKind.ORDINAL:
        host = _nearest(missing, seen)
    else:
        host = _drawn_too_often(missing, seen, counts, sampled, generator)
    hosts = np.concatenate([seen, host])
    members = np.concatenate([seen, missing])
    order = np.lexsort([members, hosts])
    begin = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(np.bincount(hosts, minlength=len(counts)), out=begin[1:])
    member = members[order].astype(np.uint32)
    weights = np.maximum(counts[member], sampled[member])
    return Shares(begin, member, np.concatenate([[0], np.cumsum(weights)]))


def _nearest(missing: NDArray[np.intp], seen: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return for each missing code the nearest seen one."""
    after = np.searchsorted(seen, missing)
    low, high = seen[np.maximum(after - 1, 0)], seen[np.minimum(after, len(seen) - 1)]
    nearest: NDArray[np.intp] = np.where(np.abs(missing - low) <= np.abs(high - missing), low, high)
    return nearest


def _drawn_too_often(
    missing: NDArray[np.intp],
    seen: NDArray[np.intp],
    counts: NDArray[np.int64],
    sampled: NDArray[np.int64],
    generator: np.random.Generator,
) -> NDArray[np.intp]:
    """Return for each missing code a seen one, each taking as many rows as it has too many."""
    expected = counts * (sampled.sum() / counts.sum())
    hosts = generator.permutation(seen)
    surplus = np.cumsum(np.maximum(sampled[hosts] - expected[hosts], 0.0))
    if surplus[-1] <= 0.0:
        return hosts[np.arange(len(missing)) % len(hosts)]
    mass = np.cumsum(expected[missing])
    places = (mass - 0.5 * expected[missing]) * (surplus[-1] / mass[-1])
    return hosts[np.searchsorted(surplus, places)]


@kernel
def share_draws(shared: Shares, words: NDArray[np.uint64], codes: NDArray[np.uint32]) -> None:
    """Let the codes drawn stand for those that share their places; changes ``codes``.

    Args:
        shared: Who shares.
        words: One random word a row.
        codes: Codes drawn.
    """
    state = np.empty(1, np.uint64)
    for row in range(len(codes)):
        low, high = shared.begin[codes[row]], shared.begin[codes[row] + 1]
        if high - low < 2:
            continue
        state[0] = ~words[row]
        span = shared.upto[high] - shared.upto[low]
        at = shared.upto[low] + np.int64(next_word(state) % np.uint64(span))
        while high - low > 1:
            middle = (low + high) // 2
            if shared.upto[middle] <= at:
                low = middle
            else:
                high = middle
        codes[row] = shared.member[low]
