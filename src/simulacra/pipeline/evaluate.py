"""Measuring synthetic data against the real data it was learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError, UsageError
from simulacra.core.protocols import BatchSource, Metric
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import DatasetSpec, TableSpec
from simulacra.core.scores import Score
from simulacra.pipeline.conform import check_columns, conform
from simulacra.pipeline.measuring.beside import WithBeside, columns_beside
from simulacra.pipeline.measuring.key_only import without_keys
from simulacra.pipeline.measuring.relatives import Relatives, rules_and_rows
from simulacra.pipeline.metric_options import asked_for, can_be_measured, options_by_table
from simulacra.pipeline.pictures.table import table_pictures
from simulacra.pipeline.plain import plain
from simulacra.pipeline.reports.report import Report, TableReport
from simulacra.pipeline.reports.scores import measures_of
from simulacra.pipeline.subsample import bytes_per_row, uniform_sample

ROWS = 50_000
"""Rows that two-sample measures compare on each side."""

TARGET_METRIC = "utility"
RULES_METRIC = "rule_validity"
_MEMORY_SHARE = 0.1
_SCOPES = ("column", "pair", "table")
_DATASET_SCOPE = "dataset"


def evaluate(  # noqa: PLR0913 - all but the two tables are keyword-only options
    real: BatchSource,
    synthetic: BatchSource,
    *,
    holdout: BatchSource | None = None,
    table: TableSpec,
    name: str = "table",
    target: str | None = None,
    metrics: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    beside: Mapping[str, Mapping[str, pa.Array]] | None = None,
    relatives: Relatives | None = None,
    rows: int = ROWS,
    seed: int = 0,
    ctx: RunContext | None = None,
) -> TableReport:
    """Measure one synthetic table.

    Each source is read once. All of its rows are kept if a tenth of the memory budget holds them,
    else as many, drawn uniformly. Validity and exact copies are measured on all rows kept, every
    other metric on at most ``rows`` of them a side. Where the specification has no rules, those are
    judged that the real rows are found to keep.

    Args:
        real: The rows that were learned from.
        synthetic: The rows to judge.
        holdout: Real rows that were not learned from. They give every measure its floor.
        table: The specification of all three.
        name: The table's name, for messages.
        target: The column that the utility metric predicts; without one it finds some itself.
        metrics: Names of metrics; all usual ones when None.
        options: Options of some metrics, as they name them. ``quasi_identifiers`` asks for the
            metric ``k_anonymity``, ``generator`` for ``shadow_membership``, ``fair`` for
            ``demographic_parity``.
        beside: By side, further columns of all rows that rules ask about, as what was made of the
            children of each.
        relatives: The tables around it, whose columns its rules may name.
        rows: The most rows of a side that are compared; at least 1.
        seed: The seed of samples and classifiers.
        ctx: Threads, memory and progress.

    Raises:
        SpecError: A column is missing, or is of a type that can't be compared; names it.
        UsageError: A metric is not about one table, or ``rows`` is less than 1.
        PluginError: There is no metric of that name.
        InputError: A source can't be read.
    """
    if rows < 1:
        raise UsageError(f"{rows} rows to compare", mend="Give at least 1")
    ctx = ctx or RunContext()
    key = RngKey(seed).child("evaluate", name)
    given: dict[str, Any] = dict(options or {})
    chosen = asked_for(given, _metrics(metrics))
    sources = {"real": plain(real), "synthetic": plain(synthetic)}
    if holdout is not None:
        sources["holdout"] = plain(holdout)
    notes = [
        note
        for side, source in sources.items()
        for note in check_columns(source, table, name, side)
    ]
    tables: dict[str, pa.Table] = {}
    asked: dict[str, pa.Table] = {}
    for side, source in sources.items():
        with ctx.progress.task(f"Reading the {side} rows of {name}") as task:
            further = (beside or {}).get(side, {})
            columns = [*table.columns, *further]
            kept, note = _read(WithBeside(source, further), columns, key.child(side), ctx)
            tables[side] = conform(kept, table, name, side)
            asked[side] = tables[side]
            for column in further:
                asked[side] = asked[side].append_column(column, kept.column(column))
            task.advance(kept.num_rows)
        notes += [f"{side}: {note}"] if note else []
    given |= {"rows": rows, "threads": ctx.limits.threads, "target": target}
    if RULES_METRIC in chosen:
        given["rules"], asked = rules_and_rows(asked, table, relatives, rng=key.child("rules"))
    loaded: dict[str, Metric] = {metric: registry.load(Kind.METRIC, metric) for metric in chosen}
    scores: list[Score] = []
    with ctx.progress.task(f"Measuring {name}", len(loaded), "metrics") as task:
        for metric_name, metric in loaded.items():
            sides = asked if metric_name == RULES_METRIC else tables
            scores += metric.compute(
                sides["real"],
                sides["synthetic"],
                holdout=sides.get("holdout"),
                table=table,
                options=given,
                rng=key.child(metric_name),
            )
            task.advance()
    with ctx.progress.task(f"Drawing {name}"):
        pictures = table_pictures(tables, table, rows=rows, rng=key.child("pictures"))
    counts = {side: kept.num_rows for side, kept in tables.items()}
    measures = measures_of(loaded.values())
    return TableReport(name, counts, tuple(scores), measures, seed, tuple(notes), pictures)


def evaluate_dataset(  # noqa: PLR0913 - as evaluate
    real: Mapping[str, BatchSource],
    synthetic: Mapping[str, BatchSource],
    *,
    holdout: Mapping[str, BatchSource] | None = None,
    spec: DatasetSpec,
    target: str | None = None,
    metrics: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
    rows: int = ROWS,
    seed: int = 0,
    ctx: RunContext | None = None,
) -> Report:
    """Measure every table of a synthetic dataset, and the keys between them.

    See :func:`evaluate` and :func:`~simulacra.pipeline.evaluate_relations.evaluate_relations`.
    Columns that hold nothing but keys of other tables are left out of what compares columns.

    Args:
        real: The rows that were learned from, by table.
        synthetic: The rows to judge, by table.
        holdout: Real rows that were not learned from, for some or all of the tables.
        spec: The specification.
        target: ``column`` or ``table.column``, for the utility metric, which leaves out all other
            tables then; without one it finds some in each table.
        metrics: Names of metrics; all registered ones when None (those about a whole dataset only
            if there are foreign keys). Where all named are about the dataset, no table is
            measured by itself.
        options: Options of some metrics; columns may be named as ``table.column``, and a generator
            given by table. See :func:`evaluate`.
        rows: The most rows of a side that are compared; at least 1.
        seed: The seed of samples and classifiers.
        ctx: Threads, memory and progress.

    Raises:
        SpecError: A table or column is missing, or of a type that can't be compared.
        UsageError: The target names no column, or several; or a metric finds nothing to measure.
    """
    for side, tables in (("real", real), ("synthetic", synthetic)):
        for name in spec.tables:
            if name not in tables:
                raise SpecError(
                    f"the {side} data has no such table",
                    where=name,
                    mend=f"It has {', '.join(tables) or 'none'}",
                )
    if rows < 1:
        raise UsageError(f"{rows} rows to compare", mend="Give at least 1")
    ctx = ctx or RunContext()
    targets = _targets(spec, target)
    parted = options_by_table(options or {}, spec)
    seen = without_keys(spec, spared=targets.items())
    of_tables, of_dataset = _by_scope(metrics, spec)
    relations = None
    if of_dataset is None or of_dataset:
        from simulacra.pipeline.evaluate_relations import evaluate_relations

        relations = evaluate_relations(
            real,
            synthetic,
            holdout=holdout,
            spec=seen,
            metrics=of_dataset,
            rows=rows,
            seed=seed,
            ctx=ctx,
        )
    reports = {}
    for name, table in seen.tables.items():
        if relations is not None and of_tables is not None and not of_tables:
            reports[name] = TableReport(name, relations.rows[name], (), {}, seed)
            continue
        wanted = of_tables
        if targets and name not in targets:
            wanted = [metric for metric in _metrics(of_tables) if metric != TARGET_METRIC]
        if wanted is not None:
            wanted = can_be_measured(wanted, parted[name], options or {})
        asks = wanted is None or RULES_METRIC in wanted
        sides = {"real": real, "synthetic": synthetic, "holdout": holdout or {}}
        reports[name] = evaluate(
            real[name],
            synthetic[name],
            holdout=holdout.get(name) if holdout else None,
            table=table,
            name=name,
            target=targets.get(name),
            metrics=wanted,
            options=parted[name],
            relatives=Relatives.of(name, seen, real, synthetic, holdout),
            beside={s: columns_beside(name, spec, t, ctx) for s, t in sides.items()}
            if asks
            else None,
            rows=rows,
            seed=seed,
            ctx=ctx,
        )
    return Report(reports, seed, relations, spec)


def _by_scope(
    metrics: Sequence[str] | None, spec: DatasetSpec
) -> tuple[list[str] | None, list[str] | None]:
    """Return the metrics of tables and those of the dataset; None for all there are."""
    if metrics is None:
        related = any(table.foreign_keys for table in spec.tables.values())
        return None, None if related else []
    scopes = {metric: registry.load(Kind.METRIC, metric).scope for metric in metrics}
    of_dataset = [metric for metric in metrics if scopes[metric] == _DATASET_SCOPE]
    return [metric for metric in metrics if scopes[metric] != _DATASET_SCOPE], of_dataset


def _metrics(metrics: Sequence[str] | None) -> list[str]:
    if metrics is None:
        every = registry.names(Kind.METRIC)
        usable = [m for m in every if _is_usual(registry.load(Kind.METRIC, m))]
        return sorted(usable, key=lambda m: (_SCOPES.index(registry.load(Kind.METRIC, m).scope), m))
    for metric in metrics:
        if registry.load(Kind.METRIC, metric).scope not in _SCOPES:
            raise UsageError(f"the metric {metric!r} is not about one table")
    return list(metrics)


def _is_usual(metric: Metric) -> bool:
    return metric.scope in _SCOPES and not metric.optional


def _targets(spec: DatasetSpec, target: str | None) -> dict[str, str]:
    """Return the target column by table, from ``column`` or ``table.column``."""
    if target is None:
        return {}
    found = {
        name: column
        for name, table in spec.tables.items()
        for column in table.columns
        if target in (column, f"{name}.{column}")
    }
    if not found:
        raise UsageError(f"there is no column {target!r} to predict")
    if len(found) > 1:
        raise UsageError(
            f"several tables have a column {target!r}",
            mend=f"Write {' or '.join(f'{name}.{column}' for name, column in found.items())}",
        )
    return found


def _read(
    source: BatchSource, columns: Sequence[str], key: RngKey, ctx: RunContext
) -> tuple[pa.Table, str]:
    """Return as many rows as a tenth of the memory holds, and a note if that isn't all."""
    most = ctx.limits.rows_within(bytes_per_row(source, columns), share=_MEMORY_SHARE)
    kept = uniform_sample(source, most, key, columns=columns)
    sampled = kept.num_rows == most
    note = f"{most:,} rows drawn at random, as many as memory holds" if sampled else ""
    return kept, note
