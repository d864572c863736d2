"""Generic types (:mod:`..origin` lists the kinds): those of Arrow, and which hold what."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

Generic = dict[str, Any]
"""What a type means, whatever a database calls it."""

_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}


def generic_of_arrow(kind: pa.DataType) -> Generic:
    """Return what an Arrow type means."""
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(kind)
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return generic_of_arrow(kind.value_type)
    if pa.types.is_boolean(kind):
        return {"kind": "boolean"}
    if pa.types.is_temporal(kind):
        return _of_temporal(kind)
    return _of_number(kind) or _of_variable(kind)


def _of_number(kind: pa.DataType) -> Generic | None:
    if pa.types.is_integer(kind):
        unsigned = {"unsigned": True} if pa.types.is_unsigned_integer(kind) else {}
        return {"kind": "integer", "bits": kind.bit_width, **unsigned}
    if pa.types.is_decimal(kind):
        scale = max(kind.scale, 0)
        return {"kind": "decimal", "precision": kind.precision + scale - kind.scale, "scale": scale}
    if pa.types.is_floating(kind):
        return {"kind": "float", "bits": max(kind.bit_width, 32)}
    return None


def _of_extension(kind: pa.BaseExtensionType) -> Generic:
    known: dict[str, Generic] = {"arrow.uuid": {"kind": "uuid"}, "arrow.json": {"kind": "json"}}
    return known.get(kind.extension_name) or generic_of_arrow(kind.storage_type)


def _of_temporal(kind: pa.DataType) -> Generic:
    if pa.types.is_date(kind):
        return {"kind": "date"}
    if pa.types.is_time(kind):
        return {"kind": "time", "digits": _DIGITS[kind.unit]}
    if pa.types.is_timestamp(kind):
        zone = {"zone": True} if kind.tz is not None else {}
        return {"kind": "timestamp", "digits": _DIGITS[kind.unit], **zone}
    return {"kind": "interval"}


def _of_variable(kind: pa.DataType) -> Generic:
    if pa.types.is_fixed_size_binary(kind):
        return {"kind": "binary", "length": kind.byte_width, "fixed": True}
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return {"kind": "binary"}
    if pa.types.is_fixed_size_list(kind):
        items = generic_of_arrow(kind.value_type)
        return {"kind": "array", "items": items, "length": kind.list_size}
    if is_list(kind):
        return {"kind": "array", "items": generic_of_arrow(kind.value_type)}
    if pa.types.is_nested(kind):
        return {"kind": "nested"}
    return {"kind": "text"}


def is_list(kind: pa.DataType) -> bool:
    """Say whether a type is a list of any layout; a map is none."""
    tests = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(test(kind) for test in tests)


# --- from one store to another -----------------------------------------------------------------

_ANY_TEXT = {"text", "enum", "set", "uuid", "json", "bits", "interval", "time", "other", "nested"}
_HOLDERS: dict[str, set[str]] = {
    "boolean": {"boolean", "integer", "bits", "text", "other"},
    "integer": {"integer", "decimal", "float", "boolean", "interval", "text", "other"},
    "decimal": {"decimal", "float", "text", "other"},
    "float": {"float", "decimal", "text", "other"},
    "date": {"date", "timestamp", "text", "other"},
    "time": {"time", "interval", "text", "other"},
    "timestamp": {"timestamp", "text", "other"},
    "interval": {"interval", "integer", "time", "text", "other"},
    "binary": {"binary", "uuid", "other"},
    "array": {"array", "json", "nested", "text", "other"},
    "nested": {"nested", "json", "text", "other"},
    "json": {"json", "text", "other"},
    "uuid": {"uuid", "text", "other"},
    "text": _ANY_TEXT,
}


def holds(generic: Generic, arrow: pa.DataType) -> bool:
    """Say whether a column of a generic type can hold values of an Arrow type as they are."""
    found = generic_of_arrow(arrow)
    if generic["kind"] == found["kind"] == "array":
        return is_list(arrow) and holds(generic["items"], arrow.value_type)
    return generic["kind"] in _HOLDERS[found["kind"]]


def refined(generic: Generic, arrow: pa.DataType) -> Generic:
    """Return a generic type with what only the Arrow type tells: the digits of a decimal."""
    if generic["kind"] == "decimal" and "precision" not in generic:
        found = generic_of_arrow(arrow)
        return found if found["kind"] in {"decimal", "integer", "text"} else generic
    if generic["kind"] == "array" and is_list(arrow):
        return {**generic, "items": refined(generic["items"], arrow.value_type)}
    return generic


def common(one: Generic, other: Generic) -> Generic:
    """Return the type for two columns of which one refers to the other: the wider one.

    Some databases want a foreign key's type to be that of the key it refers to.
    """
    if one["kind"] == other["kind"] == "integer":
        bits = max(one["bits"], other["bits"])
        if bool(one.get("unsigned")) == bool(other.get("unsigned")):
            return {**one, "bits": bits}
        signed = next(g["bits"] for g in (one, other) if not g.get("unsigned"))
        unsigned = next(g["bits"] for g in (one, other) if g.get("unsigned"))
        return {"kind": "integer", "bits": min(max(signed, 2 * unsigned), 128)}
    if one["kind"] == other["kind"] == "decimal" and "precision" in one and "precision" in other:
        scale = max(one["scale"], other["scale"])
        whole = max(g["precision"] - g["scale"] for g in (one, other))
        return {"kind": "decimal", "precision": whole + scale, "scale": scale}
    return other
