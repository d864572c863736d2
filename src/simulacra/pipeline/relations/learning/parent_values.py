"""Values of parents, and of theirs, that rules may use, and rows with those beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.pipeline.nesting import Flat
from simulacra.pipeline.relations.columns import one_array, take_values
from simulacra.pipeline.relations.context import Ancestors
from simulacra.pipeline.relations.given_columns import (
    GivenColumn,
    by_path,
    given_columns,
    offered_columns,
)
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.parent_rows import Rows
from simulacra.pipeline.relations.sources import values_of


def sampled_parent_values(family: TableInFamily, ancestors: Ancestors) -> dict[str, pa.Array]:
    """Return the values of ancestors of the sample's rows that rules may use, by given names.

    Every table of ancestors is read once.

    Args:
        family: The table.
        ancestors: Those of the sample's rows.
    """
    offered = offered_columns(
        family.name, family.graph, family.specs.tables, unsettled=family.unsettled
    )
    asked: dict[str, list[tuple[Rows, dict[str, str]]]] = {}
    for path, names in by_path(offered).items():
        table, rows = ancestors.rows(path)
        if (rows >= 0).any():
            asked.setdefault(table, []).append((rows, names))
    found: dict[str, pa.Array] = {}
    for table, parts in asked.items():
        source = family.tables[table].source
        values = values_of(source, [(rows, set(names.values())) for rows, names in parts])
        for (_, names), columns in zip(parts, values, strict=True):
            found |= {name: columns[column] for name, column in names.items()}
    return {name: found[name] for name in offered if name in found}


@dataclass(frozen=True, slots=True)
class ParentValues:
    """Whole columns of ancestors.

    Attributes:
        family: The table.
        columns: Each by its given name, with the path that leads to it.
    """

    family: TableInFamily
    columns: Mapping[str, tuple[tuple[int, ...], pa.Array]]

    @classmethod
    def read(cls, family: TableInFamily, names: Collection[str]) -> ParentValues:
        """Read the columns of some given names."""
        known = given_columns(family.name, family.graph, family.specs.tables)
        wanted = {name: known[name] for name in known if name in names}
        tables = {given.table for given in wanted.values()}
        read = {table: _read(family, table, wanted) for table in sorted(tables)}
        return cls(family, {n: (g.path, read[g.table][g.column]) for n, g in wanted.items()})

    def of(self, part: slice) -> dict[str, pa.Array]:
        """Return the ancestors' values of some of the table's rows."""
        family = self.family
        parents = [rows[part] for rows in family.parents]
        ancestors = Ancestors(family.name, parents, family.graph, family.seen)
        return {
            name: take_values(values, ancestors.rows(path)[1])
            for name, (path, values) in self.columns.items()
        }


def _read(
    family: TableInFamily, table: str, wanted: Mapping[str, GivenColumn]
) -> dict[str, pa.Array]:
    """Return those columns of a table that are wanted, whole."""
    source = family.tables[table].source
    columns = list(dict.fromkeys(g.column for g in wanted.values() if g.table == table))
    schema = pa.schema([source.schema.field(column) for column in columns])
    read = pa.Table.from_batches(source.batches(columns), schema)
    return {column: one_array(read.column(column)) for column in columns}


def with_relatives(
    flat: Flat,
    children: Mapping[str, NDArray[np.int32]],
    parents: Mapping[str, pa.Array],
    *,
    without: Collection[str] = (),
) -> Flat:
    """Return rows with columns about their children and values of their parents.

    Args:
        flat: The rows.
        children: What they know of their children.
        parents: Values of their parents.
        without: Columns to leave out.
    """
    columns = {
        name: values
        for name, values in zip(flat.batch.schema.names, flat.batch.columns, strict=True)
        if name not in without
    }
    columns |= {name: pa.array(values) for name, values in children.items()}
    columns |= parents
    return Flat(pa.RecordBatch.from_pydict(columns), flat.lists)
