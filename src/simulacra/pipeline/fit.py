"""From a source and its specification to a learned table.

Marginals are learned from every row, structure from a uniform sample of a stated budget.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.errors import InputError, LimitError
from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.pipeline.flat_model import FlatModel
from simulacra.pipeline.flat_sources import FlatSource
from simulacra.pipeline.keys import CompositeKey
from simulacra.pipeline.learner import TableLearner
from simulacra.pipeline.nesting import Flat, Layout
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.subsample import uniform_sample
from simulacra.pipeline.uniques import UniqueKey, declared_keys, observed_keys, plan_keys


@dataclass(frozen=True, slots=True)
class LearnedTable:
    """What learning a table gives.

    Attributes:
        model: What was learned.
        rows: The number of rows read.
        key: How its primary key is made anew, if that numbers the rows of groups.
        uniques: How its other keys are kept unique.
    """

    model: FlatModel
    rows: int
    key: CompositeKey | None
    uniques: tuple[UniqueKey, ...]


def structure_budget(schema: pa.Schema, options: FitOptions, ctx: RunContext) -> int:
    """Return how many rows to learn structure from: what was asked, if memory allows."""
    width = sum(_width(kind) for kind in schema.types)
    return min(options.structure_rows, ctx.limits.rows_within(3 * width, share=0.5))


def _width(kind: pa.DataType) -> int:
    try:
        return max(1, int(kind.bit_width) // 8)
    except ValueError:
        return 64


def fit_table(
    source: BatchSource,
    spec: TableSpec,
    options: FitOptions,
    *,
    where: str,
    sample: pa.Table | None,
    rng: RngKey,
    ctx: RunContext,
) -> LearnedTable:
    """Learn a table.

    Args:
        source: Its rows.
        spec: What its columns are.
        options: What to learn with.
        where: Its name, for messages.
        sample: A uniform sample of its rows, if one was already taken.
        rng: The key of this table.
        ctx: Limits and progress.

    Raises:
        InputError: There are no rows, or they can't be read.
        SpecError: A column doesn't suit its datatype.
    """
    budget = structure_budget(source.schema, options, ctx)
    if sample is None:
        sample = uniform_sample(source, budget, rng.child("structure"))
    if sample.num_rows == 0:
        raise InputError("there is no row to learn from", where=where, mend="Give at least one row")
    layout = Layout.of(source.schema)
    flat_sample = _flat_sample(sample, layout)
    known = source.rows()
    rows = 0
    numbered = CompositeKey.of(spec, sample, FlatSource(source, layout), where=where, ctx=ctx)
    keys = declared_keys(spec)
    if numbered is not None:
        keys = [key for key in keys if set(key) != set(spec.primary_key)]
    learner = TableLearner(
        where,
        spec,
        flat_sample,
        options,
        # They are moved apart when drawn: others may be measured from them, never they from others.
        fixed=[column for key in keys for column in key],
        rng=rng,
        ctx=ctx,
    )
    with ctx.progress.task(f"Learning columns of {where}", known) as task:
        for batch in source.batches():
            learner.update(layout.flatten(batch))
            rows += batch.num_rows
            task.advance(batch.num_rows)
    ctx.progress.note(
        f"{where}: marginals from all {rows:,} rows, structure from {sample.num_rows:,} of them"
    )
    model = learner.finish(flat_sample, context=None)
    movable = model.left_alone(flat_sample.batch)
    keys += observed_keys(spec, movable)
    return LearnedTable(model, rows, numbered, plan_keys(keys, spec, sample, movable))


def _flat_sample(sample: pa.Table, layout: Layout) -> Flat:
    whole = sample.combine_chunks().to_batches() or [
        pa.RecordBatch.from_pylist([], schema=sample.schema)
    ]
    if len(whole) == 1:
        return layout.flatten(whole[0])
    # A column over 2 GiB stays in chunks; its rows are few enough to be joined once flat.
    raise LimitError("a column of the sample is over 2 GiB", mend="Lower the structure rows")
