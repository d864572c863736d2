"""Reads SDV metadata files (V1, one table or several), a documented JSON format."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from simulacra.core.errors import SpecError
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec
from simulacra.pipeline.nesting import is_list

_VERSIONS = {"V1", "SINGLE_TABLE_V1", "MULTI_TABLE_V1"}
_TIMES = {"datetime", "date", "time"}


def spec_from_sdv(value: Any, detected: DatasetSpec, *, where: str) -> DatasetSpec:
    """Correct a detected specification by what an SDV metadata file states.

    Kinds of columns, primary keys and relationships are taken over. A kind that the detected type
    already is (or, for kinds of personal data, that has no counterpart) leaves it as it is.

    Args:
        value: The parsed JSON.
        detected: What was found in the data it describes.
        where: The file, for messages.

    Raises:
        SpecError: It is no SDV metadata, or names tables or columns that the data lacks.
    """
    if not isinstance(value, dict) or value.get("METADATA_SPEC_VERSION") not in _VERSIONS:
        raise SpecError(
            "this is no SDV metadata",
            where=where,
            mend=f"METADATA_SPEC_VERSION must be one of {', '.join(sorted(_VERSIONS))}",
        )
    stated = value.get("tables")
    if stated is None:
        if len(detected.tables) != 1:
            raise SpecError("the metadata is of one table, the data has several", where=where)
        stated = {next(iter(detected.tables)): value}
    tables = dict(detected.tables)
    try:
        for name, table in stated.items():
            if name not in tables and len(stated) == len(tables) == 1:
                tables = {name: next(iter(tables.values()))}
            tables[name] = _table(tables[name], table, f"{where}: {name}")
        for relation in value.get("relationships", []):
            child = tables[relation["child_table_name"]]
            keys = [*child.foreign_keys, _foreign_key(relation)]
            tables[relation["child_table_name"]] = child.model_copy(update={"foreign_keys": keys})
        return DatasetSpec.model_validate({"tables": tables})
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise SpecError(
            "the metadata doesn't fit the data", where=where, why=repr(error)
        ) from error


def _table(table: TableSpec, stated: dict[str, Any], where: str) -> TableSpec:
    columns = dict(table.columns)
    for name, column in stated["columns"].items():
        if name not in columns:
            raise SpecError("the data has no such column", where=f"{where}.{name}")
        columns[name] = _column(columns[name], column)
    key = stated.get("primary_key") or []
    return TableSpec(
        columns=columns,
        primary_key=[key] if isinstance(key, str) else list(key),
        foreign_keys=table.foreign_keys,
        rules=table.rules,
        rows=table.rows,
    )


def _column(column: ColumnSpec, stated: dict[str, Any]) -> ColumnSpec:
    kind = stated["sdtype"]
    if kind == "categorical" and not is_list(column.arrow_type()) and column.fields is None:
        ordered = list(stated.get("order", []))
        options = {"ordered": True, "categories": ordered} if ordered else {}
        return column.model_copy(update={"type": "category", "options": options})
    if kind == "id" and column.type != "identifier" and column.unique:
        return column.model_copy(update={"type": "identifier", "options": {}})
    if kind == "datetime" and column.type not in _TIMES and stated.get("datetime_format"):
        options = {"format": stated["datetime_format"]}
        return column.model_copy(update={"type": "datetime", "options": options})
    return column


def _foreign_key(relation: dict[str, Any]) -> ForeignKey:
    own, parent = relation["child_foreign_key"], relation["parent_primary_key"]
    return ForeignKey(
        columns=[own] if isinstance(own, str) else own,
        parent=relation["parent_table_name"],
        parent_columns=[parent] if isinstance(parent, str) else parent,
    )
