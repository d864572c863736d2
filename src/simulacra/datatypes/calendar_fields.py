"""The fields of a date and time, as numbered in the kernels that read and write them."""

from __future__ import annotations

YEAR, SHORT_YEAR, MONTH, DAY, HOUR, HOUR12, MINUTE, SECOND = range(8)
NANOSECOND, HALF_DAY, WEEKDAY = range(8, 11)
"""HALF_DAY is 0 before noon and 1 after, WEEKDAY 0 on Monday."""
FIELDS = 11
