"""A specification as the text that people read, and what of it may lie beside synthetic tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec

SPEC_NAME = "spec.yaml"
"""The file of a folder of tables that tells what they are."""

_SHARED_OPTIONS = {"format", "ordered"}
"""Options of datatypes that say how values are written, and never what they are."""
_SAID_BY_PEOPLE = "comment"


def plain_values(spec: DatasetSpec) -> dict[str, Any]:
    """Return a specification as plain values, leaving out what says nothing."""
    return spec.model_dump(mode="json", exclude_none=True)


def yaml_text(spec: DatasetSpec) -> str:
    """Return a specification as YAML."""
    import yaml

    return yaml.safe_dump(plain_values(spec), allow_unicode=True, sort_keys=False)


def shareable(spec: DatasetSpec, tables: Collection[str]) -> DatasetSpec:
    """Return what may lie beside synthetic tables: how they are built, nothing of whom they are of.

    Types, keys and what a database needs to make the tables again stay. Left out are numbers of
    rows, values that options of datatypes and rules may hold (categories), what was counted to find
    keys, and comments; so are keys to tables that are not among those written.

    Args:
        spec: The specification that the tables were made by.
        tables: The tables that are written.
    """
    known = {name: spec.tables[name] for name in tables if name in spec.tables}
    return DatasetSpec(tables={name: _shared(table, known) for name, table in known.items()})


def _shared(table: TableSpec, known: Mapping[str, TableSpec]) -> TableSpec:
    return TableSpec(
        columns={name: _column(column) for name, column in table.columns.items()},
        primary_key=table.primary_key,
        unique=table.unique,
        foreign_keys=[_key(key) for key in table.foreign_keys if key.parent in known],
        keep=table.keep,
        origin=_without_comments(table.origin),
    )


def _column(column: ColumnSpec) -> ColumnSpec:
    fields = column.fields
    return ColumnSpec(
        type=column.type,
        arrow=column.arrow,
        nullable=column.nullable,
        unique=column.unique,
        options={name: v for name, v in column.options.items() if name in _SHARED_OPTIONS},
        fields=None if fields is None else {name: _column(f) for name, f in fields.items()},
        items=None if column.items is None else _column(column.items),
    )


def _key(key: ForeignKey) -> ForeignKey:
    return key.model_copy(update={"evidence": None})


def _without_comments(value: Any) -> Any:
    """Drop texts under the key ``comment``; what a column of that name is stays."""
    if isinstance(value, Mapping):
        return {
            name: _without_comments(below)
            for name, below in value.items()
            if name != _SAID_BY_PEOPLE or not (below is None or isinstance(below, str))
        }
    if isinstance(value, list | tuple):
        return [_without_comments(below) for below in value]
    return value
