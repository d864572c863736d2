"""From a type as a database writes it to what it means (:mod:`..origin` lists the kinds)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from simulacra.connectors.sql.types.generic import Generic

Form = Callable[[list[str]], Generic]
"""Makes a generic type from the arguments in a type's brackets."""

_PARTS = re.compile(r"(?s)^\s*([^(\[]*?)\s*(?:\((.*)\))?([^()\[\]]*)((?:\[\d*\])*)\s*$")
_ESCAPED = {"n": "\n", "r": "\r", "0": "\0"}
_NESTED = re.compile(r"(?i)^(struct|map|row)\b")


def generic_of(text: str, dialect: str) -> Generic:
    """Return what a type means.

    Args:
        text: The type, as ``numeric(15,2)[]``.
        dialect: Name of the dialect.
    """
    match = _PARTS.match(text)
    if match is None or _NESTED.match(text):
        # The brackets of a nested type are no arguments, but those behind them make it a list.
        items = re.fullmatch(r"(?s)(.*)\[(\d*)\]\s*", text)
        if items is not None and dialect in _WITH_ARRAYS:
            return _array(generic_of(items[1], dialect), items[2])
        return {"kind": "nested" if dialect == "duckdb" and _NESTED.match(text) else "other"}
    name, arguments, rest, dimensions = match.groups()
    key = " ".join(f"{name} {rest}".lower().split()).removesuffix(" zerofill")
    if key.startswith("interval "):  # PostgreSQL's "interval day to second"
        key = "interval"
    form = _FORMS.get(dialect, _COMMON).get(key)
    given = [] if arguments is None else _arguments(arguments, dialect)
    generic = form(given) if form is not None else _unknown(key, given, dialect)
    for size in re.findall(r"\[(\d*)\]", dimensions):
        generic = _array(generic, size)
    return generic


def _arguments(text: str, dialect: str) -> list[str]:
    if "'" not in text:
        return [part.strip() for part in text.split(",")]
    if dialect != "mysql":
        return [value.replace("''", "'") for value in re.findall(r"'((?:[^']|'')*)'", text)]
    return [
        re.sub(r"''|\\(.)", lambda m: _ESCAPED.get(m[1] or "'", m[1] or "'"), value)
        for value in re.findall(r"'((?:[^'\\]|''|\\.)*)'", text, re.DOTALL)
    ]


def _array(items: Generic, size: str) -> Generic:
    return {"kind": "array", "items": items, **({"length": int(size)} if size else {})}


def _plain(kind: str, **more: Any) -> Form:
    return lambda _: {"kind": kind, **more}


def _sized(kind: str, key: str, **more: Any) -> Form:
    """A type whose first argument is a number: how long, or how exact."""

    def make(arguments: list[str]) -> Generic:
        sized = arguments and arguments[0].isdecimal()
        return {"kind": kind, **({key: int(arguments[0])} if sized else {}), **more}

    return make


def _decimal(*default: int) -> Form:
    def make(arguments: list[str]) -> Generic:
        numbers = [int(a) for a in arguments if re.fullmatch(r"-?\d+", a)] or list(default)
        if not numbers:
            return {"kind": "decimal"}
        return {"kind": "decimal", "precision": numbers[0], "scale": (*numbers, 0)[1]}

    return make


def _listed(kind: str) -> Form:
    return lambda values: {"kind": kind, "values": values}


def _tiny(arguments: list[str]) -> Generic:
    """MySQL's ``BOOLEAN`` is ``tinyint(1)``."""
    return {"kind": "boolean"} if arguments == ["1"] else {"kind": "integer", "bits": 8}


def _bit(arguments: list[str]) -> Generic:
    length = int(arguments[0]) if arguments else 1
    return {"kind": "boolean"} if length == 1 else {"kind": "bits", "length": length, "fixed": True}


def _integers(names: Mapping[str, int]) -> dict[str, Form]:
    signed = {name: _plain("integer", bits=bits) for name, bits in names.items()}
    unsigned = {
        f"{name} unsigned": _plain("integer", bits=bits, unsigned=True)
        for name, bits in names.items()
    }
    return signed | unsigned


_COMMON: dict[str, Form] = {
    **_integers({"smallint": 16, "integer": 32, "int": 32, "bigint": 64}),
    **dict.fromkeys(("decimal", "numeric"), _decimal()),
    "boolean": _plain("boolean"),
    "double precision": _plain("float", bits=64),
    "double": _plain("float", bits=64),
    "real": _plain("float", bits=32),
    "text": _plain("text"),
    **dict.fromkeys(("varchar", "character varying"), _sized("text", "length")),
    **dict.fromkeys(("char", "character"), _sized("text", "length", fixed=True)),
    "date": _plain("date"),
    **dict.fromkeys(("time", "time without time zone"), _sized("time", "digits")),
    "time with time zone": _sized("time", "digits", zone=True),
    **dict.fromkeys(("timestamp", "timestamp without time zone"), _sized("timestamp", "digits")),
    "timestamp with time zone": _sized("timestamp", "digits", zone=True),
    "interval": _plain("interval"),
    "uuid": _plain("uuid"),
    "json": _plain("json"),
}

_POSTGRESQL = _COMMON | {
    "oid": _plain("integer", bits=32, unsigned=True),
    "bpchar": _plain("text"),
    "name": _sized("text", "length"),
    "citext": _plain("text"),
    "jsonb": _plain("json"),
    "money": _plain("decimal", precision=19, scale=2, money=True),
    "bytea": _plain("binary"),
    "bit": _sized("bits", "length", fixed=True),
    "bit varying": _sized("bits", "length"),
}

_MYSQL = _COMMON | {
    **_integers({"smallint": 16, "mediumint": 32, "int": 32, "integer": 32, "bigint": 64}),
    "tinyint": _tiny,
    "tinyint unsigned": _plain("integer", bits=8, unsigned=True),
    "bit": _bit,
    "year": _plain("integer", bits=16),
    "decimal": _decimal(10, 0),
    "decimal unsigned": _decimal(10, 0),
    **dict.fromkeys(("float", "float unsigned"), _plain("float", bits=32)),
    **dict.fromkeys(("double", "double unsigned", "real"), _plain("float", bits=64)),
    **dict.fromkeys(("tinytext", "mediumtext", "longtext"), _plain("text")),
    **dict.fromkeys(("tinyblob", "blob", "mediumblob", "longblob"), _plain("binary")),
    "binary": _sized("binary", "length", fixed=True),
    "varbinary": _sized("binary", "length"),
    "datetime": _sized("timestamp", "digits"),
    "timestamp": _sized("timestamp", "digits", zone=True),
    "enum": _listed("enum"),
    "set": _listed("set"),
}

_LONG = _plain("integer", bits=64)
_DOUBLE = _plain("float", bits=64)
_SQLITE = _COMMON | {
    **dict.fromkeys(("smallint", "integer", "int", "bigint", "tinyint", "mediumint"), _LONG),
    **dict.fromkeys(("real", "float", "double", "double precision"), _DOUBLE),
    "bool": _plain("boolean"),
    **dict.fromkeys(("datetime", "timestamp"), _plain("timestamp")),
    "nvarchar": _sized("text", "length"),
    "nchar": _sized("text", "length", fixed=True),
    "blob": _plain("binary"),
    "any": _plain("other"),
    "": _plain("other"),
}

_DUCKDB = _COMMON | {
    **_integers({"hugeint": 128}),
    "tinyint": _plain("integer", bits=8),
    "utinyint": _plain("integer", bits=8, unsigned=True),
    "usmallint": _plain("integer", bits=16, unsigned=True),
    "uinteger": _plain("integer", bits=32, unsigned=True),
    "ubigint": _plain("integer", bits=64, unsigned=True),
    "uhugeint": _plain("integer", bits=128, unsigned=True),
    "float": _plain("float", bits=32),
    "timestamp": _plain("timestamp", digits=6),
    "timestamp_s": _plain("timestamp", digits=0),
    "timestamp_ms": _plain("timestamp", digits=3),
    "timestamp_ns": _plain("timestamp", digits=9),
    "blob": _plain("binary"),
    "bit": _plain("bits"),
    "enum": _listed("enum"),
}

_FORMS = {"postgresql": _POSTGRESQL, "mysql": _MYSQL, "sqlite": _SQLITE, "duckdb": _DUCKDB}
_WITH_ARRAYS = {"postgresql", "duckdb"}

_AFFINITIES: tuple[tuple[str, Form], ...] = (
    ("int", _LONG),
    ("char", _sized("text", "length")),
    ("clob", _plain("text")),
    ("text", _plain("text")),
    ("blob", _plain("binary")),
    ("real", _DOUBLE),
    ("floa", _DOUBLE),
    ("doub", _DOUBLE),
    ("", _decimal()),
)
"""SQLite takes any name for a type, and goes by what is in it: its documentation's rules."""


def _unknown(key: str, arguments: list[str], dialect: str) -> Generic:
    if dialect != "sqlite":
        return {"kind": "other"}
    return next(form(arguments) for part, form in _AFFINITIES if part in key)
