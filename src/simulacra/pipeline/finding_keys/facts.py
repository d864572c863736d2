"""What the search for foreign keys knows of tables: small profiles, so that all fit at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.protocols import ColumnProfile
from simulacra.core.schema import TableSpec
from simulacra.pipeline.finding_keys.names import (
    ColumnName,
    TableName,
    column_names,
    table_names,
)
from simulacra.pipeline.profile import TableProfile

_LONGEST_KEY = 64
"""Longer texts are no keys, in characters on average."""
_VALUES_OF_KEYS = 20_000
_VALUES = 5_000
"""Distinct values kept of a column that is no key itself."""
_NEARLY_UNIQUE = 0.85
"""Distinct values a row from which a column may be a key with faults; counts are ±7 %."""
_FEWEST_NEARLY_UNIQUE = 20


class Family(StrEnum):
    """Kinds of values that can be compared with one another."""

    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    MOMENT = "moment"
    BYTES = "bytes"


_COMPARED_AS = {
    Family.NUMBER: pa.float64(),
    Family.TEXT: pa.large_string(),
    Family.DATE: pa.date32(),
    Family.MOMENT: pa.timestamp("us"),
    Family.BYTES: pa.large_binary(),
}


_FAMILIES = (
    (pa.types.is_integer, Family.NUMBER),
    (pa.types.is_string, Family.TEXT),
    (pa.types.is_large_string, Family.TEXT),
    (pa.types.is_date, Family.DATE),
    (pa.types.is_timestamp, Family.MOMENT),
    (pa.types.is_binary, Family.BYTES),
    (pa.types.is_large_binary, Family.BYTES),
    (pa.types.is_fixed_size_binary, Family.BYTES),
)


class KeyKind(StrEnum):
    """What a column is as a key that others may refer to; the surest first."""

    PRIMARY = "primary"
    UNIQUE = "unique identifier"
    SMALL = "unique in a table of a few rows"
    OTHER = "unique"
    NEARLY = "nearly unique"


KINDS = tuple(KeyKind)


@dataclass(frozen=True, slots=True)
class TextFacts:
    """What texts are like.

    Attributes:
        least: The first of all rows, if it is known.
        greatest: The last.
        shortest: The fewest characters.
        longest: The most characters.
        mean: Characters on average.
    """

    least: str | None
    greatest: str | None
    shortest: int
    longest: int
    mean: float


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """A column as the search sees it.

    Attributes:
        table: Its table.
        name: Its name.
        called: The name, understood.
        family: The kind of its values.
        rows: Rows of the table.
        nulls: How many are null.
        distinct: Distinct values, about.
        least: The least number, if it has numbers.
        greatest: The greatest number.
        texts: What its texts are like, if it has texts.
        values: Distinct values of rows drawn uniformly, in a type that all of its family share.
        key: What it is as a key; None if it is none.
        is_unique: Whether no value occurs twice; exact.
    """

    table: str
    name: str
    called: ColumnName
    family: Family
    rows: int
    nulls: int
    distinct: int
    least: int | None
    greatest: int | None
    texts: TextFacts | None
    values: pa.Array
    key: KeyKind | None
    is_unique: bool

    @property
    def filled(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @property
    def density(self) -> float:
        """The share of the whole numbers between its least and greatest that are among them."""
        if self.least is None or self.greatest is None:
            return 1.0
        return min(1.0, self.distinct / (self.greatest - self.least + 1))


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table as the search sees it.

    Attributes:
        name: Its name.
        called: The name, understood.
        spec: What was detected, or declared.
        columns: Those that may be keys or refer to one.
    """

    name: str
    called: TableName
    spec: TableSpec
    columns: Mapping[str, ColumnFacts]


def table_facts(
    tables: Mapping[str, TableSpec], columns: Mapping[str, Mapping[str, ColumnFacts]]
) -> dict[str, TableFacts]:
    """Put together what is known of all tables."""
    called = table_names(list(tables))
    return {
        name: TableFacts(name, called[name], spec, columns[name]) for name, spec in tables.items()
    }


def column_facts(name: str, spec: TableSpec, profile: TableProfile) -> dict[str, ColumnFacts]:
    """Keep of a table's profile what the search needs.

    Args:
        name: The table.
        spec: What its columns are.
        profile: What one pass over all rows told.
    """
    called = column_names(list(spec.columns))
    facts = {}
    for column, kind in spec.columns.items():
        if kind.fields is not None or kind.items is not None:
            continue
        seen = profile.columns[column]
        family = _family(seen)
        filled = seen.rows - seen.nulls
        if family is None or not filled:
            continue
        values = pc.unique(_decoded(seen.sample))
        is_whole = filled == len(seen.sample)
        is_unique = seen.unique or kind.unique or (is_whole and len(values) == filled)
        least, greatest = _bounds(seen, family)
        key = _key_kind(column, spec, seen, is_unique=is_unique)
        facts[column] = ColumnFacts(
            table=name,
            name=column,
            called=called[column],
            family=family,
            rows=seen.rows,
            nulls=seen.nulls,
            distinct=filled if is_unique else len(values) if is_whole else seen.distinct,
            least=least,
            greatest=greatest,
            texts=_texts(seen, values) if family is Family.TEXT else None,
            values=_comparable(_some(values, _VALUES_OF_KEYS if key else _VALUES), family),
            key=key,
            is_unique=is_unique,
        )
    return facts


def _family(column: ColumnProfile) -> Family | None:
    kind = column.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_floating(kind):
        # Whole numbers with nulls are often kept as floats.
        return Family.NUMBER if _all_whole(column.sample) else None
    if pa.types.is_decimal(kind):
        return Family.NUMBER if kind.scale <= 0 else None
    family = next((family for belongs, family in _FAMILIES if belongs(kind)), None)
    if family is Family.TEXT:
        length = pc.mean(pc.utf8_length(_decoded(column.sample))).as_py()
        return family if (length or 0) <= _LONGEST_KEY else None
    return family


def _decoded(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _all_whole(values: pa.Array) -> bool:
    floats = _decoded(values).to_numpy(zero_copy_only=False)
    return len(floats) > 0 and bool(np.all(floats == np.floor(floats)))


def _bounds(column: ColumnProfile, family: Family) -> tuple[int | None, int | None]:
    least, greatest = column.minimum, column.maximum
    if family is not Family.NUMBER or least is None or greatest is None:
        return None, None
    if not (math.isfinite(least) and math.isfinite(greatest)):
        return None, None
    return int(least), int(greatest)


def _texts(column: ColumnProfile, values: pa.Array) -> TextFacts:
    lengths = pc.utf8_length(values)
    bounds = pc.min_max(lengths).as_py()
    return TextFacts(
        column.minimum,
        column.maximum,
        bounds["min"],
        bounds["max"],
        float(pc.mean(lengths).as_py()),
    )


def _some(values: pa.Array, most: int) -> pa.Array:
    if len(values) <= most:
        return values
    places = np.linspace(0, len(values) - 1, most).astype(np.int64)
    return values.take(pa.array(places))


def _comparable(values: pa.Array, family: Family) -> pa.Array:
    """Return values in one type a family, in which equal ones stay equal."""
    return values.cast(_COMPARED_AS[family], safe=False)


def _key_kind(
    name: str, spec: TableSpec, column: ColumnProfile, *, is_unique: bool
) -> KeyKind | None:
    kind = spec.columns[name]
    if spec.primary_key == [name]:
        return KeyKind.PRIMARY
    if pa.types.is_floating(column.type):
        return None
    if is_unique:
        if not (column.unique or kind.unique):
            return KeyKind.SMALL
        return KeyKind.UNIQUE if kind.type == "identifier" else KeyKind.OTHER
    filled = column.rows - column.nulls
    is_near = column.distinct >= _NEARLY_UNIQUE * filled and filled > _FEWEST_NEARLY_UNIQUE
    return KeyKind.NEARLY if is_near else None
