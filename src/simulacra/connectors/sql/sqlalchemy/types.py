"""From SQLAlchemy's types to what they mean, for databases whose own names of types are unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulacra.connectors.sql.types.generic import Generic

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine


def generic_of_sqlalchemy(kind: TypeEngine[Any]) -> Generic:
    """Return what a type means (:mod:`..origin` lists the kinds)."""
    from sqlalchemy import types

    for base, describe in (
        (types.Enum, _enum),
        (types.Boolean, lambda _: {"kind": "boolean"}),
        (types.SmallInteger, lambda _: {"kind": "integer", "bits": 16}),
        (types.BigInteger, lambda _: {"kind": "integer", "bits": 64}),
        (types.Integer, lambda _: {"kind": "integer", "bits": 64}),
        (types.Float, lambda _: {"kind": "float", "bits": 64}),
        (types.Numeric, _decimal),
        (types.DateTime, _timestamp),
        (types.Date, lambda _: {"kind": "date"}),
        (types.Time, lambda t: {"kind": "time", **({"zone": True} if t.timezone else {})}),
        (types.Interval, lambda _: {"kind": "interval"}),
        (types.Uuid, lambda _: {"kind": "uuid"}),
        (types.JSON, lambda _: {"kind": "json"}),
        (types.LargeBinary, lambda t: _sized("binary", t)),
        (types.BINARY, lambda t: _sized("binary", t)),
        (types.VARBINARY, lambda t: _sized("binary", t)),
        (types.CHAR, lambda t: {**_sized("text", t), "fixed": True}),
        (types.NCHAR, lambda t: {**_sized("text", t), "fixed": True}),
        (types.String, lambda t: _sized("text", t)),
        (types.ARRAY, lambda t: {"kind": "array", "items": generic_of_sqlalchemy(t.item_type)}),
    ):
        if isinstance(kind, base):
            generic: Generic = describe(kind)
            return generic
    return {"kind": "other"}


def enum_values(kind: TypeEngine[Any]) -> Generic | None:
    """Return the generic type of an enumeration, of one behind a domain, or of an array of one."""
    from sqlalchemy import types

    if isinstance(kind, types.Enum):
        return _enum(kind)
    if isinstance(kind, types.ARRAY):
        items = enum_values(kind.item_type)
        return {"kind": "array", "items": items} if items else None
    base = getattr(kind, "data_type", None)  # PostgreSQL's domains
    return enum_values(base) if base is not None else None


def _enum(kind: Any) -> Generic:
    named = {key: getattr(kind, key) for key in ("name", "schema") if getattr(kind, key, None)}
    return {"kind": "enum", "values": list(kind.enums), **named}


def _decimal(kind: Any) -> Generic:
    if kind.precision is None:
        return {"kind": "decimal"}
    return {"kind": "decimal", "precision": kind.precision, "scale": kind.scale or 0}


def _timestamp(kind: Any) -> Generic:
    return {"kind": "timestamp", **({"zone": True} if kind.timezone else {})}


def _sized(name: str, kind: Any) -> Generic:
    return {"kind": name, **({"length": kind.length} if kind.length else {})}
