"""A column that only takes steps of a fixed size: prices in steps of 5, times at quarter hours.

It is learned as the number of steps.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules import ticks
from simulacra.rules.columns import column_of, replace
from simulacra.rules.ticks import Ticks, Unit


class IncrementsConfig(Config):
    """Options of the rule ``increments``."""

    column: Annotated[str, Field(description="The column")]
    by: Annotated[
        float, Field(gt=0, description="The size of a step; of dates in days, of times in seconds")
    ]
    offset: Annotated[float, Field(description="A value from which steps are counted")] = 0.0


class Increments:
    """Keeps a column to steps of a fixed size."""

    name: ClassVar[str] = "increments"
    config: ClassVar[type[Config]] = IncrementsConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that all values are whole numbers of steps.

        Args:
            sample: Rows as the rules before this one leave them.
            config: The column and the step.
            table: The table's specification; unused.

        Raises:
            SpecError: The column is missing, has no steps, or has values between two of them.
        """
        del table
        options = cast("IncrementsConfig", config)
        column = column_of(sample, options.column)
        steps = pa.array([options.by, options.offset], pa.float64())
        decimals: int | None = 0
        if pa.types.is_floating(column.type):
            decimals = ticks.decimals_of(pa.concat_arrays([column.cast(pa.float64()), steps]))
        unit = None if decimals is None else ticks.unit_of(column.type, decimals)
        if unit is None:
            raise SpecError(
                f"{column.type} has no steps",
                where=options.column,
                mend="Remove the rule increments",
            )
        fitted = FittedIncrements(options, column.type, decimals or 0)
        broken = int(fitted.between_steps(column).sum())
        if broken:
            raise SpecError(
                f"{broken:,} of {len(column):,} values are no multiple of {options.by:g}"
                + (f" from {options.offset:g}" if options.offset else ""),
                where=options.column,
                mend="Remove the rule increments, or give another step",
            )
        return fitted

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("increments")
        kind = type_from_text(saved["type"])
        return FittedIncrements(IncrementsConfig(**saved["options"]), kind, saved["decimals"])


class FittedIncrements:
    """The rule ``increments`` of a known column.

    Args:
        options: The column and the step.
        kind: The column's type.
        decimals: The decimals of a float column.

    Raises:
        SpecError: A step is no whole number of what the column counts in.
    """

    def __init__(self, options: IncrementsConfig, kind: pa.DataType, decimals: int) -> None:
        self.columns: tuple[str, ...] = (options.column,)
        self._options = options
        self._kind = kind
        self._decimals = decimals
        self._unit = cast("Unit", ticks.unit_of(kind, decimals))
        self._step, self._offset = (self._ticks(value) for value in (options.by, options.offset))
        if self._step < 1:
            raise SpecError(
                f"a step of {options.by:g} is finer than the values",
                where=options.column,
                mend="Give a larger step",
            )

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace the column by its number of steps."""
        read = self._read(batch)
        steps = (read.count - self._offset) // self._step
        return replace(batch, self._options.column, pa.array(steps, pa.int64(), mask=~read.known))

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Put the value in place of its number of steps."""
        steps = batch[self._options.column]
        known = steps.is_valid().to_numpy(zero_copy_only=False)
        count = steps.fill_null(0).to_numpy(zero_copy_only=False) * self._step + self._offset
        low, high = ticks.limits(self._kind)
        lowest, highest = (
            -(-(low - self._offset) // self._step),
            (high - self._offset) // self._step,
        )
        count = np.clip(
            count, lowest * self._step + self._offset, highest * self._step + self._offset
        )
        read = Ticks(count, known, known, ~known)
        return replace(batch, self._options.column, ticks.write(read, self._kind, self._unit))

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows have a value between two steps."""
        return pa.array(self.between_steps(batch[self._options.column]))

    def between_steps(self, values: pa.Array) -> NDArray[np.bool_]:
        """Say which values are between two steps; null isn't."""
        read = ticks.read(values, self._unit)
        on_step = read.exact & ((read.count - self._offset) % self._step == 0)
        between: NDArray[np.bool_] = ~read.null & ~(read.known & on_step)
        return between

    def save(self, out: ArtifactWriter) -> None:
        """Write the options and the type."""
        out.json(
            "increments",
            {
                "options": self._options.model_dump(),
                "type": type_to_text(self._kind),
                "decimals": self._decimals,
            },
        )

    def _read(self, batch: pa.RecordBatch) -> Ticks:
        return ticks.read(batch[self._options.column], self._unit)

    def _ticks(self, value: float) -> int:
        per_one = self._unit.day if pa.types.is_date(self._kind) else self._unit.per
        return round(value * per_one)
