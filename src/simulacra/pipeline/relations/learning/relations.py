"""What the rows tell of each of a table's foreign keys."""

from __future__ import annotations

import numpy as np

from simulacra.pipeline.relations.fitted_relation import FittedRelation
from simulacra.pipeline.relations.graph import Relation, Role
from simulacra.pipeline.relations.keys.resolve import meant
from simulacra.pipeline.relations.learning.sibling_keys import is_alone
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.learning.ties import find_ties
from simulacra.pipeline.relations.parent_kernels import depths
from simulacra.pipeline.relations.parent_rows import NULL, ORPHAN, Rows


def fit_relations(family: TableInFamily) -> tuple[FittedRelation, ...]:
    """Return a table's relations with what its rows tell of them."""
    return tuple(
        _fitted(family, place, relation) for place, relation in enumerate(family.relations)
    )


def _fitted(family: TableInFamily, place: int, relation: Relation) -> FittedRelation:
    parents = family.parents[place]
    orphans = parents == ORPHAN
    size = family.tables[relation.key.parent].rows
    counts = np.bincount(parents[parents >= 0], minlength=max(size, 1))
    numbers, frequent = np.unique(counts, return_counts=True)
    is_self = relation.role is Role.SELF
    return FittedRelation(
        relation,
        kinds=_kinds(family, relation, size),
        nulls=float((parents == NULL).sum() / max(len(parents), 1)),
        counts=tuple(zip(numbers.tolist(), frequent.tolist(), strict=True)),
        orphan_share=float(orphans.sum() / max(len(parents), 1)),
        orphans=int(orphans.sum()),
        is_single=bool(counts.max() <= 1 and (parents >= 0).sum() > 1)
        or is_alone(relation.key.columns, family.spec),
        depth=int(depths(parents).max(initial=0)) if is_self else 0,
        ties=find_ties(family, place) if is_self or relation.role is Role.LINK else (),
        own=_own_share(family, place),
        meant_nulls=_meant_nulls(family, relation, parents[family.numbers]),
    )


def _kinds(family: TableInFamily, relation: Relation, parents: int) -> int:
    """Return how many kinds of parents there are; each row of a kept table is its own."""
    if relation.role is Role.KEPT:
        return parents
    summary = family.summaries.get(relation.full_name)
    return max(1, summary.kinds_known if summary else 1)


def _meant_nulls(family: TableInFamily, relation: Relation, parents: Rows) -> float:
    """Return the share of rows for which a key is meant that have no parent all the same."""
    columns = {name: family.sampled_column(name) for name in relation.key.when or ()}
    told = meant(relation.key, columns, len(parents))
    return float((told & (parents == NULL)).sum() / max(told.sum(), 1))


def _own_share(family: TableInFamily, place: int) -> float:
    """Return the share of rows without a parent that refer to themselves."""
    own = family.linked.own
    if not own:
        return 0.0
    count = own[family.graph.places[family.name][place]]
    return count / max(int((family.parents[place] == NULL).sum()), 1)
