"""Orders between columns that no row breaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.rules import ticks
from simulacra.rules.difference import Order
from simulacra.rules.finding.columns import Column
from simulacra.rules.finding.evidence import LEAST_TELLING

_TRIED_ROWS = 256
"""Rows paired at random with as many."""


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
    origin = ticks.read(other.values, column.unit).count
    both = column.known & other.known
    order = order_of((column.count - origin)[both])
    rows = rows[both[rows]]
    if order is None or not len(rows):
        return None
    few = rows[np.linspace(0, len(rows) - 1, min(len(rows), _TRIED_ROWS)).astype(np.int64)]
    strangers = order.broken(np.subtract.outer(column.count[few], origin[few])).mean()
    told = strangers >= least and strangers * len(rows) >= LEAST_TELLING
    return order if told else None
