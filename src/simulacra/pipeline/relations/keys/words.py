"""Key values as 64-bit words: the words themselves, hashes of long values, numbers of any type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.compiled import Flags, Hashes
from simulacra.core.sip_hash import hash_bytes

_HASH_KEY: Hashes = np.array([0x9E3779B97F4A7C15, 0xD1B54A32D192ED03], dtype=np.uint64)
_TYPES = pa.types


@dataclass(frozen=True, slots=True)
class Words:
    """The words of some rows.

    Attributes:
        words: Shape ``(width, rows)``, dtype uint64; of no meaning where null or foreign.
        null: Which rows are null (NaN too: it names nothing), shape ``(rows,)``.
        foreign: Which rows hold what the parent's type can't, shape ``(rows,)``.
    """

    words: Hashes
    null: Flags
    foreign: Flags


def as_numpy(values: pa.Array) -> NDArray[Any]:
    """Return numbers without nulls, which become 0."""
    if values.null_count:
        values = values.fill_null(0)
    return np.asarray(values.to_numpy(zero_copy_only=False))


def one_word(words: NDArray[Any]) -> Hashes:
    """Return 64-bit numbers as words, shape ``(rows, 1)``."""
    return np.ascontiguousarray(words).view(np.uint64).reshape(-1, 1)


def hashed_words(words: Hashes) -> Hashes:
    """Return two words for each row of several: shape ``(rows, 2)`` from ``(rows, width)``."""
    rows, width = words.shape
    data = np.ascontiguousarray(words).view(np.uint8).reshape(-1)
    out = np.empty((rows, 2), np.uint64)
    hash_bytes(data, np.arange(rows + 1) * (8 * width), _HASH_KEY, out)
    return out


def hashed(values: pa.Array) -> Hashes:
    """Return the hashes of texts or bytes, shape ``(rows, 2)``."""
    kind = values.type
    if _TYPES.is_fixed_size_binary(kind):
        data, width = values.buffers()[1], kind.byte_width
        offsets = (np.arange(len(values) + 1) + values.offset) * width
    else:
        _, ends, data = values.buffers()
        large = _TYPES.is_large_string(kind) or _TYPES.is_large_binary(kind)
        offsets = np.frombuffer(ends, np.int64 if large else np.int32) if ends else np.zeros(1)
        offsets = offsets[values.offset : values.offset + len(values) + 1]
    out = np.empty((len(values), 2), np.uint64)
    if len(values):
        content = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
        hash_bytes(content, offsets, _HASH_KEY, out)
    return out


def whole(values: pa.Array, null: Flags) -> Words:
    """Numbers of any kind as int64."""
    kind = values.type
    if _TYPES.is_boolean(kind):
        values = values.cast(pa.int8())
    if _TYPES.is_uint64(kind):
        numbers = as_numpy(values).view(np.int64)
        return Words(one_word(numbers), null, (numbers < 0) & ~null)
    if _TYPES.is_floating(kind):
        reals = as_numpy(values).astype(np.float64)
        null = null | np.isnan(reals)
        foreign = ~((reals == np.floor(reals)) & (reals >= -(2.0**63)) & (reals < 2.0**63))
        return Words(one_word(np.where(foreign, 0, reals).astype(np.int64)), null, foreign & ~null)
    if _TYPES.is_decimal(kind):
        within, numbers = _whole_decimals(values, pa.int64())
        return Words(one_word(numbers), null, ~within & ~null)
    return Words(one_word(as_numpy(values).astype(np.int64)), null, np.zeros(len(null), bool))


def unsigned(values: pa.Array, null: Flags) -> Words:
    """Numbers of any kind as uint64."""
    if _TYPES.is_uint64(values.type):
        return Words(one_word(as_numpy(values)), null, np.zeros(len(null), bool))
    if _TYPES.is_decimal(values.type):
        within, numbers = _whole_decimals(values, pa.uint64())
        return Words(one_word(numbers), null, ~within & ~null)
    if _TYPES.is_floating(values.type):
        reals = as_numpy(values).astype(np.float64)
        null = null | np.isnan(reals)
        foreign = ~((reals == np.floor(reals)) & (reals >= 0) & (reals < 2.0**64))
        return Words(one_word(np.where(foreign, 0, reals).astype(np.uint64)), null, foreign & ~null)
    found = whole(values, null)
    return Words(
        found.words, null, found.foreign | ((found.words[:, 0].view(np.int64) < 0) & ~null)
    )


def real(values: pa.Array, null: Flags) -> Words:
    """Numbers of any kind as float64; others than floats only where they are whole and exact."""
    if _TYPES.is_floating(values.type):
        # Adding zero turns -0 into 0.
        reals = as_numpy(values).astype(np.float64) + 0.0
        return Words(one_word(reals), null | np.isnan(reals), np.zeros(len(null), bool))
    found = whole(values, null)
    numbers = found.words[:, 0].view(np.int64)
    reals = numbers.astype(np.float64)
    exact = (reals < 2.0**63) & (np.where(reals < 2.0**63, reals, 0).astype(np.int64) == numbers)
    return Words(one_word(reals), found.null, found.foreign | (~exact & ~null))


def exact(values: pa.Array, null: Flags) -> Words:
    """Numbers of any kind as the hash of their digits and exponent; floats only if whole."""
    foreign = np.zeros(len(null), bool)
    scale = 0
    if _TYPES.is_floating(values.type):
        found = whole(values, null)
        null, foreign = found.null, found.foreign
        values = pa.array(found.words[:, 0].view(np.int64))
    if _TYPES.is_boolean(values.type):
        values = values.cast(pa.int8())
    if _TYPES.is_decimal(values.type):
        scale = values.type.scale
        # The same digits without the point: with it, text of small numbers has an exponent.
        size = values.type.bit_width
        unscaled = {32: pa.decimal32(9, 0), 64: pa.decimal64(18, 0), 128: pa.decimal128(38, 0)}
        values = pa.Array.from_buffers(
            unscaled.get(size, pa.decimal256(76, 0)),
            len(values),
            values.buffers(),
            offset=values.offset,
        )
    digits = values.cast(pa.string())
    short = pc.utf8_rtrim(digits, "0")
    zeros = pc.subtract(pc.binary_length(digits), pc.binary_length(short))
    exponents = pc.subtract(zeros, pa.scalar(scale, pa.int32())).cast(pa.string())
    text = pc.binary_join_element_wise(short, exponents, "e")
    # Nought has no digits left and any number of zeros.
    text = pc.if_else(pc.equal(short, ""), "0", text)
    return Words(hashed(text), null, foreign)


def _whole_decimals(values: pa.Array, kind: pa.DataType) -> tuple[Flags, NDArray[Any]]:
    """Return which decimals are whole and in the range of an integer type, and those as such."""
    wide = values.cast(pa.decimal256(76, max(values.type.scale, 0)))
    cut = pc.cast(wide, options=pc.CastOptions(pa.decimal256(76, 0), allow_decimal_truncate=True))
    bounds = np.iinfo(kind.to_pandas_dtype())
    least, most = (pa.scalar(int(b), pa.decimal256(76, 0)) for b in (bounds.min, bounds.max))
    within = pc.and_(
        pc.equal(cut.cast(wide.type), wide),
        pc.and_(pc.greater_equal(cut, least), pc.less_equal(cut, most)),
    ).fill_null(False)  # noqa: FBT003 - Arrow's own signature
    numbers = pc.if_else(within, cut, pa.scalar(0, cut.type)).cast(kind)
    return np.asarray(within), as_numpy(numbers)
