"""Learns which kinds of parents rows have: what is drawn before their parents are chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.features import Codes, Features, FeatureSpec, TrainingData, code_dtype
from simulacra.core.protocols import FittedModel
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec
from simulacra.pipeline.flat_model import NamedCodec
from simulacra.pipeline.options import FitOptions
from simulacra.pipeline.relations.fitted import FittedRelation
from simulacra.pipeline.relations.graph import Role
from simulacra.pipeline.relations.key_index import ORPHAN
from simulacra.pipeline.relations.resolve import Rows
from simulacra.pipeline.relations.view import fit_column

CHOSEN = (Role.LINK, Role.KEPT, Role.SELF, Role.LATE)
"""Roles of relations whose parents are chosen, not given."""


@dataclass(frozen=True, slots=True)
class LinkTargets:
    """The features drawn before parents are chosen, of a sample of rows.

    Attributes:
        specs: The features.
        codes: Their codes.
        counts: Rows per code over all rows.
        columns: The codecs of the columns among them.
    """

    specs: tuple[FeatureSpec, ...]
    codes: tuple[Codes, ...]
    counts: tuple[np.ndarray, ...]
    columns: Mapping[str, NamedCodec]


def link_codes(relation: FittedRelation, parents: Rows, kinds: np.ndarray | None) -> Codes:
    """Return the code of each row's parent: its kind (or number, if kept), none, or an orphan."""
    known = np.maximum(parents, 0)
    codes = (parents if kinds is None or not len(kinds) else kinds[known]).astype(np.int64)
    # A parent of which only these children are known is of some kind all the same.
    codes = np.minimum(codes, max(relation.kinds - 1, 0))
    codes = np.where(parents < 0, relation.kinds, codes)
    if relation.orphans:
        codes = np.where(parents == ORPHAN, relation.kinds + 1, codes)
    return codes.astype(code_dtype(relation.feature.cardinality))


def link_targets(  # noqa: PLR0913 - all that is known of a table's parents
    relations: Sequence[FittedRelation],
    parents: Sequence[Rows],
    kinds: Sequence[np.ndarray | None],
    levels: Mapping[int, np.ndarray],
    sample: np.ndarray,
    columns: Mapping[str, tuple[ColumnSpec, pa.Array]],
    *,
    where: str,
    rng: RngKey,
    ctx: RunContext,
) -> LinkTargets:
    """Return the features that must be drawn before parents are chosen.

    Args:
        relations: The table's relations.
        parents: The parents of all its rows, for each relation.
        kinds: For each relation the kinds of its parents, None for kept ones.
        levels: For each relation of the table to itself, how many rows are above each row.
        sample: The numbers of the sample's rows.
        columns: Columns drawn along: specification and the sample's values.
        where: The table's name, for messages.
        rng: The key of this step.
        ctx: Limits and progress.
    """
    specs: list[FeatureSpec] = []
    codes: list[Codes] = []
    counts: list[np.ndarray] = []
    codecs: dict[str, NamedCodec] = {}
    for name, (column, values) in columns.items():
        codec, seen = fit_column(f"{where}.{name}", column, values, rng=rng.child(name), ctx=ctx)
        codecs[name] = NamedCodec.of(name, column.type, codec)
        specs += codecs[name].features
        codes += codec.encode(values)
        counts += seen
    for place, relation in enumerate(relations):
        if relation.role not in CHOSEN:
            continue
        if place in levels:
            specs.append(relation.level)
            codes.append(levels[place][sample])
            counts.append(np.bincount(levels[place], minlength=relation.level.cardinality))
        whole = link_codes(relation, parents[place], kinds[place])
        specs.append(relation.feature)
        codes.append(whole[sample])
        counts.append(np.bincount(whole, minlength=relation.feature.cardinality))
    return LinkTargets(tuple(specs), tuple(codes), tuple(counts), codecs)


def fit_links(
    targets: LinkTargets,
    context: Features | None,
    options: FitOptions,
    *,
    rows: int,
    rng: RngKey,
    ctx: RunContext,
) -> FittedModel:
    """Learn the features that are drawn before parents are chosen, given the owner's.

    Args:
        targets: The features.
        context: What they are drawn given.
        options: What to learn with.
        rows: How many rows the table has.
        rng: The key of this step.
        ctx: Limits and progress.
    """
    given = context or Features((), (), len(targets.codes[0]))
    features = Features.of(
        (*given.specs, *targets.specs), (*given.codes, *targets.codes), rows=given.rows
    )
    counts = [
        np.bincount(codes, minlength=spec.cardinality).astype(np.int64)
        for spec, codes in zip(given.specs, given.codes, strict=True)
    ]
    data = TrainingData(features, (*counts, *targets.counts), rows)
    model: FittedModel = registry.load(Kind.MODEL, options.model).fit(
        data, options.model_config(), rng=rng, ctx=ctx
    )
    return model
