"""Masks applied to columns, and to parts of nested ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.errors import SpecError
from simulacra.core.schema import ColumnSpec

Change = Callable[[pa.Array], pa.Array]


def masked_array(
    values: pa.Array, column: ColumnSpec, path: str, changes: Mapping[str, Change], where: str
) -> pa.Array:
    """Return a column of which the leaves that are named are changed.

    Args:
        values: Some rows.
        column: What the specification says of it.
        path: Its name.
        changes: What to do with leaves, by path.
        where: The table, for messages.

    Raises:
        SpecError: A leaf is in a map or a list of fixed size.
    """
    if path in changes:
        return changes[path](values)
    if not any(name.startswith((f"{path}.", f"{path}[")) for name in changes):
        return values
    if column.fields is not None:
        parts = [
            masked_array(values.field(place), part, f"{path}.{name}", changes, where)
            for place, (name, part) in enumerate(column.fields.items())
        ]
        return pa.StructArray.from_arrays(parts, fields=list(values.type), mask=values.is_null())
    kind = values.type
    if column.items is None or not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        raise SpecError(
            f"items of {kind} can't be masked",
            where=f"{where}.{path}",
            mend="Leave the column as it is with --keep, or make it a list",
        )
    items = masked_array(values.flatten(), column.items, f"{path}[]", changes, where)
    lengths = pc.list_value_length(values).fill_null(0).to_numpy(zero_copy_only=False)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    offsets = pa.array(ends, pa.int64() if pa.types.is_large_list(kind) else pa.int32())
    return type(values).from_arrays(offsets, items, type=kind, mask=values.is_null())
