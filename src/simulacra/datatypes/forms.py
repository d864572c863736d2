"""Arrow arrays of ordered types as positions on a line, and back, without copies where possible."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.summary import Values

_TOP = np.uint64(1 << 63)
_LIMB = (1 << 64) - 1


class Mark(IntEnum):
    """Why a row has no position; further marks are texts that are kept as they are."""

    NONE = 0
    NULL = 1
    NAN = 2
    INFINITE = 3
    MINUS_INFINITE = 4
    TEXT = 5
    """The first kept text; the next is TEXT + 1, and so on."""


Marks = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Reading:
    """Rows as positions.

    Attributes:
        positions: int64, float64 or Python integers; anything where marked, shape ``(rows,)``.
        marks: See :class:`Mark`, shape ``(rows,)``; None if no row is marked.
    """

    positions: Values
    marks: Marks | None

    def placed(self) -> Values:
        """Return the positions of the rows that have one."""
        return self.positions if self.marks is None else self.positions[self.marks == Mark.NONE]


class Form(Protocol):
    """How a column's values are positions."""

    @property
    def type(self) -> pa.DataType:
        """The column's Arrow type."""
        ...

    def read(self, values: pa.Array) -> Reading:
        """Turn values into positions."""
        ...

    def write(self, positions: Values, marks: Marks | None) -> pa.Array:
        """Turn positions into values."""
        ...

    def facts(self) -> dict[str, Any]:
        """Return what makes the same form again, JSON-able, besides the Arrow type."""
        ...


def storage(values: pa.Array, dtype: np.dtype[Any], per_value: int = 1) -> NDArray[Any]:
    """Return an array's numbers as they lie in memory; anything where null."""
    if not len(values):
        return np.zeros(0, dtype)
    data = np.frombuffer(values.buffers()[1], dtype)
    return data[values.offset * per_value : (values.offset + len(values)) * per_value]


def null_marks(values: pa.Array) -> Marks | None:
    """Return marks of the nulls, None if there is none."""
    if not values.null_count:
        return None
    marks: Marks = values.is_null().to_numpy(zero_copy_only=False).astype(np.int32)
    return marks * np.int32(Mark.NULL)


def validity(marks: Marks | None) -> pa.Buffer | None:
    """Return an Arrow validity bitmap: rows marked as null are invalid."""
    if marks is None:
        return None
    return pa.py_buffer(np.packbits(marks != Mark.NULL, bitorder="little"))


def from_storage(
    arrow_type: pa.DataType, data: NDArray[Any], rows: int, marks: Marks | None
) -> pa.Array:
    """Build an array over numbers as they lie in memory."""
    buffers = [validity(marks), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(arrow_type, rows, buffers)


@dataclass(frozen=True, slots=True)
class WholeForm:
    """Types stored as whole numbers: integers, dates, times, durations, small decimals."""

    type: pa.DataType

    @property
    def _dtype(self) -> np.dtype[Any]:
        sign = "u" if pa.types.is_unsigned_integer(self.type) else "i"
        return np.dtype(f"{sign}{self.type.bit_width // 8}")

    def facts(self) -> dict[str, Any]:
        """Return nothing: the type says it all."""
        return {}

    def read(self, values: pa.Array) -> Reading:
        """Turn values into positions; uint64 is moved down by 2**63 to fit int64."""
        data = storage(values, self._dtype)
        if data.dtype == np.uint64:
            return Reading((data ^ _TOP).view(np.int64), null_marks(values))
        return Reading(data.astype(np.int64, copy=False), null_marks(values))

    def write(self, positions: Values, marks: Marks | None) -> pa.Array:
        """Turn positions into values."""
        if self._dtype == np.uint64:
            positions = positions.view(np.uint64) ^ _TOP
        data = positions.astype(self._dtype, copy=False)
        return from_storage(self.type, data, len(positions), marks)


@dataclass(frozen=True, slots=True)
class WideDecimalForm:
    """Decimals of 128 or 256 bits, as whole numbers of their last digit."""

    type: pa.DataType

    def facts(self) -> dict[str, Any]:
        """Return nothing: the type says it all."""
        return {}

    def read(self, values: pa.Array) -> Reading:
        """Turn values into positions; Python integers only where int64 does not reach."""
        limbs = self.type.bit_width // 64
        marks = null_marks(values)
        parts = storage(values, np.dtype(np.int64), limbs).reshape(-1, limbs)
        low = np.ascontiguousarray(parts[:, 0])
        narrow = (parts[:, 1:] == (low >> 63)[:, None]).all(axis=1)
        if narrow.all() or (marks is not None and narrow[marks == Mark.NONE].all()):
            return Reading(low, marks)
        wide = parts[:, -1].astype(object)
        for limb in range(limbs - 2, -1, -1):
            wide = (wide << 64) + np.ascontiguousarray(parts[:, limb]).view(np.uint64).astype(
                object
            )
        return Reading(wide, marks)

    def write(self, positions: Values, marks: Marks | None) -> pa.Array:
        """Turn positions into values."""
        limbs = self.type.bit_width // 64
        parts = np.empty((len(positions), limbs), np.uint64)
        if positions.dtype == object:
            for limb in range(limbs):
                parts[:, limb] = ((positions >> (64 * limb)) & _LIMB).astype(np.uint64)
        else:
            parts[:, 0] = positions.view(np.uint64)
            parts[:, 1:] = (positions >> 63).view(np.uint64)[:, None]
        return from_storage(self.type, parts, len(positions), marks)


@dataclass(frozen=True, slots=True)
class FloatForm:
    """Floats of any width; as whole numbers of their last decimal where those are exact.

    Attributes:
        type: float16, float32 or float64.
        decimals: If given, positions are int64 multiples of ``10**-decimals``.
    """

    type: pa.DataType
    decimals: int | None = None

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """The values' own dtype."""
        return np.dtype(f"f{self.type.bit_width // 8}")

    def facts(self) -> dict[str, Any]:
        """Return the decimals."""
        return {"decimals": self.decimals}

    def read(self, values: pa.Array) -> Reading:
        """Turn values into positions."""
        data = storage(values, self.dtype).astype(np.float64, copy=False)
        marks = null_marks(values)
        if not np.isfinite(data).all():
            marks = np.zeros(len(data), np.int32) if marks is None else marks
            for mark, odd in (
                (Mark.NAN, np.isnan(data)),
                (Mark.INFINITE, np.isposinf(data)),
                (Mark.MINUS_INFINITE, np.isneginf(data)),
            ):
                marks[odd & (marks == Mark.NONE)] = mark
            data = np.where(marks == Mark.NONE, data, 0.0)
        if self.decimals is None:
            return Reading(data, marks)
        return Reading(whole_multiples(data, self.decimals), marks)

    def write(self, positions: Values, marks: Marks | None) -> pa.Array:
        """Turn positions into values."""
        data = positions.astype(np.float64, copy=False)
        if self.decimals:
            # Dividing by an exact power of ten gives the float nearest to the decimal number.
            data = data / 10.0**self.decimals
        data = data.astype(self.dtype, copy=False)
        if marks is not None:
            for mark, value in (
                (Mark.NAN, np.nan),
                (Mark.INFINITE, np.inf),
                (Mark.MINUS_INFINITE, -np.inf),
            ):
                data = np.where(marks == mark, np.array(value, self.dtype), data)
        return from_storage(self.type, data, len(positions), marks)


def whole_multiples(values: NDArray[np.float64], decimals: int) -> NDArray[np.int64]:
    """Return the nearest multiple of ``10**-decimals``, as int64; the ends of int64 beyond."""
    with np.errstate(over="ignore"):
        scaled = np.rint(values * 10.0**decimals)
    return np.clip(scaled, -(2.0**62), 2.0**62).astype(np.int64)


def form_of(arrow_type: pa.DataType) -> Form:
    """Return the form of an ordered Arrow type."""
    if pa.types.is_floating(arrow_type):
        return FloatForm(arrow_type)
    if pa.types.is_decimal(arrow_type) and arrow_type.bit_width > 64:
        return WideDecimalForm(arrow_type)
    return WholeForm(arrow_type)


def without_marked(texts: pa.Array, marks: Marks | None) -> pa.Array:
    """Return values, null where they are marked."""
    if marks is None:
        return texts
    return pc.if_else(pa.array(marks == 0), texts, pa.scalar(None, texts.type))
