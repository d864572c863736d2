"""One table and what is known of its relatives before it is learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.schema import DatasetSpec, TableSpec
from simulacra.pipeline.nesting import Flat, Layout
from simulacra.pipeline.relations.columns import one_batch
from simulacra.pipeline.relations.context import SeenTable
from simulacra.pipeline.relations.graph import Graph, Relation
from simulacra.pipeline.relations.keys.resolve import LinkedTable
from simulacra.pipeline.relations.learning.summaries import Summary, child_columns
from simulacra.pipeline.relations.parent_rows import Rows


@dataclass(frozen=True, slots=True)
class TableInFamily:
    """One table and what is known of its relatives.

    Attributes:
        name: The table.
        specs: All tables' specifications.
        tables: All tables, with the parents of their rows.
        sample: A uniform sample of the table's rows.
        numbers: The numbers of those rows, rising.
        summaries: What parents know of their children, by relation.
        graph: All relations.
        seen: All tables as those below see them.
        unsettled: For each table learned before, columns that change once its children are drawn.
    """

    name: str
    specs: DatasetSpec
    tables: Mapping[str, LinkedTable]
    sample: pa.Table
    numbers: NDArray[np.int64]
    summaries: Mapping[str, Summary]
    graph: Graph
    seen: Mapping[str, SeenTable]
    unsettled: Mapping[str, frozenset[str]]

    @property
    def spec(self) -> TableSpec:
        """The table's specification."""
        return self.specs.tables[self.name]

    @property
    def linked(self) -> LinkedTable:
        """The table with the parents of its rows."""
        return self.tables[self.name]

    @property
    def layout(self) -> Layout:
        """How its columns lie flat."""
        return Layout.of(self.linked.source.schema)

    @property
    def relations(self) -> Sequence[Relation]:
        """Its foreign keys."""
        return self.graph.relations[self.name]

    @property
    def parents(self) -> Sequence[Rows]:
        """The parents of all rows, for each relation."""
        return self.seen[self.name].parents

    def sampled_parents(self) -> list[Rows]:
        """Return the parents of the sample's rows, for each relation."""
        return [rows[self.numbers] for rows in self.parents]

    def sampled_column(self, name: str) -> pa.Array:
        """Return a column of the sample."""
        return self.sample.column(name).combine_chunks()

    def flat_sample(self) -> Flat:
        """Return the sample with columns that lie flat."""
        return self.layout.flatten(one_batch(self.sample))

    def child_columns(self) -> dict[str, NDArray[np.int32]]:
        """Return the columns in which the table's rows know of their children."""
        return child_columns(self.name, self.summaries, self.graph)

    def sampled_child_columns(self) -> dict[str, NDArray[np.int32]]:
        """Return the same of the sample's rows."""
        return {name: values[self.numbers] for name, values in self.child_columns().items()}
