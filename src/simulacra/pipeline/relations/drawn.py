"""What is kept of a drawn table for those that are drawn after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.features import Codes
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.flat_model import GIVEN
from simulacra.pipeline.relations.fitted import FittedRelation
from simulacra.pipeline.relations.graph import Role
from simulacra.pipeline.relations.resolve import Rows


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
                self.values[name] = _joined(parts)
            else:
                getattr(self, kind)[name] = np.concatenate(parts)
        self._parts.clear()


def _joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Return one array, texts in a layout without a limit of 2 GiB."""
    kind = parts[0].type
    if pa.types.is_string(kind):
        kind = pa.large_string()
    elif pa.types.is_binary(kind):
        kind = pa.large_binary()
    return pa.concat_arrays([part.cast(kind) for part in parts])


def wanted_values(name: str, tables: Mapping[str, FittedTable]) -> set[str]:
    """Return the columns of a table that others copy."""
    wanted: set[str] = set()
    for table in tables.values():
        if table.family is None:
            continue
        for relation in table.family.relations:
            if table is tables[name] and relation.role is Role.LATE:
                wanted |= set(alone_columns(relation, table))
            if relation.parent == name:
                wanted |= set(relation.relation.key.parent_columns)
                given = table.model.given if table.model else ()
                wanted |= {column for _, column in given_by(relation, given)}
    return wanted


def alone_columns(relation: FittedRelation, table: FittedTable) -> list[str]:
    """Return the columns of a relation's key that are drawn by themselves as well."""
    drawn = set(table.model.names) if table.model is not None else set()
    if table.family is not None and table.family.links is not None:
        drawn |= table.family.links.columns.keys()
    return [column for column in relation.relation.key.columns if column in drawn]


def given_by(relation: FittedRelation, given: Iterable[str]) -> list[tuple[str, str]]:
    """Return which given columns come from a relation: their names, and the parent's columns."""
    prefix = f"{GIVEN}{relation.relation.name}."
    return [(name, name.removeprefix(prefix)) for name in given if name.startswith(prefix)]
