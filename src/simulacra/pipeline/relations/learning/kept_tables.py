"""Tables that are written as they are."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.context import RunContext
from simulacra.core.schema import TableSpec
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.plain import schema_as_found
from simulacra.pipeline.relations.columns import one_array
from simulacra.pipeline.relations.family import Family
from simulacra.pipeline.relations.fitted_relation import parent_column
from simulacra.pipeline.relations.keys.resolve import LinkedTable, meant
from simulacra.pipeline.relations.learning.relations import fit_relations
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.parent_rows import NULL


def keep_table(family: TableInFamily, ctx: RunContext) -> FittedTable:
    """Take a table's rows as they are, with what they know of their children."""
    linked = family.linked
    rows = pa.Table.from_batches(linked.source.batches(), linked.source.schema)
    rows = _without_orphans(rows, family.spec, linked)
    children = family.child_columns()
    for column, values in children.items():
        rows = rows.append_column(column, pa.array(values))
    for number, parents in enumerate(family.parents):
        rows = rows.append_column(parent_column(number), pa.array(parents))
    ctx.progress.note(f"{family.name}: kept as it is, {rows.num_rows:,} rows")
    return FittedTable(
        family.spec,
        schema_as_found(linked.source),
        family.layout,
        linked.rows,
        None,
        family=Family(fit_relations(family), below=tuple(children)),
        kept=rows,
    )


def _without_orphans(rows: pa.Table, spec: TableSpec, linked: LinkedTable) -> pa.Table:
    """Put nulls into keys of kept rows that name no row and count as having no parent."""
    columns = {name: one_array(rows.column(name)) for name in rows.column_names}
    for key, parents in zip(spec.foreign_keys, linked.parents, strict=True):
        stray = (parents == NULL) & meant(key, columns, rows.num_rows)
        for column in key.columns:
            stray &= columns[column].is_valid().to_numpy(zero_copy_only=False)
        if not stray.any():
            continue
        able = [c for c in key.columns if c not in spec.primary_key]
        for column in able:
            place = rows.schema.get_field_index(column)
            values = pc.if_else(
                pa.array(stray), pa.scalar(None, columns[column].type), columns[column]
            )
            rows = rows.set_column(place, rows.schema.field(place), values)
    return rows
