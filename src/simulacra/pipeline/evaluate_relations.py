"""Measuring what a dataset is beyond its tables: keys, and tables joined by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.protocols import BatchSource, DatasetMetric
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import DatasetSpec
from simulacra.core.scores import Score
from simulacra.pipeline.conform import check_columns
from simulacra.pipeline.measuring.plan import Plan, rows_within
from simulacra.pipeline.measuring.steps import Steps
from simulacra.pipeline.measuring.view import SideView
from simulacra.pipeline.pictures.children import children_per_parent
from simulacra.pipeline.plain import plain
from simulacra.pipeline.reports.relations import RelationsReport
from simulacra.pipeline.reports.scores import measures_of

SCOPE = "dataset"
_CHEAP = ("key_validity", "cardinality")
_COUNTED = frozenset(_CHEAP)
"""Metrics that have children counted."""


def dataset_metrics() -> list[str]:
    """Return the names of the metrics that are about a whole dataset, the cheap ones first."""
    every = {name: registry.load(Kind.METRIC, name) for name in registry.names(Kind.METRIC)}
    found = [name for name, m in every.items() if m.scope == SCOPE and not m.optional]
    return sorted(found, key=lambda metric: (metric not in _CHEAP, metric))


def evaluate_relations(
    real: Mapping[str, BatchSource],
    synthetic: Mapping[str, BatchSource],
    *,
    holdout: Mapping[str, BatchSource] | None = None,
    spec: DatasetSpec,
    metrics: Sequence[str] | None = None,
    rows: int,
    seed: int = 0,
    ctx: RunContext | None = None,
) -> RelationsReport:
    """Measure keys and joined tables of a synthetic dataset.

    Keys are counted over all rows. Rows to join are drawn uniformly from each table, ``rows`` at
    most, and joined with every row that their keys name; each table is read a few times, never
    held.

    Args:
        real: The data that was learned from, by table.
        synthetic: The data to judge, by table.
        holdout: A second real sample. Tables that it lacks are taken to be those of ``real``.
        spec: The specification, with its keys; columns that hold nothing but keys have the type
            ``key`` (see :func:`~simulacra.pipeline.measuring.key_only.without_keys`).
        metrics: Names of metrics; all that are about a dataset when None.
        rows: The most rows of a table that are joined; at least 1.
        seed: The seed of samples and classifiers.
        ctx: Threads, memory and progress.

    Raises:
        SpecError: A column is missing, or of a type that can't be a key or be compared.
        UsageError: A metric finds nothing to measure.
        InputError: A source can't be read.
    """
    ctx = ctx or RunContext()
    key = RngKey(seed).child("evaluate", "relations")
    notes = []
    tables = {"real": real, "synthetic": synthetic}
    if holdout is not None:
        if missing := [name for name in spec.tables if name not in holdout]:
            notes.append(f"holdout: tables taken to be as in the real data: {', '.join(missing)}")
        tables["holdout"] = {**real, **holdout}
    sides = {
        side: {name: plain(sources[name]) for name in spec.tables}
        for side, sources in tables.items()
    }
    for side, sources in sides.items():
        for name, table in spec.tables.items():
            check_columns(sources[name], table, name, side)
    drawn = rows_within(rows, spec, sides["real"], ctx)
    if drawn < rows:
        notes.append(f"joined rows: {drawn:,} of a table at most, as many as memory holds")
    steps = Steps(ctx.progress)
    plan = Plan(spec, drawn, key.child("rows"), RunContext(ctx.limits, steps))
    views = views_of(sides, plan)
    chosen = dataset_metrics() if metrics is None else list(dict.fromkeys(metrics))
    loaded: dict[str, DatasetMetric] = {m: registry.load(Kind.METRIC, m) for m in chosen}
    scores = _scores(loaded, views, plan, steps, key)
    if metrics is not None:
        _check_measured(loaded, scores)
    counts = {name: {side: view.rows(name) for side, view in views.items()} for name in spec.tables}
    return RelationsReport(
        tuple(plan.references),
        counts,
        scores,
        measures_of(loaded.values()),
        tuple(notes),
        _pictures(views, plan) if _COUNTED.intersection(loaded) else (),
    )


def _pictures(views: Mapping[str, SideView], plan: Plan) -> tuple[Mapping[str, Any], ...]:
    """Return what the chart of each foreign key shows, of what the metrics had counted."""
    return tuple(
        children_per_parent(
            reference, {side: view.reference(reference) for side, view in views.items()}
        )
        for reference in plan.references
    )


def views_of(sides: Mapping[str, Mapping[str, BatchSource]], plan: Plan) -> dict[str, SideView]:
    """Return the view of each side.

    Args:
        sides: By side (``real`` must be among them) the sources of each table, of plain layouts.
        plan: What is drawn and compared.
    """
    leaves = {name: plan.leaves(name, sides["real"][name]) for name in plan.spec.tables}
    return {side: SideView(side, sources, plan, leaves) for side, sources in sides.items()}


def _scores(
    metrics: Mapping[str, DatasetMetric],
    views: Mapping[str, SideView],
    plan: Plan,
    steps: Steps,
    key: RngKey,
) -> tuple[Score, ...]:
    options = {"rows": plan.rows, "threads": plan.ctx.limits.threads}
    scores: list[Score] = []
    for name, metric in metrics.items():
        with steps.around(f"Measuring {name}"):
            scores += metric.compute(
                views["real"],
                views["synthetic"],
                holdout=views.get("holdout"),
                spec=plan.spec,
                options=options,
                rng=key.child(name),
            )
    return tuple(scores)


def _check_measured(metrics: Mapping[str, DatasetMetric], scores: Sequence[Score]) -> None:
    found = {score.metric for score in scores}
    for name, metric in metrics.items():
        if found.isdisjoint(measure.name for measure in metric.measures):
            raise UsageError(
                f"the metric {name!r} finds nothing to measure",
                why="the specification names no key that it is about",
                mend="Declare primary_key and foreign_keys in the specification",
            )
