"""Foreign keys with a column in common: the parents of a row must agree in it.

As a sale's client and its product are both of the sale's tenant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.schema import DatasetSpec
from simulacra.pipeline.relations.columns import take_values
from simulacra.pipeline.relations.fitted import FittedRelation
from simulacra.pipeline.relations.resolve import Rows

_CATEGORY = "category"

Whole = Callable[[int, str], pa.Array]
"""Gives a key column of all rows of the parent in one of a table's relations."""
UNKNOWN = -1
"""The code of a child for which any parent will do."""
NOBODY = 2**62
"""The code of a parent that no child agrees with."""


@dataclass(frozen=True, slots=True)
class Within:
    """What child and parent must agree in.

    Attributes:
        children: A code of each child, ``UNKNOWN`` where any parent will do.
        parents: A code of each parent.
    """

    children: NDArray[np.int64]
    parents: NDArray[np.int64]

    def and_also(self, other: Within | None) -> Within:
        """Return codes that agree where both do; a child unknown to one agrees by the other."""
        if other is None:
            return self
        width = 1 + int(other.children.max(initial=0))
        children = self.children * width + other.children
        parents = self.parents * width + other.parents
        unknown = (self.children == UNKNOWN) | (other.children == UNKNOWN)
        # Parents beyond all children of the other side would be taken for other ones.
        alone = (self.parents == NOBODY) | (other.parents >= width)
        return Within(np.where(unknown, UNKNOWN, children), np.where(alone, NOBODY, parents))


def shared_columns(
    place: int,
    relations: Sequence[FittedRelation],
    chosen: Sequence[int],
    parents: Sequence[Rows],
    whole: Whole,
    drawn: Mapping[str, pa.Array],
) -> Within | None:
    """Return what a row's parent in one relation must agree in with those chosen before.

    Args:
        place: The relation.
        relations: All of the table's.
        chosen: Those whose parents are known.
        parents: The parents of the rows, for each relation.
        whole: Gives the parents' key columns.
        drawn: Columns of the rows as they are without a parent.
    """
    key = relations[place].relation.key
    found: Within | None = None
    for own, there in zip(key.columns, key.parent_columns, strict=True):
        filled = drawn.get(own)
        for other in chosen:
            key_before = relations[other].relation.key
            if own not in key_before.columns:
                continue
            column = key_before.parent_columns[key_before.columns.index(own)]
            values = take_values(whole(other, column), parents[other])
            filled = values if filled is None else pc.coalesce(values, filled.cast(values.type))
        if filled is not None:
            found = _codes(filled, whole(place, there)).and_also(found)
    return found


def _codes(children: pa.Array, parents: pa.Array) -> Within:
    """Number values that two columns share."""
    kind = children.type if pa.types.is_large_string(children.type) else parents.type
    if pa.types.is_integer(kind):
        kind = pa.int64()
    together = pa.chunked_array([children.cast(kind), parents.cast(kind)]).combine_chunks()
    numbers = pc.dictionary_encode(together).indices.fill_null(-1).to_numpy(zero_copy_only=False)
    codes = numbers.astype(np.int64)
    known = np.where(codes[len(children) :] < 0, NOBODY, codes[len(children) :])
    return Within(codes[: len(children)], known)


def with_shared_values(spec: DatasetSpec, ctx: RunContext) -> DatasetSpec:
    """Let columns that keys share hold the values they have in common.

    As the tenant of a client and that of a product, where a sale's keys lead to both and no table
    holds the tenants: drawn anew in each they would have nothing in common.

    Args:
        spec: The tables.
        ctx: Tells of it.
    """
    shared: dict[str, set[str]] = {}
    for table in spec.tables.values():
        columns = [column for key in table.foreign_keys if not key.when for column in key.columns]
        for key in table.foreign_keys:
            parent = spec.tables[key.parent]
            filled = {column for other in parent.foreign_keys for column in other.columns}
            for own, there in zip(key.columns, key.parent_columns, strict=True):
                about = parent.columns[there]
                is_open = there not in filled and not about.unique and about.type != _CATEGORY
                if columns.count(own) > 1 and len(key.columns) > 1 and is_open and not parent.keep:
                    shared.setdefault(key.parent, set()).add(there)
    if not shared:
        return spec
    told = ", ".join(f"{table}.{c}" for table, columns in shared.items() for c in sorted(columns))
    ctx.progress.note(f"Keys of several tables share {told}: the values are kept")
    tables = dict(spec.tables)
    for name, names in shared.items():
        columns_of = dict(tables[name].columns)
        for column in names:
            kept = {"type": _CATEGORY, "options": {}}
            columns_of[column] = columns_of[column].model_copy(update=kept)
        tables[name] = tables[name].model_copy(update={"columns": columns_of})
    return DatasetSpec(tables=tables)
