"""Primary keys once foreign keys are known: a child's column is no key of its own by accident."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.protocols import BatchSource
from simulacra.pipeline.aggregates import exact_distinct, is_distinct
from simulacra.pipeline.detect import key_likeness
from simulacra.pipeline.finding_keys.facts import ColumnFacts, Family, KeyKind, TableFacts
from simulacra.pipeline.finding_keys.singles import Single
from simulacra.pipeline.flat_sources import FlatSource
from simulacra.pipeline.nesting import Layout

_COLLISIONS = 3.0
"""So many repeats would be expected if rows drew their parents freely: none is no accident."""
_COLLISIONS_OF_PAIRS = 2.0
_COLUMNS_AT_MOST = 3
_KEYS_TRIED = 4
_FIRST_ROWS = 50_000
_NEARLY_ALL = 0.9
_NUMBERINGS = frozenset({
    "line", "seq", "sequence", "position", "pos", "index", "idx", "ordinal", "step", "version",
    "revision", "item", "lang", "language", "locale", "date", "day", "time",
})  # fmt: skip
"""Names of columns that tell the rows of one parent apart."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What keys tables have after all.

    Attributes:
        primary: The primary key of each table.
        repeating: Columns that no longer count as unique.
    """

    primary: dict[str, list[str]]
    repeating: dict[str, set[str]]


def is_one_to_one(single: Single) -> bool:
    """Say whether it is no accident that no row shares its parent with another."""
    rows = single.child.filled
    return single.child.is_unique and _repeats(rows, single.parent.rows) >= _COLLISIONS


def _repeats(rows: int, space: float) -> float:
    """Return how many pairs of rows would agree, did each draw one of so many values."""
    return rows * (rows - 1) / (2 * max(space, 1.0))


def settle(
    tables: Mapping[str, TableFacts],
    certain: Sequence[Single],
    sources: Mapping[str, BatchSource],
    *,
    declared: Collection[str],
    ctx: RunContext,
) -> Settled:
    """Choose the primary key of each table anew where foreign keys tell better.

    Args:
        tables: All tables.
        certain: The foreign keys found.
        sources: The rows.
        declared: Tables whose own primary key is declared, and stays.
        ctx: Limits and progress.

    Raises:
        InputError: A source can't be read.
    """
    settled = Settled({name: list(t.spec.primary_key) for name, t in tables.items()}, {})
    for name, table in tables.items():
        if name in declared:
            continue
        keys = {single.child.name: single for single in certain if single.child.table == name}
        settled.repeating[name] = {
            column
            for column, single in keys.items()
            if single.child.is_unique and not is_one_to_one(single)
        }
        settled.primary[name] = _single_key(table, keys, certain)
        if len(settled.primary[name]) != 1:
            found = _key_of_parents(table, keys, settled.primary[name], sources[name], ctx)
            settled.primary[name] = found
    return settled


def _single_key(
    table: TableFacts, keys: Mapping[str, Single], certain: Sequence[Single]
) -> list[str]:
    key = list(table.spec.primary_key)
    if not key:
        referred = [s for s in certain if s.parent.table == table.name and s.makes_primary]
        return [min(referred, key=lambda single: single.rank).parent.name] if referred else []
    if len(key) > 1 or key[0] not in keys:
        return key
    others = [
        column.name
        for column in table.columns.values()
        if column.key is KeyKind.UNIQUE and not column.nulls and column.name not in keys
    ]
    if others:
        places = list(table.spec.columns)
        return [max(others, key=lambda name: key_likeness(name, places.index(name)))]
    return key if is_one_to_one(keys[key[0]]) else []


def _key_of_parents(
    table: TableFacts,
    keys: Mapping[str, Single],
    found: list[str],
    source: BatchSource,
    ctx: RunContext,
) -> list[str]:
    """Return the foreign keys that name a row together; what was found before if none do.

    Args:
        table: The table.
        keys: Its foreign keys of one column.
        found: A key of several columns found by values alone.
        source: Its rows.
        ctx: Limits and progress.
    """
    parents = {name: single.child for name, single in keys.items() if not single.child.nulls}
    if all(name in keys or _is_numbering(table, name) for name in found) and found:
        return found
    is_junction = set(parents) == set(table.spec.columns)
    for size in range(2, min(_COLUMNS_AT_MOST, len(parents)) + 1):
        tight = sorted(_possible(list(parents.values()), size, is_junction=is_junction))
        unique = _unique(source, [names for _, names in tight], table, ctx)
        if unique:
            return list(unique[0])
    return found


def _is_numbering(table: TableFacts, name: str) -> bool:
    facts = table.columns.get(name)
    if facts is None:
        return False
    called = facts.called
    named_so = any(reading.text in _NUMBERINGS for reading in (*called.readings, *called.roles))
    return called.says_key or named_so or facts.family in {Family.DATE, Family.MOMENT}


def _possible(
    parents: Sequence[ColumnFacts], size: int, *, is_junction: bool
) -> Iterator[tuple[float, tuple[str, ...]]]:
    for some in combinations(parents, size):
        space = math.prod(float(column.distinct) for column in some)
        rows = some[0].rows
        enough = is_junction or _repeats(rows, space) >= _COLLISIONS_OF_PAIRS
        if enough and space >= _NEARLY_ALL * rows:
            yield space, tuple(column.name for column in some)


def _unique(
    source: BatchSource,
    keys: Sequence[tuple[str, ...]],
    table: TableFacts,
    ctx: RunContext,
) -> list[tuple[str, ...]]:
    if not keys:
        return []
    names = sorted({name for key in keys for name in key})
    first = _first_rows(source, names)
    hopeful = [key for key in keys if is_distinct(first.select(list(key)))][:_KEYS_TRIED]
    if not hopeful:
        return []
    flat = FlatSource(source, Layout.of(source.schema))
    counts = exact_distinct(flat, hopeful, where=table.name, ctx=ctx)
    rows = table.columns[hopeful[0][0]].rows
    return [key for key, count in zip(hopeful, counts, strict=True) if count == rows]


def _first_rows(source: BatchSource, names: list[str]) -> pa.Table:
    batches = []
    left = _FIRST_ROWS
    for batch in source.batches(names):
        batches.append(batch.slice(0, left))
        left -= batches[-1].num_rows
        if left <= 0:
            break
    schema = pa.schema([source.schema.field(name) for name in names])
    return pa.Table.from_batches(batches, schema)
