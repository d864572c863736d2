"""Columns as numbers or as codes shared by several tables, for numerical work."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.schema import ColumnSpec

_DIRECTIVE = re.compile(r"%[-^~]?(?P<point>\.?)[1-9]?(?P<letter>[A-Za-z%])")
_NANOSECONDS = re.compile(r"(\.\d{6})\d{1,3}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column of numbers.

    Attributes:
        values: Shape ``(rows,)``, dtype int64 or float64 (int64 keeps huge integers exact); 0
            where null. Dates and times count days or the units of their Arrow type.
        null: Shape ``(rows,)``, dtype bool; NaN counts as null.
    """

    values: NDArray[np.int64] | NDArray[np.float64]
    null: NDArray[np.bool_]

    def present(self) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return the values that are not null."""
        return self.values[~self.null]

    def finite(self) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return the values that are neither null nor infinite."""
        present = self.present()
        return present[np.isfinite(present)]

    def floats(self) -> NDArray[np.float64]:
        """Return the values as float64, NaN where null."""
        floats = self.values.astype(np.float64)
        floats[self.null] = np.nan
        return floats


def as_numbers(values: pa.ChunkedArray, spec: ColumnSpec) -> Numbers:
    """Return a column as numbers; text that can't be read as one counts as null.

    Args:
        values: Numbers, dates, times, durations, or text that ``spec`` says holds such.
        spec: Its specification; the option ``format`` tells how to read dates in text.
    """
    array = _plain(values)
    if is_text(array.type):
        array = _parsed(array, spec)
    if pa.types.is_null(array.type):
        array = array.cast(pa.int64())
    if pa.types.is_temporal(array.type):
        array = array.cast(pa.int32() if array.type.bit_width == 32 else pa.int64())
    elif pa.types.is_decimal(array.type) or pa.types.is_float16(array.type):
        array = array.cast(pa.float64())
    elif pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    null = array.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    numbers = array.fill_null(0).to_numpy(zero_copy_only=False)
    if numbers.dtype.kind == "f":
        return Numbers(np.where(null, 0.0, numbers).astype(np.float64), null)
    if numbers.dtype == np.uint64 and len(numbers) and numbers.max() > _INT64_MAX:
        return Numbers(numbers.astype(np.float64), null)
    return Numbers(numbers.astype(np.int64), null)


def readable_as_numbers(values: pa.ChunkedArray, spec: ColumnSpec) -> bool:
    """Return whether a column's values all are, or can be read as, numbers or times."""
    array = _plain(values)
    if not is_text(array.type):
        return True
    return bool(_parsed(array, spec).null_count == array.null_count)


def as_codes(columns: Sequence[pa.ChunkedArray]) -> tuple[list[NDArray[np.int64]], int]:
    """Number the values of one column over several tables.

    Args:
        columns: The column in each table, all of one type.

    Returns:
        For each table the codes, shape ``(rows,)``, null being a value like others; and how many
        codes there are. Codes run from the most frequent value (over all tables) to the rarest,
        and in the order of values where equally frequent: an order that tells tables apart, such
        as that of first appearance, would give a classifier what the values do not.
    """
    numbered, values = _numbered(columns)
    counts = np.bincount(np.concatenate(numbered), minlength=len(values))
    by_value = pc.array_sort_indices(values).to_numpy()
    by_count = np.argsort(-counts[by_value], kind="stable")
    rank = np.empty(len(counts), dtype=np.int64)
    rank[by_value[by_count]] = np.arange(len(counts))
    return [rank[side] for side in numbered], len(counts)


def as_labels(columns: Sequence[pa.ChunkedArray]) -> list[NDArray[np.int64]]:
    """Return what tells equal values from different ones; :func:`as_codes` in no order, faster."""
    return _numbered(columns)[0]


def _numbered(columns: Sequence[pa.ChunkedArray]) -> tuple[list[NDArray[np.int64]], pa.Array]:
    """Number values by first appearance; return the numbers by table, and the values."""
    arrays = [_plain(column) for column in columns]
    encoded = pa.concat_arrays(arrays).dictionary_encode(null_encoding="encode")
    ends = np.cumsum([len(array) for array in arrays])[:-1]
    return np.split(encoded.indices.to_numpy().astype(np.int64), ends), encoded.dictionary


def lengths(values: pa.ChunkedArray) -> Numbers:
    """Return how long values are: characters of text, bytes, or items of a list."""
    array = _plain(values)
    if is_text(array.type):
        return _whole(pc.utf8_length(array))
    if pa.types.is_nested(array.type):
        return _whole(pc.list_value_length(array))
    if pa.types.is_fixed_size_binary(array.type):
        array = array.cast(pa.binary())
    return _whole(pc.binary_length(array))


def words(values: pa.ChunkedArray) -> Numbers | None:
    """Return how many words (parted by white space) texts have; None if values are no text."""
    array = _plain(values)
    if not is_text(array.type):
        return None
    return _whole(pc.count_substring_regex(array, r"\S+"))


def _whole(array: pa.Array) -> Numbers:
    null = array.is_null().to_numpy(zero_copy_only=False)
    return Numbers(array.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64), null)


def _plain(values: pa.ChunkedArray) -> pa.Array:
    """Return one array, without dictionary and without views."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        return _plain(values.cast(kind.value_type))
    if pa.types.is_string_view(kind) or pa.types.is_string(kind):
        values = values.cast(pa.large_string())  # one array of many rows can pass 2 GiB
    elif pa.types.is_binary_view(kind) or pa.types.is_binary(kind):
        values = values.cast(pa.large_binary())
    return pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)


def is_text(arrow_type: pa.DataType) -> bool:
    """Say whether a type holds text, however it is laid out."""
    types = pa.types
    return bool(
        types.is_string(arrow_type)
        or types.is_large_string(arrow_type)
        or types.is_string_view(arrow_type)
    )


def _parsed(array: pa.Array, spec: ColumnSpec) -> pa.Array:
    """Read text as float64, or as int64 days or microseconds; null where it can't be."""
    encoded = array.dictionary_encode()
    texts = encoded.dictionary
    form = spec.options.get("format")
    if spec.type not in _CLOCKS:
        parsed = pa.array([_try(float, text) for text in texts.to_pylist()], pa.float64())
    elif form is None:
        read = _CLOCKS[spec.type]
        parsed = pa.array([_try(read, text) for text in texts.to_pylist()], pa.int64())
    else:
        parsed = _parsed_by(form, texts)
    return parsed.take(encoded.indices)


def _parsed_by(form: str, texts: pa.Array) -> pa.Array:
    """Read texts of one format as int64 microseconds; null where they are not of it."""
    whole = _DIRECTIVE.sub(lambda found: _for_strptime(found, fraction=False), form)
    parsed = pc.strptime(texts, format=whole, unit="us", error_is_null=True).cast(pa.int64())
    if not parsed.null_count:
        return parsed
    # Arrow is fast but knows no fractions of a second.
    exact = _DIRECTIVE.sub(lambda found: _for_strptime(found, fraction=True), form)
    rest = texts.filter(parsed.is_null()).to_pylist()
    found = [_try(lambda text: _by_strptime(text, exact), text) for text in rest]
    return pc.replace_with_mask(parsed, parsed.is_null(), pa.array(found, pa.int64()))


def _for_strptime(directive: re.Match[str], *, fraction: bool) -> str:
    """Return a directive of the datatypes' formats as ``strptime`` has it.

    They know more: unpadded numbers (``%-d``), names in other letters (``%^b``), ``%P``, and
    fractions of so many digits (``%3f``), with their point and left out when zero (``%.3f``).
    """
    point, letter = directive["point"], directive["letter"]
    if letter == "f":
        return f"{point}%f" if fraction else ("" if point else "%f")
    return "%p" if letter == "P" else f"%{letter}"


def _by_strptime(text: str, form: str) -> int:
    # Python reads six digits of a fraction; a point before more is a second's.
    text = _NANOSECONDS.sub(r"\1", text)
    return _microseconds(datetime.strptime(text, form))  # noqa: DTZ007 - naive is read as UTC


def _try(read: Callable[[str], int | float], text: str) -> int | float | None:
    try:
        return read(text)
    except ValueError:
        return None


def _microseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _time_of_day(text: str) -> int:
    return _microseconds(datetime.combine(_EPOCH, time.fromisoformat(text)))


_CLOCKS: dict[str, Callable[[str], int]] = {
    "datetime": lambda text: _microseconds(datetime.fromisoformat(text)),
    "date": lambda text: date.fromisoformat(text).toordinal(),
    "time": _time_of_day,
}
"""How to read ISO 8601 text of each datatype."""
