"""Columns of foreign keys that are filled where the key names no row.

A key of several columns names nothing if one of them is null, whatever the others hold: a country
is known, its city isn't. A key for some rows only says nothing of the values in others. Such
columns are drawn as others are, and give way where a row has a parent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.schema import TableSpec
from simulacra.pipeline.made_keys import is_made_apart
from simulacra.pipeline.relations.fitted_relation import FittedRelation
from simulacra.pipeline.relations.graph import KNOWN_FIRST, Role
from simulacra.pipeline.relations.keys.resolve import meant
from simulacra.pipeline.relations.parent_rows import NULL, Rows


def own_columns(
    relations: Sequence[FittedRelation], table: TableSpec, referred: Iterable[str]
) -> frozenset[str]:
    """Return the columns of the table's own keys that keys to rows drawn later have in common.

    As the tenant of a team whose leader is one of the tenant's workers: it can't wait for them.

    Args:
        relations: The table's relations.
        table: The table.
        referred: Its columns that others refer to.
    """
    own = {*table.primary_key, *referred}
    waiting: set[str] = set()
    for relation in relations:
        columns = relation.key.columns
        if relation.role in {Role.SELF, Role.LATE} and len(columns) > 1:
            waiting |= own & set(columns)
    return frozenset(waiting - filled_from_parents(relations))


def referred_early(
    relations: Sequence[FittedRelation],
    table: TableSpec,
    numbered: Collection[str],
    alone: Collection[str],
) -> frozenset[str]:
    """Return the columns that rows of the same table refer to and that must be drawn for that.

    Identifiers and numbers of siblings are known without.

    Args:
        relations: The table's relations.
        table: The table.
        numbered: The columns that number the rows of an owner.
        alone: Columns of foreign keys that are filled where there is no parent.
    """
    found: set[str] = set()
    for relation in relations:
        if relation.role is Role.SELF:
            found |= set(relation.key.parent_columns)
    made = {
        name
        for name, column in table.columns.items()
        if is_made_apart(column) and not column.nullable
    }
    return frozenset(found - made - set(numbered) - (filled_from_parents(relations) - set(alone)))


def filled_from_parents(relations: Sequence[FittedRelation]) -> set[str]:
    """Return the columns that are filled from parents before others are drawn."""
    return {
        column
        for relation in relations
        if relation.role in KNOWN_FIRST and not relation.key.when
        for column in relation.key.columns
    }


def filled_alone(
    relations: Sequence[FittedRelation],
    parents: Sequence[Rows],
    sample: pa.Table,
    table: TableSpec,
) -> frozenset[str]:
    """Return the columns of foreign keys that hold something in rows without any parent for it.

    And those that must hold something, though no key in which they are needs a parent.

    Args:
        relations: The table's relations.
        parents: The parents of the sample's rows, for each relation.
        sample: Rows of the table.
        table: The table.
    """
    keys = [(set(relation.key.columns), relation.nulls) for relation in relations]
    found = {
        name
        for name in set().union(*(columns for columns, _ in keys))
        if not table.columns[name].nullable and all(nulls for key, nulls in keys if name in key)
    }
    columns = {name: sample.column(name).combine_chunks() for name in sample.column_names}
    given = _given(relations, parents, sample.num_rows)
    for relation, rows in zip(relations, parents, strict=True):
        key = relation.key
        known = {name: _known(columns[name]) for name in key.columns}
        # A whole key that leads nowhere is an orphan taken as none, and is not drawn.
        whole = np.logical_and.reduce(list(known.values()))
        strays = (rows == NULL) & ~(whole & meant(key, columns, sample.num_rows))
        found |= {name for name in key.columns if (strays & known[name] & ~given[name]).any()}
    return frozenset(found)


def with_filled(
    filled: Mapping[str, pa.Array],
    drawn: Mapping[str, pa.Array],
    relations: Sequence[FittedRelation],
    parents: Sequence[Rows],
    table: TableSpec,
) -> dict[str, pa.Array]:
    """Return the columns of foreign keys, with drawn values where a row has no parent.

    Where those would make up a whole key, one of its columns becomes null.

    Args:
        filled: The columns as far as parents fill them.
        drawn: All drawn columns; those of foreign keys among them are filled alone.
        relations: The table's relations.
        parents: The parents of the rows, for each relation.
        table: The table.
    """
    alone = [name for name in filled if name in drawn]
    if not alone:
        return dict(filled)
    count = len(drawn[alone[0]])
    given = _given(relations, parents, count)
    columns = dict(filled)
    for name in alone:
        columns[name] = pc.if_else(pa.array(given[name]), filled[name], drawn[name])
    for relation, rows in zip(relations, parents, strict=True):
        key = relation.key
        free = [name for name in key.columns if name in alone and table.columns[name].nullable]
        known = [_known(columns[name]) for name in key.columns]
        whole = np.logical_and.reduce(known) & meant(key, {**drawn, **columns}, count)
        whole &= rows == NULL
        for name in free[:1]:
            columns[name] = pc.if_else(
                pa.array(whole & ~given[name]), pa.scalar(None, columns[name].type), columns[name]
            )
    return columns


def _given(
    relations: Sequence[FittedRelation], parents: Sequence[Rows], rows: int
) -> dict[str, NDArray[np.bool_]]:
    """Return for each column of a foreign key the rows in which a parent gives it."""
    given: dict[str, NDArray[np.bool_]] = {}
    for relation, above in zip(relations, parents, strict=True):
        for name in relation.key.columns:
            given[name] = given.get(name, np.zeros(rows, np.bool_)) | (above != NULL)
    return given


def _known(values: pa.Array) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = values.is_valid().to_numpy(zero_copy_only=False)
    return known
