"""What is known of a table's keys put over what was detected of its columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from simulacra.core import registry
from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.protocols import ColumnProfile
from simulacra.core.registry import Kind
from simulacra.core.schema import ColumnSpec, ForeignKey, TableSpec
from simulacra.pipeline.detect import type_column
from simulacra.pipeline.made_keys import is_made_apart

_KEY = "identifier"
"""The datatype whose values never repeat."""
_FOLLOWING = ("sex", "birth")
"""Options by which values follow another column of their row."""

Profiles = Mapping[str, ColumnProfile]
"""What was seen of a table's columns that are unique, by name."""


def with_declared(table: TableSpec, declared: DeclaredTable, profiles: Profiles) -> TableSpec:
    """Put what a store says of a table over what was detected.

    Columns that are unique by accident, though they are foreign keys, no longer count as unique.

    Args:
        table: What was detected.
        declared: What the store says; columns that were not read are passed over.
        profiles: What was seen of the columns that are unique.
    """
    known = table.columns.keys()
    keys = [key for key in declared.foreign_keys if known >= {*key.columns, *(key.when or ())}]
    unique = [list(key) for key in declared.unique if known >= set(key)]
    primary = list(declared.primary_key) if known >= set(declared.primary_key) else []
    alone = {key[0] for key in (primary, *unique) if len(key) == 1}
    repeating = {column for key in keys for column in key.columns} - alone
    columns = {
        name: column.model_copy(
            update={
                "nullable": column.nullable and name not in declared.not_null,
                "unique": column.unique or name in alone,
            }
        )
        for name, column in table.columns.items()
    }
    changed = table.model_copy(
        update={
            "columns": columns,
            "unique": [key for key in unique if key != primary],
            "foreign_keys": keys,
            "origin": dict(declared.origin),
        }
    )
    changed = with_repeating(changed, repeating, profiles)
    return with_primary(changed, primary) if primary else changed


def with_primary(table: TableSpec, key: Sequence[str]) -> TableSpec:
    """Make columns the primary key of a table: without nulls, and made anew if it is one column.

    Personal data that tell people apart stay what they are: a pattern of them all would keep what
    they have in common, as the domain of addresses. Values of a type that can't be made anew
    without repeating (a date) keep their datatype.
    """
    columns = dict(table.columns)
    for name in key:
        columns[name] = columns[name].model_copy(update={"nullable": False})
    if len(key) == 1:
        column = columns[key[0]].model_copy(update={"unique": True})
        if not is_made_apart(column) and _can_be_key(column):
            column = column.model_copy(update={"type": _KEY, "options": {}})
        columns[key[0]] = column
        if _follows(column):
            # A key is known before its row is drawn, so it follows no other column; nor then may
            # what tells of the same person.
            columns = {
                n: _following_none(c) if c.type == column.type else c for n, c in columns.items()
            }
    return table.model_copy(update={"columns": columns, "primary_key": list(key)})


def _follows(column: ColumnSpec) -> bool:
    return any(option in column.options for option in _FOLLOWING)


def _following_none(column: ColumnSpec) -> ColumnSpec:
    options = {name: value for name, value in column.options.items() if name not in _FOLLOWING}
    return column.model_copy(update={"options": options})


def _can_be_key(column: ColumnSpec) -> bool:
    if column.fields is not None or column.items is not None:
        return False
    datatype = registry.load(Kind.DATATYPE, _KEY)
    return bool(datatype.accepts(pa.nulls(1, column.arrow_type()), {})[0].as_py())


def with_repeating(table: TableSpec, names: Collection[str], profiles: Profiles) -> TableSpec:
    """Say of columns that their values may repeat, and type them anew if they were keys."""
    columns = dict(table.columns)
    for name in names:
        if not columns[name].unique:
            continue
        columns[name] = columns[name].model_copy(update={"unique": False})
        if columns[name].type == _KEY and name in profiles:
            typed = type_column(replace(profiles[name], unique=False))
            columns[name] = columns[name].model_copy(
                update={"type": typed.type, "options": typed.options}
            )
    return table.model_copy(update={"columns": columns})


def with_foreign_keys(table: TableSpec, keys: Sequence[ForeignKey]) -> TableSpec:
    """Add foreign keys to those of a table."""
    return table.model_copy(update={"foreign_keys": [*table.foreign_keys, *keys]})


def without_lost_keys(tables: Mapping[str, TableSpec], ctx: RunContext) -> dict[str, TableSpec]:
    """Drop foreign keys that refer to tables which are not there, and say so."""
    kept = {}
    for name, table in tables.items():
        lost = [key for key in table.foreign_keys if key.parent not in tables]
        for key in lost:
            ctx.progress.note(
                f"{name}.{', '.join(key.columns)}: the key is dropped, "
                f"as {key.parent}, which it refers to, was left out"
            )
        rest = [key for key in table.foreign_keys if key.parent in tables]
        kept[name] = table.model_copy(update={"foreign_keys": rest}) if lost else table
    return kept
