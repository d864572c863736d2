"""A nested source seen flat: its flat columns, or the items of one of its lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from simulacra.core.protocols import BLOCK_ROWS, BatchSource
from simulacra.pipeline.nesting import Layout


class FlatSource:
    """The flat columns of a source.

    Args:
        source: The rows, nested or not.
        layout: How they lie flat.
    """

    def __init__(self, source: BatchSource, layout: Layout) -> None:
        self._source = source
        self._layout = layout
        self.schema: pa.Schema = layout.split(_no_rows(source.schema))[0].schema

    def rows(self) -> int | None:
        """Return the number of rows, if known."""
        return self._source.rows()

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield flat batches in order."""
        if self._layout.is_flat:
            yield from self._source.batches(columns, batch_rows=batch_rows)
            return
        for batch in self._source.batches(batch_rows=batch_rows):
            rows = self._layout.split(batch)[0]
            yield rows if columns is None else rows.select(list(columns))


class ItemSource:
    """The items of one list column, as found.

    Args:
        source: The rows that have the list.
        layout: How they lie flat.
        name: The list's flat name.
    """

    def __init__(self, source: BatchSource, layout: Layout, name: str) -> None:
        self._source = source
        self._layout = layout
        self._name = name
        self.schema: pa.Schema = layout.split(_no_rows(source.schema))[1][name].schema

    def rows(self) -> None:
        """Return None: lists aren't counted ahead."""
        return

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield batches of items in order."""
        for batch in self._source.batches(batch_rows=batch_rows):
            items = self._layout.split(batch)[1][self._name]
            yield items if columns is None else items.select(list(columns))


def _no_rows(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)
