"""How strongly features depend on each other, and the order in which they are drawn."""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.core.features import Codes, FeatureKind, FeatureSpec
from simulacra.models.forest.tree import GROUPS

_BINS = 16
_MOST_ROWS = 20_000
_FEW_CODES = 32
_LEAST_REPEATED = 0.02
"""Share of rows whose key occurs again, below which nothing can be said about the key."""
_LEAST_INFORMATION = 1e-3
"""Nats; a target of less is all but constant."""
_TRUST = 0.1
"""Rows' worth of trust in the prior when a key's other rows predict a row."""
_MOST_WORK = 8_000_000_000
"""Row visits that the mutual information of all pairs may take; wide tables look at fewer rows."""


def mutual_information(codes: Sequence[Codes]) -> NDArray[np.float64]:
    """Return the mutual information of all pairs, in nats, shape ``(features, features)``.

    Codes are put into 16 bins of about equal mass; the estimate's bias (Miller, "Note on the bias
    of information estimates", 1955) is taken off.

    Args:
        codes: The features' codes in rows of random order.
    """
    features = len(codes)
    if features == 0:
        return np.zeros((0, 0))
    rows = min(len(codes[0]), _MOST_ROWS, max(1000, 2 * _MOST_WORK // features**2))
    binned = np.empty((features, rows), np.uint8)
    for number, column in enumerate(codes):
        values, inverse, counts = np.unique(column[:rows], return_inverse=True, return_counts=True)
        middle = (np.cumsum(counts) - 0.5 * counts) / max(rows, 1)
        binned[number] = (middle * _BINS).astype(np.uint8)[inverse] if len(values) else 0
    return _pairwise(binned)


@kernel
def _pairwise(binned: NDArray[np.uint8]) -> NDArray[np.float64]:
    features, rows = binned.shape
    found = np.zeros((features, features))
    joint = np.zeros((_BINS, _BINS), np.int64)
    for one in range(features):
        for other in range(one):
            joint[:] = 0
            for row in range(rows):
                joint[binned[one, row], binned[other, row]] += 1
            total, cells = 0.0, 0
            own, others = np.zeros(_BINS), np.zeros(_BINS)
            for a in range(_BINS):
                for b in range(_BINS):
                    own[a] += joint[a, b]
                    others[b] += joint[a, b]
            for a in range(_BINS):
                for b in range(_BINS):
                    if joint[a, b] > 0:
                        expected = own[a] * others[b] / rows
                        total += joint[a, b] * np.log(joint[a, b] / expected)
                        cells += 1
                cells -= (own[a] > 0.0) + (others[a] > 0.0)
            bias = 0.5 * (cells + 1)
            found[one, other] = found[other, one] = max(0.0, (total - bias) / rows)
    return found


def determination(key: Codes, target: Codes, targets: int) -> float:
    """Return the share of the target's information that a key gives, leaving each row out.

    This is Theil's uncertainty coefficient with every row predicted from the other rows of its
    key, so a key that is merely unique gives nothing. Keys of one row have no say.

    Args:
        key: Codes of the key, shape ``(rows,)``.
        target: Codes of the target, shape ``(rows,)``.
        targets: The target's cardinality.
    """
    own = np.bincount(key)[key]
    repeated = own > 1
    if repeated.mean() < _LEAST_REPEATED:
        return 0.0
    key, target, own = key[repeated], target[repeated], own[repeated]
    alone = np.bincount(target, minlength=targets)
    prior = alone[target] / len(target)
    information = -float(np.log(prior).mean())
    if information < _LEAST_INFORMATION:
        return 0.0
    pairs = key.astype(np.int64) * targets + target
    _, inverse, together = np.unique(pairs, return_inverse=True, return_counts=True)
    given = (together[inverse] - 1 + _TRUST * prior) / (own - 1 + _TRUST)
    return max(0.0, 1.0 + float(np.log(given).mean()) / information)


def drawing_order(
    specs: Sequence[FeatureSpec],
    information: NDArray[np.float64],
    given: Sequence[int],
    determinants: Sequence[Sequence[int]],
) -> list[int]:
    """Return the order in which to draw features.

    Features of few codes come first: little is lost in drawing them, and splits by them are exact,
    where drawing them last would let the errors of all others pile up in them. Among as small ones
    the next is, as in a Chow-Liu tree (IEEE Trans. Information Theory 14, 1968), the one with most
    information about those chosen. Nominal features of more codes than a split tells apart come
    last. Before all that, what determines a feature comes before it, so that it can be looked up.

    Args:
        specs: The features.
        information: See :func:`mutual_information`.
        given: Features that are not drawn (context), which come before all.
        determinants: For each feature, those that determine it.
    """

    def rank(spec: FeatureSpec) -> int:
        """Return 0 for few codes, 1 for many, above that the codes of large nominal features."""
        if spec.kind is FeatureKind.NOMINAL and spec.cardinality > GROUPS:
            return spec.cardinality
        return int(spec.cardinality > _FEW_CODES)

    ranks = [rank(spec) for spec in specs]
    placed = list(given)
    waiting = [number for number in range(len(specs)) if number not in set(given)]
    about = information[:, placed].sum(1) if placed else np.zeros(len(specs))
    order: list[int] = []

    def place(number: int) -> None:
        nonlocal about
        waiting.remove(number)
        for key in determinants[number]:
            if key in waiting:
                place(key)
        order.append(number)
        about = about + information[:, number]

    while waiting:
        least = min(ranks[number] for number in waiting)
        peers = [number for number in waiting if ranks[number] == least]
        total = about if placed or order else information[:, peers].sum(1)
        place(max(peers, key=lambda number: (total[number], -number)))
    return order
