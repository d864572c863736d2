"""A column that equals another one wherever that is known: an address taken from the customer.

It is not learned but copied. Only where the other column is null does it have values of its own.
"""

from __future__ import annotations

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
from simulacra.rules.columns import column_of, replace
from simulacra.rules.ticks import Unit


class EqualConfig(Config):
    """Options of the rule ``equal``."""

    column: Annotated[str, Field(description="The column that equals another one")]
    of: Annotated[str, Field(description="The column it equals, wherever that is not null")]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.column == self.of:
            msg = "a column always equals itself"
            raise ValueError(msg)
        return self


class Equal:
    """Leaves a column out and copies it from the one it equals."""

    name: ClassVar[str] = "equal"
    config: ClassVar[type[Config]] = EqualConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that the two are equal, and see whether the column has values of its own.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing, the two can't be compared, or they differ in some row
                in which the other one is known.
        """
        del table
        options = cast("EqualConfig", config)
        column, of = column_of(sample, options.column), column_of(sample, options.of)
        if not comparable(column.type, of.type):
            raise SpecError(
                f"{column.type} never equals {of.type}",
                where=options.column,
                why=f"{options.of} has another type",
                mend="Remove the rule equal",
            )
        decimals = ticks.decimals_of(column) if pa.types.is_floating(column.type) else 0
        fitted = FittedEqual(options, column.type, decimals, rest=False)
        same = fitted.same(column, of)
        rest = ~same & of.is_null().to_numpy(zero_copy_only=False)
        different = int((~same & ~rest).sum())
        if different:
            raise SpecError(
                f"{different:,} of {len(column):,} rows don't equal {options.of}",
                where=options.column,
                mend="Remove the rule equal, or use the rule copy",
            )
        return FittedEqual(options, column.type, decimals, rest=bool(rest.any()))

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("equal")
        return FittedEqual(
            EqualConfig(**saved["options"]),
            type_from_text(saved["type"]),
            saved["decimals"],
            rest=saved["rest"],
        )


class FittedEqual:
    """The rule ``equal`` of two known columns.

    Attributes:
        rest: Whether the column stays, null where the other one is known, as it has values where
            the other one is null. Otherwise it is null in the same rows and is dropped.
    """

    def __init__(
        self, options: EqualConfig, arrow_type: pa.DataType, decimals: int | None, *, rest: bool
    ) -> None:
        self.columns: tuple[str, ...] = (options.column, options.of)
        self.rest = rest
        self._options = options
        self._type = arrow_type
        self._decimals = decimals
        self._unit = ticks.unit_of(arrow_type, decimals or 0)

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the column out, but for its values where the other one is null."""
        if not self.rest:
            return batch.drop_columns([self._options.column])
        own = pc.if_else(
            batch[self._options.of].is_valid(),
            pa.scalar(None, self._type),
            batch[self._options.column],
        )
        # Short decimals come back longer.
        return replace(batch, self._options.column, own.cast(self._type))

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Copy the other column, as the last one if the column was left out."""
        values = self._copied(batch[self._options.of])
        if not self.rest:
            return batch.append_column(self._options.column, values)
        own = pc.coalesce(values, batch[self._options.column])
        return replace(batch, self._options.column, own.cast(self._type))

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows have another value than the other column's."""
        column, of = (batch[name] for name in self.columns)
        broken = ~self.same(column, of)
        if self.rest:
            broken &= of.is_valid().to_numpy(zero_copy_only=False)
        return pa.array(broken)

    def same(self, column: pa.Array, of: pa.Array) -> NDArray[np.bool_]:
        """Say for each row whether both are the same value, both NaN or both null."""
        if not _alike(column.type, of.type):
            value, other = (ticks.read(values, self._counted()) for values in (column, of))
            both = value.known & value.exact & other.known & other.exact
            equal: NDArray[np.bool_] = both & (value.count == other.count)
            return equal | (value.null & other.null)
        of = of.cast(column.type)
        equal = pc.fill_null(pc.equal(column, of), fill_value=False)
        null = pc.and_(column.is_null(), of.is_null())
        if pa.types.is_floating(column.type):
            nan = pc.and_(pc.is_nan(column), pc.is_nan(of))
            equal = pc.or_(equal, pc.fill_null(nan, fill_value=False))
        return cast("NDArray[np.bool_]", pc.or_(equal, null).to_numpy(zero_copy_only=False))

    def save(self, out: ArtifactWriter) -> None:
        """Write the options, the type and the form."""
        out.json(
            "equal",
            {
                "options": self._options.model_dump(),
                "type": type_to_text(self._type),
                "decimals": self._decimals,
                "rest": self.rest,
            },
        )

    def _copied(self, of: pa.Array) -> pa.Array:
        """Return the other column's values in the column's type: the nearest that it can hold."""
        if _alike(self._type, of.type):
            return of.cast(self._type)
        read = ticks.read(of, self._counted())
        odd = read.known if not pa.types.is_floating(self._type) else ~read.null
        values = ticks.write(read, self._type, self._counted())
        return pc.if_else(pa.array(odd), values, pa.scalar(None, self._type)).cast(self._type)

    def _counted(self) -> Unit:
        return cast("Unit", self._unit)


def comparable(one: pa.DataType, other: pa.DataType) -> bool:
    """Say whether columns of two types can hold the same values, and Arrow can compare them."""
    if pa.types.is_float16(one) or pa.types.is_float16(other):
        return False
    unit, unit_of_other = ticks.unit_of(one), ticks.unit_of(other)
    if unit is not None and unit_of_other is not None:
        return unit.family == unit_of_other.family
    return _alike(one, other) and not any(is_a(one) for is_a in _INCOMPARABLE)


_INCOMPARABLE = (
    pa.types.is_nested,
    pa.types.is_null,
    pa.types.is_interval,
    lambda kind: pa.types.is_decimal(kind) and kind.scale < 0,
)


def _alike(one: pa.DataType, other: pa.DataType) -> bool:
    """Say whether Arrow itself can compare columns of two types."""
    return one == other or (is_text(one) and is_text(other))


def is_text(arrow_type: pa.DataType) -> bool:
    """Say whether a type holds text, however many bytes."""
    types = pa.types
    return bool(types.is_string(arrow_type) or types.is_large_string(arrow_type))
