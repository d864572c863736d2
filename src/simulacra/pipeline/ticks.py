"""Values of any ordered type as whole numbers, and back: what can be moved step by step."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import gcd
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_MOST_DECIMALS = 9
_FEWEST_NUMBERS = 20
_EXACT = 2**53
_WIDE = 2**60
_SECONDS_A_DAY = 86_400
_YEAR_1, _YEAR_10000 = -719_162, 2_932_897
"""The days on which those years begin, from 1970 on."""
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, slots=True)
class Ticks:
    """The numbers that stand for the values of a column.

    Attributes:
        least: The least number seen.
        greatest: The greatest.
        step: The distance of which all distances seen are multiples.
        decimals: Digits behind the point of floating-point numbers; -1 where they are too fine to
            be counted, and numbers are those of the representable values in order.
    """

    least: int
    greatest: int
    step: int
    decimals: int = 0

    @classmethod
    def of(cls, values: pa.Array) -> Ticks | None:
        """Return what stands for some values (without nulls); None if they can't be counted.

        Texts, bytes and lists have no steps; numbers that fill the range of their type need none.
        """
        kind = values.type
        if not is_counted(kind) or not len(values):
            return None
        decimals = _decimals(values.to_numpy()) if pa.types.is_floating(kind) else 0
        if decimals < 0:
            # Between any two of them there are others, and all are as good.
            most = int(_ranks(np.array([np.finfo(kind.to_pandas_dtype()).max]))[0])
            return cls(-most, most, 1, decimals)
        numbers = np.unique(cls(0, 0, 1, decimals).count(values))
        if len(numbers) == 0 or max(abs(int(numbers[0])), abs(int(numbers[-1]))) > _WIDE:
            return None
        return cls(int(numbers[0]), int(numbers[-1]), _step(numbers, kind), decimals)

    def count(self, values: pa.Array) -> NDArray[np.int64]:
        """Return the numbers of values, shape ``(rows,)``; of no meaning where they are null."""
        kind = values.type
        if values.null_count:
            values = values.fill_null(_nought(kind))
        if pa.types.is_floating(kind):
            reals = values.to_numpy(zero_copy_only=False)
            if self.decimals < 0:
                return _ranks(reals)
            with np.errstate(invalid="ignore"):
                counted = np.rint(reals.astype(np.float64) * 10.0**self.decimals)
            return np.where(np.isfinite(counted), counted, 0).astype(np.int64)
        if pa.types.is_decimal(kind):
            return _unscaled(values)
        if pa.types.is_temporal(kind):
            values = values.view(pa.int32() if kind.bit_width == 32 else pa.int64())
        if pa.types.is_boolean(kind):
            values = values.cast(pa.int8())
        return np.asarray(values.to_numpy(zero_copy_only=False)).astype(np.int64)

    def values(self, numbers: NDArray[np.int64], kind: pa.DataType) -> pa.Array:
        """Return the values that numbers stand for."""
        if pa.types.is_floating(kind):
            if self.decimals < 0:
                return pa.array(_reals(numbers, kind.to_pandas_dtype()))
            reals = np.round(numbers / 10.0**self.decimals, self.decimals)
            return pa.array(reals.astype(kind.to_pandas_dtype()))
        if pa.types.is_decimal(kind):
            whole = pa.array(numbers).cast(pa.decimal128(19, 0))
            return pa.Array.from_buffers(
                pa.decimal128(38, kind.scale), len(whole), whole.buffers()
            ).cast(kind)
        if pa.types.is_temporal(kind):
            narrow = np.int32 if kind.bit_width == 32 else np.int64
            return pa.array(numbers.astype(narrow)).view(kind)
        return pa.array(numbers).cast(kind)

    def limits(self, kind: pa.DataType) -> tuple[int, int]:
        """Return the least and greatest number that a type has room for."""
        low, high = -(2**62), 2**62
        if self.decimals < 0:
            return self.least, self.greatest
        if pa.types.is_boolean(kind):
            low, high = 0, 1
        elif pa.types.is_integer(kind):
            bounds = np.iinfo(kind.to_pandas_dtype())
            low, high = max(low, int(bounds.min)), min(high, int(bounds.max))
        elif pa.types.is_decimal(kind):
            most = 10 ** min(kind.precision, 18) - 1
            low, high = -most, most
        elif pa.types.is_time(kind):
            low, high = 0, _SECONDS_A_DAY * _UNITS[kind.unit] - 1
        elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
            ticks = _ticks_a_day(kind)
            low, high = max(low, _YEAR_1 * ticks), min(high, _YEAR_10000 * ticks - 1)
        if self.least >= 0:
            low = max(low, 0)
        # From the grid's own numbers no step leads elsewhere.
        low = self.least - (self.least - low) // self.step * self.step
        return low, self.least + (high - self.least) // self.step * self.step


def is_counted(kind: pa.DataType) -> bool:
    """Say whether values of a type stand in order, each a step from the next."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_temporal(kind)
        or types.is_boolean(kind)
        or (types.is_floating(kind) and kind.bit_width >= 32)
        or (types.is_decimal(kind) and kind.bit_width >= 128)
    ) and not isinstance(kind, pa.BaseExtensionType)


def _step(numbers: NDArray[np.int64], kind: pa.DataType) -> int:
    """Return the step between sorted numbers; few of them only tell units of time."""
    step = int(np.gcd.reduce(np.diff(numbers))) if len(numbers) > 1 else 0
    if len(numbers) >= _FEWEST_NUMBERS:
        return step
    if pa.types.is_time(kind) or pa.types.is_timestamp(kind) or pa.types.is_date64(kind):
        day = _ticks_a_day(kind)
        units = (day, day // 24, day // 1_440, day // _SECONDS_A_DAY)
        # A time of day has no other day to go to.
        return max(gcd(step or day, unit) for unit in units[pa.types.is_time(kind) :])
    return 1


def _ticks_a_day(kind: pa.DataType) -> int:
    if pa.types.is_date32(kind):
        return 1
    return _SECONDS_A_DAY * _UNITS["ms" if pa.types.is_date64(kind) else kind.unit]


def _nought(kind: pa.DataType) -> Any:
    if pa.types.is_temporal(kind):
        return pa.scalar(0, pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind)
    return pa.scalar(Decimal(0), kind) if pa.types.is_decimal(kind) else pa.scalar(0, kind)


def _decimals(reals: NDArray[Any]) -> int:
    """Return how many digits behind the point numbers have, -1 if too many to be counted."""
    known = reals[np.isfinite(reals)].astype(np.float64)
    for digits in range(_MOST_DECIMALS + 1):
        counted = np.rint(known * 10.0**digits)
        if np.abs(counted).max(initial=0) >= _EXACT:
            return -1
        back = np.round(counted / 10.0**digits, digits).astype(reals.dtype)
        if (back == known.astype(reals.dtype)).all():
            return digits
    return -1


def _ranks(reals: NDArray[Any]) -> NDArray[np.int64]:
    """Number the representable values in order, 0 being that of nought."""
    width = np.int64 if reals.dtype == np.float64 else np.int32
    bits = reals.view(width).astype(np.int64)
    return np.where(bits < 0, np.iinfo(width).min - bits, bits).astype(np.int64)


def _reals(numbers: NDArray[np.int64], dtype: Any) -> NDArray[Any]:
    width = np.int64 if np.dtype(dtype) == np.float64 else np.int32
    bits = np.where(numbers < 0, np.iinfo(width).min - numbers, numbers)
    return bits.astype(width).view(dtype)


def _unscaled(values: pa.Array) -> NDArray[np.int64]:
    """Return decimals without their point; only those of 64 bits are right."""
    words = values.type.bit_width // 64
    data = np.frombuffer(values.buffers()[1], np.int64).reshape(-1, words)
    return data[values.offset : values.offset + len(values), 0].copy()
