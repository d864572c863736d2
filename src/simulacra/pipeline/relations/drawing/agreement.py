"""What a row and its parent must agree in: columns that foreign keys share, ancestors in common.

As a sale's client and its product are both of the sale's tenant, and its address is the client's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.pipeline.relations.columns import take_values
from simulacra.pipeline.relations.drawing.drawn_table import DrawnTable
from simulacra.pipeline.relations.fitted_relation import FittedRelation
from simulacra.pipeline.relations.parent_rows import NULL, Rows

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
    key = relations[place].key
    found: Within | None = None
    for own, there in zip(key.columns, key.parent_columns, strict=True):
        filled = drawn.get(own)
        for other in chosen:
            key_before = relations[other].key
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


def shared_ancestors(
    relation: FittedRelation,
    owners: Rows,
    owner_table: str,
    parent: DrawnTable,
    tables: Mapping[str, DrawnTable],
) -> Within | None:
    """Return what a row and the parent chosen should agree in, None if in nothing.

    Args:
        relation: The relation whose parent is chosen.
        owners: The row numbers of the rows' owners.
        owner_table: The owners' table.
        parent: The parents to choose from.
        tables: The tables drawn so far.
    """
    if not relation.ties:
        return None
    tie = relation.ties[0]
    above = _followed(owners, owner_table, tie.owner_path, tables)
    if tie.parent_path:
        across = parent.parents[tie.parent_path[0]]
    else:
        across = np.arange(parent.rows, dtype=np.int32)
    return Within(
        np.where(above < 0, UNKNOWN, above.astype(np.int64)),
        np.where(across < 0, NOBODY, across.astype(np.int64)),
    )


def _followed(
    rows: Rows, table: str, path: Sequence[int], tables: Mapping[str, DrawnTable]
) -> Rows:
    """Return where a path of at most one relation leads from rows of a table."""
    for place in path:
        onward = tables[table].parents[place]
        rows = np.where(rows < 0, NULL, onward[np.maximum(rows, 0)] if len(onward) else NULL)
        rows = rows.astype(np.int32)
    return rows
