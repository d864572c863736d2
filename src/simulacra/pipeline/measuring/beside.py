"""Columns beside a table's own that its rules ask about: what was made of its rows' children."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from simulacra.core.context import RunContext
from simulacra.core.protocols import BLOCK_ROWS, BatchSource
from simulacra.core.schema import DatasetSpec, Orphans, TableSpec
from simulacra.pipeline.plain import plain
from simulacra.pipeline.relations.rule_keys import key_of, rules_of_children
from simulacra.rules.relatives import ChildValues


class WithBeside:
    """A source with further columns.

    Args:
        source: The source.
        columns: The values of all of its rows, in their order.
    """

    def __init__(self, source: BatchSource, columns: Mapping[str, pa.Array]) -> None:
        self._source = source
        self._columns = columns
        self.schema: pa.Schema = source.schema
        for name, values in columns.items():
            self.schema = self.schema.append(pa.field(name, values.type))

    def rows(self) -> int | None:
        """Return the number of rows, if known."""
        return self._source.rows()

    def batches(
        self, columns: Sequence[str] | None = None, *, batch_rows: int = BLOCK_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order."""
        wanted = self.schema.names if columns is None else list(columns)
        own = [name for name in wanted if name not in self._columns]
        start = 0
        for batch in self._source.batches(own, batch_rows=batch_rows):
            arrays = [
                self._columns[name].slice(start, batch.num_rows)
                if name in self._columns
                else batch.column(name)
                for name in wanted
            ]
            start += batch.num_rows
            fields = [self.schema.field(name) for name in wanted]
            yield pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def columns_beside(
    name: str, spec: DatasetSpec, sources: Mapping[str, BatchSource], ctx: RunContext
) -> dict[str, pa.Array]:
    """Return what a table's rules ask about beside its own columns, for all of its rows.

    Args:
        name: The table.
        spec: All tables.
        sources: Their rows, on one side.
        ctx: Limits and progress.

    Raises:
        SpecError: A rule names children that are not there.
    """
    found: dict[str, pa.Array] = {}
    for _, values in rules_of_children(spec.tables[name], name):
        if values.table in sources and name in sources:
            found[values.name] = _made(values, name, spec, sources, ctx)
    return found


def _made(
    values: ChildValues,
    name: str,
    spec: DatasetSpec,
    sources: Mapping[str, BatchSource],
    ctx: RunContext,
) -> pa.Array:
    # Here, as they bring numba: most tables have no such rules.
    from simulacra.pipeline.relations.from_children import gather
    from simulacra.pipeline.relations.gathering import Gathered
    from simulacra.pipeline.relations.keys.resolve import resolve

    key = key_of(values, name, spec).model_copy(update={"orphans": Orphans.KEEP})
    pair = DatasetSpec(
        tables={
            name: TableSpec(columns=spec.tables[name].columns),
            values.table: TableSpec(columns=spec.tables[values.table].columns, foreign_keys=[key]),
        }
    )
    both = {table: plain(sources[table]) for table in pair.tables}
    linked = resolve(both, pair, keep_orphans=True, ctx=ctx)
    made = Gathered(values.take, linked[name].rows, f"{name}: {values.name}")
    child = linked[values.table]
    gather(values, child, child.parents[0], into=made, ctx=ctx)
    return made.values()
