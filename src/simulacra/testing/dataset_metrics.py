"""What every metric of a whole dataset must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.limits import Limits
from simulacra.core.protocols import DatasetMetric
from simulacra.core.random import RngKey
from simulacra.core.scores import Score
from simulacra.pipeline.evaluate_relations import views_of
from simulacra.pipeline.measuring.key_only import without_keys
from simulacra.pipeline.measuring.plan import Plan
from simulacra.testing.check import Check, checks_of, require
from simulacra.testing.databases import shop, shop_spec
from simulacra.testing.guards import globally_seeded, no_global_randomness, no_threads_left
from simulacra.testing.scores import require_declared, require_sound

SCOPE = "dataset"
_ROWS = 50_000
_TOLERANCE = 0.1


@dataclass
class DatasetMetricSubject:
    """A metric of datasets, its options, and the databases it is shown."""

    metric: DatasetMetric
    options: Mapping[str, Any]
    tolerance: float
    real: dict[str, pa.Table] = field(default_factory=shop)
    other: dict[str, pa.Table] = field(default_factory=partial(shop, seed=1))
    holdout: dict[str, pa.Table] = field(default_factory=partial(shop, seed=2))

    def compute(
        self,
        real: Mapping[str, pa.Table],
        synthetic: Mapping[str, pa.Table],
        *,
        holdout: Mapping[str, pa.Table] | None = None,
    ) -> list[Score]:
        """Measure, always with the same key."""
        key = RngKey(9, ("metric",))
        sides = {"real": real, "synthetic": synthetic}
        if holdout is not None:
            sides["holdout"] = holdout
        plan = Plan(
            without_keys(shop_spec()), _ROWS, key.child("rows"), RunContext(Limits(threads=1))
        )
        views = views_of(
            {
                side: {name: TableSource(table) for name, table in tables.items()}
                for side, tables in sides.items()
            },
            plan,
        )
        return self.metric.compute(
            views["real"],
            views["synthetic"],
            holdout=views.get("holdout"),
            spec=plan.spec,
            options={"rows": _ROWS, "threads": 1, **self.options},
            rng=key,
        )

    @cached_property
    def scores(self) -> list[Score]:
        """The scores of a fresh database of the same distribution, beside a hold-out; once."""
        with globally_seeded(1):
            return self.compute(self.real, self.other, holdout=self.holdout)


def checks(
    metric: DatasetMetric, *, options: Mapping[str, Any], tolerance: float | None
) -> list[Check]:
    """Return a metric's checks; see :func:`simulacra.testing.metrics.checks`.

    The tolerance is for 1,500 customers and some 3,700 orders.
    """
    tolerance = _TOLERANCE if tolerance is None else tolerance
    return checks_of(DatasetMetricSubject(metric, options, tolerance), _CHECKS)


def _require_sound(metric: DatasetMetric, scores: list[Score]) -> None:
    require(scores, "it gave no score")
    known = {f"{name}.{column}" for name, t in shop_spec().tables.items() for column in t.columns}
    for score in scores:
        require_sound(metric, score)
        require(set(score.columns) <= known, f"{score} is about columns that aren't there")
        require(score.details.get("table") in shop_spec().tables, f"{score} names no table")


def says_what_it_is(subject: DatasetMetricSubject, folder: Path) -> None:
    """Scope and measures are declared."""
    del folder
    require(subject.metric.scope == SCOPE, f"its scope is {subject.metric.scope!r}")
    require_declared(subject.metric)


def scores_are_sound(subject: DatasetMetricSubject, folder: Path) -> None:
    """Scores are finite, JSON-able, and about columns of the tables; holes say why."""
    del folder
    for scores in (subject.compute(subject.real, subject.other), subject.scores):
        _require_sound(subject.metric, scores)


def finds_the_same_distribution_ideal(subject: DatasetMetricSubject, folder: Path) -> None:
    """A fresh database of the same distribution is as good as can be, within tolerance."""
    del folder
    measures = {measure.name: measure for measure in subject.metric.measures}
    for score in subject.scores:
        measure = measures[score.metric]
        # Where even real rows don't reach the ideal, the floor says how near they come.
        ideal = measure.ideal if score.floor is None else score.floor
        if score.value is None or ideal is None:
            continue
        gap = ideal - score.value if measure.higher_is_better else score.value - ideal
        require(
            gap <= subject.tolerance,
            f"{score.metric} of {score.columns}: {score.value:.3f} for data like the real, "
            f"ideal {ideal:.3f}",
        )


def gives_the_same_scores_again(subject: DatasetMetricSubject, folder: Path) -> None:
    """The key settles the scores, whatever the global random states, which stay as they are."""
    del folder
    before = subject.scores
    with globally_seeded(2), no_global_randomness(), no_threads_left():
        again = subject.compute(subject.real, subject.other, holdout=subject.holdout)
    require(again == before, "measuring again gave other scores")


def leaves_its_inputs_alone(subject: DatasetMetricSubject, folder: Path) -> None:
    """The tables given are not changed."""
    del folder
    require(subject.scores, "it gave no score")
    require(subject.real == shop(), "the real tables have been changed")
    require(subject.other == shop(seed=1), "the synthetic tables have been changed")
    require(subject.holdout == shop(seed=2), "the hold-out has been changed")


def copes_with_tiny_tables(subject: DatasetMetricSubject, folder: Path) -> None:
    """One row of each table or none gives scores, or says why not, but no accident."""
    del folder
    for rows in (0, 1):
        few = [
            {name: table.slice(0, rows) for name, table in side.items()}
            for side in (subject.real, subject.other)
        ]
        _require_sound(subject.metric, subject.compute(few[0], few[1]))


_CHECKS: list[Callable[[DatasetMetricSubject, Path], None]] = [
    says_what_it_is,
    scores_are_sound,
    finds_the_same_distribution_ideal,
    gives_the_same_scores_again,
    leaves_its_inputs_alone,
    copes_with_tiny_tables,
]
