"""Cardinality: do parents have as many children as they should?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from simulacra.core.random import RngKey
from simulacra.core.references import DatasetView, Reference, ReferenceCounts, references_of
from simulacra.core.schema import DatasetSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.distances import greatest_gap
from simulacra.metrics.intervals import Estimate
from simulacra.metrics.joined import about, qualified, unjoined
from simulacra.metrics.sides import Floor

FEWEST = 10
"""Parents that anything told of the greatest families is true of at least."""

_COMPARABLE = 0.8
"""A hold-out gives no floor if its parents have fewer children than this share, or more than its
inverse: parents of which it holds all, and children of which it holds some, can't tell."""


class Cardinality:
    """One score a foreign key: the Kolmogorov-Smirnov statistic of children per parent.

    0: as many parents have no child, one, two and so on as in the real data; 1: no two parents of
    both sides have as many. Every row of both tables counts; parents without children have 0.

    ``details`` tell of either side its parents, their mean number of children, the share without
    any, and how many children ten of them have at least.

    The floor is the statistic of the hold-out, where its parents have about as many children on
    average as the real ones: a sample of orders for all customers would tell nothing of how many
    a customer has, and ``details["no_holdout"]`` says so. Then, and without a hold-out, it is that
    of as many parents as the synthetic ones, drawn with replacement from the real ones. The
    interval takes parents as independent.
    """

    name: ClassVar[str] = "cardinality"
    scope: ClassVar[str] = "dataset"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "cardinality", "Cardinality (KS)", Group.RELATIONS, higher_is_better=False, ideal=0.0
        ),
    )
    optional: ClassVar[bool] = False

    def compute(
        self,
        real: DatasetView,
        synthetic: DatasetView,
        *,
        holdout: DatasetView | None,
        spec: DatasetSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Return one score a foreign key."""
        del options
        return [
            self._score(
                reference,
                real.reference(reference),
                synthetic.reference(reference),
                None if holdout is None else holdout.reference(reference),
                rng.child(reference.label),
            )
            for reference in references_of(spec)
        ]

    def _score(
        self,
        reference: Reference,
        real: ReferenceCounts,
        synthetic: ReferenceCounts,
        holdout: ReferenceCounts | None,
        rng: RngKey,
    ) -> Score:
        if not real.parents.sum() or not synthetic.parents.sum():
            side = "synthetic" if real.parents.sum() else "real"
            return unjoined(self.name, [reference], f"there are no {side} parents")
        details = about(reference)
        for side, counts in (("real", real), ("synthetic", synthetic)):
            details[side] = {
                "parents": int(counts.parents.sum()),
                "mean": _mean(counts),
                "childless_share": _childless(counts),
                "ten_have": _reached_by(counts, FEWEST),
            }
        peer, details["floor"] = holdout, Floor.HOLDOUT.value
        if holdout is not None and not _alike(real, holdout):
            details["no_holdout"] = (
                f"the hold-out's parents have {_mean(holdout):.3g} children on average, "
                f"the real ones {_mean(real):.3g}"
            )
            peer = None
        if peer is None:
            peer = _drawn(real, int(synthetic.parents.sum()), rng)
            details["floor"] = Floor.BOOTSTRAP.value
        found, floor = ks_statistic(real, synthetic), ks_statistic(real, peer).value
        columns = qualified([reference])
        return Score(self.name, found.value, columns, floor, details, found.interval())


def ks_statistic(one: ReferenceCounts, other: ReferenceCounts) -> Estimate:
    """Return the greatest gap between two distributions of children per parent."""
    points = np.union1d(one.children, other.children)
    reached = [
        np.concatenate([[0], np.cumsum(side.parents)])[
            np.searchsorted(side.children, points, side="right")
        ]
        / side.parents.sum()
        for side in (one, other)
    ]
    return greatest_gap(reached[0], reached[1], int(one.parents.sum()), int(other.parents.sum()))


def _drawn(real: ReferenceCounts, parents: int, rng: RngKey) -> ReferenceCounts:
    """Return as many parents drawn with replacement, of whom only the children count."""
    shares = real.parents / real.parents.sum()
    drawn = rng.generator().multinomial(parents, shares)
    return ReferenceCounts(int(real.children @ drawn), 0, 0, real.children, drawn)


def _mean(counts: ReferenceCounts) -> float:
    parents = int(counts.parents.sum())
    return float(counts.children @ counts.parents) / parents if parents else 0.0


def _childless(counts: ReferenceCounts) -> float:
    return float(counts.parents[counts.children == 0].sum() / counts.parents.sum())


def _reached_by(counts: ReferenceCounts, parents: int) -> int | None:
    """Return how many children so many parents have at least; None if there are fewer parents."""
    reaching = np.cumsum(counts.parents[::-1])[::-1]
    enough = counts.children[reaching >= parents]
    return int(enough[-1]) if len(enough) else None


def _alike(real: ReferenceCounts, holdout: ReferenceCounts) -> bool:
    if not holdout.parents.sum():
        return False
    means = sorted([_mean(real), _mean(holdout)])
    return means[0] >= _COMPARABLE * means[1]
