"""A column that the rows of a child table add up to: the total of an invoice, the last order's day.

It is drawn like any other, so that the children can follow it, and worked out of them afterwards.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Self, cast

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules import ticks
from simulacra.rules.columns import Names, column_of, replace
from simulacra.rules.formula import rounded, unlike
from simulacra.rules.relatives import ChildValues, Take
from simulacra.rules.values import as_type, plain_type, same


class AggregateConfig(Config):
    """Options of the rule ``aggregate``."""

    column: Annotated[str, Field(description="The column of the parent")]
    of: Annotated[str, Field(description="The child table")]
    key: Annotated[
        Names,
        Field(description="The columns of its foreign key, where several lead to the parent"),
    ] = ()
    take: Annotated[Take, Field(description="What is made of the children's values")] = Take.SUM
    expression: Annotated[
        str,
        Field(description="SQL over a child's columns, as 'quantity * price'; none to count rows"),
    ] = ""

    @model_validator(mode="after")
    def _says_of_what(self) -> Self:
        if not self.expression and self.take is not Take.COUNT:
            msg = f"{self.take} needs an expression"
            raise ValueError(msg)
        return self


class Without(StrEnum):
    """What a parent has whose children have no value."""

    NULL = "null"
    ZERO = "zero"
    OWN = "own"


class Aggregate:
    """Works a column out of the rows of a child table once they are drawn."""

    name: ClassVar[str] = "aggregate"
    config: ClassVar[type[Config]] = AggregateConfig

    def children(self, config: Config) -> ChildValues:
        """Return what must be known of the children."""
        options = cast("AggregateConfig", config)
        return ChildValues(options.of, options.key, options.take, options.expression)

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that the children give the column in every row.

        Args:
            sample: Rows with a column of what is made of their children, named as
                ``children(config)`` says: null where they have no value.
            config: The column, the child table and what is made of it.
            table: The table's specification.

        Raises:
            SpecError: A column is missing, or other values than the children give are in it.
        """
        options = cast("AggregateConfig", config)
        column = column_of(sample, options.column)
        made = column_of(sample, self.children(options).name)
        decimals = ticks.decimals_of(column) if pa.types.is_floating(column.type) else None
        spec = table.columns.get(options.column)
        takes_nulls = spec is None or spec.nullable
        without = _without(column.filter(made.is_null()), options.take, takes_nulls=takes_nulls)
        fitted = FittedAggregate(options, column.type, decimals, without)
        batch = pa.RecordBatch.from_pydict(dict(zip(fitted.columns, (column, made), strict=True)))
        broken = int(pc.sum(fitted.violations(batch)).as_py() or 0)
        if broken:
            raise SpecError(
                f"{broken:,} of {len(column):,} rows are not {fitted.columns[1]}",
                where=options.column,
                mend="Remove the rule aggregate, or round the expression as the column is",
            )
        return fitted

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("aggregate")
        return FittedAggregate(
            AggregateConfig(**saved["options"]),
            type_from_text(saved["type"]),
            saved["decimals"],
            Without(saved["without"]),
        )


class FittedAggregate:
    """The rule ``aggregate`` of a known column.

    Args:
        options: The column and what is made of which children.
        kind: The column's type.
        decimals: The decimals that a float column has; None if it has too many to count.
        without: What a parent has whose children have no value.
    """

    def __init__(
        self, options: AggregateConfig, kind: pa.DataType, decimals: int | None, without: Without
    ) -> None:
        self._made = Aggregate().children(options).name
        self.columns: tuple[str, ...] = (options.column, self._made)
        self._options = options
        self._kind = kind
        self._decimals = decimals
        self._without = without

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the rows as they are: the column is learned, so that children can follow it."""
        return batch

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Work the column out of what was made of the children."""
        column = self._options.column
        return replace(batch, column, self._values(batch))

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows have another value than their children give."""
        wanted, column = self._values(batch), batch[self._options.column]
        if pa.types.is_floating(self._kind):
            return pa.array(unlike(wanted, column))
        return pc.invert(same(wanted, column))

    def save(self, out: ArtifactWriter) -> None:
        """Write the options and what was learned."""
        out.json(
            "aggregate",
            {
                "options": self._options.model_dump(mode="json"),
                "type": type_to_text(self._kind),
                "decimals": self._decimals,
                "without": self._without.value,
            },
        )

    def _values(self, batch: pa.RecordBatch) -> pa.Array:
        made, column = batch[self._made], batch[self._options.column]
        try:
            values = as_type(rounded(made, self._kind, self._decimals), self._kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SpecError(
                f"{self._made} gives {made.type}, no {self._kind}",
                where=self._options.column,
                why=str(error).splitlines()[0],
                mend="Cast the expression, as 'CAST(… AS DATE)'",
            ) from error
        if self._without is Without.NULL:
            return values
        none = _zero(self._kind, len(values)) if self._without is Without.ZERO else column
        return pc.if_else(made.is_valid(), values, none)


def _without(values: pa.Array, take: Take, *, takes_nulls: bool) -> Without:
    """Return what parents have whose children have no value.

    Args:
        values: The column's values of such parents.
        take: What is made of children.
        takes_nulls: Whether the column does.
    """
    if values.null_count < len(values):
        if values.null_count or not _is_number(values.type):
            return Without.OWN
        return Without.ZERO if values.equals(_zero(values.type, len(values))) else Without.OWN
    if len(values):
        return Without.NULL
    if take in (Take.SUM, Take.COUNT):
        return Without.ZERO
    return Without.NULL if takes_nulls else Without.OWN


def _is_number(kind: pa.DataType) -> bool:
    kind = plain_type(kind)
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def _zero(kind: pa.DataType, rows: int) -> pa.Array:
    return as_type(pa.repeat(pa.scalar(0, plain_type(kind)), rows), kind)
