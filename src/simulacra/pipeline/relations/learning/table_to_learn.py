"""A table with all that the steps of learning it have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.features import FeatureSpec
from simulacra.core.random import RngKey
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.relations.among_siblings import AmongSiblings
from simulacra.pipeline.relations.context import Ancestors
from simulacra.pipeline.relations.fitted_relation import FittedRelation, owner_of
from simulacra.pipeline.relations.from_children import FromChildren
from simulacra.pipeline.relations.learning.among_siblings import learn_among_siblings
from simulacra.pipeline.relations.learning.choose_context import KnownBefore
from simulacra.pipeline.relations.learning.from_children import learn_from_children
from simulacra.pipeline.relations.learning.key_plan import KeyPlan
from simulacra.pipeline.relations.learning.parent_values import sampled_parent_values
from simulacra.pipeline.relations.learning.relations import fit_relations
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.parent_kernels import places


@dataclass(frozen=True, slots=True)
class TableToLearn:
    """A table, and what was found out of its keys before anything else is learned.

    Attributes:
        family: The table and its relatives.
        relations: Its foreign keys.
        keys: How its keys come about.
        before: What is known of the sample's rows before they are drawn.
        from_children: Rules that are kept once its children are drawn.
        among_siblings: Rules about all rows of one owner.
        parent_values: Values of ancestors that rules may use, of the sample's rows.
        views: The features of each table as seen from below.
        options: What to learn with.
        rng: The key of the table.
        ctx: Limits and progress.
    """

    family: TableInFamily
    relations: tuple[FittedRelation, ...]
    keys: KeyPlan
    before: KnownBefore
    from_children: tuple[FromChildren, ...]
    among_siblings: tuple[AmongSiblings, ...]
    parent_values: Mapping[str, pa.Array]
    views: Mapping[str, Mapping[str, FeatureSpec]]
    options: FitOptions
    rng: RngKey
    ctx: RunContext

    @classmethod
    def of(
        cls,
        family: TableInFamily,
        views: Mapping[str, Mapping[str, FeatureSpec]],
        options: FitOptions,
        *,
        rng: RngKey,
        ctx: RunContext,
    ) -> TableToLearn:
        """Look at a table's keys."""
        relations = fit_relations(family)
        found = _places(family, owner_of(relations))
        keys = KeyPlan.of(family, relations, found, ctx)
        ancestors = Ancestors(family.name, family.sampled_parents(), family.graph, family.seen)
        return cls(
            family,
            relations,
            keys,
            KnownBefore(ancestors, found),
            learn_from_children(family, ctx),
            learn_among_siblings(family, relations, keys, ctx),
            sampled_parent_values(family, ancestors),
            views,
            options,
            rng,
            ctx,
        )


def _places(family: TableInFamily, owner: int | None) -> NDArray[np.int32]:
    """Return the place of each row of the sample among those of its owner."""
    if owner is None:
        return np.zeros(len(family.numbers), np.int32)
    owners = family.tables[family.relations[owner].key.parent].rows
    among_siblings: NDArray[np.int32] = places(family.parents[owner], owners)[family.numbers]
    return among_siblings
