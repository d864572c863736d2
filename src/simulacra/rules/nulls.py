"""Columns that are null together, or null unless another column says so.

The columns are learned as they are, nulls among them. Where a drawn row breaks the rule the column
is made null, or takes one of a few usual values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, cast
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protection import least_count
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules import ticks
from simulacra.rules.columns import Names, column_of, replace
from simulacra.rules.ticks import Ticks
from simulacra.rules.values import as_type, plain, typed

_USUAL = 32
"""Values to choose from where one is missing."""


class NullTogetherConfig(Config):
    """Options of the rule ``null_together``."""

    columns: Annotated[
        Names, Field(min_length=2, description="Columns that are null in the same rows")
    ]


class NullUnlessConfig(Config):
    """Options of the rule ``null_unless``."""

    column: Annotated[str, Field(description="The column")]
    of: Annotated[str, Field(description="The column that says whether it has a value")]
    values: Annotated[
        tuple[Any, ...] | None,
        Field(description="With which of its values; with any but null if none are given"),
    ] = None
    required: Annotated[bool, Field(description="Whether the column always has a value there")] = (
        False
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.column == self.of:
            msg = "a column can't depend on itself"
            raise ValueError(msg)
        return self


class NullTogether:
    """Keeps columns null in the same rows."""

    name: ClassVar[str] = "null_together"
    config: ClassVar[type[Config]] = NullTogetherConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that they are.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing, or is null where another isn't.
        """
        del table
        options = cast("NullTogetherConfig", config)
        first, *others = (column_of(sample, name) for name in options.columns)
        for name, column in zip(options.columns[1:], others, strict=True):
            broken = int(pc.sum(pc.not_equal(first.is_null(), column.is_null())).as_py() or 0)
            if broken:
                raise SpecError(
                    f"{broken:,} of {len(column):,} rows are null in one of it and "
                    f"{options.columns[0]} only",
                    where=name,
                    mend="Remove the rule null_together",
                )
        usual = {name: usual_values(c) for name, c in zip(options.columns[1:], others, strict=True)}
        return FittedNullTogether(options, usual)

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        options = NullTogetherConfig(**src.json("null_together"))
        usual = {
            name: column_of(src.table(f"usual-{place}"), "value")
            for place, name in enumerate(options.columns[1:])
        }
        return FittedNullTogether(options, usual)


class FittedNullTogether:
    """The rule ``null_together`` of known columns.

    Args:
        options: Which columns.
        usual: Usual values of all but the first.
    """

    def __init__(self, options: NullTogetherConfig, usual: Mapping[str, pa.Array]) -> None:
        self.columns: tuple[str, ...] = options.columns
        self._options = options
        self._usual = usual

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the rows as they are."""
        return batch

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Make all null where the first is, and nowhere else where values can be filled in."""
        first = batch[self.columns[0]]
        for name in self.columns[1:]:
            values = filled(batch[name], first.is_valid(), first, self._usual[name])
            batch = replace(batch, name, values)
        # Where there is no usual value to fill in, all are null.
        null = first.is_null()
        for name in self.columns[1:]:
            null = pc.or_(null, batch[name].is_null())
        for name in self.columns:
            batch = replace(batch, name, emptied(batch[name], null))
        return batch

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows are null in some of the columns only."""
        first, *others = (batch[name].is_null() for name in self.columns)
        found = pc.not_equal(first, first)
        for other in others:
            found = pc.or_(found, pc.not_equal(first, other))
        return found

    def save(self, out: ArtifactWriter) -> None:
        """Write the options."""
        out.json("null_together", self._options.model_dump(mode="json"))
        for place, values in enumerate(self._usual.values()):
            out.table(f"usual-{place}", pa.table({"value": values}))


class NullUnless:
    """Keeps a column null unless another one has certain values."""

    name: ClassVar[str] = "null_unless"
    config: ClassVar[type[Config]] = NullUnlessConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that it is.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns and values.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing, or has a value where it must be null (or none where it
                is required).
        """
        del table
        options = cast("NullUnlessConfig", config)
        column, of = column_of(sample, options.column), column_of(sample, options.of)
        usual = usual_values(column) if options.required else None
        if usual is not None and not len(usual) and column.null_count < len(column):
            raise SpecError(
                "no value is frequent enough to fill in where one is required",
                where=options.column,
                mend="Leave required out",
            )
        fitted = FittedNullUnless(options, _value_set(options, of.type), usual)
        broken = int(pc.sum(fitted.broken(column, of)).as_py() or 0)
        if broken:
            raise SpecError(
                f"{broken:,} of {len(column):,} rows have a value that {options.of} doesn't allow"
                + (", or lack one that is required" if options.required else ""),
                where=options.column,
                mend="Remove the rule null_unless, or name other values",
            )
        return fitted

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        options = NullUnlessConfig(**src.json("null_unless"))
        values = column_of(src.table("values"), "value") if src.has("values") else None
        usual = column_of(src.table("usual"), "value") if src.has("usual") else None
        return FittedNullUnless(options, values, usual)


class FittedNullUnless:
    """The rule ``null_unless`` of two known columns.

    Args:
        options: Which columns.
        values: The values with which the column has one; None for all but null.
        usual: Usual values of the column, where it must have one.
    """

    def __init__(
        self, options: NullUnlessConfig, values: pa.Array | None, usual: pa.Array | None
    ) -> None:
        self.columns: tuple[str, ...] = (options.column, options.of)
        self._options = options
        self._values = values
        self._usual = usual

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the rows as they are."""
        return batch

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Make the column null where it must be, and not null where it is required."""
        column, of = (batch[name] for name in self.columns)
        may = self._has_value(of)
        if self._usual is not None:
            column = filled(column, may, of, self._usual)
        return replace(batch, self._options.column, emptied(column, pc.invert(may)))

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows have a value that they must not have, or lack one that is required."""
        return self.broken(*(batch[name] for name in self.columns))

    def broken(self, column: pa.Array, of: pa.Array) -> pa.BooleanArray:
        """Say which rows break the rule."""
        may = self._has_value(of)
        wrong = pc.and_(column.is_valid(), pc.invert(may))
        if self._options.required:
            wrong = pc.or_(wrong, pc.and_(column.is_null(), may))
        return wrong

    def save(self, out: ArtifactWriter) -> None:
        """Write the options."""
        out.json("null_unless", self._options.model_dump(mode="json"))
        if self._values is not None:
            out.table("values", pa.table({"value": self._values}))
        if self._usual is not None:
            out.table("usual", pa.table({"value": self._usual}))

    def _has_value(self, of: pa.Array) -> pa.BooleanArray:
        if self._values is None:
            return of.is_valid()
        return pc.fill_null(pc.is_in(plain(of), value_set=self._values), fill_value=False)


def _value_set(options: NullUnlessConfig, kind: pa.DataType) -> pa.Array | None:
    if options.values is None:
        return None
    try:
        return typed(list(options.values), kind)
    except ValueError as error:
        raise SpecError(
            f"values that {options.of} can't have",
            where=options.column,
            why=str(error),
            mend=f"Give values of {kind}",
        ) from error


def usual_values(column: pa.Array) -> pa.Array:
    """Return some values of a column that tell of no one, spread over its rows in order.

    Numbers and times: means of as many rows as a value must have to be kept. Others: the most
    frequent values, of those that so many rows have. There may be none.
    """
    some = column.drop_null()
    least = least_count(None, len(some))
    means = _means(some, least)
    if means is not None:
        return means
    counts = pc.value_counts(plain(some))
    kept = counts.filter(pc.greater_equal(counts.field(1), least))
    order = pc.sort_indices(
        pa.table({"rows": kept.field(1), "value": kept.field(0)}),
        sort_keys=[("rows", "descending"), ("value", "ascending")],
    )
    return as_type(kept.field(0).take(order[:_USUAL]), column.type)


def _means(some: pa.Array, least: int) -> pa.Array | None:
    """Return means of consecutive groups of rows in order, None of what has no mean."""
    decimals = ticks.decimals_of(some) if pa.types.is_floating(some.type) else 0
    unit = None if decimals is None else ticks.unit_of(some.type, decimals)
    if unit is None:
        return None
    read = ticks.read(some, unit)
    count = np.sort(read.count[read.known])
    groups = np.array_split(count, max(min(_USUAL, len(count) // least), 1))
    means = np.array([round(float(group.mean())) for group in groups if len(group)], np.int64)
    known = np.ones(len(means), bool)
    return ticks.write(Ticks(means, known, known, ~known), some.type, unit)


def filled(column: pa.Array, where: pa.BooleanArray, beside: pa.Array, usual: pa.Array) -> pa.Array:
    """Return a column with usual values for the nulls of some rows.

    Args:
        column: The column.
        where: The rows in which it must have a value.
        beside: What each row's usual value is chosen by.
        usual: The values to choose from.
    """
    rows = np.flatnonzero(pc.and_(where, column.is_null()).to_numpy(zero_copy_only=False))
    if not len(rows) or not len(usual):
        return column
    picked = [crc32(str(value).encode()) % len(usual) for value in beside.take(pa.array(rows))]
    places = np.full(len(column), 0, np.int64)
    places[rows] = picked
    missing = np.zeros(len(column), bool)
    missing[rows] = True
    chosen = pc.if_else(pa.array(missing), plain(usual).take(pa.array(places)), plain(column))
    return as_type(chosen, column.type)


def emptied(column: pa.Array, where: pa.BooleanArray) -> pa.Array:
    """Return a column that is null in some rows."""
    values = plain(column)
    return as_type(pc.if_else(where, pa.scalar(None, values.type), values), column.type)
