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

Everything else stands for itself, a constant offset such as ``+02:00`` or ``Z`` as well. An offset
that differs from row to row is ``%z``, at the end only; see :mod:`simulacra.datatypes.offsets`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.datatypes import calendar_fields as cf
from simulacra.datatypes.format_steps import Fraction, Literal, Name, Number, Step

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
_CASES: dict[str, Callable[[str], str]] = {"": str, "^": str.upper, "~": str.lower}
_DATE_FIELDS = frozenset({cf.YEAR, cf.SHORT_YEAR, cf.MONTH, cf.DAY})
_TIME_FIELDS = frozenset({cf.HOUR, cf.HOUR12, cf.MINUTE, cf.SECOND, cf.NANOSECOND})
_FRACTION_DIGITS = 6
_EPOCH = {cf.YEAR: 1970, cf.MONTH: 1, cf.DAY: 1}


@dataclass(frozen=True)
class Program:
    """A format, ready to read and write.

    Attributes:
        steps: What reads and writes each part.
        fields: The fields among them.
        per_second: Positions a second: 0 (days), 10**6 or 10**9.
    """

    steps: tuple[Step, ...]
    fields: frozenset[int]
    per_second: int

    @property
    def has_date(self) -> bool:
        """Whether there is a date."""
        return bool(self.fields & _DATE_FIELDS)

    @property
    def has_time(self) -> bool:
        """Whether there is a time of day."""
        return bool(self.fields & _TIME_FIELDS)

    @property
    def longest(self) -> int:
        """Bytes of the longest text."""
        return sum(step.longest for step in self.steps)

    def read(self, values: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return each text's position, and whether it follows the format (null: not).

        A position is the units from 1970-01-01, or from midnight if there is no date.
        """
        from simulacra.datatypes.calendar_kernels import join_fields

        texts = values.cast(pa.large_string())
        positions = np.zeros(len(texts), np.int64)
        if not len(texts):
            return positions, np.zeros(0, np.bool_)
        _, offsets, content = texts.buffers()
        bounds = np.frombuffer(offsets, np.int64)[texts.offset :][: len(texts) + 1]
        data = np.frombuffer(content if content is not None else b"", np.uint8)
        places, ends = bounds[:-1].copy(), bounds[1:]
        if texts.null_count:
            places[texts.is_null().to_numpy(zero_copy_only=False)] = -1
        fields = np.zeros((cf.FIELDS, len(texts)), np.int64)
        for field, value in _EPOCH.items():
            fields[field] = value
        for step in self.steps:
            step.read(data, ends, places, fields)
        good = places == ends
        join_fields(
            fields,
            self.per_second,
            cf.SHORT_YEAR in self.fields,
            cf.HOUR12 in self.fields,
            cf.WEEKDAY in self.fields,
            positions,
            good,
        )
        return positions, good

    def write(self, positions: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return the texts of positions: where each begins, and their bytes."""
        from simulacra.datatypes.calendar_kernels import close_gaps, split_fields

        fields = np.zeros((cf.FIELDS, len(positions)), np.int64)
        split_fields(positions, self.per_second, fields)
        grid = np.empty((len(positions), self.longest), np.uint8)
        lengths = np.zeros(len(positions), np.int64)
        for step in self.steps:
            step.write(fields, lengths, grid)
        offsets = np.zeros(len(positions) + 1, np.int64)
        out = np.empty(int(lengths.sum()), np.uint8)
        close_gaps(grid, lengths, offsets, out)
        return offsets, out


@cache
def compile_format(text: str) -> Program:
    """Return the program of a format.

    Raises:
        ValueError: The format has an unknown directive, or lacks a date's or a time's parts.
    """
    steps: list[Step] = []
    place = 0
    for match in _DIRECTIVE.finditer(text):
        steps += _literal(text[place : match.start()])
        steps.append(_step(*match.groups()))
        place = match.end()
    steps += _literal(text[place:])
    fields = frozenset(field for step in steps for field in step.fields)
    _check(fields)
    finest = max((step.digits for step in steps if isinstance(step, Fraction)), default=0)
    per_second = 10**9 if finest > _FRACTION_DIGITS else 10**6
    return Program(tuple(steps), fields, per_second if fields & _TIME_FIELDS else 0)


def _literal(text: str) -> list[Step]:
    if "%" in text:
        msg = f"there is no directive {text[text.index('%') :][:3]!r}"
        raise ValueError(msg)
    return [Literal(text.encode())] if text else []


def _step(flag: str, point: str, digits: str, letter: str) -> Step:
    plain = not point and not digits
    if letter == "%" and plain and not flag:
        return Literal(b"%")
    if letter == "f" and not flag:
        count = int(digits or _FRACTION_DIGITS)
        return Fraction(count, has_point=bool(point), trimmed=bool(point) and not digits)
    if letter in _NUMBERS and plain and (not flag or (flag == "-" and letter in _UNPADDED)):
        field, width = _NUMBERS[letter]
        return Number(field, 0 if flag else width)
    if letter in _NAMES and plain and flag in _CASES:
        field, names = _NAMES[letter]
        return Name(field, tuple(_CASES[flag](name).encode() for name in names))
    msg = f"there is no directive '%{flag}{point}{digits}{letter}'"
    raise ValueError(msg)


def _check(fields: frozenset[int]) -> None:
    has_year = fields & {cf.YEAR, cf.SHORT_YEAR}
    if fields & _DATE_FIELDS and not (has_year and {cf.MONTH, cf.DAY} <= fields):
        raise ValueError("a date needs a year, a month and a day")
    if fields & _TIME_FIELDS and not fields & {cf.HOUR, cf.HOUR12}:
        raise ValueError("a time needs an hour")
    if (cf.HOUR12 in fields) != (cf.HALF_DAY in fields):
        raise ValueError("%I needs %p or %P, and the other way round")
    if not fields:
        raise ValueError("it has neither a date nor a time")
