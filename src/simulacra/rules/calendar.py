"""Year, month and day in three columns, learned as one date; with the hour in a fourth, as a time.

Drawn one by one they make dates that don't exist, and nothing can be measured from them; as a
date, the time stamp of the same event becomes some hours since that day's midnight.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules import ticks
from simulacra.rules.columns import column_of
from simulacra.rules.ticks import Ticks, Unit

_PARTS = (pc.year, pc.month, pc.day, pc.hour)
_HOURS = 24
_SECONDS = 3_600


class CalendarConfig(Config):
    """Options of the rule ``calendar``."""

    year: Annotated[str, Field(description="The column of years")]
    month: Annotated[str, Field(description="The column of months, 1 to 12")]
    day: Annotated[str, Field(description="The column of days, 1 to 31")]

    hour: Annotated[
        str | None, Field(description="The column of hours, 0 to 23, if they make a time")
    ] = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The three or four columns."""
        date = (self.year, self.month, self.day)
        return date if self.hour is None else (*date, self.hour)


class Calendar:
    """Puts year, month and day, and the hour, together."""

    name: ClassVar[str] = "calendar"
    config: ClassVar[type[Config]] = CalendarConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that all rows are dates.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing or no number, or some row is no date.
        """
        del table
        options = cast("CalendarConfig", config)
        columns = [column_of(sample, name) for name in options.columns]
        for name, column in zip(options.columns, columns, strict=True):
            unit = ticks.unit_of(column.type)
            if unit is None or unit.family != "number":
                raise SpecError(
                    f"{column.type} is no number", where=name, mend="Remove the rule calendar"
                )
        if not is_date(columns).all():
            raise SpecError(
                f"some rows of {', '.join(options.columns)} are no dates",
                where=options.day,
                mend="Remove the rule calendar",
            )
        taken, name = set(sample.column_names), date_name(*options.columns)
        while name in taken:
            name += "-"
        return FittedCalendar(options, name, tuple(column.type for column in columns))

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("calendar")
        kinds = tuple(type_from_text(text) for text in saved["types"])
        return FittedCalendar(CalendarConfig(**saved["options"]), saved["name"], kinds)


class FittedCalendar:
    """The rule ``calendar`` of known columns."""

    def __init__(self, options: CalendarConfig, name: str, kinds: tuple[pa.DataType, ...]) -> None:
        self.columns: tuple[str, ...] = options.columns
        self.date = name
        self._options = options
        self._kinds = kinds

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace the columns by a date or time; rows that are none have null."""
        date = made_dates([batch[name] for name in self.columns])
        return batch.drop_columns(list(self.columns)).append_column(self.date, date)

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Take the date apart again."""
        date = batch[self.date]
        batch = batch.drop_columns([self.date])
        for name, kind, part in zip(self.columns, self._kinds, _PARTS, strict=False):
            unit = _unit(kind)
            batch = batch.append_column(name, ticks.write(ticks.read(part(date), unit), kind, unit))
        return batch

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows are no dates, though not all columns are null."""
        return pa.array(~is_date([batch[name] for name in self.columns]))

    def save(self, out: ArtifactWriter) -> None:
        """Write names and types."""
        out.json(
            "calendar",
            {
                "options": self._options.model_dump(),
                "name": self.date,
                "types": [type_to_text(kind) for kind in self._kinds],
            },
        )


def made_dates(columns: list[pa.Array]) -> pa.Array:
    """Return the dates of (year, month, day), or times with the hour; null where there is none."""
    days = _days(columns[:3])
    gone = ~(is_date(columns) & days.known)
    if len(columns) == 3:
        return pa.array(days.count.astype(np.int32), mask=gone).view(pa.date32())
    hour = ticks.read(columns[3], _unit(columns[3].type)).count
    seconds = (days.count * _HOURS + hour) * _SECONDS
    return pa.array(seconds, mask=gone).view(pa.timestamp("s"))


def date_name(*columns: str) -> str:
    """Return the name of the date column, unless the table has one of that name."""
    return "-".join(columns)


def is_date(columns: list[pa.Array]) -> NDArray[np.bool_]:
    """Say which rows of (year, month, day[, hour]) are from year 1 to 9999, or all null."""
    read = [ticks.read(column, _unit(column.type)) for column in columns]
    year, month, day, *hours = read
    null: NDArray[np.bool_] = np.logical_and.reduce([t.null for t in read])
    whole: NDArray[np.bool_] = np.logical_and.reduce([t.known & t.exact for t in read])
    whole &= valid_date(year.count, month.count, day.count)
    for hour in hours:
        whole &= (hour.count >= 0) & (hour.count < _HOURS)
    return null | whole


def valid_date(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Say which years, months and days make a date."""
    inside = (year >= 1) & (year <= 9999) & (month >= 1) & (month <= 12) & (day >= 1)
    first = _first_of_month(np.where(inside, year, 1), np.where(inside, month, 1))
    after = _first_of_month(np.where(inside, year, 1), np.where(inside, month, 1) + 1)
    return inside & (day <= after - first)


def _days(columns: list[pa.Array]) -> Ticks:
    year, month, day = (ticks.read(column, _unit(column.type)) for column in columns)
    inside = valid_date(year.count, month.count, day.count)
    first = _first_of_month(np.where(inside, year.count, 1), np.where(inside, month.count, 1))
    return Ticks(first + np.where(inside, day.count, 1) - 1, inside, inside, ~inside)


def _first_of_month(year: NDArray[np.int64], month: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the days from 1970-01-01 to the first of a month (the 13th: the next January)."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)


def _unit(kind: pa.DataType) -> Unit:
    return cast("Unit", ticks.unit_of(kind))
