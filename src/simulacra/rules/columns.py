"""Columns of samples and batches, by name."""

from __future__ import annotations

import pyarrow as pa

from simulacra.core.errors import SpecError


def column_of(sample: pa.Table, name: str) -> pa.Array:
    """Return a column as one array.

    Raises:
        SpecError: There is no such column.
    """
    index = sample.schema.get_field_index(name)
    if index < 0:
        raise SpecError(
            "there is no such column",
            where=name,
            mend=f"Choose from {', '.join(sample.column_names)}",
        )
    chunked = sample.column(index)
    if chunked.num_chunks == 1:
        return chunked.chunk(0)
    return pa.concat_arrays(chunked.chunks) if chunked.num_chunks else pa.array([], chunked.type)


def replace(batch: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    """Return the batch with other values, maybe of another type, in one of its columns."""
    index = batch.schema.get_field_index(name)
    field = pa.field(name, values.type, nullable=batch.schema.field(index).nullable)
    return batch.set_column(index, field, values)
