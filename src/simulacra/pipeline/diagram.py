"""A dataset's tables as a Mermaid entity-relationship diagram."""

from __future__ import annotations

import re

from simulacra.core.schema import DatasetSpec, TableSpec


def mermaid(spec: DatasetSpec) -> str:
    """Return the Mermaid text of a dataset's tables, columns, keys and references."""
    lines = ["erDiagram"]
    for name, table in spec.tables.items():
        lines.append(f"    {_quoted(name)} {{")
        lines += [f"        {line}" for line in _columns(table)]
        lines.append("    }")
    for name, table in spec.tables.items():
        for key in table.foreign_keys:
            columns = _quoted(", ".join(key.columns))
            optional = any(table.columns[c].nullable for c in key.columns)
            parent = "|o" if optional else "||"
            lines.append(f"    {_quoted(key.parent)} {parent}--o{{ {_quoted(name)} : {columns}")
    return "\n".join(lines) + "\n"


def _columns(table: TableSpec) -> list[str]:
    references = {column for key in table.foreign_keys for column in key.columns}
    lines = []
    for name, column in table.columns.items():
        marks = [
            mark
            for mark, holds in (("PK", name in table.primary_key), ("FK", name in references))
            if holds
        ]
        # Attribute names are bare words in Mermaid; the comment keeps the name as it is.
        word = re.sub(r"\W", "_", name) or "_"
        comment = "" if word == name else f" {_quoted(name)}"
        lines.append(f"{column.type} {word}{' ' if marks else ''}{', '.join(marks)}{comment}")
    return lines


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "#quot;").replace("\n", " ") + '"'
