"""A referentially whole, seeded sample of a dataset: chosen by row numbers, read as a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.errors import UsageError
from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec, ForeignKey, Orphans, TableSpec
from simulacra.pipeline.bare_spec import bare_spec
from simulacra.pipeline.detect_dataset import detect_dataset
from simulacra.pipeline.plain import plain, schema_as_found
from simulacra.pipeline.profile import DETECTION_ROWS
from simulacra.pipeline.relations.graph import make_graph
from simulacra.pipeline.validate import check_schema
from simulacra.pipeline.wanted_rows import Wanted

if TYPE_CHECKING:
    from simulacra.pipeline.relations.keys.resolve import LinkedTable


@dataclass(frozen=True, slots=True)
class SubsetTable:
    """Some rows of a table; a source like others.

    Attributes:
        name: The table's name.
        schema: The columns, as found.
        linked: All rows, and the parents of each.
        keys: The foreign keys, in the order of the parents.
        chosen: Which rows are in the subset, shape ``(all rows,)``.
    """

    name: str
    schema: pa.Schema
    linked: LinkedTable
    keys: tuple[ForeignKey, ...]
    chosen: NDArray[np.bool_]

    def rows(self) -> int:
        """Return how many rows are in the subset."""
        return int(np.count_nonzero(self.chosen))

    def batches(self, ctx: RunContext) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the subset in the order of the table, reading it once."""
        left = self.rows()
        start = 0
        with ctx.progress.task(f"Reading {self.name}", self.linked.rows) as task:
            for batch in self.linked.source.batches() if left else ():
                end = start + batch.num_rows
                chosen = self.chosen[start:end]
                count = int(np.count_nonzero(chosen))
                if count:
                    rows = self._without_orphans(batch, start)
                    rows = rows if count == len(chosen) else rows.filter(pa.array(chosen))
                    yield rows.cast(self.schema)
                start = end
                left -= count
                task.advance(batch.num_rows)
                if not left:
                    break

    def _without_orphans(self, batch: pa.RecordBatch, start: int) -> pa.RecordBatch:
        """Make keys null that name no parent and shall be taken for none."""
        from simulacra.pipeline.relations.parent_rows import NULL

        for key, parents in zip(self.keys, self.linked.parents, strict=True):
            lost = parents[start : start + batch.num_rows] == NULL
            for column in key.columns:
                # NaN refers to nothing as it is.
                lost &= ~np.asarray(pc.is_null(batch.column(column), nan_is_null=True))
            for column, value in (key.when or {}).items():
                meant = pc.equal(batch.column(column).cast(pa.large_string()), value)
                lost &= np.asarray(pc.fill_null(meant, False))  # noqa: FBT003 - Arrow's own signature
            for column in key.columns if lost.any() else ():
                values = batch.column(column)
                kept = pc.if_else(pa.array(lost), pa.scalar(None, values.type), values)
                place = batch.schema.get_field_index(column)
                batch = batch.set_column(place, batch.schema.field(column), kept)
        return batch


@dataclass(frozen=True, slots=True)
class SubsetDataset:
    """Some rows of all tables of a dataset.

    Attributes:
        spec: What the tables are; keys of which some rows name no parent keep orphans.
        tables: The tables by name, parents mostly before children.
    """

    spec: DatasetSpec
    tables: Mapping[str, SubsetTable]


def subset_dataset(  # noqa: PLR0913 - all but the data are keyword-only options
    sources: Mapping[str, BatchSource],
    spec: DatasetSpec | None,
    *,
    declared: Mapping[str, DeclaredTable] | None = None,
    wanted: Wanted,
    keep: Sequence[str] = (),
    keep_orphans: bool = True,
    infer_keys: bool = True,
    seed: int,
    ctx: RunContext,
) -> SubsetDataset:
    """Choose rows of every table so that none lacks a row that it refers to.

    The sources are read twice: once for their keys, once when the subset is read. In between only
    row numbers are held, 4 bytes a row and foreign key.

    Args:
        sources: The tables' rows, by name.
        spec: What the tables are; by what is declared, else detected, when None.
        declared: What the store they come from says of them, if there is no specification.
        wanted: How many rows.
        keep: Tables that come whole, beside those that the specification keeps.
        keep_orphans: Whether rows whose key names no row stay as they are, unless the key says
            otherwise. Else the key becomes null if it can, or the row is left out.
        infer_keys: Whether to look for foreign keys where none is declared.
        seed: Decides which rows are drawn.
        ctx: Limits and progress.

    Raises:
        InputError: A table can't be read.
        SpecError: The specification doesn't fit the data.
        UsageError: A table that is named isn't there, or rows are wanted of one that comes whole.
    """
    from simulacra.pipeline.relations.keys.resolve import facts_of, resolve
    from simulacra.pipeline.subset_rows import RowChoice

    _check_names([*wanted.tables(), *keep], sources)
    as_found = {name: schema_as_found(source) for name, source in sources.items()}
    sources = {name: plain(source) for name, source in sources.items()}
    if spec is not None:
        check_schema(spec, sources)
    elif not infer_keys or any(table.foreign_keys for table in (declared or {}).values()):
        spec = bare_spec(sources, declared or {}, ctx)
    else:
        spec = detect_dataset(
            sources,
            declared=declared,
            sample_rows=DETECTION_ROWS,
            rng=lambda table: RngKey(seed, ("detect", table)),
            keep_samples=False,
            ctx=ctx,
        ).spec
    spec = DatasetSpec(
        tables={
            name: table.model_copy(update={"keep": table.keep or name in keep})
            for name, table in spec.tables.items()
        }
    )
    for name in wanted.tables():
        if spec.tables[name].keep:
            raise UsageError("it is kept whole", where=name, mend="Ask for no rows of it")
    linked = resolve(sources, spec, keep_orphans=keep_orphans, ctx=ctx)
    graph = make_graph(spec, facts_of(linked, spec))
    choice = RowChoice(linked, spec, graph, rng=RngKey(seed, ("subset",)), ctx=ctx)
    chosen = choice.choose(wanted)
    tables = {
        name: SubsetTable(
            name,
            as_found[name],
            linked[name],
            tuple(spec.tables[name].foreign_keys),
            chosen[name],
        )
        for name in graph.order
    }
    specs = {name: _spec_of(table, spec.tables[name]) for name, table in tables.items()}
    return SubsetDataset(DatasetSpec(tables={n: specs[n] for n in spec.tables}), tables)


def _check_names(names: Sequence[str], sources: Mapping[str, BatchSource]) -> None:
    for name in names:
        if name not in sources:
            tables = ", ".join(sources)
            raise UsageError("there is no such table", where=name, mend=f"There are {tables}")


def _spec_of(table: SubsetTable, spec: TableSpec) -> TableSpec:
    from simulacra.pipeline.relations.parent_rows import ORPHAN

    keys = []
    for key, parents in zip(table.keys, table.linked.parents, strict=True):
        lost = bool((parents[table.chosen] == ORPHAN).any())
        keys.append(key.model_copy(update={"orphans": Orphans.KEEP}) if lost else key)
    return spec.model_copy(update={"rows": table.rows(), "foreign_keys": keys})
