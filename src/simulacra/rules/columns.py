"""Columns of samples and batches, by name."""

from __future__ import annotations

import pyarrow as pa

from simulacra.core.errors import SpecError


def column_of(sample: pa.Table, name: str) -> pa.Array:
    """Return a column as one array.

    Raises:
        SpecError: There is no such column.
    """
    if name not in sample.column_names:
        raise SpecError(
            "there is no such column",
            where=name,
            mend=f"Choose from {', '.join(sample.column_names)}",
        )
    chunked = sample[name]
    return pa.concat_arrays(chunked.chunks) if chunked.num_chunks else pa.array([], chunked.type)


def replace(batch: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    """Return the batch with other values, maybe of another type, in one of its columns."""
    return batch.set_column(batch.schema.get_field_index(name), name, values)
