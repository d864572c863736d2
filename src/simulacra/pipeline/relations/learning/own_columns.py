"""Learns a table's columns, given all that is known of its rows before they are drawn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulacra.core.features import Features
from simulacra.core.schema import TableSpec
from simulacra.pipeline.flat_model import FlatModel
from simulacra.pipeline.learner import TableLearner
from simulacra.pipeline.relations.context import Given, ancestor_features
from simulacra.pipeline.relations.learning.early_features import EarlyFeatures
from simulacra.pipeline.relations.learning.parent_values import ParentValues, with_relatives
from simulacra.pipeline.relations.learning.summaries import WHOLE_NUMBER
from simulacra.pipeline.relations.learning.table_to_learn import TableToLearn


def learn_columns(
    table: TableToLearn, early: EarlyFeatures | None
) -> tuple[FlatModel | None, Given]:
    """Learn a table's columns.

    Args:
        table: The table.
        early: What is drawn before parents are chosen.

    Returns:
        What was learned, None if the table has no columns of its own; and what they are drawn
        given.
    """
    family, keys = table.family, table.keys
    drawn = early.columns.keys() if early else frozenset()
    without = (keys.filled - keys.alone) | {*keys.numbered, *drawn}
    children = {n: values for n, values in family.child_columns().items() if n not in drawn}
    columns = {n: column for n, column in family.spec.columns.items() if n not in without}
    columns |= dict.fromkeys(children, WHOLE_NUMBER)
    if not columns:
        return None, Given()
    flat = family.flat_sample()
    given = {
        **table.parent_values,
        **{name: flat.batch.column(name) for name in sorted(keys.apart)},
    }
    sampled = {name: values[family.numbers] for name, values in children.items()}
    rows = with_relatives(flat, sampled, given, without=without)
    learner = TableLearner(
        family.name,
        TableSpec(columns=columns, rules=family.spec.rules),
        rows,
        table.options,
        given=list(given),
        # They are moved apart when drawn, before rules work others out from them.
        fixed=[
            column
            for key in (*(key.columns for key in keys.distinct), *keys.others)
            for column in key
            if column not in keys.apart
        ],
        elsewhere=_made_elsewhere(table),
        rng=table.rng,
        ctx=table.ctx,
    )
    _learn_marginals(table, learner, children, without)
    chosen = Given()

    def choose(features: Features) -> Features | None:
        nonlocal chosen
        chosen, context = table.before.choose(
            ancestor_features(family.name, family.graph, table.views),
            features.codes,
            early=early.given() if early else None,
            rng=table.rng,
        )
        return context

    model = learner.finish(rows, context=choose)
    return model, chosen


def _made_elsewhere(table: TableToLearn) -> dict[str, str]:
    """Return the columns that other rows decide on, and how."""
    found = {rule.rule.columns[0]: rule.values.name for rule in table.from_children}
    for about in table.among_siblings:
        found[about.siblings.column] = f"{about.rule_name} column={about.siblings.column}"
    return found


def _learn_marginals(
    table: TableToLearn,
    learner: TableLearner,
    children: Mapping[str, NDArray[np.int32]],
    without: frozenset[str],
) -> None:
    """Let the learner see every row."""
    family = table.family
    parents = ParentValues.read(family, learner.used)
    apart = sorted(learner.used & table.keys.apart)
    linked = family.linked
    start = 0
    with table.ctx.progress.task(f"Learning columns of {family.name}", linked.rows) as task:
        for batch in linked.source.batches():
            part = slice(start, start + batch.num_rows)
            flat = family.layout.flatten(batch)
            given = {**parents.of(part), **{name: flat.batch.column(name) for name in apart}}
            around = {name: values[part] for name, values in children.items()}
            learner.update(with_relatives(flat, around, given, without=without))
            start = part.stop
            task.advance(batch.num_rows)
    table.ctx.progress.note(
        f"{family.name}: marginals from all {linked.rows:,} rows, structure from "
        f"{family.sample.num_rows:,} of them"
    )
