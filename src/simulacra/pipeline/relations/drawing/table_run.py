"""One table in one run: what it is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.random import RngKey
from simulacra.pipeline.conditions.drawing import Tally
from simulacra.pipeline.conditions.wanted import Condition
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.relations.columns import take_values
from simulacra.pipeline.relations.context import Ancestors
from simulacra.pipeline.relations.drawing.drawn_table import DrawnTable
from simulacra.pipeline.relations.drawing.key_maker import KeyMaker
from simulacra.pipeline.relations.family import Family
from simulacra.pipeline.relations.given_columns import GivenColumn
from simulacra.pipeline.relations.graph import Graph
from simulacra.pipeline.relations.parent_rows import Rows


@dataclass(frozen=True, slots=True)
class TableRun:
    """One table in one run.

    Attributes:
        name: The table.
        fitted: What was learned of it.
        family: What was learned of its place among others.
        rows: How many rows to draw.
        graph: All relations.
        tables: The tables drawn so far.
        given: The columns of its ancestors that its rules use, by their given names.
        makers: What makes the identifiers of each table.
        rng: The key of the table in this run.
        ctx: Limits and progress.
        condition: What is wanted of the rows, if anything.
        tally: Counts the rows drawn again for rules.
    """

    name: str
    fitted: FittedTable
    family: Family
    rows: int
    graph: Graph
    tables: Mapping[str, DrawnTable]
    given: Mapping[str, GivenColumn]
    makers: Mapping[str, KeyMaker]
    rng: RngKey
    ctx: RunContext
    condition: Condition | None = None
    tally: Tally = field(default_factory=Tally)

    def parent_column(self, place: int, column: str) -> pa.Array:
        """Return a column of all parents in one relation to another table."""
        return self.tables[self.family.relations[place].parent].values[column]

    def parent_values(self, parents: Sequence[Rows]) -> dict[str, pa.Array]:
        """Return the ancestors' values that rules use, by their given names.

        Args:
            parents: The parents of some rows, for each relation.
        """
        ancestors = Ancestors(self.name, parents, self.graph, self.tables)
        found = {}
        for name, given in self.given.items():
            table, rows = ancestors.rows(given.path)
            found[name] = take_values(self.tables[table].values[given.column], rows)
        return found
