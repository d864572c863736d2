"""The scales that columns of numbers and times are drawn on, and round edges on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.schema import ColumnSpec
from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import as_numbers, lengths
from simulacra.pipeline.pictures.safe import FEWEST

BINS = 40
"""The most bins of equal width."""

_TAIL = 0.005
"""The share of rows at either end that goes to an open bin."""
_DAY = 86_400.0
_MONTH = 30.436875 * _DAY
_YEARS = (-1, 10_000)
_LEAST_STEP = 1e-300
_ORDINAL_1970 = 719_163
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_MINUTE, _HOUR = 60.0, 3600.0
_CLOCK_STEPS = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 30.0),
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
)
_DAY_STEPS = (_DAY, 2 * _DAY, 7 * _DAY)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12_000)


class Unit(StrEnum):
    """What the numbers on an axis are."""

    NUMBER = "number"
    INTEGER = "integer"
    LENGTH = "length"
    """Characters, bytes or items."""
    DATE = "date"
    """Days, in seconds since 1970."""
    MOMENT = "moment"
    """Seconds since 1970, UTC."""
    CLOCK = "clock"
    """Seconds since midnight."""
    DURATION = "duration"
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How a leaf is put on an axis.

    Attributes:
        leaf: A leaf of kind number or length.
        unit: What the numbers on the axis are.
    """

    leaf: Leaf
    unit: Unit

    @classmethod
    def of(cls, leaf: Leaf, arrow_type: pa.DataType) -> Scale:
        """Return the scale of a leaf whose values are of this Arrow type."""
        if leaf.kind is Kind.LENGTH:
            return cls(leaf, Unit.LENGTH)
        return cls(leaf, _unit(leaf.spec, arrow_type))

    def places(self, values: pa.ChunkedArray) -> NDArray[np.float64]:
        """Return the finite values on the axis, without nulls, shape ``(n,)``."""
        if self.unit is Unit.LENGTH:
            return lengths(values).present().astype(np.float64)
        found = as_numbers(values, self.leaf.spec).present().astype(np.float64)
        found = found[np.isfinite(found)]
        if self.unit in (Unit.NUMBER, Unit.INTEGER):
            return found
        seconds = _in_seconds(found, values.type, self.leaf.spec)
        return seconds % _DAY if self.unit is Unit.CLOCK else seconds

    def edges(self, real: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return round edges of bins, shape ``(bins + 1,)``, rising.

        They are multiples of a round step between what ten rows at least are below and above, or
        0.5 % of them, never values of rows. The outermost bins are meant to hold all beyond.

        Args:
            real: Values on the axis, at least ``FEWEST`` of them.
        """
        ordered = np.sort(real)
        low, high = _inner(ordered, max(FEWEST, math.ceil(_TAIL * len(ordered))))
        if low == high:
            low, high = _inner(ordered, FEWEST)
        if self.unit in (Unit.DATE, Unit.MOMENT):
            return _moment_edges(low, high, () if self.unit is Unit.DATE else _CLOCK_STEPS)
        if self.unit is Unit.CLOCK:
            return _multiples(low, high, _first_fitting(_CLOCK_STEPS, high - low))
        whole = self.unit in (Unit.INTEGER, Unit.LENGTH)
        # Parts first: the width of a range of floats may overflow.
        least = abs(low) / 10 if low == high else high / BINS - low / BINS
        return _multiples(low, high, _round_step(least, whole=whole))


def _unit(spec: ColumnSpec, arrow_type: pa.DataType) -> Unit:
    types = pa.types
    if spec.type == "date" or types.is_date(arrow_type):
        return Unit.DATE
    if spec.type == "datetime" or types.is_timestamp(arrow_type):
        return Unit.MOMENT
    if spec.type == "time" or types.is_time(arrow_type):
        return Unit.CLOCK
    if types.is_duration(arrow_type):
        return Unit.DURATION
    whole = types.is_integer(arrow_type) or spec.type == "integer"
    return Unit.INTEGER if whole else Unit.NUMBER


def _in_seconds(
    values: NDArray[np.float64], arrow_type: pa.DataType, spec: ColumnSpec
) -> NDArray[np.float64]:
    """Return what ``as_numbers`` makes of dates and times in seconds (since 1970)."""
    types = pa.types
    if types.is_date32(arrow_type):
        return values * _DAY
    if types.is_date64(arrow_type):
        return values * 1e-3
    if types.is_timestamp(arrow_type) or types.is_time(arrow_type) or types.is_duration(arrow_type):
        return values * _SECONDS[arrow_type.unit]
    if spec.type == "date" and spec.options.get("format") is None:
        return (values - _ORDINAL_1970) * _DAY
    return values * 1e-6


def _inner(ordered: NDArray[np.float64], outside: int) -> tuple[float, float]:
    """Return what so many values are at most, and what so many are at least."""
    low, high = ordered[min(outside, len(ordered)) - 1], ordered[max(len(ordered) - outside, 0)]
    return (float(low), float(high)) if low <= high else (float(high), float(low))


def _round_step(least: float, *, whole: bool) -> float:
    """Return the least of 1, 2, 2.5 and 5 times powers of ten that is no less; whole if asked."""
    if least <= 0.0 or not math.isfinite(least):
        return 1.0
    if whole and least <= 1.0:
        return 1.0
    least = max(least, _LEAST_STEP)
    power = 10.0 ** math.floor(math.log10(least))
    factors = (1.0, 2.0, 5.0, 10.0) if whole else (1.0, 2.0, 2.5, 5.0, 10.0)
    return next(power * factor for factor in factors if power * factor >= least * (1 - 1e-12))


def _first_fitting(steps: Sequence[float], width: float) -> float:
    return next((step for step in steps if width / step <= BINS), steps[-1])


def _multiples(low: float, high: float, step: float) -> NDArray[np.float64]:
    """Return the multiples of a step from that below ``low`` to that beyond ``high``."""
    first = math.floor(low / step)
    count = min(max(math.floor(high / step) - first + 1, 1), 2 * BINS)
    with np.errstate(over="ignore"):
        multiples = (first + np.arange(count + 1.0)) * step
    largest = np.finfo(np.float64).max
    edges = np.unique(np.clip(multiples, -largest, largest))
    # Floats that large have no step between them.
    return edges if len(edges) > 1 else np.array([low, np.nextafter(low, np.inf)])


def _moment_edges(low: float, high: float, steps: Sequence[float]) -> NDArray[np.float64]:
    """Return edges at round times of ``steps``, seconds, or else at days, months or years."""
    width = high - low
    for step in (*steps, *_DAY_STEPS):
        if width / step <= BINS:
            return _multiples(low, high, step)
    months = next((m for m in _MONTH_STEPS if width / (m * _MONTH) <= BINS), _MONTH_STEPS[-1])
    first, last = (_month_of(seconds) // months for seconds in (low, high))
    at = (first + np.arange(last - first + 2)) * months
    return at.astype("datetime64[M]").astype("datetime64[s]").astype(np.float64)


def _month_of(seconds: float) -> int:
    """Return months since 1970; times beyond what people date are put at its ends."""
    low, high = ((year - 1970) * 12 * _MONTH for year in _YEARS)
    moment = np.datetime64(int(min(max(seconds, low), high)), "s")
    return int(moment.astype("datetime64[M]").astype(np.int64))
