"""Finds the rules a table's numbers and times keep, from its values alone, never from names.

Numbers that are times of day become minutes (rule ``clock``). Then, greedily, the column is
measured from another one (rule ``difference``) whose distance is most simpler than the column; the
distance takes the column's place and the search goes on, so that distances of distances are found:
once a departure is written as its delay, the column of delays becomes 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.protocols import Config
from simulacra.core.random import RngKey
from simulacra.core.schema import RuleSpec, TableSpec
from simulacra.rules import ticks
from simulacra.rules.clock import MINUTES_A_DAY, Clock, ClockConfig, is_time
from simulacra.rules.columns import column_of
from simulacra.rules.difference import Difference, DifferenceConfig, Order, cut_of, wrap
from simulacra.rules.simplicity import cost, leaves_of
from simulacra.rules.ticks import Unit

ROWS = 6_000
"""Rows looked at."""
FEWEST_ROWS = 400
"""Fewer rows that have both values tell nothing."""
FEWEST_VALUES = 20
"""Columns of fewer distinct values are codes; a model draws those exactly anyway."""
LEAST_GAIN = 0.4
"""Nats a row that a difference must save."""
MOST_SPREAD = 0.5
"""How far distances may spread, as a share of the column's own spread."""
MOST_STEPS = 3
"""How often one column may be measured from another."""
_HELD_OUT = 0.3
_TRIED_PAIRS = 4_000
_MOST_PARTNERS = 12
_FEWEST_HOURS = 6
_FEWEST_MINUTES = 12
_DATATYPES = frozenset({"integer", "float", "decimal", "date", "datetime", "time", "duration"})


def discover(sample: pa.Table, table: TableSpec, *, rng: RngKey) -> list[RuleSpec]:
    """Return the rules found, in the order in which they encode.

    Args:
        sample: A uniform sample of the rows, of the table's schema.
        table: The specification: keys and what isn't a number or time are left alone.
        rng: Chooses the rows looked at.
    """
    if sample.num_rows < FEWEST_ROWS:
        return []
    generator = rng.generator()
    names = list(_candidates(sample.schema, table))
    rows = sample.select(names).take(np.sort(generator.permutation(sample.num_rows)[:ROWS]))
    search = _Search(rows, generator.random(rows.num_rows) >= _HELD_OUT, table)
    search.find_clocks(names)
    search.find_differences()
    return search.found


def _candidates(schema: pa.Schema, table: TableSpec) -> Iterator[str]:
    keys = {*table.primary_key, *(name for key in table.foreign_keys for name in key.columns)}
    for name, column in table.columns.items():
        usable = column.type in _DATATYPES and name not in keys
        if usable and ticks.unit_of(schema.field(name).type) is not None:
            yield name


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


class _Search:
    """The rows looked at, and what was found in them so far."""

    def __init__(self, rows: pa.Table, training: NDArray[np.bool_], table: TableSpec) -> None:
        self.found: list[RuleSpec] = []
        self._rows = rows
        self._training = training
        self._table = table
        self._columns: dict[str, _Column] = {}
        self._costs: dict[str, float] = {}

    def find_clocks(self, names: Iterable[str]) -> None:
        """Count the columns, those that hold hhmm in minutes."""
        for name in names:
            column = _counted(column_of(self._rows, name))
            if column is None or _distinct(column) < FEWEST_VALUES:
                continue
            if _is_clock(column):
                self._apply(Clock(), ClockConfig(column=name))
                column = _counted(column_of(self._rows, name), period=MINUTES_A_DAY)
            if column is not None:
                self._columns[name] = column

    def find_differences(self) -> None:
        """Measure columns from each other as long as that pays."""
        self._ranks = _Ranks(self._columns)
        pairs: dict[tuple[str, str], _Pair] = {}
        for name in self._columns:
            self._measure(pairs, ((name, other) for other in self._ranks.partners(name)))
        position = {name: i for i, name in enumerate(self._columns)}
        while pairs:
            # Of equal gains, the one whose distances are positive, of the later column.
            best = max(
                pairs.values(), key=lambda p: (round(p.gain, 1), p.positive, position[p.column])
            )
            changed = self._take(best)
            self._ranks.update(changed, self._columns[changed])
            self._costs.pop(changed, None)
            pairs = {key: pair for key, pair in pairs.items() if changed not in key}
            partners = self._ranks.partners(changed)
            self._measure(pairs, ((changed, other) for other in partners))
            self._measure(pairs, ((other, changed) for other in partners))

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
        if _spread(distance) > MOST_SPREAD * _spread(column.count[both]):
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
        self._apply(Difference(), config)
        values = column_of(self._rows, pair.column)
        distance = _counted(values, steps=column.steps + 1)
        if distance is None:
            msg = f"the distances of {pair.column} can't be counted"
            raise AssertionError(msg)
        self._columns[pair.column] = distance
        return pair.column

    def _apply(self, rule: Clock | Difference, config: Config) -> None:
        """Note a rule and encode the rows by it."""
        fitted = rule.fit(self._rows, config, table=self._table)
        batch = self._rows.combine_chunks().to_batches()[0]
        self._rows = pa.Table.from_batches([fitted.encode(batch)])
        options = config.model_dump(mode="json", exclude_defaults=True)
        self.found.append(RuleSpec(rule=rule.name, options=options))


class _Ranks:
    """Rank correlations, to try only the pairs of columns that move together."""

    def __init__(self, columns: Mapping[str, _Column]) -> None:
        self._names = list(columns)
        self._families = np.array([column.unit.family for column in columns.values()])
        self._most = max(2, min(_MOST_PARTNERS, _TRIED_PAIRS // max(1, len(columns))))
        self._ranks = np.array([_standard_ranks(column) for column in columns.values()])
        self._alike = self._ranks @ self._ranks.T

    def partners(self, name: str) -> list[str]:
        """Return the columns of the same family that move most with this one."""
        index = self._names.index(name)
        alike = np.abs(self._alike[index]) * (self._families == self._families[index])
        alike[index] = 0.0
        best = np.argsort(-alike, kind="stable")[: self._most]
        return [self._names[other] for other in best if alike[other] > 0.0]

    def sign(self, name: str, other: str) -> int:
        """Return -1 where two columns move together and their difference tells, else 1: the sum."""
        return -1 if self._alike[self._names.index(name), self._names.index(other)] > 0 else 1

    def update(self, name: str, column: _Column) -> None:
        """Take a changed column's new values."""
        index = self._names.index(name)
        self._families[index] = column.unit.family
        self._ranks[index] = _standard_ranks(column)
        self._alike[index] = self._alike[:, index] = self._ranks @ self._ranks[index]


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


def _is_clock(column: _Column) -> bool:
    """Say whether numbers spread over many times of day as hhmm, and nothing but those."""
    some = column.count[column.known]
    return (
        column.unit.per == 1
        and some.size >= FEWEST_ROWS
        and bool(is_time(some).all())
        and int(some.max()) > 1000
        and len(np.unique(some // 100)) >= _FEWEST_HOURS
        and len(np.unique(some % 100)) >= _FEWEST_MINUTES
    )


def _order(distance: NDArray[np.int64]) -> Order | None:
    for order in Order:
        if not order.broken(distance).any():
            return order
    return None


def _distinct(column: _Column) -> int:
    return len(np.unique(column.count[column.known]))


def _spread(count: NDArray[np.int64]) -> float:
    low, high = np.quantile(count, (0.05, 0.95))
    return float(high - low)


def _standard_ranks(column: _Column) -> NDArray[np.float32]:
    """Return ranks of mean 0 and length 1, 0 where unknown."""
    _, where, rows = np.unique(column.count[column.known], return_inverse=True, return_counts=True)
    rank = np.cumsum(rows) - (rows + 1) / 2
    ranks = np.zeros(len(column.count), np.float32)
    if rows.size > 1:
        ranks[column.known] = rank[where] - rank[where].mean()
        ranks /= np.linalg.norm(ranks)
    return ranks
