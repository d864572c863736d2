"""Times of day written as one number, as 1745 for 17:45, learned as minutes since midnight.

Such a column has gaps (1760 … 1799 are no times) and its distances mean nothing (1745 to 1800
is 55, not 15 minutes).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules import ticks
from simulacra.rules.columns import column_of, replace
from simulacra.rules.ticks import Unit

MINUTES_A_DAY = 1440


class ClockConfig(Config):
    """Options of the rule ``clock``."""

    column: Annotated[str, Field(description="The column of times as hhmm")]


class Clock:
    """Rewrites hhmm as minutes since midnight; 0 and 2400 stay apart."""

    name: ClassVar[str] = "clock"
    config: ClassVar[type[Config]] = ClockConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Learn the earliest and the latest time.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which column.
            table: The table's specification; unused.

        Raises:
            SpecError: The column is missing, is no number, or holds what is no time.
        """
        del table
        options = cast("ClockConfig", config)
        column = column_of(sample, options.column)
        unit = ticks.unit_of(column.type)
        if unit is None or unit.family != "number":
            raise SpecError(
                f"{column.type} is no number", where=options.column, mend="Remove the rule clock"
            )
        value = ticks.read(column, unit)
        if not is_time(value.count).all() or not value.exact.all():
            raise SpecError(
                "some values are no times as hhmm",
                where=options.column,
                mend="Remove the rule clock",
            )
        minutes = to_minutes(value.count[value.known])
        low, high = (int(minutes.min()), int(minutes.max())) if minutes.size else (0, 0)
        return FittedClock(options, low, high)

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("clock")
        return FittedClock(ClockConfig(**saved["options"]), saved["low"], saved["high"])


class FittedClock:
    """The rule ``clock`` of a known column."""

    def __init__(self, options: ClockConfig, low: int, high: int) -> None:
        self.columns: tuple[str, ...] = (options.column,)
        self._options = options
        self._low = low
        self._high = high

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace hhmm by minutes since midnight, in the same type."""
        return self._changed(batch, to_minutes)

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace minutes since midnight by hhmm."""
        return self._changed(batch, self._to_times)

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which values are no times."""
        values = batch[self._options.column]
        value = ticks.read(values, _unit(values))
        return pa.array(~is_time(value.count) | ~value.exact)

    def save(self, out: ArtifactWriter) -> None:
        """Write the column's name and range."""
        out.json(
            "clock",
            {"options": self._options.model_dump(), "low": self._low, "high": self._high},
        )

    def _to_times(self, minutes: NDArray[np.int64]) -> NDArray[np.int64]:
        minutes = np.clip(minutes, self._low, self._high)
        return minutes // 60 * 100 + minutes % 60

    def _changed(
        self, batch: pa.RecordBatch, change: Callable[[NDArray[np.int64]], NDArray[np.int64]]
    ) -> pa.RecordBatch:
        values = batch[self._options.column]
        unit = _unit(values)
        value = ticks.read(values, unit)
        array = ticks.write(value.moved(change(value.count)), values.type, unit)
        return replace(batch, self._options.column, array)


def is_time(count: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which numbers are times as hhmm, from 0 to 2400."""
    return (count >= 0) & (count <= 2400) & (count % 100 < 60)


def to_minutes(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the minutes since midnight of times as hhmm."""
    return count // 100 * 60 + count % 100


def _unit(values: pa.Array) -> Unit:
    return cast("Unit", ticks.unit_of(values.type))
