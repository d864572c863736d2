"""Sources seen by row number: which rows a sample holds, some of the rows, given rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.compiled import Ints
from simulacra.core.protocols import BLOCK_ROWS, BatchSource
from simulacra.pipeline.relations.columns import one_array, take_values
from simulacra.pipeline.relations.parent_rows import Rows

_NUMBER = "row"


class RowNumbers:
    """The row numbers of a table, as a table of their own: a sample of it tells which rows it took.

    Args:
        count: How many rows there are.
        known: Whether the table says so (a sampler goes by that).
    """

    schema: pa.Schema = pa.schema([(_NUMBER, pa.int64())])

    def __init__(self, count: int, *, known: bool) -> None:
        self._count = count
        self._known = known

    def rows(self) -> int | None:
        """Return the number of rows, if the table knows it."""
        return self._count if self._known else None

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the numbers in order."""
        del columns
        for start in range(0, self._count, batch_rows):
            numbers = np.arange(start, min(start + batch_rows, self._count))
            yield pa.RecordBatch.from_arrays([pa.array(numbers)], schema=self.schema)


class RemainingRows:
    """A source without some of its rows.

    Args:
        source: The source.
        keep: Which rows remain, shape ``(rows,)``.
    """

    def __init__(self, source: BatchSource, keep: NDArray[np.bool_]) -> None:
        self._source = source
        self._keep = keep
        self.schema: pa.Schema = source.schema

    def rows(self) -> int:
        """Return how many remain."""
        return int(self._keep.sum())

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows that remain."""
        start = 0
        for batch in self._source.batches(columns, batch_rows=batch_rows):
            keep = self._keep[start : start + batch.num_rows]
            start += batch.num_rows
            yield batch if keep.all() else batch.filter(pa.array(keep))


def count_rows(source: BatchSource) -> int:
    """Return the number of rows of a source, reading one column if need be."""
    known = source.rows()
    if known is not None:
        return known
    return sum(batch.num_rows for batch in source.batches(source.schema.names[:1]))


def is_empty(source: BatchSource) -> bool:
    """Say whether a source has no rows, reading the first at most."""
    known = source.rows()
    if known is not None:
        return known == 0
    return not any(batch.num_rows for batch in source.batches(source.schema.names[:1]))


def take_rows(source: BatchSource, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
    """Return some rows of a source, reading it once.

    Args:
        source: The source.
        rows: Their numbers, rising, shape ``(wanted,)``.
        columns: The columns wanted.
    """
    schema = pa.schema([source.schema.field(name) for name in columns])
    taken = []
    start = 0
    for batch in source.batches(list(columns)):
        first, last = np.searchsorted(rows, [start, start + batch.num_rows])
        if last > first:
            taken.append(batch.take(pa.array(rows[first:last] - start)))
        start += batch.num_rows
        if last == len(rows):
            break
    return pa.Table.from_batches(taken, schema)


def values_of(
    source: BatchSource, asked: Sequence[tuple[Rows | Ints, Iterable[str]]]
) -> list[dict[str, pa.Array]]:
    """Return values of rows of a source, reading it once; null where there is no row.

    Args:
        source: The source.
        asked: Row numbers in any order, negative for none, shape ``(rows,)``, and the columns
            wanted of them.
    """
    names = list(dict.fromkeys(name for _, columns in asked for name in columns))
    wanted = np.unique(np.concatenate([rows[rows >= 0] for rows, _ in asked])).astype(np.int64)
    taken = take_rows(source, wanted, names)
    values = {name: one_array(taken.column(name)) for name in names}
    found = []
    for rows, columns in asked:
        at = np.where(rows >= 0, np.searchsorted(wanted, np.maximum(rows, 0)), -1)
        places = at.astype(np.int32)
        found.append({name: take_values(values[name], places) for name in columns})
    return found
