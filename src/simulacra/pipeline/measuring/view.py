"""One side of a dataset, as dataset metrics see it; see ``core.references.DatasetView``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from simulacra.core.protocols import BatchSource
from simulacra.core.references import JoinedRows, KeyCounts, Path, Reference, ReferenceCounts
from simulacra.metrics.columns import Leaf
from simulacra.metrics.sides import at_most
from simulacra.pipeline.measuring.children import aggregate_children
from simulacra.pipeline.measuring.counts import Counter, Key
from simulacra.pipeline.measuring.joins import Joins
from simulacra.pipeline.measuring.plan import Plan
from simulacra.pipeline.relations.sources import count_rows

_CHILDREN = 2_000_000
_FEWEST_PARENTS = 2_000


class SideView:
    """The tables of one side.

    Args:
        side: What it is called: ``real``, ``synthetic`` or ``holdout``.
        sources: Its tables, of plain layouts.
        plan: What is drawn and compared.
        leaves: For each table how its columns are compared.
    """

    def __init__(
        self,
        side: str,
        sources: Mapping[str, BatchSource],
        plan: Plan,
        leaves: Mapping[str, Sequence[Leaf]],
    ) -> None:
        self.sources = sources
        self._side = side
        self._plan = plan
        self._leaves = leaves
        self._joins = Joins(side, sources, plan)
        self._rows: dict[str, int] = {}
        self._keys: dict[Key, KeyCounts] = {}
        self._references: dict[Reference, ReferenceCounts] = {}
        self._aggregates: dict[Reference, JoinedRows] = {}

    def rows(self, table: str) -> int:
        """Return the number of rows of a table."""
        if table not in self._rows:
            self._rows[table] = count_rows(self.sources[table])
        return self._rows[table]

    def key(self, table: str, columns: tuple[str, ...]) -> KeyCounts:
        """Count nulls and repetitions in a key."""
        key = (table, columns)
        if key not in self._keys:
            self._keys[key] = self._counter([table]).key(key)
        return self._keys[key]

    def reference(self, reference: Reference) -> ReferenceCounts:
        """Count orphans, and children per parent; all references are counted at once."""
        if reference not in self._references:
            every = list(dict.fromkeys([reference, *self._plan.references]))
            tables = [table for ref in every for table in (ref.table, ref.parent)]
            self._references, keys = self._counter(tables).references(every)
            self._keys |= keys
        return self._references[reference]

    def _counter(self, tables: Sequence[str]) -> Counter:
        rows = {table: self.rows(table) for table in tables}
        return Counter(self.sources, rows, self._plan.ctx)

    def collect(self, paths: Sequence[Path]) -> None:
        """Fetch what ``joined`` will be asked for."""
        self._joins.collect(paths)

    def joined(self, path: Path) -> JoinedRows:
        """Return rows of the first table with their ancestors at the end of the path."""
        return self._joins.joined(path)

    def aggregated(self, reference: Reference) -> JoinedRows:
        """Return rows of the parent with aggregates of their children.

        All references of one table are followed at once. Where children are many, fewer parents
        are taken.
        """
        if reference not in self._aggregates:
            table = reference.table
            siblings = [reference, *(ref for ref in self._plan.references if ref.table == table)]
            parents = {ref: self._parents(ref) for ref in dict.fromkeys(siblings)}
            aggregates = aggregate_children(
                self.sources[table],
                {ref: rows.select(list(ref.parent_columns)) for ref, rows in parents.items()},
                self._leaves[table],
                side=self._side,
                plan=self._plan,
            )
            for ref, rows in parents.items():
                own = rows.select(self._plan.compared(ref.parent))
                self._aggregates[ref] = JoinedRows(own, aggregates[ref])
        return self._aggregates[reference]

    def _parents(self, reference: Reference) -> pa.Table:
        children = max(1, self.rows(reference.table))
        most = max(_FEWEST_PARENTS, _CHILDREN * self.rows(reference.parent) // children)
        rng = self._plan.key.child(self._side, "parents", reference.label)
        return at_most(self._joins.sample(reference.parent), most, rng)
