"""A column that an expression over others gives: a total, a ratio, a part of a date.

It is left out and worked out.
"""

from __future__ import annotations

from decimal import Context, Decimal
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
from simulacra.rules.columns import column_of
from simulacra.rules.expressions import Expression
from simulacra.rules.values import as_type, plain_type, same

_TOLERANCE = 1e-9
"""Floats that differ by less, as a part of their size, are equal: sums depend on their order."""
_MOST_DIGITS = 76


class FormulaConfig(Config):
    """Options of the rule ``formula``."""

    column: Annotated[str, Field(description="The column that the expression gives")]
    expression: Annotated[
        str, Field(min_length=1, description="SQL over other columns, as 'quantity * price'")
    ]


class Formula:
    """Leaves a column out and works it out of others."""

    name: ClassVar[str] = "formula"
    config: ClassVar[type[Config]] = FormulaConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that the expression gives the column in every row.

        Args:
            sample: Rows as the rules before this one leave them.
            config: The column and the expression.
            table: The table's specification; unused.

        Raises:
            SpecError: The column is missing, the expression can't be worked out or reads the
                column itself, or gives other values.
        """
        del table
        options = cast("FormulaConfig", config)
        column = column_of(sample, options.column)
        expression = Expression(options.expression, options.column)
        reads = expression.columns(sample.column_names)
        if options.column in reads:
            raise SpecError(
                "the expression reads the column that it gives",
                where=options.column,
                mend="Use other columns only",
            )
        decimals = ticks.decimals_of(column) if pa.types.is_floating(column.type) else None
        fitted = FittedFormula(options, tuple(reads), column.type, decimals)
        batch = sample.select([*reads, options.column]).combine_chunks()
        broken = sum(int(pc.sum(fitted.violations(b)).as_py() or 0) for b in batch.to_batches())
        if broken:
            raise SpecError(
                f"{broken:,} of {len(column):,} rows are not {options.expression}",
                where=options.column,
                mend="Remove the rule formula, or round the expression as the column is",
            )
        return fitted

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("formula")
        return FittedFormula(
            FormulaConfig(**saved["options"]),
            tuple(saved["reads"]),
            type_from_text(saved["type"]),
            saved["decimals"],
        )


class FittedFormula:
    """The rule ``formula`` of a known column.

    Args:
        options: The column and the expression.
        reads: The columns that the expression reads.
        kind: The column's type.
        decimals: The decimals that a float column has; None if it has too many to count.
    """

    def __init__(
        self,
        options: FormulaConfig,
        reads: tuple[str, ...],
        kind: pa.DataType,
        decimals: int | None,
    ) -> None:
        self.columns: tuple[str, ...] = (options.column, *reads)
        self._options = options
        self._reads = reads
        self._kind = kind
        self._decimals = decimals
        self._expression = Expression(options.expression, options.column)

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the column out."""
        return batch.drop_columns([self._options.column])

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Work the column out."""
        return batch.append_column(self._options.column, self._values(batch))

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows have another value than the expression gives."""
        wanted, column = self._values(batch), batch[self._options.column]
        if pa.types.is_floating(self._kind):
            return pa.array(unlike(wanted, column))
        return pc.invert(same(wanted, column))

    def save(self, out: ArtifactWriter) -> None:
        """Write the options and the type."""
        out.json(
            "formula",
            {
                "options": self._options.model_dump(),
                "reads": list(self._reads),
                "type": type_to_text(self._kind),
                "decimals": self._decimals,
            },
        )

    def _values(self, batch: pa.RecordBatch) -> pa.Array:
        rows = batch.select(list(self._reads)) if self._reads else batch
        values = self._expression.values(rows)
        try:
            return as_type(rounded(values, self._kind, self._decimals), self._kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SpecError(
                f"{self._options.expression!r} gives {values.type}, no {self._kind}",
                where=self._options.column,
                why=str(error).splitlines()[0],
                mend="Cast the expression, as 'CAST(… AS DATE)'",
            ) from error


def rounded(values: pa.Array, kind: pa.DataType, decimals: int | None) -> pa.Array:
    """Return numbers rounded as a column's are, and moved to the nearest that its type holds."""
    kind, found = plain_type(kind), values.type
    if not _is_number(found) or not _is_number(kind):
        return values
    if pa.types.is_floating(kind):
        values = values.cast(pa.float64())
        return values if decimals is None else pc.round(values, ndigits=decimals)
    if pa.types.is_floating(found):
        # There is no such whole number or decimal as infinity.
        finite = pc.is_finite(values)
        values = pc.if_else(finite, values, pa.scalar(None, found)).cast(pa.float64())
    if pa.types.is_decimal(kind) and pa.types.is_integer(values.type):
        values = values.cast(pa.decimal256(_MOST_DIGITS, kind.scale))
    if not pa.types.is_integer(values.type):
        values = pc.round(values, ndigits=kind.scale if pa.types.is_decimal(kind) else 0)
    for limit, nearest in zip(
        _limits(kind), (pc.max_element_wise, pc.min_element_wise), strict=True
    ):
        bound = _bound(limit, values.type)
        values = values if bound is None else nearest(values, bound, skip_nulls=False)
    return values


def _limits(kind: pa.DataType) -> tuple[Decimal, Decimal]:
    """Return the least and the greatest number that a type of whole numbers or decimals holds."""
    if pa.types.is_decimal(kind):
        most = Decimal(10**kind.precision - 1).scaleb(-kind.scale, Context(prec=kind.precision))
        return -most, most
    info = np.iinfo(kind.to_pandas_dtype())
    return Decimal(int(info.min)), Decimal(int(info.max))


def _bound(limit: Decimal, kind: pa.DataType) -> pa.Scalar | None:
    """Return a limit in a type; None if what the type holds is within it."""
    if pa.types.is_floating(kind):
        nearest = float(limit)
        # The nearest float may lie beyond.
        beyond = abs(Decimal(nearest)) > abs(limit)
        return pa.scalar(float(np.nextafter(nearest, 0.0)) if beyond else nearest, kind)
    try:
        return pa.scalar(limit).cast(kind)
    except pa.ArrowInvalid:
        return None


def _is_number(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def unlike(one: pa.Array, other: pa.Array) -> NDArray[np.bool_]:
    """Say which floats differ by more than the order of a sum may make them."""
    a, b = (x.cast(pa.float64()).to_numpy(zero_copy_only=False) for x in (one, other))
    null, other_null = (x.is_null().to_numpy(zero_copy_only=False) for x in (one, other))
    close = np.isclose(a, b, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
    unlike: NDArray[np.bool_] = np.where(null | other_null, null != other_null, ~close)
    return unlike
