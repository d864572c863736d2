"""Aggregates of the children of some parents, over all rows of the children's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.compiled import Floats, Ints
from simulacra.core.protocols import BatchSource
from simulacra.core.references import Reference
from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import as_labels, as_numbers, lengths
from simulacra.pipeline.conform import conform
from simulacra.pipeline.measuring.counts import meant
from simulacra.pipeline.measuring.plan import Plan
from simulacra.pipeline.relations.keys.index import KeyIndex

COUNT = "count"
_TIMES = frozenset({"date", "datetime", "time"})
_BATCH_ROWS = 1 << 17
_PAIRS_AT_ONCE = 1 << 20


def aggregate_children(
    source: BatchSource,
    parents: dict[Reference, pa.Table],
    leaves: Sequence[Leaf],
    *,
    side: str,
    plan: Plan,
) -> dict[Reference, pa.Table]:
    """Aggregate a table by each of several references, reading it once.

    Args:
        source: The children, of plain layouts.
        parents: For each reference the parents' keys.
        leaves: How the children's columns are compared.
        side: What the side is called.
        plan: Specification, limits and progress.

    Returns:
        For each reference a row for each parent; all columns are float64.
    """
    table = next(iter(parents)).table
    spec = plan.read(table)
    groups = {ref: _Group(ref, keys, leaves) for ref, keys in parents.items()}
    with plan.ctx.progress.task(f"Aggregating {side} rows of {table}", source.rows()) as task:
        for batch in source.batches(list(spec.columns), batch_rows=_BATCH_ROWS):
            task.advance(batch.num_rows)
            for group in groups.values():
                places = group.places(batch)
                chosen = np.flatnonzero(places >= 0)
                if len(chosen):
                    rows = pa.Table.from_batches([batch.take(pa.array(chosen))])
                    group.add(places[chosen], conform(rows, spec, table, side))
    return {reference: group.finish() for reference, group in groups.items()}


class _Group:
    """The children of some parents by one reference."""

    def __init__(self, reference: Reference, keys: pa.Table, leaves: Sequence[Leaf]) -> None:
        self._reference = reference
        self._index = KeyIndex.build(
            iter(keys.to_batches()), keys.column_names, where=reference.parent, rows=keys.num_rows
        )
        self._size = keys.num_rows
        self._count = np.zeros(self._size)
        self._columns = [_Column.of(leaf, self._size) for leaf in leaves]

    def places(self, batch: pa.RecordBatch) -> Ints:
        """Return the parent of each row, negative without one."""
        reference = self._reference
        places = self._index.rows_of(batch, reference.columns, where=reference.table)
        if reference.when is not None:
            places[~meant(batch, reference.when).to_numpy(zero_copy_only=False)] = -1
        return places

    def add(self, places: Ints, rows: pa.Table) -> None:
        """Take the next children."""
        np.add.at(self._count, places, 1.0)
        for column in self._columns:
            column.add(places, rows)

    def finish(self) -> pa.Table:
        """Return the aggregates."""
        found = {COUNT: self._count}
        for column in self._columns:
            found |= dict(column.finish(self._count))
        columns = {name: pa.array(values, from_pandas=True) for name, values in found.items()}
        return pa.table(columns)


class _Column:
    """Aggregates of one column."""

    def __init__(self, leaf: Leaf, size: int) -> None:
        self.leaf = leaf
        self.filled = np.zeros(size)

    @staticmethod
    def of(leaf: Leaf, size: int) -> _Column:
        """Return what a column of this kind is aggregated by."""
        return _Categories(leaf, size) if leaf.kind is Kind.CATEGORY else _Amounts(leaf, size)

    def add(self, places: Ints, rows: pa.Table) -> None:
        """Take the next children."""
        raise NotImplementedError

    def finish(self, count: Floats) -> Iterator[tuple[str, Floats]]:
        """Yield names and values, NaN where there are none."""
        if self.leaf.spec.nullable:
            yield f"share of null {self.leaf.name}", _share(count - self.filled, count)


class _Amounts(_Column):
    """Numbers and times, and lengths of texts."""

    def __init__(self, leaf: Leaf, size: int) -> None:
        super().__init__(leaf, size)
        self.total = np.zeros(size)
        self.least = np.full(size, np.inf)
        self.most = np.full(size, -np.inf)

    def add(self, places: Ints, rows: pa.Table) -> None:
        """Add up in the order of rows, so that the result doesn't depend on batches."""
        values = self.leaf.values(rows)
        numbers = (
            lengths(values) if self.leaf.kind is Kind.LENGTH else as_numbers(values, self.leaf.spec)
        )
        there = ~numbers.null
        at, present = places[there], numbers.values[there].astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            np.add.at(self.total, at, present)
        np.add.at(self.filled, at, 1.0)
        np.minimum.at(self.least, at, present)
        np.maximum.at(self.most, at, present)

    def finish(self, count: Floats) -> Iterator[tuple[str, Floats]]:
        """Yield the mean; of times the first and the last as well."""
        name = self.leaf.name
        what = "length of " if self.leaf.kind is Kind.LENGTH else ""
        yield f"mean {what}{name}", _share(self.total, self.filled)
        if self.leaf.spec.type in _TIMES:
            empty = self.filled == 0
            yield f"least {name}", np.where(empty, np.nan, self.least)
            yield f"greatest {name}", np.where(empty, np.nan, self.most)
        yield from super().finish(count)


class _Categories(_Column):
    """How many different values each parent's children have."""

    def __init__(self, leaf: Leaf, size: int) -> None:
        super().__init__(leaf, size)
        self._places: list[Ints] = []
        self._values: list[pa.ChunkedArray] = []
        self._held = 0
        self._after_merge = 0

    def add(self, places: Ints, rows: pa.Table) -> None:
        """Keep each pair of parent and value once."""
        values = self.leaf.values(rows)
        there = ~np.asarray(values.is_null(nan_is_null=True).combine_chunks())
        np.add.at(self.filled, places[there], 1.0)
        self._places.append(places[there])
        self._values.append(values.filter(pa.array(there)))
        self._held += int(there.sum())
        if self._held > 2 * self._after_merge + _PAIRS_AT_ONCE:
            self._merge()

    def finish(self, count: Floats) -> Iterator[tuple[str, Floats]]:
        """Yield the number of different values."""
        self._merge()
        pairs = np.concatenate([np.empty(0, np.int64), *self._places])
        different = np.bincount(pairs, minlength=len(count)).astype(np.float64)
        yield f"different {self.leaf.name}", different
        yield from super().finish(count)

    def _merge(self) -> None:
        if not self._places:
            return
        places = np.concatenate(self._places)
        values = pa.chunked_array([chunk for part in self._values for chunk in part.chunks])
        (labels,) = as_labels([values])
        _, first = np.unique(places * (int(labels.max(initial=0)) + 1) + labels, return_index=True)
        self._places, self._values = [places[first]], [values.take(pa.array(first))]
        self._held = self._after_merge = len(first)


def _share(parts: NDArray[np.float64], whole: NDArray[np.float64]) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, parts / whole, np.nan)
