"""An order for codes that have none, so that neighbours are alike.

A Gaussian copula knows only more and less. The codes of a nominal feature are ordered by the mean
score of the feature it is most associated with, so that what they tell about it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.core.features import Codes, FeatureKind, FeatureSpec
from simulacra.models.columns import Marginal
from simulacra.models.normal_scores import scores_of

LEAST_ROWS = 20
"""A code in fewer rows has no mean of its own worth the name; all such codes share one place."""

_MOST_LOOKUPS = 2_000_000_000
"""Rows times pairs of features looked at: some ten seconds on one core."""


def orders_of(
    specs: Sequence[FeatureSpec], codes: Sequence[Codes], counts: Sequence[NDArray[np.int64]]
) -> list[NDArray[np.integer] | None]:
    """Return the order of each feature's codes; None where their own order is right.

    Nominal features are ordered one after the other, the most associated first; those already
    ordered help to order the rest.

    Args:
        specs: The features.
        codes: Their codes in some rows, in a random order, shape ``(rows,)`` each; with hundreds
            of nominal features only the first of them are looked at.
        counts: Rows per code over all rows.
    """
    orders: list[NDArray[np.integer] | None] = [None] * len(specs)
    waiting = [
        number
        for number, spec in enumerate(specs)
        if spec.kind is FeatureKind.NOMINAL and spec.cardinality > 2
    ]
    rows = max(_MOST_LOOKUPS // max(len(waiting) * len(specs), 1), 100 * LEAST_ROWS)
    codes = [array[:rows] for array in codes]
    grouped = {number: _Groups(codes[number], specs[number].cardinality) for number in waiting}
    ready = [number for number in range(len(specs)) if number not in grouped]
    best: dict[int, tuple[float, NDArray[np.float64] | None]] = dict.fromkeys(waiting, (0.0, None))
    while waiting:
        for partner in ready:
            scores = _scores(codes[partner], counts[partner], orders[partner])
            for number in waiting:
                strength, means = grouped[number].association(scores)
                if strength > best[number][0]:
                    best[number] = strength, means
        chosen = max(waiting, key=lambda number: best[number][0])
        waiting.remove(chosen)
        if (towards := best[chosen][1]) is not None:
            orders[chosen] = np.argsort(towards, kind="stable")
        ready = [chosen]
    return orders


def _scores(
    codes: Codes, counts: NDArray[np.int64], order: NDArray[np.integer] | None
) -> NDArray[np.float64]:
    low, high = Marginal.of(counts, order).bounds()
    return scores_of(low, high, high - low).means[codes]


class _Groups:
    """The rows of one nominal feature by code.

    Args:
        codes: Its codes, shape ``(rows,)``.
        cardinality: How many codes there are.
    """

    def __init__(self, codes: Codes, cardinality: int) -> None:
        rows = np.bincount(codes, minlength=cardinality)
        self._frequent = rows >= LEAST_ROWS
        # Rare codes are one group, the last.
        self._of_code = np.where(
            self._frequent, np.cumsum(self._frequent) - 1, int(self._frequent.sum())
        )
        self._of_row = self._of_code[codes]
        self._rows = np.bincount(self._of_row, minlength=int(self._frequent.sum()) + 1)

    def association(self, scores: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Return the adjusted correlation ratio of scores given codes, and a mean for each code."""
        rows, groups = len(scores), int((self._rows > 0).sum())
        if rows <= groups:
            return 0.0, np.zeros(len(self._of_code))
        total = float(((scores - scores.mean()) ** 2).sum())
        sums = np.bincount(self._of_row, weights=scores, minlength=len(self._rows))
        means = sums / np.maximum(self._rows, 1)
        if total <= 0:
            return 0.0, means[self._of_code]
        within = float((scores**2).sum()) - float((self._rows * means**2).sum())
        unexplained = (within / (rows - groups)) / (total / (rows - 1))
        return 1.0 - unexplained, means[self._of_code]
