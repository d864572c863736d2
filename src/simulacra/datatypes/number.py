"""Numbers: integers of every width, floats and decimals, exact to the last digit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.artifacts import ArtifactReader
from simulacra.core.context import RunContext
from simulacra.core.protocols import ColumnProfile, Config, Detection, FittedColumn
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec
from simulacra.datatypes.forms import FloatForm, Form, form_of, whole_multiples
from simulacra.datatypes.line import Line, learn_real_line, learn_whole_line
from simulacra.datatypes.options import read_options, require_type
from simulacra.datatypes.ordered import MarkCounts, OrderedCodec, OrderedConfig, feature_counts
from simulacra.datatypes.spacing import DecimalsWatch, StepWatch
from simulacra.datatypes.summary import Counts, Histogram, Summary

_EXACT_FLOAT = 10.0**15
"""Up to here a float and its decimal text are one to one."""


class NumberFitter:
    """Learns a column of numbers.

    Args:
        column: The column's name.
        arrow_type: Its Arrow type.
        config: Its options.
    """

    def __init__(self, column: str, arrow_type: pa.DataType, config: OrderedConfig) -> None:
        self._column = column
        self._form: Form = form_of(arrow_type)
        self._config = config
        self._spacing = (
            DecimalsWatch(self._form.dtype) if isinstance(self._form, FloatForm) else StepWatch()
        )
        self._summary = Summary(self._spacing)
        self._marks = MarkCounts()

    def update(self, values: pa.Array) -> None:
        """Take the next rows."""
        reading = self._form.read(values)
        self._marks.add(reading.marks)
        self._summary.add(reading.placed())

    def finish(self) -> FittedColumn:
        """Choose codes."""
        histogram = self._summary.finish()
        form = self._form
        lines: tuple[Line, ...] = ()
        counts: tuple[Counts, ...] = ()
        if histogram is not None:
            form, line, line_counts = self._learn(histogram)
            lines, counts = (line,), (line_counts,)
        first, last = self._marks.arranged(has_line=bool(lines))
        rows = feature_counts(self._marks, first, last, counts)
        codec = OrderedCodec(
            self._column, form, lines, first=first, last=last, common=int(rows[0].argmax())
        )
        return FittedColumn(codec, rows)

    def _learn(self, histogram: Histogram) -> tuple[Form, Line, Counts]:
        limits: dict[str, Any] = {
            "most_codes": self._config.bins,
            "min_count": self._config.min_count,
        }
        if isinstance(self._spacing, StepWatch):
            return self._form, *learn_whole_line(histogram, self._spacing.step, **limits)
        decimals = self._spacing.decimals
        line, counts = learn_real_line(histogram, decimals, **limits)
        largest = float(np.abs(histogram.values[[0, -1]]).max())
        if decimals is None or line.bins.is_exact or largest * 10.0**decimals > _EXACT_FLOAT:
            return self._form, line, counts
        # Whole numbers of the last decimal keep the spacing, as prices in steps of 0.05 do.
        whole = whole_multiples(histogram.values, decimals)
        starts = np.flatnonzero(np.diff(whole, prepend=whole[0] - 1))
        watch = StepWatch()
        watch(whole[starts])
        histogram = Histogram(
            whole[starts], np.add.reduceat(histogram.counts, starts), histogram.pool_rows
        )
        form = FloatForm(self._form.type, decimals)
        return form, *learn_whole_line(histogram, watch.step, **limits)


class NumberType:
    """What columns whose Arrow values are numbers share."""

    name: ClassVar[str]
    config: ClassVar[type[Config]] = OrderedConfig

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        raise NotImplementedError

    def detect(self, profile: ColumnProfile) -> Detection:
        """Claim columns of the Arrow type; other datatypes may know better."""
        return Detection(0.7 if self._is_mine(profile.type) else 0.0)

    def accepts(self, values: pa.Array, options: Mapping[str, Any]) -> pa.BooleanArray:
        """Accept every number."""
        del options
        return pa.array(np.full(len(values), self._is_mine(values.type)))

    def start(self, name: str, column: ColumnSpec, *, rng: RngKey, ctx: RunContext) -> NumberFitter:
        """Begin to learn a column.

        Raises:
            SpecError: An option is wrong, or the Arrow type is another.
        """
        del rng, ctx
        arrow_type = require_type(name, column, self.name, self._is_mine)
        return NumberFitter(name, arrow_type, read_options(name, column, OrderedConfig))

    def load(self, src: ArtifactReader) -> OrderedCodec:
        """Read a codec that ``save`` wrote."""
        return OrderedCodec.load(src, make_form)


def make_form(arrow_type: pa.DataType, facts: dict[str, Any]) -> Form:
    """Return the form that gave some facts."""
    if pa.types.is_floating(arrow_type):
        return FloatForm(arrow_type, facts["decimals"])
    return form_of(arrow_type)


class Integer(NumberType):
    """Whole numbers, int8 to uint64."""

    name = "integer"

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        return bool(pa.types.is_integer(arrow_type))


class Float(NumberType):
    """Floats of 16, 32 and 64 bits; NaN and infinities are codes of their own."""

    name = "float"

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        return bool(pa.types.is_floating(arrow_type))


class Decimal(NumberType):
    """Decimals of 32 to 256 bits."""

    name = "decimal"

    @staticmethod
    def _is_mine(arrow_type: pa.DataType) -> bool:
        return bool(pa.types.is_decimal(arrow_type))
