"""How metrics look at a table: which columns are compared, and as what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.core.scores import Score
from simulacra.metrics.encode import readable_as_numbers

_NUMBER_TYPES = frozenset(
    {"integer", "float", "decimal", "coordinate", "date", "datetime", "time", "duration"}
)
_CATEGORY_TYPES = frozenset({"boolean", "category", "constant"})
_LENGTH_TYPES = frozenset({"text", "binary"})
KEY_TYPE = "key"
"""The type of a column that holds nothing but the keys of another table."""
_LEFT_OUT = {
    KEY_TYPE: "a foreign key carries no statistics of its own",
    "identifier": "an identifier carries no statistics",
    "personal": "personal data are made anew, and carry no statistics",
    "empty": "every value is null",
}
_ROWS_READ = 10_000


class Kind(StrEnum):
    """As what a column is compared."""

    NUMBER = "number"
    """Numbers, dates and times, on their own scale."""
    CATEGORY = "category"
    """Names, null being one of them."""
    LENGTH = "length"
    """Free text, binary values and lists: only how long they are."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A column, or a field of a struct column, that holds plain values.

    Attributes:
        path: The column's name, then the names of the fields that lead to the leaf.
        spec: What the specification says of the leaf.
        kind: As what it is compared; None when it is left out.
        why: Why it is left out; empty when it isn't.
    """

    path: tuple[str, ...]
    spec: ColumnSpec
    kind: Kind | None
    why: str = ""

    @property
    def name(self) -> str:
        """The path in one word, as ``address.city``."""
        return ".".join(self.path)

    def values(self, table: pa.Table) -> pa.ChunkedArray:
        """Return the leaf's values; null where a struct around it is null."""
        values = table.column(self.path[0])
        for field in self.path[1:]:
            values = pc.struct_field(values, field)
        return values

    def left_out(self, metric: str) -> Score:
        """Return the score of a leaf that the metric leaves out: none, with the reason."""
        return Score(metric, None, (self.name,), details={"why": self.why})


def leaves(table: TableSpec, real: pa.Table) -> list[Leaf]:
    """Return every leaf of a table, in order, with how it is compared.

    Identifiers and a primary key of one column are left out: every value is its own, and no
    distribution is to be kept. Text that the specification calls a number or a date is compared
    as one if the first 10,000 rows of it can all be read so, else as categories.

    Args:
        table: The specification.
        real: Real rows, which settle whether text can be read as numbers.
    """
    key = table.primary_key[0] if len(table.primary_key) == 1 else None
    real = real.slice(0, _ROWS_READ)
    found = []
    for name, column in table.columns.items():
        for path, spec in _paths((name,), column):
            kind, why = _kind(spec)
            if name == key:
                kind, why = None, "the primary key carries no statistics"
            leaf = Leaf(path, spec, kind, why)
            if kind is Kind.NUMBER and not readable_as_numbers(leaf.values(real), spec):
                leaf = Leaf(path, spec, Kind.CATEGORY)
            found.append(leaf)
    return found


def _paths(
    path: tuple[str, ...], column: ColumnSpec
) -> Iterator[tuple[tuple[str, ...], ColumnSpec]]:
    if column.fields is None:
        yield path, column
        return
    for name, field in column.fields.items():
        yield from _paths((*path, name), field)


def _kind(spec: ColumnSpec) -> tuple[Kind | None, str]:
    if spec.type in _LEFT_OUT:
        return None, _LEFT_OUT[spec.type]
    if pa.types.is_interval(spec.arrow_type()):
        return None, "calendar intervals have no common scale"
    if spec.items is not None or spec.type in _LENGTH_TYPES:
        return Kind.LENGTH, ""
    if spec.type in _NUMBER_TYPES:
        return Kind.NUMBER, ""
    if spec.type in _CATEGORY_TYPES:
        return Kind.CATEGORY, ""
    return _kind_of_arrow_type(spec.arrow_type())


def _kind_of_arrow_type(arrow_type: pa.DataType) -> tuple[Kind | None, str]:
    """Return how to compare a column whose datatype is somebody else's plug-in."""
    types = pa.types
    if types.is_dictionary(arrow_type) or types.is_boolean(arrow_type):
        return Kind.CATEGORY, ""
    if (
        types.is_integer(arrow_type)
        or types.is_floating(arrow_type)
        or types.is_decimal(arrow_type)
    ):
        return Kind.NUMBER, ""
    if types.is_temporal(arrow_type):
        return Kind.NUMBER, ""
    if types.is_null(arrow_type):
        return None, _LEFT_OUT["empty"]
    if _has_length(arrow_type):
        return Kind.LENGTH, ""
    return None, f"values of type {arrow_type} can't be compared"


def _has_length(arrow_type: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(arrow_type)
        or types.is_large_string(arrow_type)
        or types.is_string_view(arrow_type)
        or types.is_binary(arrow_type)
        or types.is_large_binary(arrow_type)
        or types.is_fixed_size_binary(arrow_type)
    )


def compared(table: TableSpec) -> list[str]:
    """Return the columns of a table that hold anything to compare, in order."""
    return list(
        dict.fromkeys(
            leaf.path[0]
            for leaf in leaves(table, table.arrow_schema().empty_table())
            if leaf.kind is not None
        )
    )
