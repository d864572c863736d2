"""Values of types that Arrow has no kernels for, as values of others that it has them for."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def plain(column: pa.Array) -> pa.Array:
    """Return the same values in a type that can be compared and sorted."""
    kind = plain_type(column.type)
    return column if kind == column.type else column.cast(kind)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type of :func:`plain` values."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return pa.decimal128(38, kind.scale)
    return kind


def as_type(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Return values in another type, a dictionary's too.

    Raises:
        ArrowInvalid: The type can't hold them.
    """
    if pa.types.is_dictionary(kind) and values.type != kind:
        return values.cast(kind.value_type).dictionary_encode().cast(kind)
    return values.cast(kind)


def same(one: pa.Array, other: pa.Array) -> pa.BooleanArray:
    """Say for each row whether two values of one type are equal, both NaN or both null."""
    one, other = plain(one), plain(other)
    found = pc.fill_null(pc.equal(one, other), fill_value=False)
    if pa.types.is_floating(one.type):
        both_nan = pc.and_(pc.is_nan(one), pc.is_nan(other))
        found = pc.or_(found, pc.fill_null(both_nan, fill_value=False))
    return pc.or_(found, pc.and_(one.is_null(), other.is_null()))


def typed(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Return values as people write them in a column's plain type.

    Dates and times are texts (``2024-01-31``, ``09:30``), durations are in seconds.

    Raises:
        ValueError: One is no value of the type.
    """
    kind = plain_type(kind)
    try:
        if pa.types.is_time(kind):
            times = [time.fromisoformat(v) if isinstance(v, str) else v for v in values]
            return pa.array(times).cast(kind)
        if pa.types.is_duration(kind):
            spans = [timedelta(seconds=v) if isinstance(v, int | float) else v for v in values]
            return pa.array(spans).cast(kind)
        return pa.array(values).cast(kind)
    except (pa.ArrowException, OverflowError, TypeError) as error:
        raise ValueError(str(error).splitlines()[0]) from error
