"""Columns to look for arithmetic in, counted in whole units."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.rules import ticks
from simulacra.rules.clock import MINUTES_A_DAY
from simulacra.rules.finding.state import State
from simulacra.rules.ticks import Unit

FEWEST_VALUES = 20
"""Columns of fewer distinct values are codes; a model draws those exactly anyway."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the rules found so far leave it.

    Attributes:
        values: Its values.
        unit: What it is counted in.
        count: Its values in ticks, shape ``(rows,)``, int64.
        known: Which rows have one.
        period: The ticks after which it wraps, None if it doesn't.
        steps: How often it was measured from another one.
        given: Whether it is given, and never changes.
    """

    values: pa.Array
    unit: Unit
    count: NDArray[np.int64]
    known: NDArray[np.bool_]
    period: int | None = None
    steps: int = 0
    given: bool = False


def counted_columns(state: State, clocks: AbstractSet[str]) -> dict[str, Column]:
    """Return the columns that measure something and have many values, given ones last.

    Of given columns that say the same, only the first.

    Args:
        state: The rows.
        clocks: Columns of minutes since midnight, which wrap.
    """
    columns = {}
    for name, values in state.measures():
        column = counted(values, period=MINUTES_A_DAY if name in clocks else None)
        if column is not None and _has_many_values(column):
            columns[name] = column
    said: set[tuple[Unit, bytes, bytes]] = set()
    for name, values in state.anchors():
        column = counted(values, given=True)
        if column is not None and _has_many_values(column):
            what = (column.unit, column.count.tobytes(), column.known.tobytes())
            if what not in said:
                columns[name] = column
                said.add(what)
    return columns


def _has_many_values(column: Column) -> bool:
    return len(np.unique(column.count[column.known])) >= FEWEST_VALUES


def counted(
    values: pa.Array, *, period: int | None = None, steps: int = 0, given: bool = False
) -> Column | None:
    """Return a column counted in its own unit, None if its values have none exactly."""
    decimals = ticks.decimals_of(values) if pa.types.is_floating(values.type) else 0
    unit = None if decimals is None else ticks.unit_of(values.type, decimals)
    if unit is None:
        return None
    read = ticks.read(values, unit)
    if not read.exact.all():
        return None
    if unit.family == "time":
        period = unit.day
    some = read.count[read.known]
    if period is not None and some.size and int(some.max()) - int(some.min()) >= period:
        # Both midnights, 0 and 2400, occur.
        period = None
    return Column(values, unit, read.count, read.known, period, steps, given)
