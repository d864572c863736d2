"""polars frames as Arrow tables and back, with the types that Arrow lacks."""

from __future__ import annotations

import json

import polars as pl
import pyarrow as pa

from simulacra.core.errors import InputError

_KEY = b"simulacra.polars"


def from_polars(frame: pl.DataFrame) -> pa.Table:
    """Return the frame as an Arrow table whose metadata says which columns are enums.

    Raises:
        InputError: A column is of a type that Arrow lacks.
    """
    try:
        table = frame.to_arrow()
    except Exception as error:
        raise InputError(
            "a column's type can't be read", why=str(error), mend="Cast it, as to Int64 or String"
        ) from error
    enums = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Enum)]
    # The categories are in the dictionaries; polars repeats them in the fields' metadata, where
    # they would be kept with whatever keeps the schema.
    fields = [field.remove_metadata() for field in table.schema]
    return table.cast(pa.schema(fields, {_KEY: json.dumps(enums)}))


def to_polars(table: pa.Table) -> pl.DataFrame:
    """Return the table as a polars frame."""
    enums = json.loads((table.schema.metadata or {}).get(_KEY, b"[]"))
    table = table.unify_dictionaries()
    plain = pa.schema([field.remove_metadata() for field in table.schema])
    frame = pl.DataFrame(table.cast(plain))
    casts = []
    for name in enums:
        kind = table.schema.field(name).type
        if pa.types.is_dictionary(kind):
            chunks = table.column(name).chunks
            categories = (
                chunks[0].dictionary if chunks else pa.array([], kind.value_type)
            ).to_pylist()
            casts.append(pl.col(name).cast(pl.Enum(categories)))
    return frame.with_columns(casts)
