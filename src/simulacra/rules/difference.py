"""A column learned as its distance from another one.

Ship and receipt dates, bill and payment, scheduled and actual departure: a model that draws them
one after the other, in steps of a quantile, loses the fine distance between the two. Here the
column *becomes* the distance. One such change is an elementary row operation on the columns, so any
sequence of them can be undone in reverse, and a column may be measured from one that is itself
already a distance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, ClassVar, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules import ticks
from simulacra.rules.circle import base_of, cut_of, wrap
from simulacra.rules.columns import column_of, replace
from simulacra.rules.ticks import Ticks, Unit

_GRID = 50


class Order(StrEnum):
    """How a column compares with the one it is measured from, in every row that has both."""

    ABOVE = ">"
    NOT_BELOW = ">="
    BELOW = "<"
    NOT_ABOVE = "<="

    def broken(self, distance: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say for each distance whether it breaks the order; only its sign counts."""
        return _BROKEN[self](distance)

    def kept(self, count: NDArray[np.int64], origin: Ticks, most: int) -> NDArray[np.int64]:
        """Return the nearest counts that keep the order.

        Args:
            count: The counts of a column.
            origin: What it compares with.
            most: No count of that is taken for larger.
        """
        if self in (Order.ABOVE, Order.NOT_BELOW):
            least = origin.floor() + 1 if self is Order.ABOVE else origin.ceil()
            return np.maximum(count, np.clip(least, -most, most))
        greatest = origin.ceil() - 1 if self is Order.BELOW else origin.floor()
        return np.minimum(count, np.clip(greatest, -most, most))


_BROKEN: dict[Order, Callable[[NDArray[np.int64]], NDArray[np.bool_]]] = {
    Order.ABOVE: lambda distance: distance <= 0,
    Order.NOT_BELOW: lambda distance: distance < 0,
    Order.BELOW: lambda distance: distance >= 0,
    Order.NOT_ABOVE: lambda distance: distance > 0,
}


class DifferenceConfig(Config):
    """Options of the rule ``difference``."""

    column: Annotated[str, Field(description="The column that becomes a distance (or a sum)")]
    minus: Annotated[str | None, Field(description="The column it is measured from")] = None
    plus: Annotated[
        str | None, Field(description="Instead: the column it is added to, as free + used")
    ] = None
    times: Annotated[
        int, Field(gt=0, description="How often it counts: 60 for hours, in a column of minutes")
    ] = 1
    order: Annotated[
        Order | None, Field(description="What always holds: column > minus, and so on")
    ] = None
    period: Annotated[
        int | None,
        Field(gt=0, description="The column wraps after so many of its units (1440 minutes a day)"),
    ] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.minus is None) == (self.plus is None):
            msg = "exactly one of 'minus' and 'plus' names a column"
            raise ValueError(msg)
        if self.column == self.other:
            msg = "a column can't be measured from itself"
            raise ValueError(msg)
        if self.order is not None and (self.period is not None or self.plus is not None):
            msg = "only a plain difference has an order"
            raise ValueError(msg)
        return self

    @property
    def other(self) -> str:
        """The column subtracted or added."""
        return cast("str", self.plus if self.minus is None else self.minus)


class Difference:
    """Measures one column from another: numbers, dates and times, exactly."""

    name: ClassVar[str] = "difference"
    config: ClassVar[type[Config]] = DifferenceConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Learn units, range and wrap-around.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification; unused, the sample says it all.

        Raises:
            SpecError: A column is missing, or the two can't be subtracted exactly.
        """
        del table
        return fit_difference(sample, cast("DifferenceConfig", config))

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        return load_difference(src)


def fit_difference(
    sample: pa.Table, options: DifferenceConfig, *, instead: Sequence[str] = ()
) -> FittedDifference:
    """Learn a difference.

    Args:
        sample: Rows as the rules before this one leave them.
        options: Which columns.
        instead: Where the column measured from is null, the first of these that isn't is taken.

    Raises:
        SpecError: A column is missing, or the two can't be subtracted exactly.
    """
    column = column_of(sample, options.column)
    decimals = _decimals(column, options)
    others = [column_of(sample, name) for name in (options.other, *instead)]
    unit, *_ = [_unit(column.type, each.type, decimals, options) for each in others]
    value, other = ticks.read(column, unit), _known_first(others, unit, options.times)
    most = _most(column.type)
    if not (value.exact & (np.abs(value.count) <= most)).all():
        raise SpecError(
            f"values are too large to be subtracted exactly in {column.type}",
            where=options.column,
            why=f"some exceed ±{most} of 1/{unit.per}",
            mend="Remove this rule",
        )
    some = value.count[value.known]
    low, high = (int(some.min()), int(some.max())) if some.size else (0, 0)
    known = np.clip(other.count[other.known], -most, most)
    fallback = int(np.median(known)) if known.size else 0
    base = cut = 0
    if options.period is not None:
        base = base_of(low, high, options.period, options.column)
        both = value.known & other.known
        sign = -1 if options.plus is None else 1
        cut = cut_of(value.count[both] + sign * other.count[both], options.period)
    low, high = _widened(low, high)
    learned = _Learned(type_to_text(column.type), decimals, low, high, fallback, base=base, cut=cut)
    fitted = FittedDifference(options, unit, learned, tuple(instead))
    if options.order is not None:
        _check_order(sample, fitted, options)
    return fitted


def load_difference(src: ArtifactReader) -> FittedDifference:
    """Read a difference that ``save`` wrote."""
    saved = src.json("difference")
    options, learned = DifferenceConfig(**saved["options"]), _Learned(**saved["learned"])
    column = type_from_text(learned.type)
    unit = _unit(column, column, learned.decimals, options)
    return FittedDifference(options, unit, learned, tuple(saved.get("instead", ())))


@dataclass(frozen=True, slots=True)
class _Learned:
    """What fitting finds, in ticks of the column.

    Attributes:
        type: The column's Arrow type, as text.
        decimals: The decimals of a float column.
        low: A round number not above its least value.
        high: A round number not below its greatest value.
        fallback: Where to measure from when the other column is null.
        base: The least value of a column that wraps.
        cut: The least distance of a column that wraps.
    """

    type: str
    decimals: int
    low: int
    high: int
    fallback: int
    base: int
    cut: int


class FittedDifference:
    """The rule ``difference`` of two known columns.

    Args:
        options: Which columns.
        unit: What the column is counted in.
        learned: What fitting found.
        instead: Columns to measure from where the other one is null.
    """

    def __init__(
        self,
        options: DifferenceConfig,
        unit: Unit,
        learned: _Learned,
        instead: tuple[str, ...] = (),
    ) -> None:
        self.columns: tuple[str, ...] = (options.column, options.other, *instead)
        self._options = options
        self._unit = unit
        self._learned = learned
        self._type = type_from_text(learned.type)
        self._distance_type = ticks.difference_type(self._type)
        self._most = _most(self._type)
        self._distance_unit = distance_unit(self._type, unit)

    def ordered(self, order: Order) -> FittedDifference:
        """Return the same difference, of an order that need not have held where it was learned."""
        options = self._options.model_copy(update={"order": order})
        return FittedDifference(options, self._unit, self._learned, self.columns[2:])

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace the column by its distance from the other one."""
        value = ticks.read(batch[self._options.column], self._unit)
        distance = value.count - self._origin(batch)
        if self._options.period is not None:
            distance = wrap(distance, self._learned.cut, self._options.period)
        array = ticks.write(value.moved(distance), self._distance_type, self._distance_unit)
        return replace(batch, self._options.column, array)

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Add the other column again; stay in the column's range, order and type."""
        distance = ticks.read(batch[self._options.column], self._distance_unit)
        origin = self._origin(batch)
        count = origin + distance.count
        if self._options.period is not None:
            count = wrap(count, self._learned.base, self._options.period)
        else:
            count = np.clip(count, self._learned.low, self._learned.high)
        if self._options.order is not None:
            # After the range: a value at its edge leaves it rather than break the order.
            other = self._other(batch)
            kept = self._options.order.kept(count, other, self._most)
            count = np.where(other.known, kept, count)
        array = ticks.write(distance.moved(count), self._type, self._unit)
        return replace(batch, self._options.column, array)

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows have values between two ticks, out of the period, or out of order."""
        value = ticks.read(batch[self._options.column], self._unit)
        other = self._other(batch)
        broken = ~value.exact | (np.abs(value.count) > self._most)
        if self._options.period is not None:
            base = self._learned.base
            outside = (value.count < base) | (value.count >= base + self._options.period)
            broken |= value.known & outside
        if self._options.order is not None:
            both = value.known & other.known
            broken |= both & self._options.order.broken(other.compared(value.count))
        return pa.array(broken)

    def save(self, out: ArtifactWriter) -> None:
        """Write the options and what was learned."""
        options = self._options.model_dump(mode="json")
        saved = {"options": options, "learned": asdict(self._learned)}
        out.json("difference", {**saved, "instead": list(self.columns[2:])})

    def _other(self, batch: pa.RecordBatch) -> Ticks:
        others = [batch[name] for name in self.columns[1:]]
        return _known_first(others, self._unit, self._options.times)

    def _origin(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        other = self._other(batch)
        # Values of the other column may be larger; any function of them will do as an origin.
        origin = np.clip(other.count, -self._most, self._most)
        origin = np.where(other.known, origin, self._learned.fallback)
        return origin if self._options.plus is None else -origin


def _widened(low: int, high: int) -> tuple[int, int]:
    """Return round numbers about a range: its ends themselves may tell of a person.

    They lie on a grid of 1, 2 or 5 times a power of ten, of which at most fifty fit the range.
    """
    coarse, power = (high - low) / _GRID, 1
    while power * 10 <= coarse:
        power *= 10
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= coarse)
    return max(low // step * step, -ticks.LARGEST), min(-(-high // step) * step, ticks.LARGEST)


def _most(column: pa.DataType) -> int:
    """Return how large a value may be, in ticks, for its distances to be exact."""
    return ticks.limits(ticks.difference_type(column))[1] // 2


def _known_first(columns: Sequence[pa.Array], unit: Unit, times: int) -> Ticks:
    """Return the first known count of each row, so many times."""
    finer = Unit(unit.family, unit.per * times)
    first, *others = (ticks.read(values, finer) for values in columns)
    for other in others:
        first = first.or_else(other)
    return first


def _check_order(sample: pa.Table, fitted: FittedDifference, options: DifferenceConfig) -> None:
    rows = sample.select(list(dict.fromkeys(fitted.columns)))
    broken = sum(pc.sum(fitted.violations(batch)).as_py() or 0 for batch in rows.to_batches())
    if broken:
        raise SpecError(
            f"{broken:,} of {rows.num_rows:,} rows aren't {options.order} "
            + (f"{options.times} × {options.other}" if options.times > 1 else options.other),
            where=options.column,
            mend="Remove the order",
        )


def _decimals(column: pa.Array, options: DifferenceConfig) -> int:
    decimals = ticks.decimals_of(column) if pa.types.is_floating(column.type) else 0
    if decimals is None:
        raise SpecError(
            f"values have more than {ticks.MOST_DECIMALS} decimals",
            where=options.column,
            mend="Round them, or remove this rule",
        )
    return decimals


def _unit(
    column: pa.DataType, minus: pa.DataType, decimals: int, options: DifferenceConfig
) -> Unit:
    unit, other = ticks.unit_of(column, decimals), ticks.unit_of(minus)
    plain = options.plus is None and options.times == 1
    summable = plain or (unit is not None and unit.family in {"number", "duration"})
    if unit is None or other is None or unit.family != other.family or not summable:
        raise SpecError(
            f"{options.other} can't be subtracted or added",
            where=options.column,
            why=f"{column} with {minus} makes no number and no time",
            mend="Choose two numbers, two dates or two times",
        )
    return unit


def distance_unit(column: pa.DataType, unit: Unit) -> Unit:
    """Return the unit of distances: the same ticks, of a number or a duration."""
    if pa.types.is_date(column):
        return Unit("number", Fraction(1))
    return unit if unit.family == "number" else Unit("duration", unit.per)
