"""Formats of dates and times in text, kept exactly as found.

A format is written as for ``strftime``: ``%Y %y %m %d %H %I %M %S %p %b %B %a %A %%``, and beyond:

========  ==================================================================================
``%-d``   the same without a leading zero, for ``%d %m %H %I``
``%^b``   the same in capitals, for ``%b %B %a %A``; ``%~b`` in small letters
``%P``    am or pm
``%3f``   so many digits of a second's fraction, 1 to 9; ``%f`` is ``%6f``
``%.f``   a point and up to six digits without trailing zeros, or nothing
``%.6f``  a point and so many digits, or nothing if they are zero
========  ==================================================================================

Everything else stands for itself, a constant offset such as ``+02:00`` or ``Z`` as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.datatypes import calendar_fields as cf

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DIRECTIVE = re.compile(r"%([-^~]?)(\.?)([1-9]?)([A-Za-z%])")
_NUMBERS = {
    "Y": (cf.YEAR, 4),
    "y": (cf.SHORT_YEAR, 2),
    "m": (cf.MONTH, 2),
    "d": (cf.DAY, 2),
    "H": (cf.HOUR, 2),
    "I": (cf.HOUR12, 2),
    "M": (cf.MINUTE, 2),
    "S": (cf.SECOND, 2),
}
_UNPADDED = frozenset("mdHI")
_NAMES = {
    "b": (cf.MONTH, tuple(name[:3] for name in _MONTHS)),
    "B": (cf.MONTH, _MONTHS),
    "a": (cf.WEEKDAY, tuple(name[:3] for name in _WEEKDAYS)),
    "A": (cf.WEEKDAY, _WEEKDAYS),
    "p": (cf.HALF_DAY, ("AM", "PM")),
    "P": (cf.HALF_DAY, ("am", "pm")),
}
_DATE_FIELDS = frozenset({cf.YEAR, cf.SHORT_YEAR, cf.MONTH, cf.DAY})
_TIME_FIELDS = frozenset({cf.HOUR, cf.HOUR12, cf.MINUTE, cf.SECOND})


@dataclass(frozen=True)
class Program:
    """A format, ready for the kernels.

    Attributes:
        steps: See ``calendar_kernels``, shape ``(steps, 4)``, dtype int32.
        texts: The bytes of literals and names.
        names: Where each name begins in ``texts``, dtype int32.
        per_second: Positions a second: 0 (days), 10**6 or 10**9.
        longest: Bytes of the longest text.
        has_date: Whether there is a date.
        has_time: Whether there is a time of day.
    """

    steps: NDArray[np.int32]
    texts: NDArray[np.uint8]
    names: NDArray[np.int32]
    per_second: int
    longest: int
    has_date: bool
    has_time: bool

    def read(self, values: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return each text's position, and whether it follows the format (null: not)."""
        from simulacra.datatypes.calendar_kernels import read_times

        texts = values.cast(pa.large_string())
        positions = np.zeros(len(texts), np.int64)
        good = np.zeros(len(texts), np.bool_)
        if len(texts):
            _, offsets, data = texts.buffers()
            places = np.frombuffer(offsets, np.int64)[texts.offset :][: len(texts) + 1]
            read_times(
                np.frombuffer(data if data is not None else b"", np.uint8),
                places, self.steps, self.texts, self.names, self.per_second, positions, good,
            )  # fmt: skip
        if texts.null_count:
            good &= texts.is_valid().to_numpy(zero_copy_only=False)
        return positions, good

    def write(
        self, positions: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return the texts of positions: where each begins, and their bytes."""
        from simulacra.datatypes.calendar_kernels import write_times

        out = np.empty(len(positions) * self.longest, np.uint8)
        offsets = np.zeros(len(positions) + 1, np.int64)
        write_times(
            positions, self.steps, self.texts, self.names, self.per_second, out, offsets
        )
        return offsets, out[: offsets[-1]]


@cache
def compile_format(text: str) -> Program:
    """Return the program of a format.

    Raises:
        ValueError: The format has an unknown directive, or lacks a date's or a time's parts.
    """
    builder = _Builder()
    place = 0
    for match in _DIRECTIVE.finditer(text):
        builder.literal(text[place : match.start()])
        builder.directive(*match.groups())
        place = match.end()
    builder.literal(text[place:])
    return builder.program()


class _Builder:
    def __init__(self) -> None:
        self._steps: list[tuple[int, int, int, int]] = []
        self._texts = bytearray()
        self._names: list[int] = []
        self._fields: set[int] = set()
        self._finest = 0
        self._longest = 0

    def literal(self, text: str) -> None:
        if "%" in text:
            msg = f"there is no directive {text[text.index('%'):][:3]!r}"
            raise ValueError(msg)
        if text:
            begin = len(self._texts)
            self._texts += text.encode()
            self._add((cf.LITERAL, begin, len(self._texts), 0), len(text.encode()))

    def directive(self, flag: str, point: str, digits: str, letter: str) -> None:
        if letter == "%":
            begin = len(self._texts)
            self._texts += b"%"
            self._add((cf.LITERAL, begin, begin + 1, 0), 1)
        elif letter == "f":
            self._fraction(point, digits)
        elif letter in _NUMBERS and flag in {"", "-"}:
            field, width = _NUMBERS[letter]
            if flag and letter not in _UNPADDED:
                msg = f"%-{letter} is not possible"
                raise ValueError(msg)
            self._fields.add(field)
            self._add((cf.NUMBER, field, 0 if flag else width, 0), width)
        elif letter in _NAMES and flag != "-":
            self._name(flag, letter)
        else:
            msg = f"there is no directive '%{flag}{point}{digits}{letter}'"
            raise ValueError(msg)

    def _fraction(self, point: str, digits: str) -> None:
        count = int(digits or 6)
        self._finest = max(self._finest, count)
        if not point:
            self._add((cf.FRACTION, count, 0, 0), count)
        elif digits:
            self._add((cf.OPTIONAL, count, 0, 0), count + 1)
        else:
            self._add((cf.TRIMMED, 0, 0, 0), count + 1)

    def _name(self, flag: str, letter: str) -> None:
        field, names = _NAMES[letter]
        self._fields.add(field)
        first = len(self._names)
        for name in names:
            self._names.append(len(self._texts))
            cased = {"^": name.upper(), "~": name.lower()}.get(flag, name)
            self._texts += cased.encode()
        self._names.append(len(self._texts))
        self._add((cf.NAME, field, first, len(names)), max(map(len, names)))

    def _add(self, step: tuple[int, int, int, int], length: int) -> None:
        self._steps.append(step)
        self._longest += length

    def program(self) -> Program:
        has_date = bool(self._fields & _DATE_FIELDS)
        has_time = bool(self._fields & _TIME_FIELDS) or self._finest > 0
        years = self._fields & {cf.YEAR, cf.SHORT_YEAR}
        if has_date and not (years and {cf.MONTH, cf.DAY} <= self._fields):
            raise ValueError("a date needs a year, a month and a day")
        if has_time and not self._fields & {cf.HOUR, cf.HOUR12}:
            raise ValueError("a time needs an hour")
        if (cf.HOUR12 in self._fields) != (cf.HALF_DAY in self._fields):
            raise ValueError("%I needs %p or %P, and the other way round")
        if not has_date and not has_time:
            raise ValueError("it has neither a date nor a time")
        per_second = 0
        if has_time:
            per_second = 10**9 if self._finest > 6 else 10**6
        return Program(
            np.array(self._steps, np.int32),
            np.frombuffer(bytes(self._texts) or b"\0", np.uint8),
            np.array(self._names or [0], np.int32),
            per_second,
            self._longest,
            has_date,
            has_time,
        )
