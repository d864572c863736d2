"""From keys to row numbers: for each row the number of each of its parents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError
from simulacra.core.protocols import BatchSource
from simulacra.core.schema import DatasetSpec, ForeignKey, Orphans, TableSpec
from simulacra.pipeline.relations.graph import Facts
from simulacra.pipeline.relations.keys.index import KeyIndex
from simulacra.pipeline.relations.parent_rows import NULL, ORPHAN, Rows
from simulacra.pipeline.relations.sources import RemainingRows, count_rows


@dataclass(frozen=True, slots=True)
class LinkedTable:
    """A table and the parents of its rows.

    Attributes:
        source: The rows, without those dropped as orphans.
        rows: How many there are.
        parents: For each foreign key of the specification, the row numbers of the parents.
        taken: Which rows of the source as found are left; None if all.
        own: For each foreign key how many rows that refer to themselves count as having no parent.
        nulled: Columns in which keys that name no row count as null.
    """

    source: BatchSource
    rows: int
    parents: tuple[Rows, ...]
    taken: NDArray[np.bool_] | None = None
    own: tuple[int, ...] = ()
    nulled: tuple[str, ...] = ()


def resolve(
    sources: Mapping[str, BatchSource], spec: DatasetSpec, *, keep_orphans: bool, ctx: RunContext
) -> dict[str, LinkedTable]:
    """Look up every foreign key of every row.

    Orphans, rows whose key names no row of the parent, are told; by the key's policy they stay
    orphans, count as having no parent, or are left out. Rows left out make orphans of those that
    lead to them, so it goes on until none is left.

    Args:
        sources: The tables, of plain layouts.
        spec: Their keys.
        keep_orphans: Whether orphans stay unless a key says otherwise.
        ctx: Limits and progress.
    """
    linked = {name: LinkedTable(source, 0, ()) for name, source in sources.items()}
    changed = set(sources)
    while changed:
        indexes = _Indexes(linked, spec, ctx)
        dropped: set[str] = set()
        for name in _affected(changed, spec) if len(changed) < len(sources) else list(sources):
            linked[name], drops = _link(name, spec, linked[name], indexes, keep_orphans, ctx)
            if drops:
                dropped.add(name)
        changed = dropped
    return linked


def meant(key: ForeignKey, columns: Mapping[str, pa.Array], rows: int) -> NDArray[np.bool_]:
    """Return for which rows a key is meant, shape ``(rows,)``: all, unless it says which."""
    found = np.ones(rows, np.bool_)
    for column, value in (key.when or {}).items():
        same = pc.equal(columns[column].cast(pa.large_string()), value)
        found &= pc.fill_null(same, False).to_numpy(zero_copy_only=False)  # noqa: FBT003
    return found


def with_roots(linked: LinkedTable, name: str, table: TableSpec) -> LinkedTable:
    """Take rows that refer to themselves as having no parent, and count them."""
    parents, own = [], []
    for key, rows in zip(table.foreign_keys, linked.parents, strict=True):
        itself = np.zeros(len(rows), np.bool_)
        if key.parent == name:
            itself = rows == np.arange(len(rows))
        parents.append(np.where(itself, np.int32(NULL), rows))
        own.append(int(itself.sum()))
    return replace(linked, parents=tuple(parents), own=tuple(own))


def facts_of(linked: Mapping[str, LinkedTable], spec: DatasetSpec) -> dict[str, list[Facts]]:
    """Return what the rows tell of every foreign key."""
    return {
        name: [
            _facts(parents, linked[key.parent].rows)
            for key, parents in zip(
                spec.tables[name].foreign_keys, linked[name].parents, strict=True
            )
        ]
        for name in spec.tables
    }


def _facts(parents: Rows, count: int) -> Facts:
    found = parents[parents >= 0]
    nulls = 1.0 - len(found) / len(parents) if len(parents) else 0.0
    most = int(np.bincount(found, minlength=1).max())
    return Facts(nulls, count, most)


def _affected(changed: set[str], spec: DatasetSpec) -> list[str]:
    """Return the tables that lead to a changed one."""
    return [
        name
        for name, table in spec.tables.items()
        if any(key.parent in changed for key in table.foreign_keys)
    ]


class _Indexes:
    """The keys that are referred to, each indexed when first asked for."""

    def __init__(
        self, linked: Mapping[str, LinkedTable], spec: DatasetSpec, ctx: RunContext
    ) -> None:
        self._linked = linked
        self._spec = spec
        self._ctx = ctx
        self._made: dict[tuple[str, ...], KeyIndex] = {}

    def of(self, key: ForeignKey) -> KeyIndex:
        """Return the index of the key that a foreign key refers to."""
        name = (key.parent, *key.parent_columns)
        if name not in self._made:
            source = self._linked[key.parent].source
            columns = list(key.parent_columns)
            with self._ctx.progress.task(f"Reading keys of {key.parent}", source.rows()) as task:

                def read() -> Iterator[pa.RecordBatch]:
                    for batch in source.batches(columns):
                        task.advance(batch.num_rows)
                        yield batch

                self._made[name] = KeyIndex.build(
                    read(), columns, where=key.parent, rows=source.rows()
                )
        return self._made[name]


def _link(
    name: str,
    spec: DatasetSpec,
    linked: LinkedTable,
    indexes: _Indexes,
    keep_orphans: bool,  # noqa: FBT001
    ctx: RunContext,
) -> tuple[LinkedTable, bool]:
    """Look up the keys of one table; returns it and whether rows were left out."""
    table, source = spec.tables[name], linked.source
    keys = table.foreign_keys
    if not keys:
        return replace(linked, rows=count_rows(source)), False
    found = _look_up(name, keys, source, indexes, ctx)
    rows = len(found[0])
    remain = np.ones(rows, np.bool_)
    nulled = list(linked.nulled)
    for key, parents in zip(keys, found, strict=True):
        orphans = parents == ORPHAN
        count = int(orphans.sum())
        if not count:
            continue
        policy = _policy(key, table, name, keep_orphans=keep_orphans)
        told = {
            Orphans.KEEP: "kept",
            Orphans.NULL: "taken as having no parent",
            Orphans.DROP: "left out",
        }[policy]
        ctx.progress.note(
            f"{name}.{','.join(key.columns)}: {count:,} of {rows:,} rows name no row of "
            f"{key.parent}; they are {told}"
        )
        if policy is Orphans.NULL:
            parents[orphans] = NULL
            nulled += [column for column in key.columns if column not in table.primary_key]
        elif policy is Orphans.DROP:
            remain &= ~orphans
    if remain.all():
        return replace(linked, rows=rows, parents=tuple(found), nulled=tuple(nulled)), False
    taken = remain
    if linked.taken is not None:
        taken = linked.taken.copy()
        taken[linked.taken] = remain
    return LinkedTable(
        RemainingRows(source, remain),
        int(remain.sum()),
        tuple(parents[remain] for parents in found),
        taken,
        nulled=tuple(nulled),
    ), True


def _look_up(
    name: str,
    keys: Sequence[ForeignKey],
    source: BatchSource,
    indexes: _Indexes,
    ctx: RunContext,
) -> list[Rows]:
    lookups = [(key, indexes.of(key)) for key in keys]
    columns = list(dict.fromkeys(c for key in keys for c in (*key.columns, *(key.when or ()))))
    found: list[list[Rows]] = [[] for _ in keys]
    with ctx.progress.task(f"Following keys of {name}", source.rows()) as task:
        for batch in source.batches(columns):
            task.advance(batch.num_rows)
            for (key, index), rows in zip(lookups, found, strict=True):
                parents = index.rows_of(batch, key.columns).astype(np.int32)
                told = {column: batch.column(column) for column in key.when or ()}
                parents[~meant(key, told, len(parents))] = NULL
                rows.append(parents)
    return [np.concatenate(rows) if rows else np.empty(0, np.int32) for rows in found]


def _policy(key: ForeignKey, table: TableSpec, where: str, *, keep_orphans: bool) -> Orphans:
    """Return what becomes of a key's orphans, by itself or by default.

    Raises:
        SpecError: They shall become null, but are part of the primary key.
    """
    if key.orphans is Orphans.NULL and set(key.columns) <= set(table.primary_key):
        raise SpecError(
            f"keys that name no row of {key.parent} can't become null",
            where=f"{where}.{','.join(key.columns)}",
            why="they are part of the primary key",
            mend="Set its orphans to drop or keep",
        )
    if key.orphans is not None:
        return key.orphans
    if keep_orphans:
        return Orphans.KEEP
    nullable = all(table.columns[column].nullable for column in key.columns)
    return (
        Orphans.NULL if nullable and not set(key.columns) & set(table.primary_key) else Orphans.DROP
    )
