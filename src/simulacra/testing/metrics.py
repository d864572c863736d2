"""What every metric must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from simulacra.core.protocols import DatasetMetric, Metric
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Score
from simulacra.testing import dataset_metrics
from simulacra.testing.check import Check, checks_of, require
from simulacra.testing.guards import globally_seeded, no_global_randomness, no_threads_left
from simulacra.testing.scores import require_declared, require_sound
from simulacra.testing.tables import orders, spec_of

_SCOPES = ("column", "pair", "table", "dataset")
_TOLERANCE = 0.05


@dataclass
class MetricSubject:
    """A metric, its options, and the tables it is shown."""

    metric: Metric
    options: Mapping[str, Any]
    tolerance: float
    real: pa.Table = field(default_factory=orders)
    other: pa.Table = field(default_factory=lambda: orders(seed=1))
    holdout: pa.Table = field(default_factory=lambda: orders(seed=2))

    @property
    def spec(self) -> TableSpec:
        """The tables' specification."""
        return spec_of(self.real)

    def compute(
        self, real: pa.Table, synthetic: pa.Table, *, holdout: pa.Table | None = None
    ) -> list[Score]:
        """Measure, always with the same key."""
        return self.metric.compute(
            real,
            synthetic,
            holdout=holdout,
            table=self.spec,
            options=self.options,
            rng=RngKey(9, ("metric",)),
        )

    @cached_property
    def scores(self) -> list[Score]:
        """The scores of fresh rows of the same distribution, beside a hold-out; measured once."""
        with globally_seeded(1):
            return self.compute(self.real, self.other, holdout=self.holdout)

    @cached_property
    def scores_alone(self) -> list[Score]:
        """The same without a hold-out."""
        return self.compute(self.real, self.other)


def checks(
    metric: Metric | DatasetMetric,
    *,
    options: Mapping[str, Any] | None = None,
    tolerance: float | None = None,
) -> list[Check]:
    """Return a metric's checks.

    Args:
        metric: The metric, of a table or of a whole dataset.
        options: Options it needs on the table of :func:`simulacra.testing.tables.orders`, or the
            tables of :func:`simulacra.testing.databases.shop`.
        tolerance: How far from ideal it may find rows of the same distribution: its own noise on
            1,500 rows (0.05 unless told, 0.1 for a dataset).
    """
    if metric.scope == dataset_metrics.SCOPE:
        return dataset_metrics.checks(
            cast("DatasetMetric", metric), options=options or {}, tolerance=tolerance
        )
    subject = MetricSubject(
        cast("Metric", metric), options or {}, _TOLERANCE if tolerance is None else tolerance
    )
    return checks_of(subject, _CHECKS)


def _require_sound(subject: MetricSubject, scores: list[Score]) -> None:
    require(scores, "it gave no score")
    names = set(subject.real.column_names)
    for score in scores:
        require_sound(subject.metric, score)
        require(set(score.columns) <= names, f"{score} is about columns that aren't there")


def says_what_it_is(subject: MetricSubject, folder: Path) -> None:
    """Scope and measures are declared."""
    del folder
    require(subject.metric.scope in _SCOPES, f"scope {subject.metric.scope!r} not in {_SCOPES}")
    require_declared(subject.metric)


def scores_are_sound(subject: MetricSubject, folder: Path) -> None:
    """Scores are finite, JSON-able, and about columns of the table; holes say why."""
    del folder
    for scores in (subject.scores_alone, subject.scores):
        _require_sound(subject, scores)


def scores_columns_as_its_scope_says(subject: MetricSubject, folder: Path) -> None:
    """A column metric is about one column at a time, a pair metric about two."""
    del folder
    wanted = {"column": 1, "pair": 2}.get(subject.metric.scope)
    if wanted is None:
        return
    for score in subject.scores_alone:
        require(len(score.columns) == wanted, f"{score} is not about {wanted} columns")


def finds_the_same_distribution_ideal(subject: MetricSubject, folder: Path) -> None:
    """Fresh rows of the same distribution are as good as can be, within tolerance."""
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
            f"{score.metric} of {score.columns}: {score.value:.3f} for rows like the real ones, "
            f"ideal {ideal:.3f}",
        )


def gives_the_same_scores_again(subject: MetricSubject, folder: Path) -> None:
    """The key settles the scores, whatever the global random states, which stay as they are."""
    del folder
    before = subject.scores
    with globally_seeded(2), no_global_randomness(), no_threads_left():
        again = subject.compute(subject.real, subject.other, holdout=subject.holdout)
    require(again == before, "measuring again gave other scores")


def leaves_its_inputs_alone(subject: MetricSubject, folder: Path) -> None:
    """The tables given are not changed."""
    del folder
    require(subject.scores, "it gave no score")
    require(subject.real.equals(orders()), "the real table has been changed")
    require(subject.other.equals(orders(seed=1)), "the synthetic table has been changed")
    require(subject.holdout.equals(orders(seed=2)), "the hold-out has been changed")


def copes_with_tiny_tables(subject: MetricSubject, folder: Path) -> None:
    """One row or none gives scores, or says why not, but no accident."""
    del folder
    for rows in (0, 1):
        _require_sound(
            subject, subject.compute(subject.real.slice(0, rows), subject.other.slice(0, rows))
        )


_CHECKS: list[Callable[[MetricSubject, Path], None]] = [
    says_what_it_is,
    scores_are_sound,
    scores_columns_as_its_scope_says,
    finds_the_same_distribution_ideal,
    gives_the_same_scores_again,
    leaves_its_inputs_alone,
    copes_with_tiny_tables,
]
