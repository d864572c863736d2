"""Learns what is drawn before parents are chosen: their kinds, and what decides on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core import registry
from simulacra.core.features import Codes, Features, FeatureSpec, TrainingData, code_dtype
from simulacra.core.protocols import FittedModel
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec
from simulacra.pipeline.flat_model import NamedCodec
from simulacra.pipeline.relations.context import ancestor_features, as_given
from simulacra.pipeline.relations.family import EarlyModel
from simulacra.pipeline.relations.fitted_relation import (
    FittedRelation,
    count_column,
    kind_column,
)
from simulacra.pipeline.relations.graph import CHOSEN, Role
from simulacra.pipeline.relations.learning.summaries import WHOLE_NUMBER
from simulacra.pipeline.relations.learning.table_to_learn import TableToLearn
from simulacra.pipeline.relations.parent_kernels import depths
from simulacra.pipeline.relations.parent_rows import ORPHAN, Rows
from simulacra.pipeline.relations.parent_view import fit_column


@dataclass(slots=True)
class EarlyFeatures:
    """The features drawn before parents are chosen, of a sample of rows.

    Attributes:
        rows: How many rows the sample has.
        specs: The features.
        codes: Their codes.
        counts: Rows per code over all rows.
        columns: The codecs of the columns among them.
    """

    rows: int
    specs: list[FeatureSpec] = field(default_factory=list)
    codes: list[Codes] = field(default_factory=list)
    counts: list[NDArray[np.int64]] = field(default_factory=list)
    columns: dict[str, NamedCodec] = field(default_factory=dict)

    def add(self, spec: FeatureSpec, whole: Codes, sample: NDArray[np.int64]) -> None:
        """Add a feature of all rows, of which the sample holds some."""
        self.specs.append(spec)
        self.codes.append(whole[sample])
        self.counts.append(np.bincount(whole, minlength=spec.cardinality))

    def add_column(
        self,
        name: str,
        named: NamedCodec,
        values: pa.Array,
        counts: tuple[NDArray[np.int64], ...],
    ) -> None:
        """Add the features of a column of the sample."""
        self.columns[name] = named
        self.specs += named.features
        self.codes += named.codec.encode(values)
        self.counts += counts

    def given(self) -> Features:
        """Return them as what others are drawn given."""
        return Features(tuple(map(as_given, self.specs)), tuple(self.codes), self.rows)


def learn_early(table: TableToLearn) -> tuple[EarlyModel | None, EarlyFeatures | None]:
    """Learn what is drawn before parents are chosen, given the owner; None if there is nothing."""
    columns = _early_columns(table)
    if not columns and not any(relation.role in CHOSEN for relation in table.relations):
        return None, None
    family, rng = table.family, table.rng.child("links")
    features = _features(table, columns, rng)
    given, context = table.before.choose(
        ancestor_features(family.name, family.graph, table.views, roles=(Role.OWNER,)),
        features.codes,
        rng=rng,
    )
    model = _fit(table, features, context, rng.child("model"))
    return EarlyModel(table.options.model, model, given, features.columns), features


def _early_columns(table: TableToLearn) -> dict[str, tuple[ColumnSpec, pa.Array]]:
    """Return the columns that must be drawn before parents are chosen, with their sample."""
    family, keys = table.family, table.keys
    found: dict[str, tuple[ColumnSpec, pa.Array]] = {}

    def add(column: str) -> None:
        found[column] = family.spec.columns[column], family.sampled_column(column)

    children = family.sampled_child_columns()
    for relation in table.relations:
        for column in relation.key.when or {}:
            add(column)
        if relation.role is Role.SELF:
            for column in sorted(keys.own.intersection(relation.key.columns) | keys.referred):
                add(column)
            for column in (count_column(relation.relation), kind_column(relation.relation)):
                if column in children:
                    found[column] = WHOLE_NUMBER, pa.array(children[column])
    for column in sorted(keys.apart):
        add(column)
    return found


def _features(
    table: TableToLearn, columns: Mapping[str, tuple[ColumnSpec, pa.Array]], rng: RngKey
) -> EarlyFeatures:
    """Return the codes of columns, and of each parent to be chosen its kind."""
    family = table.family
    found = EarlyFeatures(len(family.numbers))
    for name, (column, values) in columns.items():
        codec, counts = fit_column(
            f"{family.name}.{name}", column, values, rng=rng.child(name), ctx=table.ctx
        )
        found.add_column(name, NamedCodec.of(name, column.type, codec), values, counts)
    for relation, parents in zip(table.relations, family.parents, strict=True):
        if relation.role not in CHOSEN:
            continue
        if relation.role is Role.SELF:
            levels = depths(parents).astype(code_dtype(relation.level.cardinality))
            found.add(relation.level, levels, family.numbers)
        kinds = None
        if relation.role is not Role.KEPT:
            kinds = family.summaries[relation.relation.full_name].kinds
        found.add(relation.feature, _kind_codes(relation, parents, kinds), family.numbers)
    return found


def _kind_codes(relation: FittedRelation, parents: Rows, kinds: NDArray[np.uint16] | None) -> Codes:
    """Return the code of each row's parent: its kind (or number, if kept), none, or an orphan."""
    known = np.maximum(parents, 0)
    codes = (parents if kinds is None or not len(kinds) else kinds[known]).astype(np.int64)
    # A parent of which only these children are known is of some kind all the same.
    codes = np.minimum(codes, max(relation.kinds - 1, 0))
    codes = np.where(parents < 0, relation.kinds, codes)
    if relation.orphans:
        codes = np.where(parents == ORPHAN, relation.kinds + 1, codes)
    return codes.astype(code_dtype(relation.feature.cardinality))


def _fit(
    table: TableToLearn, targets: EarlyFeatures, context: Features | None, rng: RngKey
) -> FittedModel:
    """Learn the features that are drawn before parents are chosen, given the owner's."""
    given = context or Features((), (), targets.rows)
    features = Features.of(
        (*given.specs, *targets.specs), (*given.codes, *targets.codes), rows=given.rows
    )
    counts = [
        np.bincount(codes, minlength=spec.cardinality).astype(np.int64)
        for spec, codes in zip(given.specs, given.codes, strict=True)
    ]
    data = TrainingData(features, (*counts, *targets.counts), table.family.linked.rows)
    model: FittedModel = registry.load(Kind.MODEL, table.options.model).fit(
        data, table.options.model_config(), rng=rng, ctx=table.ctx
    )
    return model
