"""From arrays as drivers give them to arrays of the types that tables have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Note = Callable[[str], None]
Convert = Callable[[pa.Array, Note], pa.Array]

_FIRST = np.datetime64("0001-01-01T00:00:00.000000", "us")
_LAST = np.datetime64("9999-12-31T23:59:59.999999", "us")
_DAY = 86_400_000_000
"""Microseconds."""
_MONTH_DAYS = 30
"""Days of a month in an interval, as PostgreSQL and DuckDB compare them."""


def to_type(kind: pa.DataType) -> Convert:
    """Cast to a type."""

    def convert(values: pa.Array, note: Note) -> pa.Array:
        del note
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        if pa.types.is_time(kind) and is_text(values.type):
            values = _clock(values)
        return values if values.type.equals(kind) else values.cast(kind)

    return convert


def is_text(kind: pa.DataType) -> bool:
    """Say whether values are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _clock(text: pa.Array) -> pa.Array:
    """Read times of day from text, which Arrow does only behind a day."""
    day, between = pa.scalar("1970-01-01T", pa.string()), pa.scalar("", pa.string())
    moments = pc.binary_join_element_wise(day, text.cast(pa.string()), between)
    return moments.cast(pa.timestamp("us")).cast(pa.time64("us"))


def decimal_from_text(kind: pa.DataType) -> Convert:
    """Cast text to decimals; what is no number, as NaN, becomes null."""
    cast = to_type(kind)

    def convert(values: pa.Array, note: Note) -> pa.Array:
        try:
            return cast(values, note)
        except pa.ArrowInvalid:
            finite = pc.match_substring_regex(values, r"^[-+0-9.eE]*$")
            note("holds NaN or infinity: read as null")
            return cast(pc.if_else(finite, values, pa.scalar(None, values.type)), note)

    return convert


def moments_from_text(kind: pa.DataType) -> Convert:
    """Read dates and times as ISO 8601 text; days that there are not, as 0000-00-00, become null.

    Times with a zone are taken to be UTC.
    """
    zone = pa.types.is_timestamp(kind) and kind.tz is not None
    cast = to_type(pa.timestamp(kind.unit) if zone else kind)

    def convert(values: pa.Array, note: Note) -> pa.Array:
        text = values.cast(pa.string())
        try:
            found = cast(text, note)
        except pa.ArrowInvalid:
            note("holds days or times that there are not, as 0000-00-00: read as null")
            real = [value if value and _is_moment(value) else None for value in text.to_pylist()]
            found = cast(pa.array(real, pa.string()), note)
        return found.cast(kind) if zone else found

    return convert


def _is_moment(text: str) -> bool:
    for known in (datetime, time):
        with suppress(ValueError):
            known.fromisoformat(text)
            return True
    return False


def bounded(kind: pa.DataType) -> Convert:
    """Cast to dates or timestamps, and move what lies outside the years 1 to 9999 to their ends."""
    cast = to_type(kind)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return cast  # there is room for the years 1677 to 2262 only
    raw = pa.int32() if pa.types.is_date32(kind) else pa.int64()
    unit = "D" if pa.types.is_date32(kind) else kind.unit
    first, last = (int(moment.astype(f"datetime64[{unit}]").astype(np.int64)) for moment in _ENDS)

    def convert(values: pa.Array, note: Note) -> pa.Array:
        values = cast(values, note)
        counts = values.view(raw)
        found = pc.min_max(counts).as_py()
        if found["min"] is None or (found["min"] >= first and found["max"] <= last):
            return values
        note("holds infinity, or moments outside the years 1 to 9999: read as their first or last")
        clipped = pc.max_element_wise(pc.min_element_wise(counts, last, skip_nulls=False), first,
                                      skip_nulls=False)  # fmt: skip
        return clipped.cast(raw).view(kind)

    return convert


_ENDS = (_FIRST, _LAST)


def time_of_day(values: pa.Array, note: Note) -> pa.Array:
    """Cast to times of day; 24:00 becomes the last microsecond."""
    values = to_type(pa.time64("us"))(values, note)
    counts = values.view(pa.int64())
    if (pc.max(counts).as_py() or 0) < _DAY:
        return values
    note("holds 24:00: read as the last microsecond of the day")
    last = pa.scalar(_DAY - 1, pa.int64())
    return pc.min_element_wise(counts, last, skip_nulls=False).view(pa.time64("us"))


_INTERVAL = np.dtype([("months", "i4"), ("days", "i4"), ("nanoseconds", "i8")])


def duration(values: pa.Array, note: Note) -> pa.Array:
    """Turn intervals of months, days and nanoseconds into microseconds, a month as 30 days."""
    if pa.types.is_duration(values.type):
        return values.cast(pa.duration("us"))
    whole = np.frombuffer(values.buffers()[1], _INTERVAL, len(values), 16 * values.offset)
    valid = np.asarray(values.is_valid())
    months = np.where(valid, whole["months"], 0).astype(np.int64)
    if months.any():
        note(f"holds months: read as {_MONTH_DAYS} days each")
    days = months * _MONTH_DAYS + np.where(valid, whole["days"], 0)
    counts = days * _DAY + np.where(valid, whole["nanoseconds"], 0) // 1000
    return pa.array(counts, pa.int64(), mask=~valid).view(pa.duration("us"))


def items_of(convert: Convert, kind: pa.DataType) -> Convert:
    """Convert the items of lists."""

    def convert_items(values: pa.Array, note: Note) -> pa.Array:
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        items = convert(values.flatten(), note)
        lengths = pc.fill_null(pc.list_value_length(values), 0)
        offsets = np.concatenate([[0], np.cumsum(np.asarray(lengths), dtype=np.int32)])
        return pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), items, type=kind, mask=values.is_null()
        )

    return convert_items
