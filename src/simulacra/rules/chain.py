"""Columns that ascend in every row: ordered, shipped, received; the least and the greatest price.

Each is learned as its distance from the one before it, as the rule ``difference`` has it. Where
that is null, from the last one before it that isn't: what ascends over a gap still does.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, cast

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.columns import Names, column_of
from simulacra.rules.difference import (
    DifferenceConfig,
    FittedDifference,
    Order,
    fit_difference,
    load_difference,
)


class ChainConfig(Config):
    """Options of the rule ``chain``."""

    columns: Annotated[Names, Field(min_length=2, description="The columns, the least one first")]
    strict: Annotated[bool, Field(description="Whether two of them are never equal")] = False


class Chain:
    """Keeps columns of numbers, dates or times in ascending order."""

    name: ClassVar[str] = "chain"
    config: ClassVar[type[Config]] = ChainConfig

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Learn how far each column is from the one before it.

        Args:
            sample: Rows as the rules before this one leave them.
            config: Which columns.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing, two can't be subtracted exactly, or rows don't ascend.
        """
        del table
        options = cast("ChainConfig", config)
        order = Order.ABOVE if options.strict else Order.NOT_BELOW
        rows = pa.table({name: column_of(sample, name) for name in options.columns})
        links = []
        for place in range(1, len(options.columns)):
            before = options.columns[:place][::-1]
            wanted = DifferenceConfig(column=options.columns[place], minus=before[0])
            free = fit_difference(rows, wanted, instead=before[1:])
            links.append(free.ordered(order))
        fitted = FittedChain(options, tuple(links))
        broken = sum(pc.sum(fitted.violations(b)).as_py() or 0 for b in rows.to_batches())
        if broken:
            raise SpecError(
                f"{broken:,} of {rows.num_rows:,} rows don't ascend from "
                f"{' to '.join(options.columns)}",
                where=options.columns[-1],
                mend="Remove the rule chain" + (", or strict" if options.strict else ""),
            )
        return fitted

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        options = ChainConfig(**src.json("chain"))
        places = range(len(options.columns) - 1)
        return FittedChain(options, tuple(load_difference(src.child(place)) for place in places))


class FittedChain:
    """The rule ``chain`` of known columns.

    Args:
        options: The columns.
        links: How each but the first is measured from those before it.
    """

    def __init__(self, options: ChainConfig, links: tuple[FittedDifference, ...]) -> None:
        self.columns: tuple[str, ...] = options.columns
        self._options = options
        self._links = links

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Replace all columns but the first by their distances, from the last one on."""
        for link in reversed(self._links):
            batch = link.encode(batch)
        return batch

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Add the columns before again, from the first one on."""
        for link in self._links:
            batch = link.decode(batch)
        return batch

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows don't ascend; nulls are passed over."""
        found = pa.repeat(pa.scalar(value=False), batch.num_rows)
        for link in self._links:
            found = pc.or_(found, link.violations(batch))
        return found

    def save(self, out: ArtifactWriter) -> None:
        """Write the options and the distances."""
        out.json("chain", self._options.model_dump(mode="json"))
        for place, link in enumerate(self._links):
            link.save(out.child(place))
