"""The parts of a date format, each of which reads and writes itself in all rows at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from simulacra.datatypes import calendar_fields as cf

_Bytes = NDArray[np.uint8]
_Ints = NDArray[np.int64]


class Step(Protocol):
    """A part of a format."""

    @property
    def fields(self) -> tuple[int, ...]:
        """The field it is about, if any."""
        ...

    @property
    def longest(self) -> int:
        """The most bytes it takes."""
        ...

    def read(self, data: _Bytes, ends: _Ints, places: _Ints, fields: _Ints) -> None:
        """Read it at ``places``, which move on; -1 where it isn't there."""
        ...

    def write(self, fields: _Ints, places: _Ints, out: _Bytes) -> None:
        """Write it at ``places``, which move on."""
        ...


@dataclass(frozen=True)
class Literal:
    """A constant text."""

    text: bytes
    fields: tuple[int, ...] = ()

    @property
    def longest(self) -> int:
        """Its length."""
        return len(self.text)

    @cached_property
    def _array(self) -> _Bytes:
        return np.frombuffer(self.text, np.uint8)

    def read(self, data: _Bytes, ends: _Ints, places: _Ints, fields: _Ints) -> None:
        """Read it."""
        from simulacra.datatypes.calendar_kernels import read_literal

        del fields
        read_literal(data, ends, self._array, places)

    def write(self, fields: _Ints, places: _Ints, out: _Bytes) -> None:
        """Write it."""
        from simulacra.datatypes.calendar_kernels import write_literal

        del fields
        write_literal(self._array, places, out)


@dataclass(frozen=True)
class Number:
    """A number.

    Attributes:
        field: The field.
        digits: How many digits; 0 for one or two without a leading zero.
    """

    field: int
    digits: int

    @property
    def fields(self) -> tuple[int, ...]:
        """The field."""
        return (self.field,)

    @property
    def longest(self) -> int:
        """The most digits."""
        return self.digits or 2

    def read(self, data: _Bytes, ends: _Ints, places: _Ints, fields: _Ints) -> None:
        """Read it."""
        from simulacra.datatypes.calendar_kernels import read_number

        read_number(data, ends, self.digits, places, fields[self.field])

    def write(self, fields: _Ints, places: _Ints, out: _Bytes) -> None:
        """Write it."""
        from simulacra.datatypes.calendar_kernels import write_number

        write_number(fields[self.field], self.digits, places, out)


@dataclass(frozen=True)
class Name:
    """A month, a weekday, or a half of the day, by name.

    Attributes:
        field: The field.
        names: Its names, in order.
    """

    field: int
    names: tuple[bytes, ...]

    @property
    def fields(self) -> tuple[int, ...]:
        """The field."""
        return (self.field,)

    @property
    def longest(self) -> int:
        """The length of the longest name."""
        return max(len(name) for name in self.names)

    @property
    def _first(self) -> int:
        """The number of the first name: months count from one."""
        return 1 if self.field == cf.MONTH else 0

    @cached_property
    def _texts(self) -> _Bytes:
        return np.frombuffer(b"".join(self.names), np.uint8)

    @cached_property
    def _begins(self) -> _Ints:
        return np.cumsum([0, *(len(name) for name in self.names)])

    def read(self, data: _Bytes, ends: _Ints, places: _Ints, fields: _Ints) -> None:
        """Read it."""
        from simulacra.datatypes.calendar_kernels import read_name

        found = np.zeros(len(places), np.int64)
        read_name(data, ends, self._texts, self._begins, places, found)
        fields[self.field] = found + self._first

    def write(self, fields: _Ints, places: _Ints, out: _Bytes) -> None:
        """Write it."""
        from simulacra.datatypes.calendar_kernels import write_name

        write_name(fields[self.field] - self._first, self._texts, self._begins, places, out)


@dataclass(frozen=True)
class Fraction:
    """A fraction of a second.

    Attributes:
        digits: How many digits, at most if trimmed.
        has_point: Whether it has a point, and is nothing at all if zero.
        trimmed: Whether zeros at its end are left out.
    """

    digits: int
    has_point: bool
    trimmed: bool
    fields: tuple[int, ...] = (cf.NANOSECOND,)

    @property
    def longest(self) -> int:
        """The most digits, and the point."""
        return self.digits + self.has_point

    def read(self, data: _Bytes, ends: _Ints, places: _Ints, fields: _Ints) -> None:
        """Read it."""
        from simulacra.datatypes.calendar_kernels import read_fraction

        out = fields[cf.NANOSECOND]
        read_fraction(data, ends, self.digits, self.has_point, self.trimmed, places, out)

    def write(self, fields: _Ints, places: _Ints, out: _Bytes) -> None:
        """Write it."""
        from simulacra.datatypes.calendar_kernels import write_fraction

        nanoseconds = fields[cf.NANOSECOND]
        write_fraction(nanoseconds, self.digits, self.has_point, self.trimmed, places, out)
