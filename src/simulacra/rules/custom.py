"""Whatever else must hold of a row: an SQL expression, or a function of Python.

Nothing can be known of what it says but whether a row keeps it. So columns are learned as they are,
and rows that break it are drawn again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, cast

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError, UsageError
from simulacra.core.protocols import Config, FittedRule, Rule
from simulacra.core.schema import TableSpec
from simulacra.rules.expressions import Expression

Check = Callable[[pa.RecordBatch], pa.BooleanArray]
"""Says of each row, given as Arrow columns, whether it is as it must be."""


class CustomConfig(Config):
    """Options of the rule ``custom``."""

    expression: Annotated[
        str, Field(min_length=1, description="SQL that is true or null, as 'a < b OR c IS NULL'")
    ]


class Custom:
    """Keeps what an SQL expression says, by drawing rows again that break it."""

    name: ClassVar[str] = "custom"
    config: ClassVar[type[Config]] = CustomConfig
    redraws: ClassVar[Literal[True]] = True

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that it holds.

        Args:
            sample: Rows, before any rule rewrites them.
            config: The expression.
            table: The table's specification; keys are made after rows are drawn.

        Raises:
            SpecError: The expression can't be worked out, is no condition, reads a key, or rows
                break it.
        """
        options = cast("CustomConfig", config)
        keys = [*table.primary_key, *(n for key in table.foreign_keys for n in key.columns)]
        own = dict.fromkeys([*sample.column_names, *keys])
        reads = Expression(options.expression, self.name).columns(list(own))
        made = [name for name in reads if name in keys and not name.startswith("^")]
        if made or not reads:
            raise SpecError(
                f"{options.expression!r} reads "
                + (f"{', '.join(made)}, a key" if made else "no column"),
                where=self.name,
                why="keys are made after rows are drawn" if made else "",
                mend="Use other columns",
            )
        fitted = FittedCustom(options, tuple(reads))
        _refuse_broken(fitted, sample, options.expression)
        return fitted

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("custom")
        return FittedCustom(CustomConfig(**saved["options"]), tuple(saved["reads"]))


class FittedCustom:
    """The rule ``custom`` of known columns.

    Args:
        options: The expression.
        reads: The columns that it reads.

    Attributes:
        redraws: The rule can't mend a row: it is kept by drawing rows again.
    """

    redraws: Literal[True] = True

    def __init__(self, options: CustomConfig, reads: tuple[str, ...]) -> None:
        self.columns: tuple[str, ...] = reads
        self._options = options
        self._expression = Expression(options.expression, Custom.name)

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the rows as they are."""
        return batch

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the rows as they are."""
        return batch

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say for which rows the expression is false; null is not, as in SQL's CHECK.

        Raises:
            SpecError: The expression is no condition.
        """
        values = self._expression.values(batch.select(list(self.columns)))
        if not pa.types.is_boolean(values.type):
            raise SpecError(
                f"{self._options.expression!r} gives {values.type}, neither true nor false",
                where=Custom.name,
                mend="Compare it with something",
            )
        return pc.invert(pc.fill_null(values, fill_value=True))

    def save(self, out: ArtifactWriter) -> None:
        """Write the expression."""
        saved = {"options": self._options.model_dump(), "reads": list(self.columns)}
        out.json("custom", saved)


class FittedCheck:
    """A function that says which rows are as they must be.

    Args:
        check: The function; null is as true.
        columns: The columns that it is given.

    Attributes:
        redraws: The rule can't mend a row: it is kept by drawing rows again.
    """

    redraws: Literal[True] = True

    def __init__(self, check: Check, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self._check = check

    @classmethod
    def fit(cls, check: Check, sample: pa.Table, columns: tuple[str, ...]) -> FittedCheck:
        """Check that it holds.

        Raises:
            SpecError: It gives no booleans, one for each row, or rows break it.
        """
        fitted = cls(check, columns)
        _refuse_broken(fitted, sample, _name_of(check))
        return fitted

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the rows as they are."""
        return batch

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the rows as they are."""
        return batch

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say for which rows the function says false.

        Raises:
            SpecError: It gives no booleans, one for each row.
        """
        given = self._check(batch.select(list(self.columns)))
        if isinstance(given, pa.ChunkedArray):
            given = given.combine_chunks()
        answer = given if isinstance(given, pa.Array) else pa.array(given)
        if not pa.types.is_boolean(answer.type) or len(answer) != batch.num_rows:
            raise SpecError(
                f"it gives {len(answer):,} values of {answer.type} for {batch.num_rows:,} rows",
                where=_name_of(self._check),
                mend="Return a boolean for each row",
            )
        return pc.invert(pc.fill_null(answer, fill_value=True))

    def save(self, out: ArtifactWriter) -> None:
        """Refuse to be written.

        Raises:
            UsageError: Always: a function is code, and bundles hold none.
        """
        del out
        raise UsageError(
            "a check that is a Python function can't be saved",
            where=_name_of(self._check),
            mend="Write it as an SQL expression, with the rule custom",
        )


def redraws(rule: FittedRule | Rule) -> bool:
    """Say whether a rule, fitted or not, is kept by drawing rows again."""
    return bool(getattr(rule, "redraws", False))


def _refuse_broken(rule: FittedRule, sample: pa.Table, what: str) -> None:
    batches = sample.combine_chunks().to_batches()
    broken = sum(int(pc.sum(rule.violations(batch)).as_py() or 0) for batch in batches)
    if broken:
        raise SpecError(
            f"{broken:,} of {sample.num_rows:,} rows break {what}",
            where=Custom.name,
            mend="Remove the rule custom, or allow for those rows",
        )


def _name_of(check: Check) -> str:
    return str(getattr(check, "__name__", type(check).__name__))
