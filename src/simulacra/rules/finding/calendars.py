"""Finds years, months and days in three columns of numbers."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from simulacra.rules import ticks
from simulacra.rules.calendar import Calendar, CalendarConfig, date_name, is_date, valid_date
from simulacra.rules.finding.state import State

FEWEST_ACCIDENTS = 10
"""Dates like 30 February that independent months and days would make, when none occurs."""
_YEARS = (1700, 2300)
_FEWEST_MONTHS = 6
_FEWEST_DAYS = 28


def find_calendars(state: State) -> list[str]:
    """Find columns that together make a date in every row; note and return the dates."""
    years, months, days = [], [], []
    for place, (name, values) in enumerate(state.numbers()):
        unit = ticks.unit_of(values.type)
        read = None if unit is None or unit.per != 1 else ticks.read(values, unit)
        if read is None or not read.exact.all() or not read.known.any():
            continue
        seen = np.unique(read.count[read.known])
        low, high = int(seen[0]), int(seen[-1])
        if _YEARS[0] <= low and high <= _YEARS[1]:
            years.append((place, name))
        if low >= 1 and high <= 12 and len(seen) >= _FEWEST_MONTHS:
            months.append((place, name))
        if low >= 1 and high == 31 and len(seen) >= _FEWEST_DAYS:
            days.append((place, name))
    # Columns of one date stand close together.
    triples = sorted(
        product(years, months, days), key=lambda three: np.ptp([place for place, _ in three])
    )
    dates = []
    for year, month, day in triples:
        names = (year[1], month[1], day[1])
        date = date_name(*names)
        free = state.columns.keys() >= set(names) and date not in state.taken
        if free and _is_calendar(state, names):
            state.apply(Calendar.name, CalendarConfig(year=names[0], month=names[1], day=names[2]))
            dates.append(date)
    return dates


def _is_calendar(state: State, names: tuple[str, str, str]) -> bool:
    columns = [state.columns[name] for name in names]
    if not is_date(columns).all():
        return False
    known = columns[0].is_valid().to_numpy(zero_copy_only=False)
    year, month, day = (
        column.to_numpy(zero_copy_only=False)[known].astype(np.int64) for column in columns
    )
    return _accidents(year, month, day) >= FEWEST_ACCIDENTS


def _accidents(year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]) -> float:
    """Return how many rows would be no dates if months and days were independent."""
    months = np.bincount(month, minlength=13)[1:] / len(month)
    days = np.bincount(day, minlength=32)[1:] / len(day)
    wrong = ~valid_date(
        np.full((12, 31), np.median(year), np.int64),
        np.arange(1, 13)[:, None] + np.zeros((12, 31), np.int64),
        np.arange(1, 32)[None, :] + np.zeros((12, 31), np.int64),
    )
    return float(len(year) * (np.outer(months, days) * wrong).sum())
