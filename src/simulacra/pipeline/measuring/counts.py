"""Keys counted over all rows: repetitions, orphans, children per parent.

The keys of a table are indexed in memory, some 24 bytes each. Where that is more than a share of
the memory allowed, they are counted in several passes, in each those whose hash is in one part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.progress import Task
from simulacra.core.protocols import BatchSource
from simulacra.core.references import KeyCounts, Reference, ReferenceCounts
from simulacra.pipeline.relations.keys.forms import KeyForm
from simulacra.pipeline.relations.keys.index import KeyIndex
from simulacra.pipeline.relations.parent_rows import NULL, ORPHAN

_BYTES_PER_KEY = 48
"""While keys are indexed: two words, two slots, and room to grow."""
_MEMORY_SHARE = 0.25
_BATCH_ROWS = 1 << 18
_MIX = np.uint64(0x9E3779B97F4A7C15)

Key = tuple[str, tuple[str, ...]]
"""A table and the columns of one of its keys."""


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts the keys of one side.

    Attributes:
        sources: The tables, of plain layouts.
        rows: How many rows each has.
        ctx: Limits and progress.
    """

    sources: Mapping[str, BatchSource]
    rows: Mapping[str, int]
    ctx: RunContext

    def key(self, key: Key) -> KeyCounts:
        """Count a key by itself."""
        parts = self._parts([key])
        with self.ctx.progress.task(f"Counting keys of {key[0]}", self.rows[key[0]]) as task:
            counts = [_key_counts(self._index(key, p, parts, task)) for p in range(parts)]
        return _key_sum(counts)

    def references(
        self, references: Sequence[Reference]
    ) -> tuple[dict[Reference, ReferenceCounts], dict[Key, KeyCounts]]:
        """Count references, and the keys that they refer to."""
        keys = list(dict.fromkeys((ref.parent, ref.parent_columns) for ref in references))
        tables = list(dict.fromkeys(reference.table for reference in references))
        counted: dict[Reference, list[ReferenceCounts]] = {ref: [] for ref in references}
        of_keys: dict[Key, list[KeyCounts]] = {key: [] for key in keys}
        parts = self._parts(keys)
        total = sum(self.rows[table] for table, _ in keys) + sum(self.rows[t] for t in tables)
        with self.ctx.progress.task("Following keys", total) as task:
            for part in range(parts):
                indexes = dict(zip(keys, self._indexes(keys, part, parts, task), strict=True))
                for key, index in indexes.items():
                    of_keys[key].append(_key_counts(index))
                for found in self._followed(references, tables, indexes, part, parts, task):
                    for reference, counts in found.items():
                        counted[reference].append(counts)
        return (
            {reference: _reference_sum(counts) for reference, counts in counted.items()},
            {key: _key_sum(counts) for key, counts in of_keys.items()},
        )

    def _parts(self, keys: Sequence[Key]) -> int:
        needed = sum(self.rows[table] for table, _ in keys) * _BYTES_PER_KEY
        return max(1, -int(-needed // (self.ctx.limits.memory * _MEMORY_SHARE)))

    def _indexes(
        self, keys: Sequence[Key], part: int, parts: int, task: Task
    ) -> Iterator[KeyIndex]:
        return self.ctx.map(lambda key: self._index(key, part, parts, task), keys)

    def _index(self, key: Key, part: int, parts: int, task: Task) -> KeyIndex:
        table, columns = key
        source = self.sources[table]

        def read() -> Iterator[pa.RecordBatch]:
            forms = _forms(source, columns, table) if parts > 1 else ()
            for batch in source.batches(columns, batch_rows=_BATCH_ROWS):
                if not part:
                    task.advance(batch.num_rows)
                yield _of_part(batch, columns, forms, table, part, parts)

        rows = self.rows[table] if parts == 1 else None
        return KeyIndex.build(read(), columns, where=table, rows=rows)

    def _followed(
        self,
        references: Sequence[Reference],
        tables: Sequence[str],
        indexes: Mapping[Key, KeyIndex],
        part: int,
        parts: int,
        task: Task,
    ) -> Iterator[dict[Reference, ReferenceCounts]]:
        def follow(table: str) -> dict[Reference, ReferenceCounts]:
            tallies = {
                ref: _Tally.of(ref, indexes[ref.parent, ref.parent_columns])
                for ref in references
                if ref.table == table
            }
            forms = {
                ref: _forms(self.sources[ref.parent], ref.parent_columns, ref.parent)
                for ref in (tallies if parts > 1 else ())
            }
            columns = list(dict.fromkeys(c for ref in tallies for c in columns_of(ref)))
            for batch in self.sources[table].batches(columns, batch_rows=_BATCH_ROWS):
                if not part:
                    task.advance(batch.num_rows)
                for ref, tally in tallies.items():
                    near = batch if ref.when is None else batch.filter(meant(batch, ref.when))
                    tally.add(_of_part(near, ref.columns, forms.get(ref, ()), table, part, parts))
            return {reference: tally.counts() for reference, tally in tallies.items()}

        return self.ctx.map(follow, tables)


def columns_of(reference: Reference) -> tuple[str, ...]:
    """Return the columns to read to follow a reference."""
    return (*reference.columns, *([reference.when[0]] if reference.when else []))


def meant(rows: pa.RecordBatch | pa.Table, when: tuple[str, str]) -> pa.Array | pa.ChunkedArray:
    """Say which rows have this text in this column."""
    column, value = when
    return pc.equal(rows.column(column).cast(pa.large_string()), value).fill_null(False)  # noqa: FBT003 - Arrow's own signature


@dataclass(slots=True)
class _Tally:
    """What has been seen of a reference.

    Attributes:
        reference: The reference.
        index: The keys of its parent.
        children: How many rows name each row of the parent, shape ``(parents,)``.
    """

    reference: Reference
    index: KeyIndex
    children: NDArray[np.int32]
    rows: int = 0
    nulls: int = 0
    orphans: int = 0

    @classmethod
    def of(cls, reference: Reference, index: KeyIndex) -> _Tally:
        return cls(reference, index, np.zeros(index.rows, np.int32))

    def add(self, batch: pa.RecordBatch) -> None:
        found = self.index.rows_of(batch, self.reference.columns, where=self.reference.table)
        self.rows += len(found)
        self.nulls += int(np.count_nonzero(found == NULL))
        self.orphans += int(np.count_nonzero(found == ORPHAN))
        np.add.at(self.children, found[found >= 0], np.int32(1))

    def counts(self) -> ReferenceCounts:
        children, parents = np.unique(self.children[self.children > 0], return_counts=True)
        childless = self.index.keys - int(parents.sum())
        return ReferenceCounts(
            self.rows,
            self.nulls,
            self.orphans,
            np.concatenate([[0], children]).astype(np.int64),
            np.concatenate([[childless], parents]).astype(np.int64),
        )


def _reference_sum(counts: Sequence[ReferenceCounts]) -> ReferenceCounts:
    children, places = np.unique(np.concatenate([c.children for c in counts]), return_inverse=True)
    parents = np.zeros(len(children), np.int64)
    np.add.at(parents, places, np.concatenate([c.parents for c in counts]))
    # 0 is there only if a parent without children is.
    there = parents > 0
    return ReferenceCounts(
        sum(c.rows for c in counts),
        sum(c.nulls for c in counts),
        sum(c.orphans for c in counts),
        children[there],
        parents[there],
    )


def _key_counts(index: KeyIndex) -> KeyCounts:
    return KeyCounts(index.rows, index.rows - index.keys - index.duplicates, index.duplicates)


def _key_sum(counts: Sequence[KeyCounts]) -> KeyCounts:
    return KeyCounts(
        sum(c.rows for c in counts), sum(c.nulls for c in counts), sum(c.repeats for c in counts)
    )


def _forms(source: BatchSource, columns: Sequence[str], where: str) -> tuple[KeyForm, ...]:
    return tuple(KeyForm.of(source.schema.field(name).type, f"{where}.{name}") for name in columns)


def _of_part(
    batch: pa.RecordBatch,
    columns: Sequence[str],
    forms: Sequence[KeyForm],
    where: str,
    part: int,
    parts: int,
) -> pa.RecordBatch:
    """Return the rows whose key is in one part; rows with a null are in any, but in one only."""
    if parts == 1:
        return batch
    mixed = np.zeros(batch.num_rows, np.uint64)
    for name, form in zip(columns, forms, strict=True):
        for word in form.words(batch.column(name), f"{where}.{name}").words.T:
            mixed = (mixed ^ word) * _MIX
            mixed ^= mixed >> np.uint64(29)
    return batch.filter(pa.array((mixed >> np.uint64(32)) % np.uint64(parts) == part))
