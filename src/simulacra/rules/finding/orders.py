"""Orders between columns that no row breaks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from simulacra.rules import ticks
from simulacra.rules.difference import Order
from simulacra.rules.finding.columns import Column
from simulacra.rules.finding.evidence import LEAST_TELLING
from simulacra.rules.ticks import Ticks

_FIRST_ROWS = 64
_TRIED_ROWS = 256
"""Rows paired at random with as many."""


class FirstRows:
    """A few rows of all columns at once, which rule out the order of most pairs.

    Args:
        columns: The columns.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._names = list(columns)
        self._tick = {n: 1 / float(column.unit.per) for n, column in columns.items()}
        rows = len(next(iter(columns.values())).count) if columns else 0
        few = np.linspace(0, max(rows - 1, 0), min(rows, _FIRST_ROWS)).astype(np.int64)
        self._levels = np.array(
            [
                np.where(c.known[few], c.count[few] / float(c.unit.per), np.nan)
                for c in columns.values()
            ]
        ).reshape(len(columns), len(few))
        self._low = np.where(np.isnan(self._levels), np.inf, self._levels).min(
            axis=1, initial=np.inf
        )
        self._high = -np.where(np.isnan(self._levels), np.inf, -self._levels).min(
            axis=1, initial=np.inf
        )

    def ordered(self, name: str) -> list[str]:
        """Return the other columns that this one may never come before, or never after.

        Those of which no value in these rows overlaps with its own are left out: they would be in
        order in any rows.
        """
        place = self._names.index(name)
        # Where a row has not both there is nothing to say; another unit may round by a tick.
        distance = self._levels[place] - self._levels
        tick = self._tick[name]
        low, high = self._low[place], self._high[place]
        above = ((distance >= -tick) | np.isnan(distance)).all(axis=1) & (low <= self._high)
        below = ((distance <= tick) | np.isnan(distance)).all(axis=1) & (high >= self._low)
        return [self._names[p] for p in np.flatnonzero(above | below) if p != place]


def order_of(distance: NDArray[np.int64]) -> Order | None:
    """Return the first order that no distance breaks."""
    for order in Order:
        if not order.broken(distance).any():
            return order
    return None


def order_between(
    column: Column, other: Column, rows: NDArray[np.int64], *, least: float = 0.0
) -> Order | None:
    """Return an order that no row breaks, though columns that don't know each other would.

    Args:
        column: A column.
        other: Another one of its family.
        rows: The rows that count: of children of one parent, one.
        least: The share of rows, at least, in which such columns would break it.
    """
    origin = ticks.read(other.values, column.unit)
    both = column.known & other.known
    order = order_of(origin.compared(column.count)[both])
    rows = rows[both[rows]]
    if order is None or not len(rows):
        return None
    strangers = share_of_strangers(order, column, origin, rows)
    told = strangers >= least and strangers * len(rows) >= LEAST_TELLING
    return order if told else None


def share_of_strangers(
    order: Order, column: Column, origin: Ticks, rows: NDArray[np.int64]
) -> float:
    """Return the share of rows in which columns that don't know each other break an order.

    Args:
        order: The order.
        column: A column.
        origin: What it is compared with.
        rows: The rows that count, one at least.
    """
    few = rows[np.linspace(0, len(rows) - 1, min(len(rows), _TRIED_ROWS)).astype(np.int64)]
    return float(order.broken(np.subtract.outer(column.count[few], origin.count[few])).mean())
