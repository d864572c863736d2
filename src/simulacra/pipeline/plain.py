"""Arrow's newer layouts (views, run ends) as the plain ones, for which every kernel exists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.protocols import BLOCK_ROWS, BatchSource

_PLAIN_LEAVES = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
_LIST_VIEWS = (pa.types.is_list_view, pa.types.is_large_list_view)


class PlainSource:
    """A source whose columns of newer layouts are rewritten.

    Attributes:
        schema: The schema of its batches.
        as_found: The schema of the source.
    """

    def __init__(self, source: BatchSource) -> None:
        self._source = source
        self.as_found: pa.Schema = source.schema
        self.schema: pa.Schema = pa.schema(
            [field.with_type(plain_type(field.type)) for field in source.schema],
            metadata=source.schema.metadata,
        )

    def rows(self) -> int | None:
        """Return the number of rows, if known."""
        return self._source.rows()

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order."""
        for batch in self._source.batches(columns, batch_rows=batch_rows):
            schema = pa.schema([self.schema.field(name) for name in batch.schema.names])
            arrays = [
                _plain_array(column, kind)
                for column, kind in zip(batch.columns, schema.types, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def plain(source: BatchSource) -> BatchSource:
    """Return the source itself, or one whose columns are of plain layouts."""
    kinds = source.schema.types
    return source if all(plain_type(kind) == kind for kind in kinds) else PlainSource(source)


def schema_as_found(source: BatchSource) -> pa.Schema:
    """Return the schema of a source before :func:`plain`."""
    return source.as_found if isinstance(source, PlainSource) else source.schema


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the plain type that holds the same values."""
    if pa.types.is_run_end_encoded(kind):
        return plain_type(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(field) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(_plain_field(kind.value_field))
    if any(test(kind) for test in (pa.types.is_large_list, *_LIST_VIEWS)):
        return pa.large_list(_plain_field(kind.value_field))
    return _PLAIN_LEAVES.get(kind, kind)


def _plain_field(field: pa.Field) -> pa.Field:
    return field.with_type(plain_type(field.type))


def _plain_array(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if pa.types.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    return column.cast(kind)
