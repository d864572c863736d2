"""Learns one table among others, given what its rows' parents look like."""

from __future__ import annotations

from collections.abc import Mapping

from simulacra.core.context import RunContext
from simulacra.core.features import FeatureSpec
from simulacra.core.random import RngKey
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.plain import schema_as_found
from simulacra.pipeline.relations.family import Family
from simulacra.pipeline.relations.fitted_relation import owner_of
from simulacra.pipeline.relations.graph import Role
from simulacra.pipeline.relations.learning.early_features import learn_early
from simulacra.pipeline.relations.learning.own_columns import learn_columns
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.learning.table_to_learn import TableToLearn
from simulacra.pipeline.relations.learning.unsettled import (
    arranged_columns,
    refuse_unsettled,
    unsettled_columns,
)


def learn_table(
    family: TableInFamily,
    views: Mapping[str, Mapping[str, FeatureSpec]],
    options: FitOptions,
    *,
    rng: RngKey,
    ctx: RunContext,
) -> FittedTable:
    """Learn one table.

    Args:
        family: The table and its relatives.
        views: The features of each table as seen from below.
        options: What to learn with.
        rng: The key of the table.
        ctx: Limits and progress.

    Raises:
        SpecError: A column or key can't be learned.
    """
    table = TableToLearn.of(family, views, options, rng=rng, ctx=ctx)
    relations, keys = table.relations, table.keys
    early, features = learn_early(table)
    refuse_unsettled(table)
    model, given = learn_columns(table, features)
    unsettled = unsettled_columns(table, model)
    arranged = arranged_columns(table, model, unsettled)
    return FittedTable(
        family.spec,
        schema_as_found(family.linked.source),
        family.layout,
        family.linked.rows,
        model,
        key=keys.groups,
        uniques=keys.uniques(
            family, relations, model, table.parent_values, but=unsettled | arranged
        ),
        family=Family(
            relations=relations,
            early=early,
            given=given,
            numbered=keys.numbered,
            sorted_by=_sorted_by(table),
            distinct=keys.distinct,
            below=tuple(family.child_columns()),
            from_children=table.from_children,
            unsettled=unsettled,
            among_siblings=table.among_siblings,
            arranged=arranged,
        ),
    )


def _sorted_by(table: TableToLearn) -> tuple[str, ...]:
    """Return the columns in which an owner's rows ascend."""
    owner = owner_of(table.relations)
    in_trees = any(relation.role is Role.SELF for relation in table.relations)
    if owner is None or in_trees:
        return ()
    keys = {column for key in table.family.spec.foreign_keys for column in key.columns}
    found = table.family.summaries[table.relations[owner].relation.full_name].sorted_by
    declared = [about.siblings.column for about in table.among_siblings if not about.siblings.by]
    return tuple(dict.fromkeys([*declared, *(name for name in found if name not in keys)]))
