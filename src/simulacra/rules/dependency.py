"""A column that others determine: the city of a postcode, the name of a code.

It is left out and looked up. What stands for a value of the others that was never seen is what
stands for the one most like it: the same in as many of the first columns as can be.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.columns import column_of
from simulacra.rules.tuples import TupleIndex
from simulacra.rules.values import same


class DependencyConfig(Config):
    """Options of the rule ``dependency``."""

    column: Annotated[str, Field(description="The column that others determine")]
    of: Annotated[tuple[str, ...], Field(min_length=1, description="The columns that determine it")]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.column in self.of or len(set(self.of)) < len(self.of):
            msg = "a column is named twice"
            raise ValueError(msg)
        return self


class Dependency:
    """Leaves a column out that others determine, and looks it up."""

    name: ClassVar[str] = "dependency"
    config: ClassVar[type[Config]] = DependencyConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Learn what stands for what.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing, or rows that are the same in the others differ in it.
        """
        del table
        options = cast("DependencyConfig", config)
        names = (*options.of, options.column)
        rows = pa.table({name: column_of(sample, name) for name in names})
        known = TupleIndex.of(rows).tuples
        keys = TupleIndex.of(known.select(list(options.of)))
        if len(keys) < known.num_rows:
            place = keys.numbers([column_of(known, name) for name in options.of])
            several = int((np.bincount(place, minlength=len(keys)) > 1).sum())
            raise SpecError(
                f"{', '.join(options.of)} don't determine it: {several:,} of {len(keys):,} "
                "values have several",
                where=options.column,
                mend="Remove the rule dependency, or use the rule combinations",
            )
        return FittedDependency(options, known)

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        options = DependencyConfig(**src.json("dependency"))
        return FittedDependency(options, src.table("dependency"))


class FittedDependency:
    """The rule ``dependency`` of known columns.

    Args:
        options: Which columns.
        known: The determining columns and, last, the determined one; each combination once.
    """

    def __init__(self, options: DependencyConfig, known: pa.Table) -> None:
        self.columns: tuple[str, ...] = (options.column, *options.of)
        self._options = options
        self._known = known.combine_chunks()
        self._values = column_of(self._known, options.column)
        self._indices = [
            _first_by(self._known, options.of[: len(options.of) - dropped])
            for dropped in range(len(options.of))
        ]

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the column out."""
        return batch.drop_columns([self._options.column])

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Look the column up."""
        if not len(self._known):
            values = pa.nulls(batch.num_rows, self._values.type)
        else:
            values = self._values.take(pa.array(self._rows(batch)))
        return batch.append_column(self._options.column, values)

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows have another value than belongs to what determines it."""
        index, _ = self._indices[0]
        found = index.numbers([batch[name] for name in self._options.of])
        known = pa.array(found, mask=found < 0)
        alike = same(self._values.take(known), batch[self._options.column])
        return pc.invert(pc.or_(alike, known.is_null()))

    def kept_values(self) -> list[tuple[str, pa.Array]]:
        """Return the real values that the rule holds, by column."""
        return [(name, column_of(self._known, name)) for name in self._known.column_names]

    def save(self, out: ArtifactWriter) -> None:
        """Write what stands for what."""
        out.json("dependency", self._options.model_dump(mode="json"))
        out.table("dependency", self._known)

    def _rows(self, batch: pa.RecordBatch) -> NDArray[np.int64]:
        """Return the known row that is like each of these in as many first columns as can be."""
        rows = np.full(batch.num_rows, -1, np.int64)
        for (index, first), dropped in zip(self._indices, range(len(self._indices)), strict=True):
            missing = rows < 0
            if not missing.any():
                break
            names = self._options.of[: len(self._options.of) - dropped]
            found = index.numbers([batch[name] for name in names])
            rows = np.where(missing & (found >= 0), first[found], rows)
        return np.maximum(rows, 0)


def _first_by(known: pa.Table, names: tuple[str, ...]) -> tuple[TupleIndex, NDArray[np.int64]]:
    """Return the index of some columns, and for each of its combinations the first known row."""
    part = known.select(list(names))
    index = TupleIndex.of(part)
    places = index.numbers([column_of(part, name) for name in names])
    first = np.zeros(max(len(index), 1), np.int64)
    first[places[::-1]] = np.arange(len(places) - 1, -1, -1)
    return index, first
