"""What the steps of a date format are, and which fields they read and write."""

from __future__ import annotations

LITERAL, NUMBER, NAME, FRACTION, TRIMMED, OPTIONAL = range(6)
"""What a step does. Its arguments: LITERAL start, end (in the texts); NUMBER field, digits (0: one
or two, without a leading zero); NAME field, first row, rows (of the names); FRACTION digits;
TRIMMED (a point and digits without trailing zeros, or nothing); OPTIONAL digits (a point and so
many digits, or nothing)."""

YEAR, SHORT_YEAR, MONTH, DAY, HOUR, HOUR12, MINUTE, SECOND = range(8)
NANOSECOND, HALF_DAY, WEEKDAY = range(8, 11)
"""Fields of a date and time. HALF_DAY is 0 before noon and 1 after, WEEKDAY 0 on Monday."""
FIELDS = 11
