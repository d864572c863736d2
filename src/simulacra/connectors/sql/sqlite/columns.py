"""How a column of SQLite is read, by what is declared and what is really in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from simulacra.connectors.sql.reading.conversions import Convert, Note, moments_from_text, to_type
from simulacra.connectors.sql.reading.reader import ReadColumn, digits_of
from simulacra.connectors.sql.types.generic import Generic

INTEGER, REAL, TEXT, BLOB = "integer", "real", "text", "blob"
_NUMBERS = {INTEGER, REAL}
_STORED = {INTEGER: pa.int64(), REAL: pa.float64(), TEXT: pa.string(), BLOB: pa.binary()}
_EXACT_DIGITS = 15
"""As many decimal digits a double keeps."""

_FRACTION = (
    "(length({0}) = {1} OR (substr({0}, {1} + 1, 1) = '.' AND length({0}) BETWEEN {1} + 2 AND "
    "{1} + 7 AND substr({0}, {1} + 2) NOT GLOB '*[^0-9]*'))"
)
_D = "[0-9]"
_CLOCK = f"[0-2]{_D}:[0-5]{_D}:[0-5]{_D}"
_DAY = f"{_D * 4}-[0-1]{_D}-[0-3]{_D}"
_LAYOUTS = {
    "date": f"{{0}} GLOB '{_DAY}'",
    "timestamp": f"{{0}} GLOB '{_DAY} {_CLOCK}*' AND {_FRACTION.format('{0}', 19)}",
    "time": f"{{0}} GLOB '{_CLOCK}*' AND {_FRACTION.format('{0}', 8)}",
}
"""What text must look like to be read as what the column is declared to be."""

_ARROW = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "float": pa.float64(),
    "decimal": pa.float64(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "time": pa.time64("us"),
}


class Survey:
    """Asks of a column what it holds.

    Args:
        sql: The column's quoted name.
        column: The column, as its table's origin has it.
    """

    def __init__(self, sql: str, column: Mapping[str, Any]) -> None:
        self.name = sql
        self.declared: str = column["type"]
        self.generic: Generic = column["generic"]
        fits = _LAYOUTS.get(self.generic["kind"], "NULL").format(sql)
        digits = digits_of(self.generic) if self.generic["kind"] == "decimal" else None
        if digits is not None and digits[0] <= _EXACT_DIGITS:
            whole = 10 ** (digits[0] - digits[1])
            fits = f"{sql} = round({sql}, {digits[1]}) AND abs({sql}) < {whole}"
        elif self.generic["kind"] == "boolean":
            fits = f"{sql} IN (0, 1)"
        parts = (f"min({sql})", f"max({sql})")
        # Numbers come before text, text before blobs: the ends show what lies between.
        self.sql = ", ".join(
            (*(f"typeof({part})" for part in parts), f"max(typeof({sql}))", f"min({fits})")
        )
        self.least = self.most = self.last = "null"
        self.fits = False

    def take(self, found: list[Any]) -> None:
        """Take this column's part from the front of an answer."""
        self.least, self.most, self.last, fits = found[:4]
        self.fits = fits == 1
        del found[:4]


def planned(name: str, survey: Survey) -> tuple[ReadColumn, str]:
    """Return how a column is read, and what to tell of it if it holds several kinds of values."""
    if survey.least == "null":
        declared = _declared(survey.generic)
        return ReadColumn(name, survey.name, declared, _nothing(declared), TEXT), ""
    if survey.most in _NUMBERS:
        return _numbers(name, survey), ""
    if survey.least == survey.most:
        return _texts(name, survey) if survey.most == TEXT else _plain(name, survey.name, BLOB), ""
    kind, cast = (BLOB, "bytes") if survey.most == BLOB else (TEXT, "text")
    told = (
        f"declared {survey.declared or 'without a type'}, but holds values of type {survey.least} "
        f"to {survey.most}: read as {cast}"
    )
    return _plain(name, f"CAST({survey.name} AS {kind.upper()})", kind), told


def _plain(name: str, sql: str, storage: str) -> ReadColumn:
    convert = _valid_text if storage == TEXT else to_type(_STORED[storage])
    return ReadColumn(name, sql, _STORED[storage], convert, storage)


def _texts(name: str, survey: Survey) -> ReadColumn:
    kind = survey.generic["kind"]
    if not (survey.fits and kind in _LAYOUTS):
        return _plain(name, survey.name, TEXT)
    return ReadColumn(name, survey.name, _ARROW[kind], moments_from_text(_ARROW[kind]), TEXT)


def _numbers(name: str, survey: Survey) -> ReadColumn:
    kind, sql = survey.generic["kind"], survey.name
    if survey.fits and kind == "decimal" and (digits := digits_of(survey.generic)):
        exact = pa.decimal128(*digits)
        return ReadColumn(name, f"CAST({sql} AS REAL)", exact, to_type(exact), REAL)
    if survey.last == REAL or kind == "float":
        return _plain(name, f"CAST({sql} AS REAL)", REAL)
    if survey.fits and kind == "boolean":
        return ReadColumn(name, sql, pa.bool_(), to_type(pa.bool_()), INTEGER)
    return _plain(name, sql, INTEGER)


def _declared(generic: Generic) -> pa.DataType:
    digits = digits_of(generic) if generic["kind"] == "decimal" else None
    if digits is not None and digits[0] <= _EXACT_DIGITS:
        return pa.decimal128(*digits)
    return _ARROW.get(generic["kind"], pa.string())


def _nothing(kind: pa.DataType) -> Convert:
    def convert(values: pa.Array, note: Note) -> pa.Array:
        del note
        return pa.nulls(len(values), kind)

    return convert


def _valid_text(values: pa.Array, note: Note) -> pa.Array:
    """Take text, which SQLite keeps without a look at its encoding."""
    del note
    try:
        values.validate(full=True)
    except pa.ArrowInvalid as error:
        raise pa.ArrowInvalid("it holds text that is not UTF-8") from error
    return values
