"""Learning a column of dates or times."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from simulacra.core.protection import least_count
from simulacra.core.protocols import FittedColumn
from simulacra.datatypes.bins import is_discrete
from simulacra.datatypes.forms import Form, Mark
from simulacra.datatypes.line import Line, learn_whole_line
from simulacra.datatypes.ordered import (
    MarkCounts,
    OrderedCodec,
    OrderedConfig,
    feature_counts,
    split,
)
from simulacra.datatypes.spacing import StepWatch
from simulacra.datatypes.summary import Counts, Histogram, Summary
from simulacra.datatypes.text_times import StrayTexts, TextTimeForm

_INT64 = np.iinfo(np.int64)
_NO_SLIP = 5


class _Counted:
    """A line in the making."""

    def __init__(self) -> None:
        self.step = StepWatch()
        self.summary = Summary(self.step)

    def learn(self, histogram: Histogram, config: OrderedConfig) -> tuple[Line, Counts]:
        return learn_whole_line(
            histogram, self.step.step, most_codes=config.bins, min_count=config.min_count
        )


class TemporalFitter:
    """Learns instants, and for columns with days the days and the times of day as well.

    Args:
        column: The column's name.
        form: How values are positions.
        wall: The same in local time.
        unit: Positions in a day; 0 if the column has no days or no times of day.
        config: Its options.
    """

    def __init__(
        self, column: str, form: Form, wall: Form, unit: int, config: OrderedConfig
    ) -> None:
        self._column = column
        self._form = form
        self._wall = wall
        self._unit = unit
        self._config = config
        self._marks = MarkCounts()
        self._least, self._greatest = int(_INT64.max), int(_INT64.min)
        self._strays = StrayTexts()
        self._instants, self._days, self._times = _Counted(), _Counted(), _Counted()

    def update(self, values: pa.Array) -> None:
        """Take the next rows."""
        reading = self._form.read(values)
        if isinstance(self._form, TextTimeForm) and reading.marks is not None:
            stray = values.filter(pa.array(reading.marks != Mark.NONE)).drop_null()
            self._strays.add(stray.cast(pa.large_string()))
        self._marks.add(reading.marks)
        self._instants.summary.add(reading.placed())
        if self._unit:
            local = reading if self._wall is self._form else self._wall.read(values)
            positions = local.placed()
            if len(positions):
                self._least = min(self._least, int(positions.min()))
                self._greatest = max(self._greatest, int(positions.max()))
            days, times = split(positions, self._unit)
            self._days.summary.add(days)
            self._times.summary.add(times)

    def finish(self) -> FittedColumn:
        """Choose codes."""
        form = self._keep_strays()
        instants = self._instants.summary.finish()
        days, times = self._days.summary.finish(), self._times.summary.finish()
        learned: tuple[tuple[Line, Counts], ...] = ()
        unit, bounds = 0, (0, 0)
        if instants is not None:
            if days is not None and times is not None and self._splits(instants, days, times):
                learned = (
                    self._days.learn(days, self._config),
                    self._times.learn(times, self._config),
                )
                unit, form = self._unit, form if self._wall is self._form else self._wall
                bounds = self._bounds(learned[0][0])
            else:
                learned = (self._instants.learn(instants, self._config),)
        first, last = self._marks.arranged(has_line=bool(learned))
        rows = feature_counts(self._marks, first, last, [counts for _, counts in learned])
        return FittedColumn(
            OrderedCodec(
                self._column,
                form,
                tuple(line for line, _ in learned),
                unit,
                first,
                last,
                int(rows[0].argmax()),
                bounds,
            ),
            rows,
        )

    def _bounds(self, days: Line) -> tuple[int, int]:
        """Return the least and greatest position, on days that enough rows have."""
        kept = days.kept()
        first, last = int(min(kept)) * self._unit, (int(max(kept)) + 1) * self._unit - 1
        return max(self._least, first), min(self._greatest, last)

    def _splits(self, instants: Histogram, days: Histogram, times: Histogram) -> bool:
        """Say whether a day and a time of day tell more than the instant alone."""
        if is_discrete(instants, self._config.bins):
            return False
        room = 2 * self._unit
        inside = _INT64.min + room < instants.values[0] and instants.values[-1] < _INT64.max - room
        return inside and len(days.values) > 1 and len(times.values) > 1

    def _least_count(self) -> int:
        """Return how often a text that is no time must be seen to be kept; else it is a slip."""
        rows = int(self._marks.rows.sum())
        return max(least_count(self._config.min_count, rows), self._config.min_count or _NO_SLIP)

    def _keep_strays(self) -> Form:
        """Give texts without the format that are frequent enough marks of their own."""
        if not isinstance(self._form, TextTimeForm) or not self._strays.rows:
            return self._form
        kept = self._strays.frequent(self._least_count())
        rows = np.array([self._strays.rows[text] for text in kept], np.int64)
        self._marks.rows = np.concatenate([self._marks.rows[: Mark.TEXT], rows])
        self._marks.rows[Mark.NULL] -= rows.sum()
        return TextTimeForm(self._form.type, self._form.format, kept)
