"""What is the same for all sides that are measured: which columns, how many rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.references import Path, Reference, references_of
from simulacra.core.schema import DatasetSpec, TableSpec
from simulacra.metrics.columns import Leaf, compared, leaves
from simulacra.pipeline.conform import conform
from simulacra.pipeline.measuring.counts import columns_of
from simulacra.pipeline.subsample import bytes_per_row, uniform_sample

_MEMORY_SHARE = 0.25
_SIDES = 3
_HOPS = 3
_LEAF_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How the sides of a dataset are looked at.

    Attributes:
        spec: The specification as metrics see it: see ``key_only``.
        rows: The most rows drawn of a table.
        key: The key of all samples.
        ctx: Limits and progress.
    """

    spec: DatasetSpec
    rows: int
    key: RngKey
    ctx: RunContext

    @property
    def references(self) -> list[Reference]:
        """The foreign keys of all tables."""
        return references_of(self.spec)

    def compared(self, table: str) -> list[str]:
        """Return the columns of a table that metrics compare."""
        return compared(self.spec.tables[table])

    def read(self, table: str) -> TableSpec:
        """Return a table with the columns that are read to be compared or joined by."""
        whole = self.spec.tables[table]
        wanted = dict.fromkeys(self.compared(table))
        for reference in self.references:
            if reference.table == table:
                wanted |= dict.fromkeys(columns_of(reference))
            if reference.parent == table:
                wanted |= dict.fromkeys(reference.parent_columns)
        return TableSpec.model_construct(
            columns={name: spec for name, spec in whole.columns.items() if name in wanted}
        )

    def leaves(self, table: str, real: BatchSource) -> list[Leaf]:
        """Return how the columns of a table are compared, which real rows decide."""
        spec = self.read(table)
        names = self.compared(table)
        for batch in real.batches(list(spec.columns), batch_rows=_LEAF_ROWS):
            if batch.num_rows:
                rows = conform(pa.Table.from_batches([batch]), spec, table, "real")
                break
        else:
            rows = spec.arrow_schema().empty_table()
        part = TableSpec.model_construct(columns={name: spec.columns[name] for name in names})
        return [leaf for leaf in leaves(part, rows) if leaf.kind is not None]

    def sample(self, table: str, source: BatchSource, side: str) -> pa.Table:
        """Draw rows of a table uniformly."""
        spec = self.read(table)
        with self.ctx.progress.task(f"Drawing {side} rows of {table}", source.rows()) as task:
            rng = self.key.child(side, "rows", table)
            rows = uniform_sample(source, self.rows, rng, columns=list(spec.columns))
            task.advance(source.rows() or rows.num_rows)
        return conform(rows, spec, table, side)


def rows_within(
    rows: int, spec: DatasetSpec, sources: Mapping[str, BatchSource], ctx: RunContext
) -> int:
    """Return how many rows of each table can be drawn and joined in a share of the memory.

    Args:
        rows: The most rows wanted.
        spec: The specification.
        sources: Real rows, of which some are read to see how large they are.
        ctx: Limits.
    """
    references = references_of(spec)
    held = 0.0
    for table in spec.tables:
        # Each table that leads to this one within three hops asks for as many rows at most.
        asking = len(_leading_to(table, references)) + 1
        held += asking * bytes_per_row(sources[table], list(spec.tables[table].columns))
    return max(1, min(rows, ctx.limits.rows_within(held * _SIDES, share=_MEMORY_SHARE)))


def _leading_to(table: str, references: Sequence[Reference]) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    ahead = {table}
    for hop in range(_HOPS):
        ahead = {reference.table for reference in references if reference.parent in ahead}
        found |= {(hop, name) for name in ahead}
    return found


def prefixes_of(paths: Sequence[Path]) -> list[Path]:
    """Return the paths and all that they begin with, the shortest first."""
    every = {path[:hops] for path in paths for hops in range(1, len(path) + 1)}
    return sorted(every, key=lambda path: (len(path), [reference.label for reference in path]))
