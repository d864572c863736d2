"""Finds columns that are simpler when measured from another one.

Greedily, the column is measured whose distance is most simpler than itself; the distance takes the
column's place and the search goes on, so that distances of distances are found: once a departure
is written as its delay, the column of delays becomes 0.

Then what never comes before (or never after) another one is measured from it unless that costs
something: times from those of the rows' parents, and any column from another of its own table. Of a
chain the last is measured from the one before it, and so on, as a distance has no order any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.rules import ticks
from simulacra.rules.circle import cut_of, wrap
from simulacra.rules.difference import Difference, DifferenceConfig, Order
from simulacra.rules.finding.columns import Column, counted
from simulacra.rules.finding.evidence import Evidence
from simulacra.rules.finding.orders import FirstRows, order_between, order_of
from simulacra.rules.finding.ranks import Ranks
from simulacra.rules.finding.simplicity import cost, leaves_of
from simulacra.rules.finding.state import State

FEWEST_ROWS = 400
"""Fewer rows that have both values tell nothing."""
LEAST_GAIN = 0.5
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
MOST_COST = 0.1
"""Nats a row that an order with a given time may cost; so much they differ by accident."""
OVERLAP = 0.05
"""The share of rows in which two own columns would be out of order if they were strangers."""
_ALIKE = 0.03
"""Nats by which two columns' own costs differ by accident."""
_MISTAKES = 0.01
"""Rows in which a twin may be something else: where a distance wraps, it is a period off."""
_FIRST_ROWS = 64
"""Rows that rule most candidates for an exact distance out."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A column, another one to subtract or add, and the nats a row that this saves.

    Attributes:
        column: The column that would become a distance.
        other: The column it would be measured from.
        sign: -1 to subtract, 1 to add.
        gain: The nats.
        positive: Whether most distances are positive.
        twin: A third column that is this distance, as a delay may be, or None.
    """

    column: str
    other: str
    sign: int
    gain: float
    positive: bool
    twin: str | None


def find_differences(
    state: State,
    columns: Mapping[str, Column],
    evidence: Evidence,
    *,
    training: NDArray[np.bool_],
) -> set[str]:
    """Measure columns from each other as long as that pays, and note how.

    Args:
        state: The rows, and the rules found before.
        columns: The columns that may be measured, and the given ones, counted.
        evidence: Tells which rows count when a given column is compared.
        training: Which rows to count; gains are taken on the others. Shape ``(rows,)``.

    Returns:
        The columns that became distances.
    """
    if not columns:
        return set()
    search = _Search(state, dict(columns), training)
    search.run()
    search.keep_orders(evidence)
    return search.changed


class _Search:
    """The columns that can be measured, and the rules found in them so far."""

    def __init__(
        self, state: State, columns: dict[str, Column], training: NDArray[np.bool_]
    ) -> None:
        self._state = state
        self._columns = columns
        self._training = training
        self._ranks = Ranks(columns)
        self._counts = np.column_stack([column.count for column in columns.values()])
        self._known = np.column_stack([column.known for column in columns.values()])
        self._costs: dict[str, float] = {}
        self.changed: set[str] = set()

    def run(self) -> None:
        """Measure columns from each other as long as that pays."""
        pairs: dict[tuple[str, str], _Pair] = {}
        for name in self._columns:
            self._measure(pairs, ((name, other) for other in self._ranks.partners(name)))
        while pairs:
            changed = self._take(self._turned(self._best(pairs), pairs))
            stale = [pair for pair in pairs.values() if changed == pair.twin]
            pairs = {key: pair for key, pair in pairs.items() if changed not in {*key, pair.twin}}
            partners = self._ranks.partners(changed)
            self._measure(pairs, ((p.column, p.other) for p in stale))
            self._measure(pairs, ((changed, other) for other in partners))
            self._measure(pairs, ((other, changed) for other in partners))

    def keep_orders(self, evidence: Evidence) -> None:
        """Measure columns from others that they never come before, or never after."""
        self._keep_given_orders(evidence)
        self._keep_own_orders()

    def _keep_own_orders(self) -> None:
        plain = [name for name, column in self._columns.items() if self._is_plain(column)]
        levels = {name: float(np.median(self._levels(name))) for name in plain}
        likely = FirstRows({name: self._columns[name] for name in plain})
        for name in sorted(plain, key=lambda name: -levels[name]):
            self._costs.clear()
            rows = np.arange(len(self._training))
            lower = [
                other for other in likely.ordered(name) if self._is_plain(self._columns[other])
            ]
            pairs = [self._ordered(name, other, rows, least=OVERLAP) for other in lower]
            some = {(name, p.other): p for p in pairs if p is not None and p.positive}
            if some:
                self._take(self._best(some))

    def _is_plain(self, column: Column) -> bool:
        return not column.given and not column.steps and column.period is None

    def _levels(self, name: str) -> NDArray[np.float64]:
        """Return the known values on a scale that columns of one family share."""
        column = self._columns[name]
        return column.count[column.known] / float(column.unit.per)

    def _keep_given_orders(self, evidence: Evidence) -> None:
        given = [name for name, column in self._columns.items() if column.given]
        for name in [name for name in self._columns if self._is_time(name)]:
            self._costs.clear()
            pairs = [self._ordered(name, other, evidence.rows(other)) for other in given]
            some = {(name, pair.other): pair for pair in pairs if pair is not None}
            if some:
                self._take(self._best(some))

    def _is_time(self, name: str) -> bool:
        column = self._columns[name]
        instant = column.unit.family in {"instant", "instant+tz"}
        return instant and not column.given and not column.steps

    def _ordered(
        self, name: str, other: str, rows: NDArray[np.int64], *, least: float = 0.0
    ) -> _Pair | None:
        column, minus = self._columns[name], self._columns[other]
        both = self._both(name, other)
        if both is None or minus.unit.family != column.unit.family:
            return None
        order = order_between(column, minus, rows, least=least)
        if order is None:
            return None
        origin = ticks.read(minus.values, column.unit).count[both]
        distance = column.count[both] - origin
        gain = self._cost(name) - min(cost(distance, leaves_of(origin), self._training[both]))
        above = order in (Order.ABOVE, Order.NOT_BELOW)
        return _Pair(name, other, -1, gain, above, twin=None) if gain > -MOST_COST else None

    def _best(self, pairs: Mapping[tuple[str, str], _Pair]) -> _Pair:
        """Return the pair that saves most, and of those equally good one with a given column."""
        best = max(pairs.values(), key=_gain)
        given = [
            pair
            for pair in pairs.values()
            if self._columns[pair.other].given
            and pair.column == best.column
            and pair.gain >= best.gain - _ALIKE
        ]
        return max(given, key=lambda pair: self._columns[pair.other].known.sum(), default=best)

    def _turned(self, pair: _Pair, pairs: Mapping[tuple[str, str], _Pair]) -> _Pair:
        """Return the pair or its reverse: the column that is harder to tell becomes the distance.

        Of two that are alike, the one that is no distance yet, or whose distances are positive.
        """
        reverse = pairs.get((pair.other, pair.column))
        if reverse is None:
            return pair
        harder = self._alone(pair.column) - self._alone(pair.other)
        if abs(harder) > _ALIKE:
            return pair if harder > 0 else reverse
        steps = self._columns[pair.column].steps - self._columns[pair.other].steps
        if steps:
            return pair if steps < 0 else reverse
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
        if column.given or column.steps == MOST_STEPS or both is None:
            return None
        count, origin = column.count[both], ticks.read(minus.values, column.unit).count[both]
        spread = _spread(count)
        if not spread or not _spread(origin):
            return None
        sign = self._ranks.sign(name, other)
        if sign > 0 and column.unit.family not in {"number", "duration"}:
            return None
        distance = count + sign * origin
        if column.period is not None:
            distance = wrap(distance, cut_of(distance, column.period), column.period)
        twin = self._twin(distance, both)
        share = _spread(distance) / spread
        blurred = share > TINY_SPREAD and _repeated(distance) < MOST_REPEAT
        if twin is None and (share > MOST_SPREAD or blurred):
            return None
        distance_cost = min(cost(distance, leaves_of(origin), self._training[both]))
        gain = self._cost(name) - distance_cost
        if twin is not None:
            # Measured from a given twin, it is 0 itself.
            gain += distance_cost if self._columns[twin].given else self._cost(twin)
        if gain < LEAST_GAIN:
            return None
        return _Pair(name, other, sign, gain, bool((distance >= 0).mean() > 0.5), twin)

    def _twin(self, distance: NDArray[np.int64], rows: NDArray[np.bool_]) -> str | None:
        """Return a column that is the distance, but for its sign."""
        first, where = distance[:_FIRST_ROWS, None], np.flatnonzero(rows)[:_FIRST_ROWS]
        counts, unknown = self._counts[where], ~self._known[where]
        alike = [((counts == told) | unknown).mean(axis=0) > 0.9 for told in (first, -first)]
        for name in (
            name for name, maybe in zip(self._columns, alike[0] | alike[1], strict=True) if maybe
        ):
            column = self._columns[name]
            known = column.known[rows]
            count, told = column.count[rows][known], distance[known]
            if known.sum() < FEWEST_ROWS:
                continue
            if min((count != told).mean(), (count != -told).mean()) < _MISTAKES:
                return name
        return None

    def _both(self, name: str, other: str) -> NDArray[np.bool_] | None:
        """Return the rows that have both values, None if they are too few."""
        known = self._columns[name].known
        both = known & self._columns[other].known
        return both if both.sum() >= max(FEWEST_ROWS, known.sum() / 2) else None

    def _cost(self, name: str) -> float:
        """Return the nats that a column costs as it is, given whichever other one tells most."""
        if name not in self._costs:
            column, costs = self._columns[name], [self._alone(name)]
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
            origin = ticks.read(other.values, column.unit)
            order = order_of(origin.compared(column.count)[both])
        config = DifferenceConfig(
            column=pair.column,
            minus=pair.other if pair.sign < 0 else None,
            plus=pair.other if pair.sign > 0 else None,
            order=order,
            period=column.period,
        )
        self._state.apply(Difference.name, config)
        values = self._state.columns[pair.column]
        distance = counted(values, steps=column.steps + 1)
        if distance is None:
            msg = f"the distances of {pair.column} can't be counted"
            raise AssertionError(msg)
        self._columns[pair.column] = distance
        self._ranks.update(pair.column, distance)
        self._costs.pop(pair.column, None)
        self.changed.add(pair.column)
        place = list(self._columns).index(pair.column)
        self._counts[:, place] = distance.count
        self._known[:, place] = distance.known
        return pair.column


def _gain(pair: _Pair) -> float:
    return pair.gain


def _repeated(count: NDArray[np.int64]) -> float:
    _, rows = np.unique(count, return_counts=True)
    return float(1 - (rows == 1).sum() / len(count))


def _spread(count: NDArray[np.int64]) -> float:
    low, high = np.quantile(count, (0.05, 0.95))
    return float(high - low)
