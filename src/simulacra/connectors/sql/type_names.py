"""From generic types to those that a database has, and what it calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from simulacra.connectors.sql.generic import generic_of_arrow, is_list
from simulacra.connectors.sql.native_types import Generic

Name = Callable[[Generic], str]


@dataclass(frozen=True, slots=True)
class Types:
    """The types of one dialect.

    Attributes:
        names: What each kind is called; kinds that are not here are not there.
        decimal: The most digits of a decimal, and the most behind the point.
        digits: The most digits of a second's fraction.
        zones: Whether moments can be instants.
    """

    names: Mapping[str, Name]
    decimal: tuple[int, int]
    digits: int = 6
    zones: bool = True


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


def type_name(generic: Generic, dialect: str) -> str:
    """Return what a dialect calls a type that :func:`fitted` gave."""
    return TYPES[dialect].names[generic["kind"]](generic)


# --- what they are called ----------------------------------------------------------------------


def _always(name: str) -> Name:
    return lambda _: name


def _integer(signed: Mapping[int, str], unsigned: Mapping[int, str]) -> Name:
    return lambda g: (unsigned if g.get("unsigned") else signed)[g["bits"]]


def _float(single: str, double: str) -> Name:
    return lambda g: single if g["bits"] == 32 else double


def _decimal(name: str) -> Name:
    return lambda g: f"{name}({g['precision']}, {g['scale']})" if "precision" in g else name


def _sized(bare: str, varying: str, fixed: str, *, most: int = 1 << 20) -> Name:
    """A type with a length, where it is told and not more than ``most``."""

    def name(generic: Generic) -> str:
        length = generic.get("length")
        if length is None or length > most:
            return bare
        return f"{fixed if generic.get('fixed') else varying}({length})"

    return name


def _moment(bare: str, zoned: str) -> Name:
    return lambda g: (zoned if g.get("zone") else bare).format(g.get("digits", 6))


def quoted_text(text: str, *, backslashes: bool = False) -> str:
    """Return a text as SQL writes it.

    Args:
        text: The text.
        backslashes: Whether the dialect takes a backslash for the beginning of an escape.
    """
    if backslashes:
        text = text.replace("\\", "\\\\")
    return "'" + text.replace("'", "''") + "'"


def _listed(name: str, *, backslashes: bool = False) -> Name:
    def listed(generic: Generic) -> str:
        values = (quoted_text(value, backslashes=backslashes) for value in generic["values"])
        return f"{name}({', '.join(values)})"

    return listed


def _array_of(dialect: str) -> Name:
    return lambda g: f"{type_name(g['items'], dialect)}[{g.get('length', '')}]"


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


def _enum_name(generic: Generic) -> str:
    from simulacra.connectors.sql.dialects import POSTGRESQL

    return POSTGRESQL.quoted(generic.get("schema"), generic["name"])


_POSTGRESQL = Types(
    names={
        "boolean": _always("boolean"),
        "integer": _integer(
            {8: "smallint", 16: "smallint", 32: "integer", 64: "bigint", 128: "numeric(39)"},
            {8: "smallint", 16: "integer", 32: "bigint", 64: "numeric(20)", 128: "numeric(39)"},
        ),
        "decimal": _decimal("numeric"),
        "float": _float("real", "double precision"),
        "text": _sized("text", "varchar", "char"),
        "binary": _always("bytea"),
        "date": _always("date"),
        "time": _moment("time({})", "time({}) with time zone"),
        "timestamp": _moment("timestamp({})", "timestamp({}) with time zone"),
        "interval": _always("interval"),
        "uuid": _always("uuid"),
        "json": _always("jsonb"),
        "bits": _sized("varbit", "varbit", "bit"),
        "enum": _enum_name,
        "array": _array_of("postgresql"),
    },
    decimal=(1000, 1000),
)

_MYSQL = Types(
    names={
        "boolean": _always("TINYINT(1)"),
        "integer": _integer(
            {8: "TINYINT", 16: "SMALLINT", 32: "INT", 64: "BIGINT", 128: "DECIMAL(39)"},
            {
                8: "TINYINT UNSIGNED",
                16: "SMALLINT UNSIGNED",
                32: "INT UNSIGNED",
                64: "BIGINT UNSIGNED",
                128: "DECIMAL(39)",
            },
        ),
        "decimal": _decimal("DECIMAL"),
        # FLOAT is shown with six digits, fewer than it has.
        "float": _always("DOUBLE"),
        # A row holds 65,535 bytes beside its long texts.
        "text": _sized("LONGTEXT", "VARCHAR", "CHAR", most=255),
        "binary": _sized("LONGBLOB", "VARBINARY", "BINARY", most=255),
        "date": _always("DATE"),
        "time": _moment("TIME({})", "TIME({})"),
        "timestamp": _moment("DATETIME({})", "TIMESTAMP({})"),
        "json": _always("JSON"),
        "enum": _listed("ENUM", backslashes=True),
        "set": _listed("SET", backslashes=True),
    },
    decimal=(65, 30),
    zones=False,
)

_SQLITE = Types(
    names={
        "boolean": _always("BOOLEAN"),
        "integer": _integer(
            {8: "SMALLINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT", 128: "TEXT"},
            {8: "SMALLINT", 16: "INTEGER", 32: "BIGINT", 64: "BIGINT UNSIGNED", 128: "TEXT"},
        ),
        "decimal": _decimal("DECIMAL"),
        "float": _float("REAL", "DOUBLE"),
        "text": _sized("TEXT", "VARCHAR", "CHAR"),
        "binary": _always("BLOB"),
        "date": _always("DATE"),
        "time": _always("TIME"),
        "timestamp": _moment("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"),
        "uuid": _always("UUID"),
        "json": _always("JSON"),
    },
    decimal=(15, 15),  # more would be rounded: it knows 64-bit floats alone
    digits=9,
)

_DUCKDB = Types(
    names={
        "boolean": _always("BOOLEAN"),
        "integer": _integer(
            {8: "TINYINT", 16: "SMALLINT", 32: "INTEGER", 64: "BIGINT", 128: "HUGEINT"},
            {8: "UTINYINT", 16: "USMALLINT", 32: "UINTEGER", 64: "UBIGINT", 128: "UHUGEINT"},
        ),
        "decimal": _decimal("DECIMAL"),
        "float": _float("FLOAT", "DOUBLE"),
        "text": _always("VARCHAR"),
        "binary": _always("BLOB"),
        "date": _always("DATE"),
        "time": _moment("TIME", "TIME WITH TIME ZONE"),
        "timestamp": lambda g: (
            "TIMESTAMP WITH TIME ZONE"
            if g.get("zone")
            else {0: "TIMESTAMP_S", 3: "TIMESTAMP_MS", 9: "TIMESTAMP_NS"}.get(
                g.get("digits", 6), "TIMESTAMP"
            )
        ),
        "interval": _always("INTERVAL"),
        "uuid": _always("UUID"),
        "json": _always("JSON"),
        "bits": _always("BIT"),
        "enum": _listed("ENUM"),
        "array": _array_of("duckdb"),
        "nested": lambda g: str(g["name"]),
    },
    decimal=(38, 38),
    digits=9,
)

_PLAIN = ("boolean", "integer", "decimal", "float", "text", "binary", "date", "time", "timestamp")
_ANY = Types(names={kind: _always(kind) for kind in _PLAIN}, decimal=(38, 38))

TYPES = {
    "postgresql": _POSTGRESQL,
    "mysql": _MYSQL,
    "sqlite": _SQLITE,
    "duckdb": _DUCKDB,
    "sql": _ANY,
}


def default_type(arrow: pa.DataType, dialect: str) -> tuple[Generic, str]:
    """Return the type for values of an Arrow type, and what is lost."""
    return fitted(generic_of_arrow(arrow), arrow, dialect)
