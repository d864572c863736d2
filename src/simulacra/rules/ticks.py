"""Values as whole numbers of a unit ("ticks"), so that sums and differences are exact.

An integer counts ones, a decimal counts its last digit, a date counts days, a timestamp, time or
duration counts its unit, and a float counts the last of the decimals that its values have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

LARGEST = 2**62
"""Ticks lie within ± this, so that the sum of two fits 64 bits."""
LARGEST_FLOAT = 2**53
"""Floats count ticks exactly within ± this."""
MOST_DECIMALS = 12
_DAY_SECONDS = 86_400
_MS_PER_DAY = _DAY_SECONDS * 1000
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, slots=True)
class Unit:
    """What a column counts in.

    Attributes:
        family: Columns of one family can be subtracted: ``number``, ``instant``, ``instant+tz``
            (the absolute instants), ``time`` (of day) and ``duration``.
        per: Ticks per one (numbers) or per second (the others).
    """

    family: str
    per: Fraction

    @property
    def day(self) -> int:
        """Ticks in a day."""
        return int(self.per * _DAY_SECONDS)


@dataclass(frozen=True, slots=True)
class Ticks:
    """A column in ticks; every array has the shape ``(rows,)``.

    Attributes:
        count: The ticks, int64; 0 where ``known`` is false.
        known: Whether the value is neither null nor NaN nor infinite.
        exact: Whether ``count`` ticks are the value itself, not only the nearest to it.
        odd: A float column's values where they are NaN or infinite (anything elsewhere), or None.
        null: Whether the value is null.
        beyond: Where a number lies between two counts: 1 if it is above its count, -1 below, 0 if
            it is the count itself; None if all are. Times between two counts are the lower one.
    """

    count: NDArray[np.int64]
    known: NDArray[np.bool_]
    exact: NDArray[np.bool_]
    null: NDArray[np.bool_]
    odd: NDArray[np.float64] | None = None
    beyond: NDArray[np.int8] | None = None

    def compared(self, count: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how counts compare with the values: positive if greater, 0 only if equal."""
        distance = count - self.count
        return distance if self.beyond is None else np.where(distance, distance, -self.beyond)

    def floor(self) -> NDArray[np.int64]:
        """Return the greatest counts that are not above the values."""
        return self.count if self.beyond is None else self.count - (self.beyond < 0)

    def ceil(self) -> NDArray[np.int64]:
        """Return the least counts that are not below the values."""
        return self.count if self.beyond is None else self.count + (self.beyond > 0)

    def or_else(self, other: Ticks) -> Ticks:
        """Return these values where they are known, others elsewhere."""
        both = [
            np.zeros(len(t.count), np.int8) if t.beyond is None else t.beyond for t in (self, other)
        ]
        return Ticks(
            np.where(self.known, self.count, other.count),
            self.known | other.known,
            np.where(self.known, self.exact, other.exact),
            self.null & other.null,
            beyond=np.where(self.known, *both),
        )

    def moved(self, count: NDArray[np.int64]) -> Ticks:
        """Return other counts, null or odd in the same rows."""
        return replace(self, count=count, beyond=None)


def unit_of(arrow_type: pa.DataType, decimals: int = 0) -> Unit | None:
    """Return what columns of a type count in, None if they are neither numbers nor times.

    Args:
        arrow_type: The column's Arrow type.
        decimals: The decimals of a float column.
    """
    types = pa.types
    if types.is_integer(arrow_type):
        return Unit("number", Fraction(1))
    if types.is_floating(arrow_type):
        return Unit("number", Fraction(10**decimals))
    if types.is_decimal(arrow_type):
        # Arrow can't bring wider ones into 128 bits.
        fits = arrow_type.precision <= 38 and 0 <= arrow_type.scale <= 18
        return Unit("number", Fraction(10**arrow_type.scale)) if fits else None
    return _time_unit(arrow_type)


def _time_unit(arrow_type: pa.DataType) -> Unit | None:
    types = pa.types
    if types.is_date(arrow_type):
        return Unit("instant", Fraction(1, _DAY_SECONDS))
    for is_a, family in (
        (types.is_timestamp, "instant"),
        (types.is_time, "time"),
        (types.is_duration, "duration"),
    ):
        if is_a(arrow_type):
            absolute = family == "instant" and arrow_type.tz
            return Unit(
                "instant+tz" if absolute else family, Fraction(_PER_SECOND[arrow_type.unit])
            )
    return None


def decimals_of(values: pa.Array) -> int | None:
    """Return the fewest decimals that write every finite float exactly, None if 12 are too few."""
    array = values.to_numpy(zero_copy_only=False)
    finite = array[np.isfinite(array)]
    for decimals in range(MOST_DECIMALS + 1):
        _, exact = _float_ticks(finite, 10.0**decimals)
        if exact.all():
            return decimals
    return None


def read(values: pa.Array, unit: Unit) -> Ticks:
    """Count a column in ticks of ``unit``, which may be another column's.

    Values between two ticks go down to the lower one (floats: to the nearest). What is returned
    is a function of the value alone, so the same value always has the same count.

    Args:
        values: A column whose type has a unit of the same family.
        unit: What to count in.
    """
    null = values.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_floating(values.type):
        array = values.to_numpy(zero_copy_only=False)
        known = np.isfinite(array) & ~null
        finite = np.where(known, array, 0)
        count, exact = _float_ticks(finite, float(unit.per))
        beyond = np.where(exact, 0, np.sign(finite - count / float(unit.per))).astype(np.int8)
        return Ticks(count, known, exact | ~known, null, array.astype(np.float64), beyond)
    own = unit_of(values.type)
    if own is None or own.family != unit.family:
        msg = f"{values.type} can't be counted in {unit}"
        raise TypeError(msg)
    count, exact = _whole(values)
    count, kept = _rescale(count, unit.per / own.per)
    # Numbers between two counts went down.
    above = (exact & ~kept & ~null).astype(np.int8) if unit.family == "number" else None
    return Ticks(np.where(null, 0, count), ~null, (exact & kept) | null, null, beyond=above)


def write(ticks: Ticks, arrow_type: pa.DataType, unit: Unit) -> pa.Array:
    """Return the column that :func:`read` counts as ``ticks``, of the given type and unit.

    Counts beyond what the type can hold become the nearest that it can.
    """
    types = pa.types
    count = ticks.count
    if types.is_floating(arrow_type):
        array = count / float(unit.per)
        if ticks.odd is not None:
            array = np.where(ticks.known, array, ticks.odd)
        return pa.array(array.astype(arrow_type.to_pandas_dtype()), arrow_type, mask=ticks.null)
    if types.is_decimal(arrow_type):
        return _decimals(count, ticks.null, arrow_type)
    low, high = limits(arrow_type)
    count = np.clip(count, low, high)
    if types.is_date64(arrow_type):
        count = count * _MS_PER_DAY
    if types.is_integer(arrow_type):
        return pa.array(count.astype(arrow_type.to_pandas_dtype()), arrow_type, mask=ticks.null)
    storage = pa.int32() if arrow_type.bit_width == 32 else pa.int64()
    whole = pa.array(count.astype(storage.to_pandas_dtype()), storage, mask=ticks.null)
    return whole.view(arrow_type)


def limits(arrow_type: pa.DataType) -> tuple[int, int]:
    """Return the least and the greatest count that a type holds (and that we compute with)."""
    types = pa.types
    if types.is_integer(arrow_type):
        info = np.iinfo(arrow_type.to_pandas_dtype())
        return max(int(info.min), -LARGEST), min(int(info.max), LARGEST)
    if types.is_floating(arrow_type):
        return -LARGEST_FLOAT, LARGEST_FLOAT
    if types.is_decimal(arrow_type):
        most = min(10**arrow_type.precision - 1, LARGEST)
        return -most, most
    return _time_limits(arrow_type)


def _time_limits(arrow_type: pa.DataType) -> tuple[int, int]:
    types = pa.types
    if types.is_time(arrow_type):
        return 0, _DAY_SECONDS * _PER_SECOND[arrow_type.unit] - 1
    if types.is_date32(arrow_type):
        return -(2**31), 2**31 - 1
    most = LARGEST // _MS_PER_DAY if types.is_date64(arrow_type) else LARGEST
    return -most, most


def difference_type(arrow_type: pa.DataType) -> pa.DataType:
    """Return the type that holds differences of columns of a type."""
    types = pa.types
    if types.is_integer(arrow_type) or types.is_date(arrow_type):
        return pa.int64()
    if types.is_floating(arrow_type):
        return pa.float64()
    if types.is_decimal(arrow_type):
        return pa.decimal128(20, arrow_type.scale)
    return pa.duration(arrow_type.unit)


def _float_ticks(
    array: NDArray[np.floating], per: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    with np.errstate(over="ignore"):  # infinite is beyond what is exact, as large is
        scaled = np.rint(array.astype(np.float64) * per)
    inside = np.abs(scaled) <= LARGEST_FLOAT
    scaled = np.clip(scaled, -LARGEST_FLOAT, LARGEST_FLOAT)
    # -0.0 has no count of its own and compares equal to 0.0.
    exact = inside & ((scaled / per).astype(array.dtype) == array)
    return scaled.astype(np.int64), exact


def _whole(values: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the counts in a column's own unit, and whether each lies within the limits."""
    types = pa.types
    if types.is_decimal(values.type):
        return _decimal_ticks(values)
    low, high = limits(values.type)
    whole = values
    if not types.is_integer(values.type):
        whole = values.view(pa.int32() if values.type.bit_width == 32 else pa.int64())
    array = pc.fill_null(whole, 0).to_numpy(zero_copy_only=False)
    if types.is_date64(values.type):
        days = array // _MS_PER_DAY
        return np.clip(days, low, high), array % _MS_PER_DAY == 0
    kept = np.clip(array, array.dtype.type(low), array.dtype.type(high))
    return kept.astype(np.int64), kept == array


def _decimal_ticks(values: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    wide = pc.fill_null(values.cast(pa.decimal128(38, values.type.scale)), 0)
    halves = np.frombuffer(wide.buffers()[1], np.int64).reshape(-1, 2)
    low, high = halves[wide.offset : wide.offset + len(wide)].T
    inside = (high == low >> 63) & (low >= -LARGEST) & (low <= LARGEST)
    return np.where(inside, low, np.where(high < 0, -LARGEST, LARGEST)), inside


def _decimals(
    count: NDArray[np.int64], null: NDArray[np.bool_], arrow_type: pa.DataType
) -> pa.Array:
    count = np.clip(count, *limits(arrow_type))
    halves = np.column_stack([count, count >> 63])
    wide = pa.Array.from_buffers(
        pa.decimal128(38, arrow_type.scale), len(count), [None, pa.py_buffer(halves.tobytes())]
    )
    known = pc.if_else(pa.array(~null), wide, pa.scalar(None, wide.type))
    return known.cast(arrow_type)


def _rescale(
    count: NDArray[np.int64], factor: Fraction
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Multiply by ``factor``, downwards to whole numbers; also say where nothing was lost."""
    most = LARGEST // factor.numerator
    kept = np.clip(count, -most, most)
    whole = kept * factor.numerator
    return whole // factor.denominator, (kept == count) & (whole % factor.denominator == 0)
