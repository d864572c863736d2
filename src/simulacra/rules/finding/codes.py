"""Values as numbers that are equal where the values are, of columns of any types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.rules import ticks
from simulacra.rules.equal import is_text

_NULL = np.iinfo(np.int64).min


class Codes:
    """All columns of some rows in codes.

    Equal values of one kind have equal codes, whatever their types; unequal ones hardly ever do.

    Args:
        columns: The columns, all of the same length.

    Attributes:
        names: The columns' names.
        kinds: What each column's values can be compared with, as small numbers; shape ``(n,)``.
        codes: The codes, int64; shape ``(n, rows)``.
        known: Where the value is not null; shape ``(n, rows)``.
    """

    def __init__(self, columns: Mapping[str, pa.Array]) -> None:
        self.names = tuple(columns)
        rows = len(next(iter(columns.values()))) if columns else 0
        self.codes = np.full((len(columns), rows), _NULL, np.int64)
        self.known = np.zeros((len(columns), rows), np.bool_)
        kinds = [_kind(values.type) for values in columns.values()]
        numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
        self.kinds = np.array([numbers[kind] for kind in kinds], np.int64)
        texts: dict[str, list[int]] = {}
        arrays = list(columns.values())
        for place, (kind, values) in enumerate(zip(kinds, arrays, strict=True)):
            self.known[place] = values.is_valid().to_numpy(zero_copy_only=False)
            if ticks.unit_of(values.type) is None:
                texts.setdefault(kind, []).append(place)
            else:
                self.codes[place] = np.where(self.known[place], _numbers(values), _NULL)
        for places in texts.values():
            found = _entries([arrays[place] for place in places])
            for place, codes in zip(places, found, strict=True):
                self.codes[place] = np.where(self.known[place], codes, _NULL)

    def place(self, name: str) -> int:
        """Return which column has a name."""
        return self.names.index(name)


def _kind(arrow_type: pa.DataType) -> str:
    unit = ticks.unit_of(arrow_type)
    if unit is not None:
        return unit.family
    return "text" if is_text(arrow_type) else str(arrow_type)


def _numbers(values: pa.Array) -> NDArray[np.int64]:
    """Return the bits of the values as floats, counted in ones or seconds."""
    if pa.types.is_floating(values.type):
        floats = values.to_numpy(zero_copy_only=False).astype(np.float64)
    else:
        unit = ticks.unit_of(values.type)
        if unit is None:
            msg = f"{values.type} is no number and no time"
            raise TypeError(msg)
        count = ticks.read(values, unit).count
        # A quotient of whole numbers is rounded right, so it doesn't depend on the type.
        floats = count * float(unit.per.denominator) / float(unit.per.numerator)
    # -0.0 equals 0.0, and every NaN is the same.
    floats = np.where(np.isnan(floats), np.nan, floats + 0.0)
    return floats.view(np.int64)


def _entries(columns: list[pa.Array]) -> Iterator[NDArray[np.int64]]:
    """Yield each column as places in a dictionary of them all."""
    kind = columns[0].type
    if is_text(kind):
        kind = pa.large_string()
    elif pa.types.is_dictionary(kind):
        kind = kind.value_type
    elif pa.types.is_decimal(kind):
        kind = pa.decimal256(76, kind.scale)  # the others have no dictionary
    alike = [values.cast(kind) for values in columns]
    places = pa.concat_arrays(alike).dictionary_encode().indices.fill_null(0)
    whole = places.to_numpy(zero_copy_only=False).astype(np.int64)
    rows = len(columns[0])
    return (whole[first : first + rows] for first in range(0, len(whole), max(rows, 1)))
