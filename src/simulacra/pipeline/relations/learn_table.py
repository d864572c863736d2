"""Learns one table among others, given what its rows' parents look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.features import Codes, Features, FeatureSpec, Role
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec, DatasetSpec, TableSpec
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.flat_model import GIVEN, FlatModel
from simulacra.pipeline.flat_sources import FlatSource
from simulacra.pipeline.keys import CompositeKey
from simulacra.pipeline.learner import TableLearner
from simulacra.pipeline.nesting import Flat, Layout
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.plain import schema_as_found
from simulacra.pipeline.relations.columns import take_values
from simulacra.pipeline.relations.context import (
    Ancestors,
    ContextFeature,
    SeenTable,
    context_features,
    joined,
    place_feature,
    telling,
)
from simulacra.pipeline.relations.filled_alone import (
    filled_alone,
    meant,
    own_columns,
    referred_early,
)
from simulacra.pipeline.relations.filled_alone import (
    given_columns as filled_from_parents,
)
from simulacra.pipeline.relations.fitted import (
    Distinct,
    Family,
    FittedRelation,
    LinkModel,
    below_columns,
    count_column,
    kind_column,
)
from simulacra.pipeline.relations.graph import Graph, Relation
from simulacra.pipeline.relations.graph import Role as KeyRole
from simulacra.pipeline.relations.key_index import NULL, ORPHAN
from simulacra.pipeline.relations.learn_links import (
    CHOSEN,
    LinkTargets,
    fit_links,
    link_targets,
)
from simulacra.pipeline.relations.resolve import LinkedTable, Rows
from simulacra.pipeline.relations.siblings import (
    distinct_keys,
    find_ties,
    is_alone,
    numbered_by_place,
    other_keys,
)
from simulacra.pipeline.relations.sources import take_rows
from simulacra.pipeline.relations.summaries import Summary
from simulacra.pipeline.relations.within_parent import depths, places
from simulacra.pipeline.uniques import UniqueKey, observed_keys, plan_keys

_WHOLE = ColumnSpec(type="integer", arrow="int32", nullable=False)
_MOST_PLACES = 31
"""Rows of a parent beyond this one are not told apart by their place."""
_WITH_VALUES = (KeyRole.OWNER, KeyRole.LINK, KeyRole.KEPT)
"""Roles of relations whose parents' values are known when a row is drawn."""


@dataclass(slots=True)
class TableInFamily:
    """One table and what is known of its relatives.

    Attributes:
        name: The table.
        spec: All tables' specifications.
        linked: All tables, with the parents of their rows.
        sample: A uniform sample of the table's rows.
        numbers: The numbers of those rows.
        summaries: What parents know of their children, by relation.
        graph: All relations.
        seen: All tables as those below see them.
    """

    name: str
    spec: DatasetSpec
    linked: Mapping[str, LinkedTable]
    sample: pa.Table
    numbers: np.ndarray
    summaries: Mapping[str, Summary]
    graph: Graph
    seen: Mapping[str, SeenTable]

    @property
    def table(self) -> TableSpec:
        """The table's specification."""
        return self.spec.tables[self.name]

    @property
    def parents(self) -> Sequence[Rows]:
        """The parents of all rows, for each relation."""
        return self.seen[self.name].parents

    def relations(self) -> tuple[FittedRelation, ...]:
        """Return the relations with what the rows tell of them."""
        return tuple(
            self._relation(place, relation)
            for place, relation in enumerate(self.graph.relations[self.name])
        )

    def _relation(self, place: int, relation: Relation) -> FittedRelation:
        parents = self.parents[place]
        summary = self.summaries.get(relation.full_name)
        kept = relation.role is KeyRole.KEPT
        orphans = parents == ORPHAN
        size = self.linked[relation.key.parent].rows
        counts = np.bincount(parents[parents >= 0], minlength=max(size, 1))
        numbers, frequent = np.unique(counts, return_counts=True)
        depth = int(depths(parents).max(initial=0)) if relation.role is KeyRole.SELF else 0
        sampled = [rows[self.numbers] for rows in self.parents]
        all_parents = {name: table.parents for name, table in self.seen.items()}
        links = relation.role in {KeyRole.LINK, KeyRole.SELF}
        return FittedRelation(
            relation,
            kinds=self.linked[relation.key.parent].rows
            if kept
            else max(1, summary.kinds_known if summary else 1),
            nulls=float(((parents < 0) & ~orphans).sum() / max(len(parents), 1)),
            counts=tuple(zip(numbers.tolist(), frequent.tolist(), strict=True)),
            orphan_share=float(orphans.sum() / max(len(parents), 1)),
            orphans=int(orphans.sum()),
            is_single=bool(counts.max() <= 1 and (parents >= 0).sum() > 1)
            or is_alone(relation.key.columns, self.table),
            depth=depth,
            ties=find_ties(self.name, place, self.graph, sampled, all_parents) if links else (),
            own=self._own_share(place, parents),
            meant_nulls=self._meant_nulls(relation, sampled[place]),
        )

    def _meant_nulls(self, relation: Relation, parents: Rows) -> float:
        """Return the share of rows for which a key is meant that have no parent all the same."""
        key = relation.key
        columns = {name: self.sample.column(name).combine_chunks() for name in key.when or ()}
        told = meant(key, columns, len(parents))
        return float((told & (parents == NULL)).sum() / max(told.sum(), 1))

    def _own_share(self, place: int, parents: Rows) -> float:
        """Return the share of rows without a parent that refer to themselves."""
        own = self.linked[self.name].own
        if not own:
            return 0.0
        count = own[self.graph.places[self.name][place]]
        return count / max(int((parents == NULL).sum()), 1)

    def below(self) -> dict[str, np.ndarray]:
        """Return the columns in which the table's rows know of their children."""
        return below_columns(self.name, self.summaries, self.graph)


def learn_table(
    family: TableInFamily,
    views: Mapping[str, Mapping[str, FeatureSpec]],
    options: FitOptions,
    *,
    rng: RngKey,
    ctx: RunContext,
) -> FittedTable:
    """Learn one table; see :func:`simulacra.pipeline.relations.learn.learn_related`."""
    step = _Step(family, views, options, rng, ctx)
    links, targets = step.links()
    model, context, linked, place = step.columns(targets)
    table, source = family.table, family.linked[family.name].source
    layout = Layout.of(source.schema)
    owner = step.owner
    owned = None if owner is None else family.graph.relations[family.name][owner]
    found = Family(
        relations=step.relations,
        links=links,
        context=context,
        linked=linked,
        place=place,
        places=step.numbered,
        sorted_by=step.sorted_by(owned),
        distinct=step.distinct(),
        below=tuple(family.below()),
    )
    return FittedTable(
        table,
        schema_as_found(source),
        layout,
        family.linked[family.name].rows,
        model,
        key=step.key,
        uniques=step.uniques(model),
        family=found,
    )


class _Step:
    """The learning of one table."""

    def __init__(
        self,
        family: TableInFamily,
        views: Mapping[str, Mapping[str, FeatureSpec]],
        options: FitOptions,
        rng: RngKey,
        ctx: RunContext,
    ) -> None:
        self._family = family
        self._views = views
        self._options = options
        self._rng = rng
        self._ctx = ctx
        self.relations = family.relations()
        roles = [relation.role for relation in self.relations]
        self.owner = roles.index(KeyRole.OWNER) if KeyRole.OWNER in roles else None
        self._sampled = [rows[family.numbers] for rows in family.parents]
        self._ancestors = Ancestors(family.name, self._sampled, family.graph, family.seen)
        self._places = self._find_places()
        owned = (
            np.zeros(len(family.numbers), np.bool_)
            if self.owner is None
            else self._sampled[self.owner] >= 0
        )
        referred = {c for r in family.graph.children(family.name) for c in r.key.parent_columns}
        self._own = own_columns(self.relations, family.table, referred)
        alone = filled_alone(self.relations, self._sampled, family.sample, family.table)
        self._alone = self._own | alone
        self.numbered = numbered_by_place(family.table, family.sample, self._places, owned)
        self._referred = referred_early(self.relations, family.table, self.numbered, self._alone)
        self.key = self._numbered_groups()
        self._levels = {
            place: depths(family.parents[place])
            for place, relation in enumerate(self.relations)
            if relation.role is KeyRole.SELF
        }

    def _numbered_groups(self) -> CompositeKey | None:
        """Plan for a primary key that numbers the rows of groups without a table."""
        family = self._family
        table, source = family.table, family.linked[family.name].source
        filled = {column for key in table.foreign_keys for column in key.columns}
        if filled & set(table.primary_key):
            return None
        flat = FlatSource(source, Layout.of(source.schema))
        return CompositeKey.of(table, family.sample, flat, where=family.name, ctx=self._ctx)

    def _other_keys(self) -> list[tuple[str, ...]]:
        """Return the keys that are kept unique after rows are drawn."""
        family = self._family
        keys = other_keys(family.name, family.table, family.graph, self.numbered, self.distinct())
        numbered = set(family.table.primary_key) if self.key is not None else None
        return [key for key in keys if set(key) != numbered]

    def uniques(self, model: FlatModel | None) -> tuple[UniqueKey, ...]:
        """Plan how keys are kept unique after rows are drawn."""
        family = self._family
        movable = self._referred - filled_from_parents(self.relations)
        if model is not None:
            source = family.linked[family.name].source
            rows = _augmented(
                Layout.of(source.schema).flatten(_one_batch(family.sample)),
                set(),
                {name: values[family.numbers] for name, values in family.below().items()},
                self._given(),
            )
            filled = {c for relation in self.relations for c in relation.relation.key.columns}
            movable |= model.left_alone(rows.batch) - filled
        family_keys = Family(self.relations, distinct=self.distinct())
        keys = [*self._other_keys(), *observed_keys(family.table, movable)]
        # Of those that siblings keep apart, for owners with more rows than a block.
        apart = self._apart()
        keys += [
            family_keys.columns_of(key)
            for key in family_keys.distinct
            if key.columns and not apart.issuperset(key.columns)
        ]
        return plan_keys(keys, family.table, family.sample, movable)

    def _find_places(self) -> np.ndarray:
        if self.owner is None:
            return np.zeros(len(self._family.numbers), np.int32)
        owner = self.relations[self.owner].parent
        whole = places(self._family.parents[self.owner], self._family.linked[owner].rows)
        found: np.ndarray = whole[self._family.numbers]
        return found

    def sorted_by(self, owned: Relation | None) -> tuple[str, ...]:
        """Return the columns in which an owner's rows ascend."""
        ranked = any(relation.role is KeyRole.SELF for relation in self.relations)
        if owned is None or ranked:
            return ()
        keys = {column for key in self._family.table.foreign_keys for column in key.columns}
        found = self._family.summaries[owned.full_name].sorted_by
        return tuple(column for column in found if column not in keys)

    def _early(self) -> dict[str, tuple[ColumnSpec, pa.Array]]:
        """Return the columns that must be drawn before parents are chosen, with their sample."""
        family = self._family
        found = {}
        for relation in self.relations:
            for column in relation.relation.key.when or {}:
                values = family.sample.column(column).combine_chunks()
                found[column] = (family.table.columns[column], values)
            if relation.role is KeyRole.SELF:
                shared = self._own.intersection(relation.relation.key.columns)
                for column in sorted(shared | self._referred):
                    values = family.sample.column(column).combine_chunks()
                    found[column] = (family.table.columns[column], values)
                below = family.below()
                for column in (count_column(relation.relation), kind_column(relation.relation)):
                    if column in below:
                        found[column] = (_WHOLE, pa.array(below[column][family.numbers]))
        for column in sorted(self._apart()):
            values = family.sample.column(column).combine_chunks()
            found[column] = (family.table.columns[column], values)
        return found

    def _apart(self) -> frozenset[str]:
        """Return the columns of keys by which an owner's rows are told apart.

        They are drawn first and moved apart, so that all others follow where they come to stand.
        """
        owner = () if self.owner is None else (self.owner,)
        keys = [key.columns for key in self.distinct() if key.relations == owner]
        return frozenset(column for columns in keys for column in columns)

    def links(self) -> tuple[LinkModel | None, LinkTargets | None]:
        """Learn what is drawn before parents are chosen, given the owner."""
        early = self._early()
        if not early and not any(relation.role in CHOSEN for relation in self.relations):
            return None, None
        family, rng = self._family, self._rng.child("links")
        kinds = [
            None
            if relation.role not in CHOSEN or relation.role is KeyRole.KEPT
            else family.summaries[relation.relation.full_name].kinds
            for relation in self.relations
        ]
        targets = link_targets(
            self.relations,
            family.parents,
            kinds,
            self._levels,
            family.numbers,
            early,
            where=family.name,
            rng=rng,
            ctx=self._ctx,
        )
        above = context_features(family.name, family.graph, self._views, roles=(KeyRole.OWNER,))
        chosen, specs, codes, place = self._choose(above, (), (), targets.codes, rng)
        model = fit_links(
            targets,
            joined(specs, codes, len(family.numbers)),
            self._options,
            rows=family.linked[family.name].rows,
            rng=rng.child("model"),
            ctx=self._ctx,
        )
        links = LinkModel(self._options.model, model, chosen, place, targets.columns)
        return links, targets

    def _choose(
        self,
        above: Sequence[ContextFeature],
        specs: Sequence[FeatureSpec],
        codes: Sequence[Codes],
        targets: Sequence[Codes],
        rng: RngKey,
    ) -> tuple[tuple[ContextFeature, ...], list[FeatureSpec], list[Codes], int | None]:
        """Choose what features are drawn given: those of ancestors, further ones, the place."""
        place = int(min(self._places.max(initial=0), _MOST_PLACES))
        offered = [feature.spec for feature in above]
        offered += [*specs, *([place_feature(place)] if place else [])]
        found = [self._ancestors.codes(feature) for feature in above]
        found += [*codes, *([np.minimum(self._places, place)] if place else [])]
        kept = telling(found, targets, rng.child("telling").generator())
        chosen = tuple(above[number] for number in kept if number < len(above))
        has_place = bool(place) and len(found) - 1 in kept
        return (
            chosen,
            [offered[number] for number in kept],
            [found[number] for number in kept],
            place if has_place else None,
        )

    def columns(
        self, targets: LinkTargets | None
    ) -> tuple[FlatModel | None, tuple[ContextFeature, ...], tuple[str, ...], int | None]:
        """Learn the table's columns, given all that is known before they are drawn."""
        family = self._family
        layout = Layout.of(family.linked[family.name].source.schema)
        early = set(targets.columns) if targets else set()
        dropped = {c for relation in self.relations for c in relation.relation.key.columns}
        dropped -= self._alone
        dropped |= {*self.numbered, *early}
        below = {name: v for name, v in family.below().items() if name not in early}
        own = {n: c for n, c in family.table.columns.items() if n not in dropped}
        if not own and not below:
            return None, (), (), None
        spec = TableSpec(
            columns={**own, **dict.fromkeys(below, _WHOLE)},
            rules=family.table.rules,
        )
        flat = layout.flatten(_one_batch(family.sample))
        apart = sorted(self._apart())
        given = self._given() | {name: flat.batch.column(name) for name in apart}
        rows = _augmented(
            flat,
            dropped,
            {name: values[family.numbers] for name, values in below.items()},
            given,
        )
        learner = TableLearner(
            family.name,
            spec,
            rows,
            self._options,
            given=list(given),
            # They are moved apart when drawn, before rules work others out from them.
            fixed=[
                column
                for key in (*(key.columns for key in self.distinct()), *self._other_keys())
                for column in key
                if column not in apart
            ],
            rng=self._rng,
            ctx=self._ctx,
        )
        self._update(learner, layout, dropped, below)
        chosen: list[tuple[ContextFeature, ...]] = []
        linked: list[str] = []
        place: list[int | None] = []

        def choose(features: Features) -> Features | None:
            above = context_features(family.name, family.graph, self._views)
            before = [as_given(spec) for spec in targets.specs] if targets else []
            context, specs, codes, at = self._choose(
                above, before, targets.codes if targets else (), features.codes, self._rng
            )
            chosen.append(context)
            linked.extend(spec.name for spec in specs if spec in before)
            place.append(at)
            return joined(specs, codes, features.rows)

        model = learner.finish(rows, context=choose)
        return model, chosen[0], tuple(linked), place[0]

    def distinct(self) -> tuple[Distinct, ...]:
        """Return the table's keys with foreign keys in them."""
        family = self._family
        found = distinct_keys(family.name, family.table, family.sample, family.graph, self.numbered)
        return tuple(key for key in found if not self._referred & set(key.columns))

    def _given(self) -> dict[str, pa.Array]:
        """Return the parents' values of the sample's rows, by their given names."""
        found: dict[str, pa.Array] = {}
        for place, relation in enumerate(self.relations):
            if relation.role not in _WITH_VALUES:
                continue
            source = self._family.linked[relation.parent].source
            names = given_columns(relation, self._family.spec.tables[relation.parent])
            rows = self._sampled[place]
            wanted = np.unique(rows[rows >= 0]).astype(np.int64)
            if not names or not len(wanted):
                continue
            taken = take_rows(source, wanted, list(names.values())).combine_chunks()
            at = np.where(rows >= 0, np.searchsorted(wanted, np.maximum(rows, 0)), -1)
            for name, column in names.items():
                values = taken.column(column).combine_chunks()
                found[name] = take_values(values, at.astype(np.int32))
        return found

    def _update(
        self,
        learner: TableLearner,
        layout: Layout,
        dropped: set[str],
        below: Mapping[str, np.ndarray],
    ) -> None:
        """Let the learner see every row."""
        family = self._family
        used = self._whole_columns(learner.used)
        apart = sorted(learner.used & self._apart())
        linked = family.linked[family.name]
        start = 0
        with self._ctx.progress.task(f"Learning columns of {family.name}", linked.rows) as task:
            for batch in linked.source.batches():
                part = slice(start, start + batch.num_rows)
                given = {
                    name: take_values(values, family.parents[place][part])
                    for name, (place, values) in used.items()
                }
                flat = layout.flatten(batch)
                given |= {name: flat.batch.column(name) for name in apart}
                around = {name: values[part] for name, values in below.items()}
                learner.update(_augmented(flat, dropped, around, given))
                start = part.stop
                task.advance(batch.num_rows)
        self._ctx.progress.note(
            f"{family.name}: marginals from all {linked.rows:,} rows, structure from "
            f"{family.sample.num_rows:,} of them"
        )

    def _whole_columns(self, names: frozenset[str]) -> dict[str, tuple[int, pa.Array]]:
        """Return the parents' columns that rules use, whole, each with its relation."""
        found = {}
        for place, relation in enumerate(self.relations):
            known = given_columns(relation, self._family.spec.tables[relation.parent])
            wanted = {name: column for name, column in known.items() if name in names}
            if not wanted:
                continue
            source = self._family.linked[relation.parent].source
            columns = list(wanted.values())
            read = pa.Table.from_batches(
                source.batches(columns),
                pa.schema([source.schema.field(column) for column in columns]),
            )
            for name, column in wanted.items():
                found[name] = (place, _one_array(read.column(column)))
        return found


def given_columns(relation: FittedRelation, parent: TableSpec) -> dict[str, str]:
    """Return the parent's columns that rules may use, by the names they are given."""
    if relation.role not in _WITH_VALUES:
        return {}
    keys = {*parent.primary_key, *(c for key in parent.foreign_keys for c in key.columns)}
    return {
        f"{GIVEN}{relation.relation.name}.{name}": name
        for name, column in parent.columns.items()
        if name not in keys and column.fields is None and column.items is None
    }


def as_given(spec: FeatureSpec) -> FeatureSpec:
    """Return a feature that is drawn before others, as one that these are drawn given."""
    return FeatureSpec(f"^{spec.name}", spec.column, spec.kind, spec.cardinality, Role.CONTEXT)


def _augmented(
    flat: Flat,
    dropped: set[str],
    below: Mapping[str, np.ndarray],
    given: Mapping[str, pa.Array],
) -> Flat:
    """Return rows without columns that relations fill, with those about children and parents."""
    columns = {
        name: values
        for name, values in zip(flat.batch.schema.names, flat.batch.columns, strict=True)
        if name not in dropped
    }
    columns |= {name: pa.array(values) for name, values in below.items()}
    columns |= given
    return Flat(pa.RecordBatch.from_pydict(columns), flat.lists)


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [_one_array(column) for column in table.columns], schema=table.schema
    )


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    kind = column.type
    if pa.types.is_string(kind):
        column = column.cast(pa.large_string())
    whole = column.combine_chunks()
    return whole.cast(kind) if whole.nbytes < 2**31 else whole
