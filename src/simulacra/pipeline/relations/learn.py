"""Learns tables that have to do with each other.

Keys become row numbers. Going up, parents come to know how many children they have and of which
kind. Then each table is learned by itself, given what its rows' parents look like.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.features import Codes
from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec, DatasetSpec, TableSpec
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.nesting import Layout, is_list
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.plain import schema_as_found
from simulacra.pipeline.relations.filled_alone import meant
from simulacra.pipeline.relations.fitted import Family, below_columns, parent_column
from simulacra.pipeline.relations.graph import Graph, make_graph
from simulacra.pipeline.relations.key_index import NULL
from simulacra.pipeline.relations.learn_table import TableInFamily, learn_table
from simulacra.pipeline.relations.resolve import LinkedTable, Rows, facts_of, resolve, with_roots
from simulacra.pipeline.relations.sources import RowNumbers
from simulacra.pipeline.relations.summaries import Summary, relation_rows, summarize
from simulacra.pipeline.relations.view import View, fit_view, is_telling
from simulacra.pipeline.subsample import uniform_sample

_WHOLE = ColumnSpec(type="integer", arrow="int32", nullable=False)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A uniform sample of a table.

    Attributes:
        rows: The rows.
        numbers: Their numbers in the table, rising, shape ``(rows,)``.
    """

    rows: pa.Table
    numbers: np.ndarray


@dataclass(frozen=True, slots=True)
class SeenRows:
    """All real rows of a table as those below see them.

    Attributes:
        codes: The codes of its columns.
        parents: The parents of its rows, for each of its relations.
    """

    codes: Mapping[str, Codes]
    parents: Sequence[Rows]


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
        name: _sampled(name, sources[name], linked[name], samples[name], budgets[name], seed)
        for name in spec.tables
    }
    summaries = summarize(
        linked, spec.tables, {name: s.rows for name, s in sampled.items()}, graph, ctx
    )
    parents = {
        name: [relation_rows(linked[name], relation, graph) for relation in graph.relations[name]]
        for name in spec.tables
    }
    views, seen = _views(linked, spec, sampled, summaries, parents, graph, seed, ctx)
    features = {name: view.features() for name, view in views.items()}
    fitted = {}
    for name in graph.order:
        table = TableInFamily(
            name, spec, linked, sampled[name].rows, sampled[name].numbers, summaries, graph, seen
        )
        if spec.tables[name].keep:
            fitted[name] = _kept(table, ctx)
        else:
            fitted[name] = learn_table(
                table, features, options, rng=RngKey(seed, ("fit", name)), ctx=ctx
            )
    whole = {name: _with_view(fitted[name], views[name], fitted) for name in spec.tables}
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


def _sampled(
    name: str,
    source: BatchSource,
    linked: LinkedTable,
    sample: pa.Table,
    budget: int,
    seed: int,
) -> Sampled:
    """Find out which rows a sample holds: the same sampler takes the same of the row numbers."""
    count = len(linked.taken) if linked.taken is not None else linked.rows
    numbers = RowNumbers(count, known=source.rows() is not None)
    rng = RngKey(seed, ("fit", name)).child("structure")
    chosen = uniform_sample(numbers, budget, rng).column(0).to_numpy()
    if linked.taken is None:
        return Sampled(sample, chosen)
    left = linked.taken[chosen]
    place = np.cumsum(linked.taken) - 1
    return Sampled(sample.filter(pa.array(left)), place[chosen[left]])


def _views(
    linked: Mapping[str, LinkedTable],
    spec: DatasetSpec,
    sampled: Mapping[str, Sampled],
    summaries: Mapping[str, Summary],
    parents: Mapping[str, Sequence[Rows]],
    graph: Graph,
    seed: int,
    ctx: RunContext,
) -> tuple[dict[str, View], dict[str, SeenRows]]:
    """Learn how each parent looks from below, and look at all of its rows."""
    views: dict[str, View] = {}
    seen: dict[str, SeenRows] = {}
    for name, table in spec.tables.items():
        below = below_columns(name, summaries, graph)
        columns = seen_columns(table) if below else {}
        numbers = sampled[name].numbers
        sample = {c: _whole(sampled[name].rows.column(c)) for c in columns}
        sample |= {c: pa.array(values[numbers]) for c, values in below.items()}
        views[name] = fit_view(
            {**columns, **dict.fromkeys(below, _WHOLE)},
            sample,
            where=name,
            rng=RngKey(seed, ("view", name)),
            ctx=ctx,
        )
        codes = _look(views[name], linked[name], list(columns), below, ctx, name)
        seen[name] = SeenRows(codes, parents[name])
    return views, seen


def _look(
    view: View,
    linked: LinkedTable,
    columns: Sequence[str],
    below: Mapping[str, np.ndarray],
    ctx: RunContext,
    name: str,
) -> dict[str, Codes]:
    found = view.encode({c: pa.array(values) for c, values in below.items()}, below)
    if not columns or not linked.rows:
        none = {name: np.empty(0, np.uint8) for name in columns}
        return {**none, **found}

    def encode(batch: pa.RecordBatch) -> dict[str, Codes]:
        return view.encode({c: batch.column(c) for c in columns}, columns)

    def read() -> Iterator[pa.RecordBatch]:
        yield from linked.source.batches(columns)

    parts: dict[str, list[Codes]] = {column: [] for column in columns}
    with ctx.progress.task(f"Looking at {name}", linked.rows) as task:
        for codes in ctx.map(encode, read()):
            for column, part in codes.items():
                parts[column].append(part)
            task.advance(len(next(iter(codes.values()))))
    return {**{column: np.concatenate(part) for column, part in parts.items()}, **found}


def seen_columns(table: TableSpec) -> dict[str, ColumnSpec]:
    """Return the columns of a table that tell those below something."""
    keys = {column for key in table.foreign_keys for column in key.columns}
    return {
        name: column
        for name, column in table.columns.items()
        if is_telling(column)
        and name not in keys
        and not column.unique
        and not is_list(column.arrow_type())
    }


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole


def _kept(table: TableInFamily, ctx: RunContext) -> FittedTable:
    """Take a table's rows as they are, with what they know of their children."""
    linked, spec = table.linked[table.name], table.spec.tables[table.name]
    rows = pa.Table.from_batches(linked.source.batches(), linked.source.schema)
    rows = _without_orphans(rows, spec, linked)
    for column, values in table.below().items():
        rows = rows.append_column(column, pa.array(values))
    for number, parents in enumerate(table.parents):
        rows = rows.append_column(parent_column(number), pa.array(parents))
    ctx.progress.note(f"{table.name}: kept as it is, {rows.num_rows:,} rows")
    return FittedTable(
        spec,
        schema_as_found(linked.source),
        Layout.of(linked.source.schema),
        linked.rows,
        None,
        family=Family(table.relations(), below=tuple(table.below())),
        kept=rows,
    )


def _without_orphans(rows: pa.Table, spec: TableSpec, linked: LinkedTable) -> pa.Table:
    """Put nulls into keys of kept rows that name no row and count as having no parent."""
    columns = {name: _whole(rows.column(name)) for name in rows.column_names}
    for key, parents in zip(spec.foreign_keys, linked.parents, strict=True):
        stray = (parents == NULL) & meant(key, columns, rows.num_rows)
        for column in key.columns:
            stray &= columns[column].is_valid().to_numpy(zero_copy_only=False)
        if not stray.any():
            continue
        able = [c for c in key.columns if c not in spec.primary_key]
        for column in able:
            place = rows.schema.get_field_index(column)
            values = pc.if_else(
                pa.array(stray), pa.scalar(None, columns[column].type), columns[column]
            )
            rows = rows.set_column(place, rows.schema.field(place), values)
    return rows


def _with_view(fitted: FittedTable, view: View, others: Mapping[str, FittedTable]) -> FittedTable:
    """Keep of a table's view what others are drawn given."""
    assert fitted.family is not None  # noqa: S101 - made by learn_table or _kept
    name = next(n for n, table in others.items() if table is fitted)
    used = {
        feature.column
        for other in others.values()
        if other.family is not None
        for feature in (
            *other.family.context,
            *(other.family.links.context if other.family.links else ()),
        )
        if feature.table == name
    }
    kept = view.only(column for column in view.codecs if column in used)
    return replace(fitted, family=replace(fitted.family, view=kept))
