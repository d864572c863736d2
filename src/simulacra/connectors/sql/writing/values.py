"""Arrow values as databases write them in text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.connectors.sql.types.generic import is_list
from simulacra.core.errors import OutputError

TEXT = pa.large_string()
_HEX = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), np.uint16)
"""The two digits of each byte."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How a dialect writes values.

    Attributes:
        title: What it calls itself.
        true: Its word for true.
        false: Its word for false.
        bytes_prefix: What stands before the digits of bytes.
        zone: What stands behind moments that are instants.
        zero_bytes: Whether texts may hold zero bytes.
        extremes: Whether there are numbers beyond all others, and what is no number.
        arrays: Whether lists can be arrays; they are JSON otherwise.
        last_year: The last year that it knows.
    """

    title: str
    true: str = "1"
    false: str = "0"
    bytes_prefix: str = ""
    zone: str = ""
    zero_bytes: bool = True
    extremes: bool = False
    arrays: bool = False
    last_year: int = 9999


def plain(values: pa.Array) -> pa.Array:
    """Return values of a plain layout: no dictionary, view, run ends or extension."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        return plain(values.storage)
    if pa.types.is_dictionary(kind):
        return plain(values.dictionary_decode())
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(values))
    if pa.types.is_string_view(kind):
        return values.cast(TEXT)
    if pa.types.is_binary_view(kind):
        return values.cast(pa.large_binary())
    return values.cast(pa.float32()) if pa.types.is_float16(kind) else values


def as_text(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    """Return values as text, nulls as nulls; nothing is escaped.

    Args:
        values: The values, :func:`plain`.
        kind: Kind of the database's column, as ``json``.
        wording: How the database writes them.
        where: The column, for messages.

    Returns:
        Of Arrow's type ``large_string``.

    Raises:
        OutputError: The database can't hold a value.
    """
    for test, write in _WRITERS:
        if test(values.type):
            return write(values, kind, wording, where)
    return values.cast(TEXT)  # integers, decimals


_Writer = Callable[[pa.Array, str, Wording, str], pa.Array]


def _text(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    del kind
    values = values.cast(TEXT)
    data = values.buffers()[2]
    if not wording.zero_bytes and data is not None and data.to_pybytes().find(b"\0") >= 0:
        holding = pc.any(pc.match_substring(values, "\0")).as_py()  # the buffer may hold more
        if holding:
            raise OutputError(
                "a text has a zero byte",
                where=where,
                why=f"{wording.title} can't hold it",
                mend="Declare the column as binary in the specification",
            )
    return values


def _boolean(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    del where
    one, other = (wording.true, wording.false) if kind in {"boolean", "text"} else ("1", "0")
    return pc.if_else(values, pa.scalar(one, TEXT), pa.scalar(other, TEXT))


def _float(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    del kind
    return without_extremes(values, wording, where).cast(TEXT)


def without_extremes(values: pa.Array, wording: Wording, where: str) -> pa.Array:
    """Return numbers with null for what is no number, if a database doesn't know such.

    Raises:
        OutputError: It doesn't know infinity, either.
    """
    if wording.extremes:
        return values
    if pc.any(pc.is_inf(values)).as_py():
        raise OutputError(
            f"{wording.title} has no infinity",
            where=where,
            mend="Let the source hold nulls instead",
        )
    return pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)


def _date(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    del kind
    days = values.cast(pa.date32())
    _check_years(days.cast(pa.int32()), 1, wording, where)
    return days.cast(TEXT)


def _timestamp(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    del kind
    unit, zone = values.type.unit, values.type.tz
    wall = values.cast(pa.timestamp(unit))  # that of UTC
    if unit == "ns":
        wall = pc.floor_temporal(wall, unit="microsecond").cast(pa.timestamp("us"), safe=False)
        unit = "us"
    _check_years(wall.cast(pa.int64()), 86_400 * _SECOND[unit], wording, where)
    text = wall.cast(TEXT)
    if zone is None or not wording.zone:
        return text
    return pc.binary_join_element_wise(text, _scalar(wording.zone), _scalar(""))


_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def _check_years(ticks: pa.Array, day: int, wording: Wording, where: str) -> None:
    """Refuse moments before year 1 and after the last that a database knows."""
    found = pc.min_max(ticks).as_py()
    if found["min"] is None:
        return
    first, over = (
        int(np.datetime64(f"{year:04d}-01-01", "D").astype(np.int64)) * day
        for year in (1, wording.last_year + 1)
    )
    if found["min"] < first or found["max"] >= over:
        raise OutputError(
            f"{wording.title} knows the years 1 to {wording.last_year:,}, a value is beyond",
            where=where,
        )


def _time(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    del kind, wording, where
    if values.type.unit == "ns":
        micros = pc.floor(pc.divide(values.cast(pa.int64()), 1000)).cast(pa.int64())
        values = micros.cast(pa.time64("us"))
    return values.cast(TEXT)


def _duration(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    """Write spans of time as ``-12:34:56.000001``, or as a number where that is kept."""
    del wording, where
    ticks = values.cast(pa.int64())
    if kind == "integer":
        return ticks.cast(TEXT)
    second = _SECOND[values.type.unit]
    nulls = np.asarray(ticks.is_null())
    whole = np.asarray(ticks.fill_null(0), np.int64)
    # The least number has no opposite of its own sign.
    size = np.abs(whole).astype(np.uint64)
    seconds, rest = np.divmod(size, np.uint64(second))
    micros = rest * np.uint64(10**6) // np.uint64(second)
    parts = (
        pc.if_else(pa.array(whole < 0), "-", ""),
        pa.array(seconds // np.uint64(3600)).cast(pa.string()),
        *(
            pc.utf8_lpad(pa.array(part).cast(pa.string()), width, padding="0")
            for part, width in (
                (seconds // np.uint64(60) % np.uint64(60), 2),
                (seconds % np.uint64(60), 2),
                (micros, 6),
            )
        ),
    )
    sign, hours, minutes, rest_seconds, fraction = parts
    text = pc.binary_join_element_wise(
        pc.binary_join_element_wise(sign, hours, ""), minutes, rest_seconds, ":"
    )
    text = pc.binary_join_element_wise(text, fraction, ".").cast(TEXT)
    return pc.if_else(pa.array(nulls), pa.scalar(None, TEXT), text)


def _span(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    """Write spans of months, days and nanoseconds in PostgreSQL's own words."""
    del kind, wording, where
    return pa.array(
        [
            None
            if span is None
            else f"{span.months} months {span.days} days {_seconds(span.nanoseconds)} seconds"
            for span in values.to_pylist()
        ],
        TEXT,
    )


def _seconds(nanoseconds: int) -> str:
    sign = "-" if nanoseconds < 0 else ""
    whole, rest = divmod(abs(nanoseconds) // 1000, 10**6)
    return f"{sign}{whole}.{rest:06d}"


def _binary(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    """Write bytes as hexadecimal digits."""
    del where
    values = values.cast(pa.large_binary())
    offsets = np.frombuffer(values.buffers()[1], np.int64, len(values) + 1, 8 * values.offset)
    data = values.buffers()[2]
    raw = np.frombuffer(data if data is not None else b"", np.uint8)[offsets[0] : offsets[-1]]
    digits = pa.Array.from_buffers(
        TEXT,
        len(values),
        [None, pa.py_buffer(2 * (offsets - offsets[0])), pa.py_buffer(_HEX[raw])],
    )
    if kind == "uuid":
        ends = (0, 8, 12, 16, 20, 32)
        parts = [pc.utf8_slice_codeunits(digits, a, b) for a, b in pairwise(ends)]
        digits = pc.binary_join_element_wise(*parts, _scalar("-"))
    elif wording.bytes_prefix:
        digits = pc.binary_join_element_wise(_scalar(wording.bytes_prefix), digits, _scalar(""))
    return pc.if_else(values.is_null(), pa.scalar(None, TEXT), digits)


def _list(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    if kind != "array" or not wording.arrays:
        return _json(values, kind, wording, where)
    values = values.cast(pa.large_list(values.type.value_type))
    items = plain(values.flatten())
    inner = is_list(items.type)
    text = as_text(items, "array" if inner else "", wording, where)
    if not inner:
        for plain_sign in ("\\", '"'):
            text = pc.replace_substring(text, plain_sign, f"\\{plain_sign}")
        text = pc.binary_join_element_wise(_scalar('"'), text, _scalar('"'), _scalar(""))
    text = pc.fill_null(text, "NULL")
    lengths = pc.fill_null(pc.list_value_length(values), 0)
    offsets = np.concatenate(([0], np.cumsum(np.asarray(lengths, np.int64))))
    joined = pc.binary_join(
        pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), text.cast(TEXT)), _scalar(",")
    )
    joined = pc.binary_join_element_wise(_scalar("{"), joined, _scalar("}"), _scalar(""))
    return pc.if_else(values.is_null(), pa.scalar(None, TEXT), joined)


def _json(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    del kind, wording, where
    texts = [
        None
        if value is None
        else json.dumps(_jsonable(value, values.type), ensure_ascii=False, default=str)
        for value in values.to_pylist()
    ]
    return pa.array(texts, TEXT)


def _jsonable(value: Any, kind: pa.DataType) -> Any:
    if value is None:
        return None
    if is_list(kind):
        return [_jsonable(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return {field.name: _jsonable(value[field.name], field.type) for field in kind}
    if pa.types.is_map(kind):
        return {str(key): _jsonable(item, kind.item_type) for key, item in value}
    if isinstance(value, float) and not np.isfinite(value):
        return None  # JSON has none of these
    return value.hex() if isinstance(value, bytes) else value


def _null(values: pa.Array, kind: str, wording: Wording, where: str) -> pa.Array:
    del kind, wording, where
    return pa.nulls(len(values), TEXT)


def _scalar(text: str) -> pa.Scalar:
    return pa.scalar(text, TEXT)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Say whether a type is bytes, of a fixed number or not."""
    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


_WRITERS: tuple[tuple[Callable[[pa.DataType], bool], _Writer], ...] = (
    (_is_text, _text),
    (pa.types.is_boolean, _boolean),
    (pa.types.is_floating, _float),
    (pa.types.is_date, _date),
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_time, _time),
    (pa.types.is_duration, _duration),
    (pa.types.is_interval, _span),
    (is_bytes, _binary),
    (is_list, _list),
    (pa.types.is_nested, _json),
    (pa.types.is_null, _null),
)
