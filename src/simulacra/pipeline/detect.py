"""From profiles to a specification: each column's datatype, each table's primary key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core import registry
from simulacra.core.arrow_types import type_to_text
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protocols import (
    Agreeing,
    BatchSource,
    ColumnProfile,
    DataType,
    Detection,
    Lacking,
)
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.pipeline.aggregates import exact_distinct, is_distinct
from simulacra.pipeline.flat_sources import FlatSource, ItemSource
from simulacra.pipeline.nesting import is_list, nested_column
from simulacra.pipeline.plain import plain
from simulacra.pipeline.profile import TableProfile, profile_table

_MOST_STRAYS = 0.005
"""A datatype stands although up to this share of all values is not of its form."""
_KEY_NAMES = ("id", "key", "code", "no", "nr", "num", "number", "pk", "line", "uuid", "guid")
_KEY_COLUMNS_AT_MOST = 3
_KEY_CANDIDATES = 12
_KEYS_TRIED = 4
_FEWEST_KEYED_ROWS = 20
"""Pairs of columns are distinct by chance in smaller tables."""
_TIGHT = 20
"""A composite key has at most this many times as many possible values as there are rows."""


@dataclass(frozen=True, slots=True)
class Detected:
    """A table's specification and the profile it was read from."""

    spec: TableSpec
    profile: TableProfile


def detect_table(
    source: BatchSource, *, where: str, sample_rows: int, rng: RngKey, ctx: RunContext
) -> Detected:
    """Read a table and propose its specification.

    Args:
        source: The table.
        where: Its name, for messages.
        sample_rows: How many rows the profile keeps.
        rng: Decides which.
        ctx: Limits and progress.

    Raises:
        InputError: The source can't be read, or two columns have one name.
    """
    source = plain(source)
    profile = profile_table(source, where=where, sample_rows=sample_rows, rng=rng, ctx=ctx)
    leaves = _leaves(source, profile, where=where, ctx=ctx)
    columns = {field.name: nested_column(field.type, field.name, leaves) for field in source.schema}
    key = _primary_key(source, profile, columns, where=where, ctx=ctx)
    return Detected(TableSpec(columns=columns, primary_key=key, rows=profile.rows), profile)


def _leaves(
    source: BatchSource, profile: TableProfile, *, where: str, ctx: RunContext
) -> dict[str, ColumnSpec]:
    datatypes = [registry.load(Kind.DATATYPE, name) for name in registry.names(Kind.DATATYPE)]
    claims = {name: _ranked(datatypes, column) for name, column in profile.columns.items()}
    flat = FlatSource(source, profile.layout)
    _drop_disproved(claims, flat, profile, where=where, ctx=ctx)
    _agree(claims, profile.sample)
    leaves = {
        name: _column_spec(profile.columns[name], *ranked[0]) for name, ranked in claims.items()
    }
    for name, items in profile.items.items():
        below = _leaves(
            ItemSource(source, profile.layout, name), items, where=f"{where}.{name}[]", ctx=ctx
        )
        leaves |= {f"{name}[].{leaf}": spec for leaf, spec in below.items()}
    return leaves


def _ranked(
    datatypes: Sequence[DataType], column: ColumnProfile
) -> list[tuple[DataType, Detection]]:
    claims = [(datatype, datatype.detect(column)) for datatype in datatypes]
    claims = [claim for claim in claims if claim[1].confidence > 0]
    if not claims:
        raise SpecError(
            f"no datatype handles {column.type}",
            where=column.name,
            mend="Convert or drop the column, or install a plug-in for it",
        )
    # Sorting is stable and datatypes come sorted by name: equal claims are always settled alike.
    return sorted(claims, key=lambda claim: -claim[1].confidence)


def tell_what_is_lacking(ctx: RunContext) -> None:
    """Note what datatypes can't find for want of a package."""
    for name in registry.names(Kind.DATATYPE):
        datatype = registry.load(Kind.DATATYPE, name)
        if isinstance(datatype, Lacking) and (lacking := datatype.lacks()):
            ctx.progress.note(lacking[0].upper() + lacking[1:])


def _agree(claims: dict[str, list[tuple[DataType, Detection]]], sample: pa.Table) -> None:
    """Let each datatype that can fit its options to each other in the columns that it got."""
    got: dict[str, dict[str, Detection]] = {}
    for name, ranked in claims.items():
        datatype, claim = ranked[0]
        if isinstance(datatype, Agreeing):
            got.setdefault(datatype.name, {})[name] = claim
    for columns in got.values():
        datatype = claims[next(iter(columns))][0][0]
        if isinstance(datatype, Agreeing):
            for name, claim in datatype.agree(columns, sample).items():
                claims[name][0] = (datatype, claim)


def _drop_disproved(
    claims: dict[str, list[tuple[DataType, Detection]]],
    flat: FlatSource,
    profile: TableProfile,
    *,
    where: str,
    ctx: RunContext,
) -> None:
    """Check what the sample suggested of texts against all rows; the next claim takes over."""
    doubtful = {
        name: ranked
        for name, ranked in claims.items()
        if len(ranked) > 1 and _is_text(profile.columns[name].type) and ranked[0][1].options
    }
    if not doubtful or profile.sample.num_rows == profile.rows:
        return
    strays = dict.fromkeys(doubtful, 0)
    with ctx.progress.task(f"Checking texts in {where}", flat.rows()) as task:
        for batch in flat.batches(list(doubtful)):
            task.advance(batch.num_rows)
            for name, ranked in doubtful.items():
                datatype, claim = ranked[0]
                accepted = datatype.accepts(batch.column(name), claim.options)
                strays[name] += batch.num_rows - (pc.sum(accepted).as_py() or 0)
    for name, count in strays.items():
        if count > _MOST_STRAYS * profile.rows:
            claims[name].pop(0)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _column_spec(column: ColumnProfile, datatype: DataType, claim: Detection) -> ColumnSpec:
    return ColumnSpec(
        type=datatype.name,
        arrow=type_to_text(column.type),
        nullable=column.nulls > 0,
        unique=column.unique and column.rows > 1,
        options=dict(claim.options),
    )


def type_column(column: ColumnProfile) -> ColumnSpec:
    """Return what a column is by its profile alone."""
    datatypes = [registry.load(Kind.DATATYPE, name) for name in registry.names(Kind.DATATYPE)]
    return _column_spec(column, *_ranked(datatypes, column)[0])


def _primary_key(
    source: BatchSource,
    profile: TableProfile,
    columns: Mapping[str, ColumnSpec],
    *,
    where: str,
    ctx: RunContext,
) -> list[str]:
    single = [
        name
        for name, column in columns.items()
        if column.unique and not column.nullable and column.type == "identifier"
    ]
    if single:
        return [max(single, key=lambda name: key_likeness(name, list(columns).index(name)))]
    if profile.rows < _FEWEST_KEYED_ROWS:
        return []
    return _composite_key(source, profile, columns, where=where, ctx=ctx)


def key_likeness(name: str, place: int) -> float:
    """Say how much a column at this place is called as a key; above 0.4 if it is at all."""
    lowered = name.lower()
    named = any(lowered.endswith(word) for word in _KEY_NAMES)
    return 1.0 * named - 0.001 * place + 0.5 * (lowered in _KEY_NAMES)


def _composite_key(
    source: BatchSource,
    profile: TableProfile,
    columns: Mapping[str, ColumnSpec],
    *,
    where: str,
    ctx: RunContext,
) -> list[str]:
    """Find the tightest few columns that name a row together.

    Columns of measures may name rows too, by chance; a key's space is hardly larger than the
    table, so the tightest is asked first and loose ones are never taken.
    """
    distinct = {
        name: profile.columns[name].distinct
        for name, column in columns.items()
        if column.type in {"identifier", "integer", "category", "date", "datetime"}
        and not column.nullable
        and not column.unique
        and not is_list(profile.layout.schema.field(name).type)
        and profile.columns[name].distinct > 1
    }
    likeliest = sorted(
        distinct, key=lambda name: (-key_likeness(name, list(columns).index(name)), name)
    )[:_KEY_CANDIDATES]
    likeliest.sort(key=list(columns).index)
    for size in range(2, _KEY_COLUMNS_AT_MOST + 1):
        spaces = {
            key: float(np.prod([float(distinct[name]) for name in key]))
            for key in combinations(likeliest, size)
        }
        tight = sorted(
            (
                key
                for key, space in spaces.items()
                if 0.98 * profile.rows <= space <= _TIGHT * profile.rows
            ),
            key=lambda key: spaces[key],
        )
        found = [key for key in tight if is_distinct(profile.sample.select(list(key)))]
        found = found[:_KEYS_TRIED]
        if found and profile.sample.num_rows < profile.rows:
            flat = FlatSource(source, profile.layout)
            counts = exact_distinct(flat, found, where=where, ctx=ctx)
            found = [k for k, count in zip(found, counts, strict=True) if count == profile.rows]
        if found:
            return list(found[0])
    return []
