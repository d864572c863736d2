"""Decides the type of a CSV column over all of its cells.

A column is of the narrowest type that gives back every cell as it was written:

==========  =======================================================================================
int64       whole numbers, without leading zeros or ``+``, that fit 64 bits
decimal128  numbers that all have the same number (≥ 1) of decimals, at most 18 digits
float64     any other numbers (these alone may change their spelling: ``1e3`` becomes ``1000.0``)
bool        true and false, in one spelling of three: ``true``, ``True``, ``TRUE``
null        nothing at all
string      everything else, so dates and times too
==========  =======================================================================================

An empty cell is null. In a numeric or boolean column so are ``NA``, ``NULL``, ``NaN`` and the like;
in a text column they are texts. A quoted empty cell is an empty text among texts, null elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.compiled import kernel

NULL_TOKENS = (
    "NA", "N/A", "n/a", "na", "#N/A", "NULL", "Null", "null", "NaN", "nan", "NAN", "None", "none",
    r"\N",
)  # fmt: skip
TRUTHS = (("true", "false"), ("True", "False"), ("TRUE", "FALSE"))
_INFINITIES = ("inf", "-inf", "Inf", "-Inf")
_MOST_DIGITS = 18

# One column's counts, by position.
_WHOLE, _FIXED, _FLOAT, _OTHER, _EMPTY, _SCALE, _DIGITS, _TRUTH = range(8)
_TOKEN = _TRUTH + len(TRUTHS)
_COUNTS = _TOKEN + len(NULL_TOKENS)

_NO_NUMBER = -1
_NO_SCALE = -1
_MANY_SCALES = -2
_SPACE, _PLUS, _MINUS, _POINT, _ZERO, _NINE, _BIG_E, _SMALL_E = b" +-.09Ee"


def _packed(texts: tuple[str, ...]) -> NDArray[np.uint64]:
    return np.array([int.from_bytes(text.encode(), "little") for text in texts], np.uint64)


_TOKEN_WORDS = _packed(NULL_TOKENS)
_TRUTH_WORDS = _packed(tuple(word for pair in TRUTHS for word in pair))
_INFINITE_WORDS = _packed(_INFINITIES)
_GREATEST = np.frombuffer(b"9223372036854775807", np.uint8)


@dataclass(frozen=True, slots=True)
class ColumnType:
    """What a column is.

    Attributes:
        type: Its Arrow type.
        truth: How true and false are spelled, if it is boolean.
        null: The token that stands for null most often, empty if none does.
        needs_cleaning: Whether cells that are null must be found before the column can be parsed.
        whole_bare: Whether whole floats are written without ``.0``.
    """

    type: pa.DataType
    truth: tuple[str, str] = TRUTHS[0]
    null: str = ""
    needs_cleaning: bool = False
    whole_bare: bool = False


class TypeTally:
    """Counts what the cells of one column look like."""

    def __init__(self) -> None:
        self._counts = np.zeros(_COUNTS, np.int64)
        self._counts[_SCALE] = _NO_SCALE
        self._quoted_empty = 0

    def update(self, cells: pa.Array) -> None:
        """Take the next cells, of type string; null where empty and not quoted."""
        empty_before = self._counts[_EMPTY]
        _, offset_buffer, data_buffer = cells.buffers()
        offsets = np.frombuffer(offset_buffer, np.int32)[cells.offset :][: len(cells) + 1]
        data = np.frombuffer(data_buffer or b"", np.uint8)
        _tally(offsets, data, self._counts, _TOKEN_WORDS, _TRUTH_WORDS, _INFINITE_WORDS, _GREATEST)
        if not self._counts[_OTHER]:
            self._quoted_empty += int(self._counts[_EMPTY] - empty_before) - cells.null_count

    def finish(self) -> ColumnType:
        """Return the type of all cells taken."""
        counts = self._counts
        whole, fixed, floats, other = (int(counts[i]) for i in (_WHOLE, _FIXED, _FLOAT, _OTHER))
        truths = counts[_TRUTH:_TOKEN]
        tokens = counts[_TOKEN:]
        numbers = whole + fixed + floats
        if other or (numbers and truths.any()) or np.count_nonzero(truths) > 1:
            return ColumnType(pa.string())
        if not numbers and not truths.any():
            is_empty = not tokens.any() and not self._quoted_empty
            return ColumnType(pa.null() if is_empty else pa.string())
        null = NULL_TOKENS[int(tokens.argmax())] if tokens.any() else ""
        needs_cleaning = bool(tokens.any() or self._quoted_empty)
        if truths.any():
            truth = TRUTHS[int(truths.argmax())]
            return ColumnType(pa.bool_(), truth, null, needs_cleaning)
        kind = pa.float64()
        if whole == numbers:
            kind = pa.int64()
        elif fixed == numbers and counts[_SCALE] > 0:
            scale = int(counts[_SCALE])
            if counts[_DIGITS] + scale <= _MOST_DIGITS:
                kind = pa.decimal128(int(counts[_DIGITS]) + scale, scale)
        return ColumnType(kind, TRUTHS[0], null, needs_cleaning, whole_bare=whole > 0)


@kernel
def _tally(
    offsets: NDArray[np.int32],
    data: NDArray[np.uint8],
    counts: NDArray[np.int64],
    tokens: NDArray[np.uint64],
    truths: NDArray[np.uint64],
    infinities: NDArray[np.uint64],
    greatest: NDArray[np.uint8],
) -> None:
    for row in range(len(offsets) - 1):
        if counts[_OTHER] > 0:
            return  # a text, whatever follows
        start, end = offsets[row], offsets[row + 1]
        if start == end:
            counts[_EMPTY] += 1
            continue
        while start < end and data[start] == _SPACE:
            start += 1
        while start < end and data[end - 1] == _SPACE:
            end -= 1
        kind, digits, decimals = _number(data, start, end, greatest)
        if kind == _NO_NUMBER:
            _tally_word(data, start, end, counts, tokens, truths, infinities)
            continue
        counts[kind] += 1
        if kind == _FIXED:
            counts[_DIGITS] = max(counts[_DIGITS], digits)
            is_first = counts[_SCALE] == _NO_SCALE
            counts[_SCALE] = decimals if is_first or counts[_SCALE] == decimals else _MANY_SCALES


@kernel
def _number(
    data: NDArray[np.uint8], start: int, end: int, greatest: NDArray[np.uint8]
) -> tuple[int, int, int]:
    """Return what kind of number a cell is, its digits before the point, and after it."""
    first = start + 1 if start < end and data[start] == _MINUS else start
    point = _digits_end(data, first, end)
    digits = point - first
    if digits > 1 and data[first] == _ZERO:
        return _OTHER, 0, 0
    if point == end and digits > 0:
        return _whole(data, start, first, end, greatest), digits, 0
    decimals = 0
    mantissa = point
    if point < end and data[point] == _POINT:
        mantissa = _digits_end(data, point + 1, end)
        decimals = mantissa - point - 1
    if digits + decimals == 0:
        return _NO_NUMBER, 0, 0
    if mantissa == end:
        return (_FIXED if digits > 0 and decimals > 0 else _FLOAT), digits, decimals
    return (_FLOAT if _is_exponent(data, mantissa, end) else _NO_NUMBER), 0, 0


@kernel
def _digits_end(data: NDArray[np.uint8], start: int, end: int) -> int:
    while start < end and _ZERO <= data[start] <= _NINE:
        start += 1
    return start


@kernel
def _is_exponent(data: NDArray[np.uint8], start: int, end: int) -> bool:
    if data[start] not in (_SMALL_E, _BIG_E):
        return False
    start += 1
    if start < end and data[start] in (_PLUS, _MINUS):
        start += 1
    return start < end and _digits_end(data, start, end) == end


@kernel
def _whole(
    data: NDArray[np.uint8], start: int, first: int, end: int, greatest: NDArray[np.uint8]
) -> int:
    digits = end - first
    if digits > len(greatest) or (digits == len(greatest) and _exceeds(data, first, greatest)):
        return _OTHER
    is_minus_zero = first > start and digits == 1 and data[first] == _ZERO
    return _FLOAT if is_minus_zero else _WHOLE


@kernel
def _exceeds(data: NDArray[np.uint8], start: int, greatest: NDArray[np.uint8]) -> bool:
    for i in range(len(greatest)):
        if data[start + i] != greatest[i]:
            return bool(data[start + i] > greatest[i])
    return False


@kernel
def _tally_word(
    data: NDArray[np.uint8],
    start: int,
    end: int,
    counts: NDArray[np.int64],
    tokens: NDArray[np.uint64],
    truths: NDArray[np.uint64],
    infinities: NDArray[np.uint64],
) -> None:
    word = np.uint64(0)
    if end - start <= 8:
        for i in range(end - start):
            word |= np.uint64(data[start + i]) << np.uint64(8 * i)
        for i in range(len(tokens)):
            if word == tokens[i]:
                counts[_TOKEN + i] += 1
                return
        for i in range(len(truths)):
            if word == truths[i]:
                counts[_TRUTH + i // 2] += 1
                return
        for i in range(len(infinities)):
            if word == infinities[i]:
                counts[_FLOAT] += 1
                return
    counts[_OTHER] += 1
