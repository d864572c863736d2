"""The rows of a dataset, read as a stream, with masked columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.protocols import BatchSource, Masking
from simulacra.core.random import RngKey
from simulacra.core.registry import Kind
from simulacra.core.schema import DatasetSpec, Orphans, TableSpec
from simulacra.core.secret_key import SecretKey
from simulacra.pipeline.detect_dataset import detect_dataset
from simulacra.pipeline.masking.arrays import Change, masked_array
from simulacra.pipeline.masking.choice import choose_masks
from simulacra.pipeline.masking.columns import IDENTIFIER, PERSONAL, Mask, Place, shown
from simulacra.pipeline.masking.rooms import rooms, within
from simulacra.pipeline.plain import plain, schema_as_found
from simulacra.pipeline.profile import DETECTION_ROWS
from simulacra.pipeline.relations.graph import make_graph
from simulacra.pipeline.validate import check_schema


@dataclass(frozen=True, slots=True)
class MaskedTable:
    """A table with masked columns; a source like others.

    Attributes:
        name: The table's name.
        schema: The columns, as found.
        source: The rows as they are.
        spec: What the columns are.
        changes: What to do with which columns, by path.
    """

    name: str
    schema: pa.Schema
    source: BatchSource
    spec: TableSpec
    changes: Mapping[str, Change]

    def batches(self, ctx: RunContext) -> Iterator[pa.RecordBatch]:
        """Yield all rows in their order, reading them once."""
        with ctx.progress.task(f"Masking {self.name}", self.source.rows()) as task:
            for batch in ctx.map(self._masked, self.source.batches()):
                task.advance(batch.num_rows)
                yield batch

    def _masked(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = [
            masked_array(batch.column(name), self.spec.columns[name], name, self.changes, self.name)
            for name in batch.schema.names
        ]
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names).cast(self.schema)


@dataclass(frozen=True, slots=True)
class MaskedDataset:
    """A dataset with masked columns.

    Attributes:
        spec: What the tables are.
        masks: How columns are masked, in their order; others stay as they are.
        tables: The tables by name, parents mostly before children.
    """

    spec: DatasetSpec
    masks: Mapping[Place, Mask]
    tables: Mapping[str, MaskedTable]


def mask_dataset(  # noqa: PLR0913 - all but the data are keyword-only options
    sources: Mapping[str, BatchSource],
    spec: DatasetSpec | None,
    *,
    declared: Mapping[str, DeclaredTable] | None = None,
    beside: DatasetSpec | None = None,
    mask: Sequence[str] = (),
    keep: Sequence[str] = (),
    keep_keys: bool = False,
    infer_keys: bool = True,
    secret: SecretKey,
    ctx: RunContext,
) -> MaskedDataset:
    """Choose what is masked; nothing is masked until the tables are read.

    Args:
        sources: The tables' rows, by name.
        spec: What the tables are, by the user, and so what decides; detected when None.
        declared: What the store they come from says of them, if there is no specification.
        beside: A specification that lies beside them: it is taken for their keys. What leads to
            people is looked for, as such files need not say it.
        mask: Columns to mask besides, as ``table.column`` or ``table.column=kind``.
        keep: Columns or tables to leave as they are.
        keep_keys: Whether keys stay that are identifiers and no personal data.
        infer_keys: Whether to look for foreign keys where none is declared.
        secret: What pseudonyms are made by.
        ctx: Limits and progress.

    Raises:
        InputError: A table can't be read.
        SpecError: The specification doesn't fit the data.
        UsageError: A column isn't there, or can't be masked.
    """
    as_found = {name: schema_as_found(source) for name, source in sources.items()}
    sources = {name: plain(source) for name, source in sources.items()}
    is_given = spec is not None
    if spec is None:
        spec = detect_dataset(
            sources,
            declared=_declared_by(beside) if beside is not None else declared,
            sample_rows=DETECTION_ROWS,
            rng=lambda table: RngKey(0, ("detect", table)),
            infer_keys=infer_keys,
            keep_samples=False,
            ctx=ctx,
        ).spec
        spec = _with_what_is_said(spec, beside) if beside is not None else spec
    else:
        check_schema(spec, sources)
    masks = choose_masks(
        spec, mask=mask, keep=keep, keep_keys=keep_keys, is_given=is_given, ctx=ctx
    )
    spec, order = _with_orphans(spec, sources, ctx)
    room = rooms(spec, masks)
    tables = {
        name: MaskedTable(
            name,
            as_found[name],
            sources[name],
            spec.tables[name],
            {
                place[1]: _change(place, one, room.get(place), secret)
                for place, one in masks.items()
                if place[0] == name
            },
        )
        for name in order
    }
    return MaskedDataset(spec, masks, tables)


def _declared_by(spec: DatasetSpec) -> dict[str, DeclaredTable]:
    """Return the keys of a specification."""
    return {
        name: DeclaredTable(
            primary_key=tuple(table.primary_key),
            unique=tuple(map(tuple, table.unique)),
            foreign_keys=tuple(table.foreign_keys),
            not_null=frozenset(c for c, column in table.columns.items() if not column.nullable),
            origin=table.origin,
        )
        for name, table in spec.tables.items()
    }


def _with_what_is_said(found: DatasetSpec, beside: DatasetSpec) -> DatasetSpec:
    """Return what was found, but columns that a specification says are personal, and how."""
    tables = {}
    for name, table in found.tables.items():
        said = beside.tables.get(name)
        if said is not None:
            personal = {
                column: one
                for column, one in said.columns.items()
                if column in table.columns and one.type == PERSONAL and "kind" in one.options
            }
            update = {"columns": table.columns | personal, "keep": said.keep}
            table = table.model_copy(update=update)  # noqa: PLW2901 - the same table, said better
        tables[name] = table
    return DatasetSpec(tables=tables)


def _change(place: Place, mask: Mask, room: int | None, secret: SecretKey) -> Change:
    change = _masking(place, mask, secret)
    if room is None or mask.datatype == IDENTIFIER:
        return change
    return within(room, change, _masking(place, Mask(IDENTIFIER), secret))


def _masking(place: Place, mask: Mask, secret: SecretKey) -> Change:
    datatype: Masking = registry.load(Kind.DATATYPE, mask.datatype)
    return partial(datatype.mask, shown(place), options=mask.options, secret=secret)


def _with_orphans(
    spec: DatasetSpec, sources: Mapping[str, BatchSource], ctx: RunContext
) -> tuple[DatasetSpec, Sequence[str]]:
    """Return the tables, with keys that say whether rows name no parent, and the tables' order.

    Such rows stay, so a store must not be asked to refuse them.
    """
    if not any(table.foreign_keys for table in spec.tables.values()):
        return spec, list(spec.tables)
    from simulacra.pipeline.relations.keys.resolve import facts_of, resolve
    from simulacra.pipeline.relations.parent_rows import ORPHAN

    open_spec = DatasetSpec(
        tables={
            name: table.model_copy(
                update={
                    "foreign_keys": [
                        key.model_copy(update={"orphans": None}) for key in table.foreign_keys
                    ]
                }
            )
            for name, table in spec.tables.items()
        }
    )
    linked = resolve(sources, open_spec, keep_orphans=True, ctx=ctx)
    order = make_graph(open_spec, facts_of(linked, open_spec)).order
    tables = {}
    for name, table in spec.tables.items():
        keys = [
            key.model_copy(update={"orphans": Orphans.KEEP}) if (rows == ORPHAN).any() else key
            for key, rows in zip(table.foreign_keys, linked[name].parents, strict=True)
        ]
        tables[name] = table.model_copy(update={"foreign_keys": keys, "rows": linked[name].rows})
    return DatasetSpec(tables=tables), order
