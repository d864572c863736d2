"""Compiled reading and writing of the parts of dates and times, a part of all rows at a time.

Reading is strict: what is read would be written back the same, letter by letter. ``places`` holds
where each row's next part begins, or -1 once a row has failed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Bytes, Flags, Ints, kernel
from simulacra.datatypes.calendar_fields import (
    DAY,
    HALF_DAY,
    HOUR,
    HOUR12,
    MINUTE,
    MONTH,
    NANOSECOND,
    SECOND,
    SHORT_YEAR,
    WEEKDAY,
    YEAR,
)

Table = NDArray[np.int64]
"""Fields of all rows, shape ``(FIELDS, rows)``."""
Grid = NDArray[np.uint8]
"""Room for the longest text of each row, shape ``(rows, longest)``."""

_ZERO = 48
_POINT = 46


@kernel
def read_literal(data: Bytes, ends: Ints, text: Bytes, places: Ints) -> None:
    """Read a constant text."""
    for i in range(len(places)):
        place = places[i]
        if place < 0:
            continue
        good = place + len(text) <= ends[i]
        k = 0
        while good and k < len(text):
            good = data[place + k] == text[k]
            k += 1
        places[i] = place + len(text) if good else -1


@kernel
def read_number(data: Bytes, ends: Ints, digits: int, places: Ints, out: Ints) -> None:
    """Read a number of so many digits; if 0, of one or two without a leading zero."""
    for i in range(len(places)):
        place = places[i]
        if place < 0:
            continue
        value = 0
        stop = min(ends[i], place + (digits or 2))
        while place < stop and _ZERO <= data[place] <= _ZERO + 9:
            value = value * 10 + data[place] - _ZERO
            place += 1
            if digits == 0 and value == 0:
                break
        length = place - places[i]
        out[i] = value
        places[i] = place if length == digits or (digits == 0 and length > 0) else -1


@kernel
def read_name(data: Bytes, ends: Ints, texts: Bytes, begins: Ints, places: Ints, out: Ints) -> None:
    """Read one of some names; writes which."""
    for i in range(len(places)):
        place = places[i]
        if place < 0:
            continue
        places[i] = -1
        for row in range(len(begins) - 1):
            length = begins[row + 1] - begins[row]
            good = place + length <= ends[i]
            k = 0
            while good and k < length:
                good = data[place + k] == texts[begins[row] + k]
                k += 1
            if good:
                places[i] = place + length
                out[i] = row
                break


@kernel
def read_fraction(
    data: Bytes,
    ends: Ints,
    digits: int,
    has_point: bool,  # noqa: FBT001 - compiled functions take no keywords
    trimmed: bool,  # noqa: FBT001
    places: Ints,
    out: Ints,
) -> None:
    """Read a fraction of a second as nanoseconds.

    Args:
        data: The bytes of all texts.
        ends: Where each row's text ends.
        digits: How many digits there are, at most if trimmed.
        has_point: Whether a point comes first; if it isn't there, the fraction is 0.
        trimmed: Whether zeros at the end are left out.
        places: Where to read, updated.
        out: Where to write.
    """
    for i in range(len(places)):
        place = places[i]
        if place < 0:
            continue
        out[i] = 0
        if has_point:
            if place >= ends[i] or data[place] != _POINT:
                continue
            place += 1
        begin = place
        value = 0
        while place < min(ends[i], begin + digits) and _ZERO <= data[place] <= _ZERO + 9:
            value = value * 10 + data[place] - _ZERO
            place += 1
        length = place - begin
        good = length == digits
        if trimmed:
            good = length > 0 and value % 10 != 0
        if has_point and value == 0:
            good = False
        places[i] = place if good else -1
        for _ in range(9 - length):
            value *= 10
        out[i] = value


@kernel
def _is_date(year: int, month: int, day: int) -> bool:
    if year < 1 or month < 1 or month > 12 or day < 1:
        return False
    if month == 2:
        return day <= 28 or (day == 29 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return day <= 30 or (day == 31 and month not in {4, 6, 9, 11})


@kernel
def join_fields(
    fields: Table,
    per_second: int,
    short_year: bool,  # noqa: FBT001
    half_day: bool,  # noqa: FBT001
    weekday: bool,  # noqa: FBT001
    positions: Ints,
    good: Flags,
) -> None:
    """Turn fields into positions, where they make a date and a time.

    Args:
        fields: The fields, those not read being those of 1970-01-01, midnight.
        per_second: Positions a second; 0 if positions are days.
        short_year: Whether the year has two digits.
        half_day: Whether the hour is of twelve.
        weekday: Whether there is a weekday, which must be the right one.
        positions: Written.
        good: Whether a row was read so far; cleared where it is no date or time.
    """
    for i in range(len(positions)):
        positions[i] = 0
        if not good[i]:
            continue
        year, month, day = fields[YEAR, i], fields[MONTH, i], fields[DAY, i]
        hour, minute, second = fields[HOUR, i], fields[MINUTE, i], fields[SECOND, i]
        if short_year:
            # POSIX: 69 to 99 are the 1900s.
            year = fields[SHORT_YEAR, i] + (1900 if fields[SHORT_YEAR, i] >= 69 else 2000)
        if half_day:
            if fields[HOUR12, i] < 1 or fields[HOUR12, i] > 12:
                good[i] = False
                continue
            hour = fields[HOUR12, i] % 12 + 12 * fields[HALF_DAY, i]
        is_time = hour <= 23 and minute <= 59 and second <= 59
        if not (is_time and _is_date(year, month, day)):
            good[i] = False
            continue
        # Days in the Gregorian calendar, years beginning in March (Hinnant, "chrono-compatible
        # low-level date algorithms", 2013).
        shifted = year - (1 if month <= 2 else 0)
        era = shifted // 400
        of_era = shifted - era * 400
        of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
        days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
        if weekday and fields[WEEKDAY, i] != (days + 3) % 7:
            good[i] = False
        elif per_second == 0:
            positions[i] = days
        else:
            seconds = days * 86400 + hour * 3600 + minute * 60 + second
            nanoseconds = fields[NANOSECOND, i]
            positions[i] = seconds * per_second + nanoseconds // (1_000_000_000 // per_second)


@kernel
def split_fields(positions: Ints, per_second: int, fields: Table) -> None:
    """Turn positions into fields; the counterpart of :func:`join_fields`."""
    for i in range(len(positions)):
        days = positions[i]
        if per_second:
            seconds = positions[i] // per_second
            rest = positions[i] - seconds * per_second
            fields[NANOSECOND, i] = rest * (1_000_000_000 // per_second)
            days = seconds // 86400
            seconds -= days * 86400
            hour = seconds // 3600
            fields[HOUR, i] = hour
            fields[MINUTE, i] = seconds // 60 % 60
            fields[SECOND, i] = seconds % 60
            fields[HOUR12, i] = (hour + 11) % 12 + 1
            fields[HALF_DAY, i] = hour // 12
        shifted = days + 719468
        era = shifted // 146097
        of_era = shifted - era * 146097
        year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
        of_year = of_era - (365 * year + year // 4 - year // 100)
        month = (5 * of_year + 2) // 153
        fields[DAY, i] = of_year - (153 * month + 2) // 5 + 1
        month = month + 3 if month < 10 else month - 9
        year += era * 400 + (1 if month <= 2 else 0)
        fields[MONTH, i] = month
        fields[YEAR, i] = year
        fields[SHORT_YEAR, i] = year % 100
        fields[WEEKDAY, i] = (days + 3) % 7


@kernel
def write_literal(text: Bytes, places: Ints, out: Grid) -> None:
    """Write a constant text."""
    for i in range(len(places)):
        for k in range(len(text)):
            out[i, places[i] + k] = text[k]
        places[i] += len(text)


@kernel
def write_number(values: Ints, digits: int, places: Ints, out: Grid) -> None:
    """Write numbers in so many digits; if 0, in as many as they have, one or two."""
    for i in range(len(places)):
        value = values[i]
        length = digits
        if digits == 0:
            length = 2 if value > 9 else 1
        for k in range(length):
            out[i, places[i] + length - 1 - k] = _ZERO + value % 10
            value //= 10
        places[i] += length


@kernel
def write_name(values: Ints, texts: Bytes, begins: Ints, places: Ints, out: Grid) -> None:
    """Write names by their numbers."""
    for i in range(len(places)):
        begin, end = begins[values[i]], begins[values[i] + 1]
        for k in range(end - begin):
            out[i, places[i] + k] = texts[begin + k]
        places[i] += end - begin


@kernel
def write_fraction(
    values: Ints,
    digits: int,
    has_point: bool,  # noqa: FBT001
    trimmed: bool,  # noqa: FBT001
    places: Ints,
    out: Grid,
) -> None:
    """Write nanoseconds as a fraction; the counterpart of :func:`read_fraction`."""
    divisor = 1
    for _ in range(9 - digits):
        divisor *= 10
    for i in range(len(places)):
        value = values[i] // divisor
        length = digits
        if has_point:
            if value == 0:
                continue
            out[i, places[i]] = _POINT
            places[i] += 1
        while trimmed and value % 10 == 0:
            value //= 10
            length -= 1
        for k in range(length):
            out[i, places[i] + length - 1 - k] = _ZERO + value % 10
            value //= 10
        places[i] += length


@kernel
def close_gaps(grid: Grid, lengths: Ints, offsets: Ints, out: Bytes) -> None:
    """Write the texts of a grid one after the other; ``offsets`` has a row more."""
    place = 0
    offsets[0] = 0
    for i in range(len(lengths)):
        for k in range(lengths[i]):
            out[place + k] = grid[i, k]
        place += lengths[i]
        offsets[i + 1] = place
