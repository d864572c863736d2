"""A specification of what a store declares and nothing else: no row is read for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import pyarrow as pa

from simulacra.core.arrow_types import type_to_text
from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.protocols import BatchSource
from simulacra.core.schema import ColumnSpec, DatasetSpec, TableSpec
from simulacra.pipeline.declared_keys import with_declared, without_lost_keys
from simulacra.pipeline.nesting import is_list, item_type

_TYPES: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "boolean"),
    (pa.types.is_integer, "integer"),
    (pa.types.is_floating, "float"),
    (pa.types.is_decimal, "decimal"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "datetime"),
    (pa.types.is_time, "time"),
    (pa.types.is_duration, "duration"),
    (pa.types.is_binary, "binary"),
    (pa.types.is_large_binary, "binary"),
    (pa.types.is_fixed_size_binary, "binary"),
    (pa.types.is_null, "empty"),
)
_OTHERS = "text"


def bare_spec(
    sources: Mapping[str, BatchSource],
    declared: Mapping[str, DeclaredTable],
    ctx: RunContext,
) -> DatasetSpec:
    """Return the tables with the keys that are declared; columns of types unheard of are left out.

    Args:
        sources: The tables, of plain layouts.
        declared: What the store they come from says of them.
        ctx: Where to say which keys lead to tables that are not there.
    """
    tables = {}
    for name, source in sources.items():
        columns = {}
        for field in source.schema:
            with suppress(ValueError):
                columns[field.name] = _column(field.type)
        tables[name] = TableSpec(columns=columns)
        if name in declared:
            tables[name] = with_declared(tables[name], declared[name], {})
    return DatasetSpec(tables=without_lost_keys(tables, ctx))


def _column(kind: pa.DataType) -> ColumnSpec:
    if pa.types.is_struct(kind):
        fields = {field.name: _column(field.type) for field in kind}
        return ColumnSpec(type="struct", arrow="struct", fields=fields)
    if is_list(kind):
        text = type_to_text(kind).partition("<")[0]
        if pa.types.is_fixed_size_list(kind):
            text = f"fixed_size_list[{kind.list_size}]"
        return ColumnSpec(type="list", arrow=text, items=_column(item_type(kind)))
    name = next((name for belongs, name in _TYPES if belongs(kind)), _OTHERS)
    return ColumnSpec(type=name, arrow=type_to_text(kind))
