"""Year, month and day in three columns, learned as one date.

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
from simulacra.rules.columns import column_of, unused_name
from simulacra.rules.ticks import Ticks, Unit

_PARTS = (pc.year, pc.month, pc.day)


class CalendarConfig(Config):
    """Options of the rule ``calendar``."""

    year: Annotated[str, Field(description="The column of years")]
    month: Annotated[str, Field(description="The column of months, 1 to 12")]
    day: Annotated[str, Field(description="The column of days, 1 to 31")]

    @property
    def columns(self) -> tuple[str, str, str]:
        """The three columns."""
        return self.year, self.month, self.day


class Calendar:
    """Puts year, month and day together."""

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
                f"some rows of {options.year}, {options.month} and {options.day} are no dates",
                where=options.day,
                mend="Remove the rule calendar",
            )
        name = unused_name(date_name(*options.columns), sample)
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
        """Replace the three columns by a date; rows that are none have null."""
        columns = [batch[name] for name in self.columns]
        days = _days(columns)
        valid = is_date(columns) & days.known
        date = pa.array(days.count.astype(np.int32), mask=~valid).view(pa.date32())
        return batch.drop_columns(list(self.columns)).append_column(self.date, date)

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Take the date apart again."""
        date = batch[self.date]
        batch = batch.drop_columns([self.date])
        for name, kind, part in zip(self.columns, self._kinds, _PARTS, strict=True):
            unit = _unit(kind)
            batch = batch.append_column(name, ticks.write(ticks.read(part(date), unit), kind, unit))
        return batch

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows are no dates, though not all three columns are null."""
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


def date_name(year: str, month: str, day: str) -> str:
    """Return the name of the date column, unless the table has one of that name."""
    return f"{year}-{month}-{day}"


def is_date(columns: list[pa.Array]) -> NDArray[np.bool_]:
    """Say which rows of (year, month, day) are a date from year 1 to 9999, or all null."""
    year, month, day = (ticks.read(column, _unit(column.type)) for column in columns)
    null = year.null & month.null & day.null
    whole = np.logical_and.reduce([t.known & t.exact for t in (year, month, day)])
    dates: NDArray[np.bool_] = null | (whole & valid_date(year.count, month.count, day.count))
    return dates


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
