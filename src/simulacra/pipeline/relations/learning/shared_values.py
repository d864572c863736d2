"""Columns that keys of several tables share: they keep the values that tables have in common."""

from __future__ import annotations

from simulacra.core.context import RunContext
from simulacra.core.schema import DatasetSpec

_CATEGORY = "category"


def with_shared_values(spec: DatasetSpec, ctx: RunContext) -> DatasetSpec:
    """Let columns that keys share hold the values they have in common.

    As the tenant of a client and that of a product, where a sale's keys lead to both and no table
    holds the tenants: drawn anew in each they would have nothing in common.

    Args:
        spec: The tables.
        ctx: Tells of it.
    """
    shared: dict[str, set[str]] = {}
    for table in spec.tables.values():
        columns = [column for key in table.foreign_keys if not key.when for column in key.columns]
        for key in table.foreign_keys:
            parent = spec.tables[key.parent]
            filled = {column for other in parent.foreign_keys for column in other.columns}
            for own, there in zip(key.columns, key.parent_columns, strict=True):
                about = parent.columns[there]
                is_open = there not in filled and not about.unique and about.type != _CATEGORY
                if columns.count(own) > 1 and len(key.columns) > 1 and is_open and not parent.keep:
                    shared.setdefault(key.parent, set()).add(there)
    if not shared:
        return spec
    told = ", ".join(f"{table}.{c}" for table, columns in shared.items() for c in sorted(columns))
    ctx.progress.note(f"Keys of several tables share {told}: the values are kept")
    tables = dict(spec.tables)
    for name, names in shared.items():
        columns_of = dict(tables[name].columns)
        for column in names:
            kept = {"type": _CATEGORY, "options": {}}
            columns_of[column] = columns_of[column].model_copy(update=kept)
        tables[name] = tables[name].model_copy(update={"columns": columns_of})
    return DatasetSpec(tables=tables)
