"""Values of parents that rules may use, and rows with those beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.pipeline.nesting import Flat
from simulacra.pipeline.relations.columns import one_array, take_values
from simulacra.pipeline.relations.fitted_relation import FittedRelation
from simulacra.pipeline.relations.graph import KNOWN_FIRST
from simulacra.pipeline.relations.learning.table_in_family import TableInFamily
from simulacra.pipeline.relations.sources import take_rows


def sampled_parent_values(
    family: TableInFamily, relations: Sequence[FittedRelation]
) -> dict[str, pa.Array]:
    """Return the parents' values of the sample's rows, by their given names."""
    found: dict[str, pa.Array] = {}
    for relation, rows in zip(relations, family.sampled_parents(), strict=True):
        names = given_columns(relation, family)
        wanted = np.unique(rows[rows >= 0]).astype(np.int64)
        if not names or not len(wanted):
            continue
        source = family.tables[relation.parent].source
        taken = take_rows(source, wanted, list(names.values())).combine_chunks()
        at = np.where(rows >= 0, np.searchsorted(wanted, np.maximum(rows, 0)), -1)
        for name, column in names.items():
            values = taken.column(column).combine_chunks()
            found[name] = take_values(values, at.astype(np.int32))
    return found


@dataclass(frozen=True, slots=True)
class ParentValues:
    """Whole columns of parents.

    Attributes:
        family: The table.
        columns: Each by its given name, with the place of the relation that leads to it.
    """

    family: TableInFamily
    columns: Mapping[str, tuple[int, pa.Array]]

    @classmethod
    def read(
        cls,
        family: TableInFamily,
        relations: Sequence[FittedRelation],
        names: Collection[str],
    ) -> ParentValues:
        """Read the columns of some given names."""
        found = {}
        for place, relation in enumerate(relations):
            known = given_columns(relation, family)
            wanted = {name: column for name, column in known.items() if name in names}
            if not wanted:
                continue
            source = family.tables[relation.parent].source
            columns = list(wanted.values())
            schema = pa.schema([source.schema.field(column) for column in columns])
            read = pa.Table.from_batches(source.batches(columns), schema)
            for name, column in wanted.items():
                found[name] = (place, one_array(read.column(column)))
        return cls(family, found)

    def of(self, part: slice) -> dict[str, pa.Array]:
        """Return the parents' values of some of the table's rows."""
        return {
            name: take_values(values, self.family.parents[place][part])
            for name, (place, values) in self.columns.items()
        }


def given_columns(relation: FittedRelation, family: TableInFamily) -> dict[str, str]:
    """Return the parent's columns that rules may use, by the names they are given.

    Keys are none, and those that change once the parent's children are drawn.
    """
    if relation.role not in KNOWN_FIRST:
        return {}
    parent = family.specs.tables[relation.parent]
    keys = {*parent.primary_key, *(c for key in parent.foreign_keys for c in key.columns)}
    return {
        relation.given_name(name): name
        for name, column in parent.columns.items()
        if name not in keys | family.unsettled[relation.parent]
        and column.fields is None
        and column.items is None
    }


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
