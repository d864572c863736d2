"""A column within fixed bounds: a share of 0 to 1, a price above 0."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self, cast

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protection import least_count
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.columns import column_of, replace
from simulacra.rules.values import as_type, plain, typed

Bound = float | int | str | None


class BoundsConfig(Config):
    """Options of the rule ``bounds``."""

    column: Annotated[str, Field(description="The column")]
    least: Annotated[
        Bound,
        Field(
            description="The least value; dates and times as text, 2024-01-31; durations in seconds"
        ),
    ] = None
    most: Annotated[Bound, Field(description="The greatest value")] = None
    strict: Annotated[bool, Field(description="Whether the bounds themselves don't count")] = False

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.least is None and self.most is None:
            msg = "give a least value, a greatest value or both"
            raise ValueError(msg)
        return self


class Bounds:
    """Keeps a column within bounds."""

    name: ClassVar[str] = "bounds"
    config: ClassVar[type[Config]] = BoundsConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that all values are within the bounds.

        Args:
            sample: Rows as the rules before this one leave them.
            config: The column and its bounds.
            table: The table's specification; unused.

        Raises:
            SpecError: The column is missing, has no order, or has values out of bounds.
        """
        del table
        options = cast("BoundsConfig", config)
        column = column_of(sample, options.column)
        least, most = (
            _bound(value, column.type, options) for value in (options.least, options.most)
        )
        fitted = FittedBounds(options, least, most, _ends(column))
        broken = int(pc.sum(fitted.outside(column)).as_py() or 0)
        if broken:
            raise SpecError(
                f"{broken:,} of {len(column):,} values are out of bounds",
                where=options.column,
                mend="Remove the rule bounds, or widen them",
            )
        return fitted

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("bounds")
        options = BoundsConfig(**saved["options"])
        seen = src.table("seen")
        kind = type_from_text(saved["type"])
        least, most = (_bound(value, kind, options) for value in (options.least, options.most))
        return FittedBounds(options, least, most, column_of(seen, "seen"))


class FittedBounds:
    """The rule ``bounds`` of a known column.

    Args:
        options: The column and its bounds.
        least: The least value, of the column's type; None without one.
        most: The greatest.
        seen: The least and the greatest value that enough real rows reach, null without one.
    """

    def __init__(
        self,
        options: BoundsConfig,
        least: pa.Scalar | None,
        most: pa.Scalar | None,
        seen: pa.Array,
    ) -> None:
        self.columns: tuple[str, ...] = (options.column,)
        self._options = options
        self._least = least
        self._most = most
        self._seen = seen

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the rows as they are."""
        return batch

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Move what is out of bounds to the nearest real value, of which all are within."""
        drawn = batch[self._options.column]
        column, ends = plain(drawn), plain(self._seen)
        for bound, is_least, seen in (
            (self._least, True, ends[0]),
            (self._most, False, ends[1]),
        ):
            if bound is not None and seen.is_valid:
                beyond = pc.fill_null(self._beyond(column, bound, least=is_least), fill_value=False)
                column = pc.if_else(beyond, seen, column).cast(column.type)
        return replace(batch, self._options.column, as_type(column, drawn.type))

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which values are out of bounds; null is not."""
        return self.outside(batch[self._options.column])

    def outside(self, column: pa.Array) -> pa.BooleanArray:
        """Say which values are out of bounds; null is not."""
        column = plain(column)
        found = pa.repeat(pa.scalar(value=False), len(column))
        for bound, is_least in ((self._least, True), (self._most, False)):
            if bound is not None:
                beyond = self._beyond(column, bound, least=is_least)
                found = pc.or_(found, pc.fill_null(beyond, fill_value=False))
        return found

    def save(self, out: ArtifactWriter) -> None:
        """Write the options and the least and greatest real value."""
        kind = type_to_text(self._seen.type)
        options = self._options.model_dump(mode="json")
        out.json("bounds", {"options": options, "type": kind})
        out.table("seen", pa.table({"seen": self._seen}))

    def _beyond(self, column: pa.Array, bound: pa.Scalar, *, least: bool) -> pa.BooleanArray:
        if least:
            return (pc.less_equal if self._options.strict else pc.less)(column, bound)
        return (pc.greater_equal if self._options.strict else pc.greater)(column, bound)


def _bound(value: Bound, kind: pa.DataType, options: BoundsConfig) -> pa.Scalar | None:
    """Return a bound in the column's type.

    Raises:
        SpecError: It can't be of that type.
    """
    if value is None:
        return None
    try:
        if isinstance(value, float) and pa.types.is_integer(kind) and not value.is_integer():
            return pa.scalar(value)
        return typed([value], kind)[0]
    except ValueError as error:
        raise SpecError(
            f"the bound {value!r} is no value of {kind}",
            where=options.column,
            why=str(error),
            mend="Give a value of the column's type",
        ) from error


def _ends(column: pa.Array) -> pa.Array:
    """Return the least and the greatest value that enough rows reach, null without one.

    NaN is no value.
    """
    values = plain(column)
    known = values.is_valid()
    if pa.types.is_floating(values.type):
        known = pc.and_(known, pc.fill_null(pc.invert(pc.is_nan(values)), fill_value=False))
    some = column.filter(known)
    if not len(some):
        return pa.nulls(2, column.type)
    order = pc.sort_indices(plain(some))
    beyond = min(least_count(None, len(some)), len(some)) - 1
    return some.take(pa.array([order[beyond].as_py(), order[-1 - beyond].as_py()]))
