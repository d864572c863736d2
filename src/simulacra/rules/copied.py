"""A column that often, not always, repeats another one: a bill paid in full, a second address.

A model draws two amounts that are alike but hardly ever equal. So whether they are equal becomes a
column of its own, and decides when the values are made. Values that many rows have are equal by
accident and don't count, unless the two are equal nearly everywhere.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.columns import column_of, replace

HEAVY = 0.01
"""Values in a larger share of rows are equal by accident too often to be called repeated."""
NEARLY = 0.95
"""The share of rows in which two columns are nearly always equal."""


class CopyConfig(Config):
    """Options of the rule ``copy``."""

    column: Annotated[str, Field(description="The column that often repeats another one")]
    of: Annotated[str, Field(description="The column it repeats")]
    frequent: Annotated[
        bool,
        Field(description="Whether equal values count that more than 1 % of the rows have, too"),
    ] = False

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.column == self.of:
            msg = "a column always repeats itself"
            raise ValueError(msg)
        return self


class Copy:
    """Learns where two columns are equal as a column of its own."""

    name: ClassVar[str] = "copy"
    config: ClassVar[type[Config]] = CopyConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Learn the values that are equal by accident.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing, or the two have different types.
        """
        del table
        options = cast("CopyConfig", config)
        column, of = column_of(sample, options.column), column_of(sample, options.of)
        if column.type != of.type:
            raise SpecError(
                f"{column.type} can't repeat {of.type}",
                where=options.column,
                why=f"{options.of} has another type",
                mend="Remove the rule copy",
            )
        name = f"{options.column}={options.of}"
        while name in sample.column_names:
            name += "="
        heavy = heavy_values(column)
        return FittedCopy(options, name, heavy.slice(0, 0) if options.frequent else heavy)

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("copy")
        heavy = column_of(src.table("heavy"), "value")
        return FittedCopy(CopyConfig(**saved["options"]), saved["flag"], heavy)


class FittedCopy:
    """The rule ``copy`` of two known columns."""

    def __init__(self, options: CopyConfig, flag: str, heavy: pa.Array) -> None:
        self.columns: tuple[str, ...] = (options.column, options.of)
        self.flag = flag
        self._options = options
        self._heavy = heavy

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Add whether the two are equal, null where a value is missing."""
        column, of = (batch[name] for name in self.columns)
        return batch.append_column(self.flag, equal(column, of, self._heavy))

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Make the two equal where the added column says so, and drop it."""
        column, of = (batch[name] for name in self.columns)
        wanted = pc.and_(batch[self.flag], equal(of, of, self._heavy))
        values = pc.if_else(pc.fill_null(wanted, fill_value=False), of, column)
        # Short decimals come back longer.
        values = values.cast(column.type)
        return replace(batch.drop_columns([self.flag]), self._options.column, values)

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Return false for every row: any two values may or may not be equal."""
        return pa.array(np.zeros(batch.num_rows, np.bool_))

    def save(self, out: ArtifactWriter) -> None:
        """Write the options and the values that are equal by accident."""
        out.json("copy", {"options": self._options.model_dump(), "flag": self.flag})
        out.table("heavy", pa.table({"value": self._heavy}))


def heavy_values(values: pa.Array) -> pa.Array:
    """Return the values that more than 1 % of the rows have, in order."""
    counts = pc.value_counts(_countable(values).drop_null())
    heavy = pc.greater(counts.field(1), HEAVY * len(values))
    found = counts.field(0).filter(heavy)
    return found.take(pc.sort_indices(found))


def equal(one: pa.Array, other: pa.Array, heavy: pa.Array) -> pa.BooleanArray:
    """Say for each row whether two values are equal, and not by accident; null if one is null."""
    one, other = _countable(one), _countable(other)
    return pc.and_(pc.equal(one, other), pc.invert(pc.is_in(one, heavy)))


def _countable(values: pa.Array) -> pa.Array:
    """Return values, short decimals as longer ones: Arrow can't count those."""
    if pa.types.is_decimal32(values.type) or pa.types.is_decimal64(values.type):
        return values.cast(pa.decimal128(38, values.type.scale))
    return values


def share_equal(one: pa.Array, other: pa.Array) -> float:
    """Return the share of rows that are equal, of those that have both; 0 for other types."""
    if one.type != other.type:
        return 0.0
    return float(pc.mean(pc.equal(one, other).cast(pa.int8())).as_py() or 0.0)
