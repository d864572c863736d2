"""Columns whose values only come in the combinations seen: country and currency, make and model.

They become one column, which says which of the combinations it is.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, cast

import pyarrow as pa
from pydantic import Field

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.columns import Names, column_of, unused_name
from simulacra.rules.tuples import TupleIndex


class CombinationsConfig(Config):
    """Options of the rule ``combinations``."""

    columns: Annotated[Names, Field(min_length=2, description="The columns, two or more")]


class Combinations:
    """Keeps several columns to the combinations of values that real rows have."""

    name: ClassVar[str] = "combinations"
    config: ClassVar[type[Config]] = CombinationsConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Number the combinations.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing.
        """
        del table
        options = cast("CombinationsConfig", config)
        rows = pa.table({name: column_of(sample, name) for name in options.columns})
        name = unused_name(" and ".join(options.columns), sample)
        return FittedCombinations(name, TupleIndex.of(rows))

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        return FittedCombinations(
            src.json("combinations")["name"], TupleIndex(src.table("combinations"))
        )


class FittedCombinations:
    """The rule ``combinations`` of known columns.

    Args:
        name: The column that they become.
        index: The combinations.
    """

    def __init__(self, name: str, index: TupleIndex) -> None:
        self.columns: tuple[str, ...] = tuple(index.tuples.column_names)
        self.made = name
        self._index = index

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace the columns by the number of their combination, as text; null if unknown."""
        numbers = self._index.numbers([batch[name] for name in self.columns])
        texts = pa.array(numbers, mask=numbers < 0).cast(pa.string())
        return batch.drop_columns(list(self.columns)).append_column(self.made, texts)

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Put the combination in place of its number."""
        numbers = batch[self.made].cast(pa.int64())
        batch = batch.drop_columns([self.made])
        rows = self._index.tuples.take(numbers.fill_null(0)) if len(self._index) else None
        for name in self.columns:
            kind = self._index.tuples.schema.field(name).type
            values = pa.nulls(len(numbers), kind) if rows is None else column_of(rows, name)
            batch = batch.append_column(name, values)
        return batch

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows have a combination that the rows learned from had not."""
        return pa.array(self._index.numbers([batch[name] for name in self.columns]) < 0)

    def kept_values(self) -> list[tuple[str, pa.Array]]:
        """Return the real values that the rule holds, by column."""
        return [(name, column_of(self._index.tuples, name)) for name in self.columns]

    def save(self, out: ArtifactWriter) -> None:
        """Write the combinations."""
        out.json("combinations", {"name": self.made})
        out.table("combinations", self._index.tuples)
