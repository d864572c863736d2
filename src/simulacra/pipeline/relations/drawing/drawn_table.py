"""What is kept of a drawn table for those that are drawn after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.features import Codes
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.relations.columns import one_large_array
from simulacra.pipeline.relations.fitted_relation import FittedRelation
from simulacra.pipeline.relations.given_columns import GivenColumn
from simulacra.pipeline.relations.graph import Role
from simulacra.pipeline.relations.parent_rows import Rows


@dataclass(slots=True)
class DrawnTable:
    """A drawn table as others need it, filled block by block.

    Attributes:
        rows: How many rows it has.
        parents: The parents of its rows, for each of its relations.
        codes: Codes of its columns as those below see them.
        values: Values of its columns that others copy: keys, and what rules measure from.
        below: For each column about its own children, the numbers.
    """

    rows: int
    parents: list[Rows]
    codes: dict[str, Codes] = field(default_factory=dict)
    values: dict[str, pa.Array] = field(default_factory=dict)
    below: dict[str, NDArray[np.int32]] = field(default_factory=dict)
    _parts: dict[tuple[str, str], list[pa.Array | Codes]] = field(default_factory=dict)

    def append(
        self,
        codes: Mapping[str, Codes],
        values: Mapping[str, pa.Array],
        below: Mapping[str, NDArray[np.int32]],
    ) -> None:
        """Take the next rows."""
        for kind, parts in (("codes", codes), ("values", values), ("below", below)):
            for name, part in parts.items():
                self._parts.setdefault((kind, name), []).append(part)

    def finish(self) -> None:
        """Join what was taken."""
        for (kind, name), parts in self._parts.items():
            if kind == "values":
                self.values[name] = one_large_array(pa.chunked_array(parts))
            else:
                getattr(self, kind)[name] = np.concatenate(parts)
        self._parts.clear()


def wanted_values(
    name: str,
    tables: Mapping[str, FittedTable],
    given: Mapping[str, Mapping[str, GivenColumn]],
) -> set[str]:
    """Return the columns of a table that others copy.

    Args:
        name: The table.
        tables: The learned tables.
        given: For each table the columns of its ancestors that its rules use.
    """
    wanted = {
        column.column
        for columns in given.values()
        for column in columns.values()
        if column.table == name
    }
    for table in tables.values():
        if table.family is None:
            continue
        for relation in table.family.relations:
            if table is tables[name] and relation.role is Role.LATE:
                wanted |= set(alone_columns(relation, table))
            if relation.parent == name:
                wanted |= set(relation.key.parent_columns)
    return wanted


def alone_columns(relation: FittedRelation, table: FittedTable) -> list[str]:
    """Return the columns of a relation's key that are drawn by themselves as well."""
    drawn = set(table.model.names) if table.model is not None else set()
    if table.family is not None and table.family.early is not None:
        drawn |= table.family.early.columns.keys()
    return [column for column in relation.key.columns if column in drawn]
