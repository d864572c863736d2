"""Learns tables that have to do with each other.

Keys become row numbers. Going up, parents come to know how many children they have and of which
kind. Then each table is learned by itself, given what its rows' parents look like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.relations.graph import make_graph
from simulacra.pipeline.relations.keys.resolve import (
    LinkedTable,
    facts_of,
    resolve,
    with_roots,
)
from simulacra.pipeline.relations.learning.kept_tables import keep_table
from simulacra.pipeline.relations.learning.samples import with_numbers
from simulacra.pipeline.relations.learning.seen_tables import (
    SeenRows,
    fit_parent_view,
    see_rows,
    with_used_view,
)
from simulacra.pipeline.relations.learning.summaries import (
    child_columns,
    relation_rows,
    summarize,
)
from simulacra.pipeline.relations.learning.table import learn_table
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily


def learn_related(
    sources: Mapping[str, BatchSource],
    spec: DatasetSpec,
    samples: Mapping[str, pa.Table],
    budgets: Mapping[str, int],
    options: FitOptions,
    *,
    seed: int,
    ctx: RunContext,
) -> tuple[dict[str, FittedTable], tuple[str, ...]]:
    """Learn tables and their relations.

    Args:
        sources: The tables, of plain layouts.
        spec: What they are.
        samples: A uniform sample of each, taken by the key ``fit, table, structure``.
        budgets: How many rows were wanted of each.
        options: What to learn with.
        seed: Decides everything random.
        ctx: Limits and progress.

    Returns:
        The learned tables, and their names in the order of drawing.

    Raises:
        InputError: No table has rows.
        SpecError: A column or key can't be learned.
    """
    linked = resolve(sources, spec, keep_orphans=options.keep_orphans, ctx=ctx)
    linked = {n: with_roots(table, n, spec.tables[n]) for n, table in linked.items()}
    asked = _with_nulls(spec, linked)
    spec = _without_rows_kept(asked, linked)
    graph = make_graph(spec, facts_of(linked, spec))
    sampled = {
        name: with_numbers(
            samples[name],
            sources[name],
            linked[name],
            budgets[name],
            RngKey(seed, ("fit", name)).child("structure"),
        )
        for name in spec.tables
    }
    rows = {name: sample.rows for name, sample in sampled.items()}
    summaries = summarize(linked, spec.tables, rows, graph, ctx)
    views, seen = {}, {}
    for name, table in spec.tables.items():
        children = child_columns(name, summaries, graph)
        rng = RngKey(seed, ("view", name))
        view = fit_parent_view(name, table, sampled[name], children, rng=rng, ctx=ctx)
        codes = see_rows(name, view, linked[name], children, ctx)
        parents = [
            relation_rows(linked[name], relation, graph) for relation in graph.relations[name]
        ]
        views[name], seen[name] = view, SeenRows(codes, parents)
    features = {name: view.features() for name, view in views.items()}
    fitted: dict[str, FittedTable] = {}
    for name in graph.order:
        family = TableInFamily(
            name,
            spec,
            linked,
            sampled[name].rows,
            sampled[name].numbers,
            summaries,
            graph,
            seen,
            {n: table.family.unsettled for n, table in fitted.items() if table.family},
        )
        if spec.tables[name].keep:
            fitted[name] = keep_table(family, ctx)
        else:
            rng = RngKey(seed, ("fit", name))
            fitted[name] = learn_table(family, features, options, rng=rng, ctx=ctx)
    whole = {name: with_used_view(name, views[name], fitted) for name in spec.tables}
    return {n: replace(t, spec=asked.tables[n]) for n, t in whole.items()}, graph.order


def _with_nulls(spec: DatasetSpec, linked: Mapping[str, LinkedTable]) -> DatasetSpec:
    """Let columns take nulls in which keys that name no row become null."""
    tables = {}
    for name, table in spec.tables.items():
        columns = {
            n: column.model_copy(update={"nullable": column.nullable or n in linked[name].nulled})
            for n, column in table.columns.items()
        }
        tables[name] = table.model_copy(update={"columns": columns})
    return DatasetSpec(tables=tables)


def _without_rows_kept(spec: DatasetSpec, linked: Mapping[str, LinkedTable]) -> DatasetSpec:
    """Keep tables without rows as they are: there is nothing to learn from.

    Raises:
        InputError: No table has rows any more.
    """
    bare = [name for name, table in linked.items() if not table.rows]
    dropped = [name for name in bare if linked[name].taken is not None]
    if dropped and len(bare) == len(linked):
        raise InputError(
            "there is no row to learn from",
            where=", ".join(dropped),
            why="all of its rows name parents that are not there",
            mend="Give at least one row",
        )
    kept = {n: t.model_copy(update={"keep": t.keep or n in bare}) for n, t in spec.tables.items()}
    return DatasetSpec(tables=kept)
