"""What each database calls the types that it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulacra.connectors.sql.types.generic import Generic

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


def type_name(generic: Generic, dialect: str) -> str:
    """Return what a dialect calls a type that :func:`.fitting.fitted` gave."""
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
