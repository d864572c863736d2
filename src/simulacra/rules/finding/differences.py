"""Finds columns that are simpler when measured from another one.

Greedily, the column is measured whose distance is most simpler than itself; the distance takes the
column's place and the search goes on, so that distances of distances are found: once a departure
is written as its delay, the column of delays becomes 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.rules import ticks
from simulacra.rules.clock import MINUTES_A_DAY
from simulacra.rules.difference import Difference, DifferenceConfig, Order, cut_of, wrap
from simulacra.rules.finding.ranks import Ranks
from simulacra.rules.finding.simplicity import cost, leaves_of
from simulacra.rules.finding.state import State
from simulacra.rules.ticks import Unit

FEWEST_ROWS = 400
"""Fewer rows that have both values tell nothing."""
FEWEST_VALUES = 20
"""Columns of fewer distinct values are codes; a model draws those exactly anyway."""
LEAST_GAIN = 0.4
"""Nats a row that a difference must save."""
MOST_SPREAD = 0.5
"""How far distances may spread, as a share of the column's own spread."""
TINY_SPREAD = 0.02
"""Distances that spread less are finer than a model's steps, whatever they are."""
MOST_REPEAT = 0.8
"""The share of distances that occur twice or more, else: of amounts that differ, both have spikes
and round figures that their differences blur."""
MOST_STEPS = 3
"""How often one column may be measured from another."""
_ALIKE = 0.03
"""Nats by which two columns' own costs differ by accident."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column as the rules found so far leave it.

    Attributes:
        values: Its values.
        unit: What it is counted in.
        count: Its values in ticks, shape ``(rows,)``, int64.
        known: Which rows have one.
        period: The ticks after which it wraps, None if it doesn't.
        steps: How often it was measured from another one.
    """

    values: pa.Array
    unit: Unit
    count: NDArray[np.int64]
    known: NDArray[np.bool_]
    period: int | None = None
    steps: int = 0


@dataclass(frozen=True, slots=True)
class _Pair:
    """A column, another one to subtract or add, and the nats a row that this saves."""

    column: str
    other: str
    sign: int
    gain: float
    positive: bool


def find_differences(
    state: State, clocks: AbstractSet[str], *, training: NDArray[np.bool_]
) -> None:
    """Measure columns from each other as long as that pays, and note how.

    Args:
        state: The rows, and the rules found before.
        clocks: Columns of minutes since midnight, which wrap.
        training: Which rows to count; gains are taken on the others. Shape ``(rows,)``.
    """
    columns = {}
    for name, values in state.measures():
        period = MINUTES_A_DAY if name in clocks else None
        column = _counted(values, period=period)
        if column is not None and _distinct(column) >= FEWEST_VALUES:
            columns[name] = column
    if columns:
        _Search(state, columns, training).run()


class _Search:
    """The columns that can be measured, and the rules found in them so far."""

    def __init__(
        self, state: State, columns: dict[str, _Column], training: NDArray[np.bool_]
    ) -> None:
        self._state = state
        self._columns = columns
        self._training = training
        self._ranks = Ranks(columns)
        self._costs: dict[str, float] = {}

    def run(self) -> None:
        """Measure columns from each other as long as that pays."""
        pairs: dict[tuple[str, str], _Pair] = {}
        for name in self._columns:
            self._measure(pairs, ((name, other) for other in self._ranks.partners(name)))
        while pairs:
            changed = self._take(self._turned(max(pairs.values(), key=_gain), pairs))
            self._ranks.update(changed, self._columns[changed])
            self._costs.pop(changed, None)
            pairs = {key: pair for key, pair in pairs.items() if changed not in key}
            partners = self._ranks.partners(changed)
            self._measure(pairs, ((changed, other) for other in partners))
            self._measure(pairs, ((other, changed) for other in partners))

    def _turned(self, pair: _Pair, pairs: Mapping[tuple[str, str], _Pair]) -> _Pair:
        """Return the pair or its reverse: the column that is harder to tell becomes the distance.

        Of two that are alike, the one whose distances are positive.
        """
        reverse = pairs.get((pair.other, pair.column))
        if reverse is None:
            return pair
        harder = self._alone(pair.column) - self._alone(pair.other)
        if abs(harder) > _ALIKE:
            return pair if harder > 0 else reverse
        return reverse if reverse.positive and not pair.positive else pair

    def _alone(self, name: str) -> float:
        column = self._columns[name]
        count = column.count[column.known]
        return cost(count, np.zeros(len(count), np.int64), self._training[column.known])[0]

    def _measure(
        self, pairs: dict[tuple[str, str], _Pair], names: Iterable[tuple[str, str]]
    ) -> None:
        for name, other in names:
            pair = self._pair(name, other)
            if pair is not None:
                pairs[name, other] = pair

    def _pair(self, name: str, other: str) -> _Pair | None:
        column, minus = self._columns[name], self._columns[other]
        both = self._both(name, other)
        if column.steps == MOST_STEPS or both is None:
            return None
        origin = ticks.read(minus.values, column.unit).count[both]
        sign = self._ranks.sign(name, other)
        if sign > 0 and column.unit.family not in {"number", "duration"}:
            return None
        distance = column.count[both] + sign * origin
        if column.period is not None:
            distance = wrap(distance, cut_of(distance, column.period), column.period)
        share = _spread(distance) / max(_spread(column.count[both]), 1.0)
        if share > MOST_SPREAD or (share > TINY_SPREAD and _repeated(distance) < MOST_REPEAT):
            return None
        distance_cost = min(cost(distance, leaves_of(origin), self._training[both]))
        gain = self._cost(name) - distance_cost
        if gain < LEAST_GAIN:
            return None
        return _Pair(name, other, sign, gain, positive=bool((distance >= 0).all()))

    def _both(self, name: str, other: str) -> NDArray[np.bool_] | None:
        """Return the rows that have both values, None if they are too few."""
        known = self._columns[name].known
        both = known & self._columns[other].known
        return both if both.sum() >= max(FEWEST_ROWS, known.sum() / 2) else None

    def _cost(self, name: str) -> float:
        """Return the nats that a column costs as it is, given whichever other one tells most."""
        if name not in self._costs:
            column, costs = self._columns[name], [np.inf]
            for other in self._ranks.partners(name):
                both = self._both(name, other)
                if both is not None:
                    leaves = leaves_of(self._columns[other].count[both])
                    costs += cost(column.count[both], leaves, self._training[both])
            self._costs[name] = min(costs)
        return self._costs[name]

    def _take(self, pair: _Pair) -> str:
        """Apply the difference of a pair and return the column that it changed."""
        column, other = self._columns[pair.column], self._columns[pair.other]
        order = None
        if column.period is None and column.steps == other.steps == 0 and pair.sign < 0:
            both = column.known & other.known
            origin = ticks.read(other.values, column.unit).count
            order = _order((column.count - origin)[both])
        config = DifferenceConfig(
            column=pair.column,
            minus=pair.other if pair.sign < 0 else None,
            plus=pair.other if pair.sign > 0 else None,
            order=order,
            period=column.period,
        )
        self._state.apply(Difference.name, config)
        values = self._state.column(pair.column)
        distance = _counted(values, steps=column.steps + 1)
        if distance is None:
            msg = f"the distances of {pair.column} can't be counted"
            raise AssertionError(msg)
        self._columns[pair.column] = distance
        return pair.column


def _gain(pair: _Pair) -> float:
    return pair.gain


def _counted(values: pa.Array, *, period: int | None = None, steps: int = 0) -> _Column | None:
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
    return _Column(values, unit, read.count, read.known, period, steps)


def _order(distance: NDArray[np.int64]) -> Order | None:
    for order in Order:
        if not order.broken(distance).any():
            return order
    return None


def _distinct(column: _Column) -> int:
    return len(np.unique(column.count[column.known]))


def _repeated(count: NDArray[np.int64]) -> float:
    _, rows = np.unique(count, return_counts=True)
    return float(1 - (rows == 1).sum() / len(count))


def _spread(count: NDArray[np.int64]) -> float:
    low, high = np.quantile(count, (0.05, 0.95))
    return float(high - low)
