"""From generic types to those that come nearest in a database."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from simulacra.connectors.sql.types.generic import Generic, generic_of_arrow, is_list
from simulacra.connectors.sql.types.spelling import TYPES, Types, type_name


def fitted(generic: Generic, arrow: pa.DataType, dialect: str) -> tuple[Generic, str]:
    """Return the type that comes nearest in a dialect, and what is lost, empty if nothing is.

    Args:
        generic: What a column means.
        arrow: The type of its values.
        dialect: Name of the dialect.
    """
    types = TYPES[dialect]
    kind = generic["kind"]
    if kind in _FITTED:
        return _FITTED[kind](generic, arrow, types)
    if kind == "array" and "array" in types.names:
        items = arrow.value_type if is_list(arrow) else pa.string()
        item, lost = fitted(generic["items"], items, dialect)
        return {**generic, "items": item}, lost
    if kind == "nested" and "nested" in types.names:
        return {"kind": "nested", "name": _nested_name(arrow, dialect)}, ""
    if kind in types.names:
        return generic, ""
    return _SUBSTITUTES[kind](generic, types)


_UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_SUBSTITUTES: dict[str, Callable[[Generic, Types], tuple[Generic, str]]] = {
    "array": lambda _, t: ({"kind": "json"}, "" if "json" in t.names else "kept as text"),
    "nested": lambda _, t: ({"kind": "json"}, "" if "json" in t.names else "kept as text"),
    "bits": lambda g, _: (_text(g.get("length")), "kept as text"),
    "set": lambda *_: ({"kind": "text"}, "kept as text"),
    "uuid": lambda *_: ({"kind": "text", "length": 36, "fixed": True}, ""),
    "enum": lambda g, _: (_text(max(map(len, g["values"]), default=1)), ""),
    "other": lambda *_: ({"kind": "text"}, "kept as text"),
}


def _text(length: int | None) -> Generic:
    return {"kind": "text", **({"length": max(length, 1)} if length is not None else {})}


def _fitted_decimal(generic: Generic, arrow: pa.DataType, types: Types) -> tuple[Generic, str]:
    del arrow
    most, most_behind = types.decimal
    if "precision" not in generic:
        if types is TYPES["postgresql"]:
            return generic, ""
        return {"kind": "text"}, "kept as text, which keeps all digits"
    if generic["precision"] > most or generic["scale"] > most_behind:
        return {"kind": "text"}, f"kept as text: numbers have {most} digits there"
    if generic["scale"] < 0:
        whole = generic["precision"] - generic["scale"]
        return {"kind": "decimal", "precision": whole, "scale": 0}, ""
    return generic, ""


def _fitted_moment(generic: Generic, arrow: pa.DataType, types: Types) -> tuple[Generic, str]:
    del arrow
    zoned = bool(generic.get("zone"))
    asked = generic.get("digits", 6)
    digits = min(asked, types.digits if not zoned else 6)
    lost = [] if digits == asked else ["kept to the microsecond"]
    made = {**generic, "digits": digits}
    if zoned and not types.zones:
        del made["zone"]
        lost.append("kept as the wall clock of UTC")
    return made, ", ".join(lost)


def _fitted_time(generic: Generic, arrow: pa.DataType, types: Types) -> tuple[Generic, str]:
    if not pa.types.is_time(arrow):
        # Times with an offset come as text: no Arrow type holds them.
        return (generic, "") if "interval" in types.names else ({"kind": "text"}, "kept as text")
    asked = generic.get("digits", 6)
    return {
        "kind": "time",
        "digits": min(asked, 6),
    }, "" if asked <= 6 else "kept to the microsecond"


def _fitted_interval(generic: Generic, arrow: pa.DataType, types: Types) -> tuple[Generic, str]:
    if "interval" in types.names:
        return generic, ""
    if pa.types.is_duration(arrow):
        return {"kind": "integer", "bits": 64}, f"kept as a number of {_UNITS[arrow.unit]}"
    return {"kind": "text"}, "kept as text"


_FITTED = {
    "decimal": _fitted_decimal,
    "timestamp": _fitted_moment,
    "time": _fitted_time,
    "interval": _fitted_interval,
}


def _nested_name(arrow: pa.DataType, dialect: str) -> str:
    """Return what DuckDB calls a struct or a map."""
    from simulacra.connectors.sql.dialects import DUCKDB

    if pa.types.is_map(arrow):
        key, value = (type_name(default_type(t, dialect)[0], dialect) for t in _pair(arrow))
        return f"MAP({key}, {value})"
    if pa.types.is_struct(arrow):
        fields = [
            f"{DUCKDB.quoted(f.name)} {type_name(default_type(f.type, dialect)[0], dialect)}"
            for f in arrow
        ]
        return f"STRUCT({', '.join(fields)})"
    return "JSON"


def _pair(arrow: pa.DataType) -> tuple[pa.DataType, pa.DataType]:
    return arrow.key_type, arrow.item_type


def default_type(arrow: pa.DataType, dialect: str) -> tuple[Generic, str]:
    """Return the type for values of an Arrow type, and what is lost."""
    return fitted(generic_of_arrow(arrow), arrow, dialect)
