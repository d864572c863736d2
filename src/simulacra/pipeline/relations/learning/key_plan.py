"""Plans how the keys of a table come about: numbered, filled, drawn first, or kept apart after."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.pipeline.flat_model import FlatModel
from simulacra.pipeline.flat_sources import FlatSource
from simulacra.pipeline.keys import CompositeKey
from simulacra.pipeline.relations.family import Distinct, Family
from simulacra.pipeline.relations.fitted_relation import FittedRelation, owner_of
from simulacra.pipeline.relations.learning.parent_values import with_relatives
from simulacra.pipeline.relations.learning.sibling_keys import (
    distinct_keys,
    numbered_by_place,
    other_keys,
)
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.unfilled_keys import (
    filled_alone,
    filled_from_parents,
    own_columns,
    referred_early,
)
from simulacra.pipeline.uniques import UniqueKey, observed_keys, plan_keys


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """How the columns of a table's keys come about.

    Attributes:
        filled: Columns of foreign keys.
        numbered: Columns that number an owner's rows, and the number of the first.
        own: Columns of the table's own keys that keys to rows drawn later share: drawn early.
        alone: Columns of foreign keys that are drawn too, for rows that no parent fills.
        referred: Columns that rows of the same table refer to and that are drawn early for that.
        distinct: Keys with foreign keys in them, kept by siblings or by the parents chosen.
        apart: Columns of those by which an owner's rows are told apart. They are drawn early and
            moved apart, so that all others follow where they come to stand.
        others: Keys that are kept unique after rows are drawn.
        groups: How the primary key is made anew, if it numbers the rows of groups without a table.
    """

    filled: frozenset[str]
    numbered: Mapping[str, int]
    own: frozenset[str]
    alone: frozenset[str]
    referred: frozenset[str]
    distinct: tuple[Distinct, ...]
    apart: frozenset[str]
    others: tuple[tuple[str, ...], ...]
    groups: CompositeKey | None

    @classmethod
    def of(
        cls,
        family: TableInFamily,
        relations: tuple[FittedRelation, ...],
        places: NDArray[np.int32],
        ctx: RunContext,
    ) -> KeyPlan:
        """Plan the keys of a table.

        Args:
            family: The table.
            relations: Its foreign keys.
            places: The place of each row of the sample among those of its owner.
            ctx: Limits and progress.
        """
        table = family.spec
        asked_for = {c for r in family.graph.children(family.name) for c in r.key.parent_columns}
        own = own_columns(relations, table, asked_for)
        alone = own | filled_alone(relations, family.sampled_parents(), family.sample, table)
        numbered = numbered_by_place(family, places)
        referred = referred_early(relations, table, numbered, alone)
        distinct = tuple(
            key for key in distinct_keys(family, numbered) if not referred & set(key.columns)
        )
        owner = owner_of(relations)
        owned = () if owner is None else (owner,)
        groups = _numbered_groups(family, ctx)
        regrouped = None if groups is None else set(table.primary_key)
        return cls(
            filled=frozenset(column for relation in relations for column in relation.key.columns),
            numbered=numbered,
            own=own,
            alone=alone,
            referred=referred,
            distinct=distinct,
            apart=frozenset(
                column for key in distinct if key.relations == owned for column in key.columns
            ),
            others=tuple(
                key for key in other_keys(family, numbered, distinct) if set(key) != regrouped
            ),
            groups=groups,
        )

    def uniques(
        self,
        family: TableInFamily,
        relations: tuple[FittedRelation, ...],
        model: FlatModel | None,
        parent_values: Mapping[str, pa.Array],
        *,
        but: Collection[str],
    ) -> tuple[UniqueKey, ...]:
        """Plan how keys are kept unique after rows are drawn.

        Args:
            family: The table.
            relations: Its foreign keys.
            model: What was learned of its columns.
            parent_values: Values of parents that its rules may use, of the sample's rows.
            but: Columns that change once children are drawn: none of their values is kept unique.
        """
        movable = self.referred - filled_from_parents(relations)
        if model is not None:
            rows = with_relatives(
                family.flat_sample(), family.sampled_child_columns(), parent_values
            )
            movable |= model.left_alone(rows.batch) - self.filled - frozenset(but)
        keys = [*self.others, *observed_keys(family.spec, movable)]
        # Of those that siblings keep apart, for owners with more rows than a block.
        whole = Family(relations)
        keys += [
            whole.columns_of(key)
            for key in self.distinct
            if key.columns and not self.apart.issuperset(key.columns)
        ]
        return plan_keys(keys, family.spec, family.sample, movable)


def _numbered_groups(family: TableInFamily, ctx: RunContext) -> CompositeKey | None:
    """Plan for a primary key that numbers the rows of groups without a table."""
    filled = {column for key in family.spec.foreign_keys for column in key.columns}
    if filled & set(family.spec.primary_key):
        return None
    flat = FlatSource(family.linked.source, family.layout)
    return CompositeKey.of(family.spec, family.sample, flat, where=family.name, ctx=ctx)
