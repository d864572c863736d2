"""A dataset's tables as a Mermaid entity-relationship diagram."""

from __future__ import annotations

import re

from simulacra.core.schema import DatasetSpec, ForeignKey, TableSpec


def mermaid(spec: DatasetSpec) -> str:
    """Return the Mermaid text of a dataset's tables, columns, keys and references."""
    lines = ["erDiagram"]
    for name, table in spec.tables.items():
        lines.append(f"    {_quoted(name)} {{")
        lines += [f"        {line}" for line in _columns(table)]
        lines.append("    }")
    for name, table in spec.tables.items():
        lines += [f"    {_reference(name, table, key)}" for key in table.foreign_keys]
    return "\n".join(lines) + "\n"


def _reference(name: str, table: TableSpec, key: ForeignKey) -> str:
    """Return a foreign key: how many parents a row has (none or one), and children a parent."""
    optional = key.when is not None or any(table.columns[c].nullable for c in key.columns)
    parent = "|o" if optional else "||"
    children = "o|" if _is_unique(table, key.columns) else "o{"
    label = ", ".join(key.columns)
    if key.when is not None:
        label += " if " + " = ".join(*key.when.items())
    return f"{_quoted(key.parent)} {parent}--{children} {_quoted(name)} : {_quoted(label)}"


def _is_unique(table: TableSpec, columns: list[str]) -> bool:
    """Say whether no two rows agree in all of these columns."""
    alone = [[name] for name, column in table.columns.items() if column.unique]
    keys = [table.primary_key, *table.unique, *alone]
    return any(key and set(key) <= set(columns) for key in keys)


def _columns(table: TableSpec) -> list[str]:
    references = {column for key in table.foreign_keys for column in key.columns}
    lines = []
    for name, column in table.columns.items():
        is_primary = name in table.primary_key
        all_marks = (
            ("PK", is_primary),
            ("FK", name in references),
            ("UK", column.unique and not is_primary),
        )
        marks = [mark for mark, holds in all_marks if holds]
        # Attribute names are bare words in Mermaid; the comment keeps the name as it is.
        word = re.sub(r"\W", "_", name) or "_"
        comment = "" if word == name else f" {_quoted(name)}"
        lines.append(f"{column.type} {word}{' ' if marks else ''}{', '.join(marks)}{comment}")
    return lines


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "#quot;").replace("\n", " ") + '"'
