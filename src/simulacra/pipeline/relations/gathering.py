"""Gathers the values of child rows into one value for each row of their parent.

Holds 8 bytes a parent, and 4 for the number of its children that have a value.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.errors import LimitError, SpecError
from simulacra.pipeline.relations.parent_rows import Rows
from simulacra.rules.relatives import Take

_MOST = 2**63 - 1
_DIGITS = 38
_ORDERED = (Take.LEAST, Take.MOST)


class Gathered:
    """What is made of the children of each row, as they come.

    Args:
        take: What is made of their values.
        parents: How many rows there are.
        where: What it is for, for messages.
    """

    def __init__(self, take: Take, parents: int, where: str) -> None:
        self._take = take
        self._where = where
        self._counts = np.zeros(parents, np.int32)
        self._made: NDArray[Any] | None = None
        self._kind: pa.DataType = pa.int64()
        self._largest = 0

    def add(self, parents: Rows, values: pa.Array | None) -> None:
        """Take the next children.

        Args:
            parents: The rows that they belong to, shape ``(children,)``; negative for none.
            values: Their values; None where only their number counts. Null, NaN and infinity are
                no value.

        Raises:
            SpecError: The values are of a type of which this can't be made.
            LimitError: A sum is too great for 64 bits.
        """
        known = parents >= 0
        if values is not None:
            known &= values.is_valid().to_numpy(zero_copy_only=False)
            if pa.types.is_floating(values.type):
                known &= np.isfinite(values.cast(pa.float64()).to_numpy(zero_copy_only=False))
        rows = parents[known]
        np.add.at(self._counts, rows, 1)
        if values is None or self._take is Take.COUNT:
            return
        numbers = self._numbers(values.filter(pa.array(known)))
        if self._made is None:
            self._made = np.full(len(self._counts), self._first(numbers.dtype), numbers.dtype)
        if self._take is Take.LEAST:
            np.minimum.at(self._made, rows, numbers)
        elif self._take is Take.MOST:
            np.maximum.at(self._made, rows, numbers)
        else:
            self._check_size(numbers)
            np.add.at(self._made, rows, numbers)

    def values(self) -> pa.Array:
        """Return what was made for each row, null where no child has a value."""
        if self._take is Take.COUNT:
            return pa.array(self._counts.astype(np.int64))
        none = self._counts == 0
        if self._made is None:
            return pa.nulls(len(none), self._kind)
        if self._take is Take.MEAN:
            scale = 10.0 ** -(self._kind.scale if pa.types.is_decimal(self._kind) else 0)
            means = self._made / np.maximum(self._counts, 1) * scale
            return pa.array(means, mask=none)
        return _typed(self._made, self._kind, none)

    def _numbers(self, values: pa.Array) -> NDArray[Any]:
        """Return values as numbers of which sums and comparisons are exact."""
        if pa.types.is_boolean(values.type):
            values = values.cast(pa.int64())
        kind = self._kind = values.type
        if pa.types.is_floating(kind):
            floats: NDArray[np.float64] = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
            return floats
        if pa.types.is_decimal(kind):
            return self._units(values)
        is_order = pa.types.is_temporal(kind) and self._take in _ORDERED
        if not (pa.types.is_integer(kind) or pa.types.is_duration(kind) or is_order):
            raise SpecError(
                f"the {self._take} of {kind} can't be worked out",
                where=self._where,
                mend="Let the expression give numbers; of times there are min and max",
            )
        if pa.types.is_temporal(kind):
            values = values.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
        try:
            whole: NDArray[np.int64] = values.cast(pa.int64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid as error:
            raise self._too_great() from error
        return whole

    def _units(self, values: pa.Array) -> NDArray[np.int64]:
        """Return decimals as whole numbers of their last digit."""
        wide = values.cast(pa.decimal128(_DIGITS, values.type.scale))
        halves = np.frombuffer(wide.buffers()[1], np.int64).reshape(-1, 2)
        halves = halves[wide.offset : wide.offset + len(wide)]
        if (halves[:, 1] != halves[:, 0] >> 63).any():
            raise self._too_great()
        return np.ascontiguousarray(halves[:, 0])

    def _first(self, kind: np.dtype[Any]) -> Any:
        if self._take not in _ORDERED:
            return 0
        if kind == np.float64:
            return np.inf if self._take is Take.LEAST else -np.inf
        info = np.iinfo(np.int64)
        return info.max if self._take is Take.LEAST else info.min

    def _check_size(self, numbers: NDArray[Any]) -> None:
        """Refuse sums that may not fit 64 bits."""
        if numbers.dtype == np.float64 or not len(numbers):
            return
        ends = abs(int(numbers.min())), abs(int(numbers.max()))
        self._largest = max(self._largest, *ends)
        if self._largest * int(self._counts.max()) > _MOST:
            raise self._too_great()

    def _too_great(self) -> LimitError:
        return LimitError(
            "the children's values are too great to be added up in 64 bits",
            where=self._where,
            mend="Let the expression give floats, as 'CAST(… AS DOUBLE)'",
        )


def _typed(made: NDArray[Any], kind: pa.DataType, none: NDArray[np.bool_]) -> pa.Array:
    """Return numbers as values of the type that they were read from."""
    if pa.types.is_floating(kind):
        return pa.array(made, mask=none)
    if pa.types.is_decimal(kind):
        halves = np.column_stack([made, made >> 63])
        whole = pa.decimal128(_DIGITS, kind.scale)
        data = pa.py_buffer(np.ascontiguousarray(halves))
        array = pa.Array.from_buffers(whole, len(made), [None, data])
        return pc.if_else(pa.array(none), pa.scalar(None, whole), array)
    numbers = pa.array(np.where(none, 0, made), mask=none)
    if pa.types.is_integer(kind):
        return numbers
    return numbers.cast(pa.int32()).cast(kind) if kind.bit_width == 32 else numbers.cast(kind)
