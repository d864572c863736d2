"""Finds numbers that are times of day as hhmm."""

from __future__ import annotations

import numpy as np

from simulacra.rules import ticks
from simulacra.rules.clock import Clock, ClockConfig, is_time
from simulacra.rules.finding.state import State

FEWEST_ROWS = 400
_FEWEST_HOURS = 6
_FEWEST_MINUTES = 12
_LATEST_AT_LEAST = 1000


def find_clocks(state: State) -> set[str]:
    """Find the columns that hold many times of day and nothing else, note and return them."""
    found = set()
    for name, values in list(state.measures()):
        unit = ticks.unit_of(values.type)
        if unit is None or unit.family != "number" or unit.per != 1:
            continue
        read = ticks.read(values, unit)
        some = read.count[read.known]
        if (
            len(some) >= FEWEST_ROWS
            and read.exact.all()
            and is_time(some).all()
            and int(some.max()) >= _LATEST_AT_LEAST
            and len(np.unique(some // 100)) >= _FEWEST_HOURS
            and len(np.unique(some % 100)) >= _FEWEST_MINUTES
        ):
            state.apply(Clock.name, ClockConfig(column=name))
            found.add(name)
    return found
