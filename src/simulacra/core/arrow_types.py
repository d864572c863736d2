"""Arrow types as text, for specifications people read and edit."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa

_TEMPORAL = re.compile(r"(timestamp|duration|time32|time64)\[(s|ms|us|ns)(?:, tz=(.+))?\]")
_DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)")
_DICTIONARY = re.compile(r"dictionary<values=(.+), indices=(\w+), ordered=([01])>")
_FIXED_BINARY = re.compile(r"fixed_size_binary\[(\d+)\]")
_ALIASES = {"float": "float32", "double": "float64", "halffloat": "float16"}
_DATES = {"date32[day]": pa.date32(), "date64[ms]": pa.date64()}
_DECIMALS = {"32": pa.decimal32, "64": pa.decimal64, "128": pa.decimal128, "256": pa.decimal256}


def type_to_text(arrow_type: pa.DataType) -> str:
    """Return the text of a leaf type, as ``int32`` or ``timestamp[us, tz=UTC]``."""
    text = str(arrow_type)
    return _ALIASES.get(text, text)


def type_from_text(text: str) -> pa.DataType:
    """Return the leaf type that :func:`type_to_text` named.

    Raises:
        ValueError: The text names no leaf type.
    """
    for pattern, make in _PARAMETRIC:
        if match := pattern.fullmatch(text):
            return make(*match.groups())
    if text in _DATES:
        return _DATES[text]
    return pa.type_for_alias(text)


def _temporal(kind: str, unit: str, zone: str | None) -> pa.DataType:
    if kind == "timestamp":
        return pa.timestamp(unit, tz=zone)
    return {"duration": pa.duration, "time32": pa.time32, "time64": pa.time64}[kind](unit)


def _decimal(bits: str, precision: str, scale: str) -> pa.DataType:
    return _DECIMALS[bits](int(precision), int(scale))


def _dictionary(values: str, indices: str, ordered: str) -> pa.DataType:
    return pa.dictionary(type_from_text(indices), type_from_text(values), ordered=ordered == "1")


def _binary(width: str) -> pa.DataType:
    return pa.binary(int(width))


_PARAMETRIC: tuple[tuple[re.Pattern[str], Callable[..., pa.DataType]], ...] = (
    (_TEMPORAL, _temporal),
    (_DECIMAL, _decimal),
    (_DICTIONARY, _dictionary),
    (_FIXED_BINARY, _binary),
)
