"""A column that is a part of another one: the month of a date, the last two digits of a number.

It is not learned at all. It is left out and worked out again from the column it is a part of.
"""

from __future__ import annotations

from enum import StrEnum
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
from simulacra.rules.columns import column_of
from simulacra.rules.ticks import Ticks, Unit


class Part(StrEnum):
    """What a part can be."""

    YEAR = "year"
    QUARTER = "quarter"
    MONTH = "month"
    WEEK = "week"
    YEARDAY = "yearday"
    DAY = "day"
    WEEKDAY = "weekday"
    HOUR = "hour"
    MINUTE = "minute"
    SECOND = "second"
    QUOTIENT = "quotient"
    REMAINDER = "remainder"

    @property
    def of_number(self) -> bool:
        """Whether it is a part of whole numbers, not of dates and times."""
        return self in {Part.QUOTIENT, Part.REMAINDER}

    def fits(self, arrow_type: pa.DataType) -> bool:
        """Say whether columns of a type have this part."""
        types = pa.types
        if self.of_number:
            return bool(types.is_integer(arrow_type) or types.is_floating(arrow_type))
        if self in {Part.HOUR, Part.MINUTE, Part.SECOND}:
            return bool(types.is_timestamp(arrow_type) or types.is_time(arrow_type))
        return bool(types.is_timestamp(arrow_type) or types.is_date(arrow_type))


_TIME_PARTS = {
    Part.YEAR: pc.year,
    Part.QUARTER: pc.quarter,
    Part.MONTH: pc.month,
    Part.WEEK: pc.iso_week,
    Part.YEARDAY: pc.day_of_year,
    Part.DAY: pc.day,
    Part.WEEKDAY: pc.day_of_week,
    Part.HOUR: pc.hour,
    Part.MINUTE: pc.minute,
    Part.SECOND: pc.second,
}
_ONES = cast("Unit", ticks.unit_of(pa.int64()))


class PartConfig(Config):
    """Options of the rule ``part``."""

    column: Annotated[str, Field(description="The column that is a part")]
    of: Annotated[str, Field(description="The column it is a part of")]
    part: Annotated[Part, Field(description="Which part; weekdays run from Monday, 0, local time")]
    by: Annotated[int | None, Field(gt=1, description="Divisor of a quotient or remainder")] = None
    offset: Annotated[int, Field(description="Added to the part: 1 for Monday, 1")] = 0

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.column == self.of:
            msg = "a column is no part of itself"
            raise ValueError(msg)
        if self.part.of_number != (self.by is not None):
            msg = "quotients and remainders, and no other parts, have a divisor 'by'"
            raise ValueError(msg)
        return self


def part_of(whole: pa.Array, options: PartConfig) -> pa.Array:
    """Return the part of each value, int64, null where there is none."""
    if options.part.of_number:
        part = number_part(ticks.read(whole, _ONES), options)
        return pa.array(part.count, mask=~part.known)
    return pc.add(_TIME_PARTS[options.part](whole).cast(pa.int64()), options.offset)


def number_part(whole: Ticks, options: PartConfig) -> Ticks:
    """Return the quotient or remainder of each whole number."""
    by = cast("int", options.by)
    count = whole.count // by if options.part is Part.QUOTIENT else whole.count % by
    return whole.moved(count + options.offset)


class PartRule:
    """Leaves a part out and works it out again."""

    name: ClassVar[str] = "part"
    config: ClassVar[type[Config]] = PartConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check the part in the sample and learn its type.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which part of which column.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing or has no such part, or some row has another one.
        """
        del table
        options = cast("PartConfig", config)
        column, whole = column_of(sample, options.column), column_of(sample, options.of)
        unit = ticks.unit_of(column.type)
        if unit is None or unit.family != "number":
            raise SpecError(
                f"{column.type} is no number", where=options.column, mend="Remove the rule part"
            )
        if not options.part.fits(whole.type):
            raise SpecError(
                f"{whole.type} has no {options.part}", where=options.of, mend="Remove the rule part"
            )
        if not self.holds(column, whole, options):
            raise SpecError(
                f"some values aren't the {options.part} of {options.of}",
                where=options.column,
                mend="Remove the rule part",
            )
        return FittedPart(options, column.type)

    @staticmethod
    def holds(column: pa.Array, whole: pa.Array, options: PartConfig) -> bool:
        """Say whether the column is the part of the whole in every row."""
        return not pc.any(FittedPart(options, column.type).differs(column, whole)).as_py()

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("part")
        return FittedPart(PartConfig(**saved["options"]), type_from_text(saved["type"]))


class FittedPart:
    """The rule ``part`` of two known columns."""

    def __init__(self, options: PartConfig, arrow_type: pa.DataType) -> None:
        self.columns: tuple[str, ...] = (options.column, options.of)
        self._options = options
        self._type = arrow_type
        self._unit = cast("Unit", ticks.unit_of(arrow_type))

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the part out."""
        return batch.drop_columns([self._options.column])

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Work the part out, as the last column."""
        part = ticks.read(part_of(batch[self._options.of], self._options), self._unit)
        values = ticks.write(part, self._type, self._unit)
        return batch.append_column(self._options.column, values)

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows have another value than the part, or only one of the two."""
        return self.differs(batch[self._options.column], batch[self._options.of])

    def differs(self, column: pa.Array, whole: pa.Array) -> pa.BooleanArray:
        """Say for each row whether the column is something else than the part of the whole."""
        value = ticks.read(column, self._unit)
        part = ticks.read(part_of(whole, self._options), self._unit)
        return pa.array(~_equal(value, part))

    def save(self, out: ArtifactWriter) -> None:
        """Write the options and the type."""
        options = self._options.model_dump(mode="json")
        out.json("part", {"options": options, "type": type_to_text(self._type)})


def _equal(value: Ticks, part: Ticks) -> NDArray[np.bool_]:
    both = value.known & value.exact & part.known & (value.count == part.count)
    equal: NDArray[np.bool_] = both | (value.null & part.null)
    return equal
