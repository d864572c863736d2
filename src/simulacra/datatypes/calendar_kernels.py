"""Compiled reading and writing of dates and times in a given format.

A format is a program: a list of steps, each of which reads or writes one part. Reading is strict:
what is read would be written back the same, letter by letter.
"""

from __future__ import annotations

import numpy as np

from simulacra.datatypes.calendar_fields import (
    DAY,
    FIELDS,
    FRACTION,
    HALF_DAY,
    HOUR,
    HOUR12,
    LITERAL,
    MINUTE,
    MONTH,
    NAME,
    NANOSECOND,
    NUMBER,
    SECOND,
    SHORT_YEAR,
    TRIMMED,
    WEEKDAY,
    YEAR,
)
from simulacra.datatypes.ngram.compiled import Bytes, Flags, Ints, SmallInts, kernel

_ZERO = 48
_POINT = 46


@kernel
def days_of(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 in the Gregorian calendar (Hinnant, "chrono dates", 2013)."""
    shifted = year - (1 if month <= 2 else 0)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@kernel
def _set_date(days: int, fields: Ints) -> None:
    shifted = days + 719468
    era = shifted // 146097
    of_era = shifted - era * 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    fields[DAY] = of_year - (153 * month + 2) // 5 + 1
    fields[MONTH] = month + 3 if month < 10 else month - 9
    fields[YEAR] = year + era * 400 + (1 if fields[MONTH] <= 2 else 0)
    fields[SHORT_YEAR] = fields[YEAR] % 100
    fields[WEEKDAY] = (days + 3) % 7


@kernel
def _digits(data: Bytes, place: int, end: int, wanted: int) -> tuple[int, int]:
    """Read a number; returns it and where it ends, or -1 and anything."""
    if wanted:
        if place + wanted > end:
            return -1, place
        value = 0
        for i in range(place, place + wanted):
            if data[i] < _ZERO or data[i] > _ZERO + 9:
                return -1, place
            value = value * 10 + data[i] - _ZERO
        return value, place + wanted
    if place >= end or data[place] < _ZERO or data[place] > _ZERO + 9:
        return -1, place
    value = np.int64(data[place]) - _ZERO
    place += 1
    if value and place < end and _ZERO <= data[place] <= _ZERO + 9:
        value = value * 10 + data[place] - _ZERO
        place += 1
    return value, place


@kernel
def _fraction(data: Bytes, place: int, end: int) -> tuple[int, int]:
    """Read up to nine digits as nanoseconds; returns them and where they end."""
    value = 0
    begin = place
    while place < end and place < begin + 9 and _ZERO <= data[place] <= _ZERO + 9:
        value = value * 10 + data[place] - _ZERO
        place += 1
    for _ in range(9 - (place - begin)):
        value *= 10
    return value, place


@kernel
def _is_there(data: Bytes, place: int, end: int, text: Bytes, begin: int, stop: int) -> bool:
    if place + stop - begin > end:
        return False
    for i in range(stop - begin):
        if data[place + i] != text[begin + i]:
            return False
    return True


@kernel
def _read_step(
    data: Bytes,
    place: int,
    end: int,
    steps: SmallInts,
    k: int,
    texts: Bytes,
    names: SmallInts,
    fields: Ints,
) -> int:
    """Read one part at a place; returns where it ends, -1 if it isn't there."""
    what = steps[k, 0]
    if what == LITERAL:
        if not _is_there(data, place, end, texts, steps[k, 1], steps[k, 2]):
            return -1
        return place + steps[k, 2] - steps[k, 1]
    if what == NUMBER:
        value, place = _digits(data, place, end, steps[k, 2])
        fields[steps[k, 1]] = value
        return place if value >= 0 else -1
    if what == NAME:
        for row in range(steps[k, 2], steps[k, 2] + steps[k, 3]):
            if _is_there(data, place, end, texts, names[row], names[row + 1]):
                fields[steps[k, 1]] = row - steps[k, 2] + (1 if steps[k, 1] == MONTH else 0)
                return place + names[row + 1] - names[row]
        return -1
    if what == FRACTION:
        fields[NANOSECOND], after = _fraction(data, place, min(end, place + steps[k, 1]))
        return after if after == place + steps[k, 1] else -1
    if place >= end or data[place] != _POINT:
        return place
    if what == TRIMMED:
        fields[NANOSECOND], after = _fraction(data, place + 1, end)
        is_short = after == place + 1 or data[after - 1] == _ZERO or after > place + 7
        return -1 if is_short else after
    fields[NANOSECOND], after = _fraction(data, place + 1, min(end, place + 1 + steps[k, 1]))
    return after if after == place + 1 + steps[k, 1] and fields[NANOSECOND] > 0 else -1


@kernel
def _is_real(fields: Ints, seen: Flags) -> bool:
    """Say whether fields make a date and a time; fills in what follows from others."""
    if seen[SHORT_YEAR]:
        # POSIX: 69 to 99 are the 1900s.
        fields[YEAR] = fields[SHORT_YEAR] + (1900 if fields[SHORT_YEAR] >= 69 else 2000)
    if seen[HOUR12]:
        if fields[HOUR12] < 1 or fields[HOUR12] > 12:
            return False
        fields[HOUR] = fields[HOUR12] % 12 + 12 * fields[HALF_DAY]
    if fields[HOUR] > 23 or fields[MINUTE] > 59 or fields[SECOND] > 59:
        return False
    month, day = fields[MONTH], fields[DAY]
    if fields[YEAR] < 1 or month < 1 or month > 12 or day < 1:
        return False
    longest = 31
    if month in {4, 6, 9, 11}:
        longest = 30
    elif month == 2:
        year = fields[YEAR]
        longest = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return day <= longest


@kernel
def read_times(
    data: Bytes,
    offsets: Ints,
    steps: SmallInts,
    texts: Bytes,
    names: SmallInts,
    per_second: int,
    positions: Ints,
    good: Flags,
) -> None:
    """Read texts by a program.

    Args:
        data: The bytes of all texts.
        offsets: Where each text begins, and the end of the last one.
        steps: The program, shape ``(steps, 4)``.
        texts: The bytes of literals and names.
        names: Where each name begins in ``texts``; the next one begins where it ends.
        per_second: Positions a second; 0 if positions are days.
        positions: Written: units from 1970-01-01, or from midnight if there is no date.
        good: Written: whether the text follows the program.
    """
    fields = np.zeros(FIELDS, np.int64)
    seen = np.zeros(FIELDS, np.bool_)
    for k in range(len(steps)):
        if steps[k, 0] == NUMBER or steps[k, 0] == NAME:
            seen[steps[k, 1]] = True
    for i in range(len(good)):
        fields[:] = 0
        fields[YEAR], fields[MONTH], fields[DAY] = 1970, 1, 1
        place, end = offsets[i], offsets[i + 1]
        for k in range(len(steps)):
            place = _read_step(data, place, end, steps, k, texts, names, fields)
            if place < 0:
                break
        good[i] = place == end and _is_real(fields, seen)
        positions[i] = 0
        if not good[i]:
            continue
        days = days_of(fields[YEAR], fields[MONTH], fields[DAY])
        if seen[WEEKDAY] and fields[WEEKDAY] != (days + 3) % 7:
            good[i] = False
        elif per_second == 0:
            positions[i] = days
        else:
            seconds = days * 86400 + fields[HOUR] * 3600 + fields[MINUTE] * 60 + fields[SECOND]
            positions[i] = seconds * per_second + fields[NANOSECOND] * per_second // 1_000_000_000


@kernel
def _put(out: Bytes, place: int, value: int, digits: int) -> int:
    for i in range(digits):
        out[place + digits - 1 - i] = _ZERO + value % 10
        value //= 10
    return place + digits


@kernel
def _copy(out: Bytes, place: int, text: Bytes, begin: int, end: int) -> int:
    for i in range(begin, end):
        out[place + i - begin] = text[i]
    return place + end - begin


@kernel
def _write_step(
    out: Bytes, place: int, steps: SmallInts, k: int, texts: Bytes, names: SmallInts, fields: Ints
) -> int:
    what = steps[k, 0]
    if what == LITERAL:
        return _copy(out, place, texts, steps[k, 1], steps[k, 2])
    if what == NUMBER:
        value = fields[steps[k, 1]]
        digits = steps[k, 2] if steps[k, 2] else (2 if value > 9 else 1)
        return _put(out, place, value, digits)
    if what == NAME:
        row = steps[k, 2] + fields[steps[k, 1]] - (1 if steps[k, 1] == MONTH else 0)
        return _copy(out, place, texts, names[row], names[row + 1])
    nanoseconds = fields[NANOSECOND]
    if what == FRACTION:
        return _put(out, place, nanoseconds // 10 ** (9 - steps[k, 1]), steps[k, 1])
    digits = 6 if what == TRIMMED else steps[k, 1]
    value = nanoseconds // 10 ** (9 - digits)
    if value == 0:
        return place
    if what == TRIMMED:
        while value % 10 == 0:
            value //= 10
            digits -= 1
    out[place] = _POINT
    return _put(out, place + 1, value, digits)


@kernel
def write_times(
    positions: Ints,
    steps: SmallInts,
    texts: Bytes,
    names: SmallInts,
    per_second: int,
    out: Bytes,
    offsets: Ints,
) -> None:
    """Write texts by a program; the counterpart of :func:`read_times`.

    Args:
        positions: As read.
        steps: The program.
        texts: The bytes of literals and names.
        names: Where each name begins.
        per_second: Positions a second; 0 if positions are days.
        out: Written: the bytes; room for the longest text each.
        offsets: Written: where each text begins, and the end of the last one.
    """
    fields = np.zeros(FIELDS, np.int64)
    place = 0
    offsets[0] = 0
    for i in range(len(positions)):
        days = positions[i]
        if per_second:
            seconds = positions[i] // per_second
            rest = positions[i] - seconds * per_second
            fields[NANOSECOND] = rest * (1_000_000_000 // per_second)
            days = seconds // 86400
            seconds -= days * 86400
            fields[HOUR] = seconds // 3600
            fields[MINUTE] = seconds // 60 % 60
            fields[SECOND] = seconds % 60
            fields[HOUR12] = (fields[HOUR] + 11) % 12 + 1
            fields[HALF_DAY] = fields[HOUR] // 12
        _set_date(days, fields)
        for k in range(len(steps)):
            place = _write_step(out, place, steps, k, texts, names, fields)
        offsets[i + 1] = place
