"""How many children each parent gets, and which parents can have any."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.pipeline.relations.drawing.drawn_table import DrawnTable
from simulacra.pipeline.relations.fitted_relation import FittedRelation


def can_be_parents(relation: FittedRelation, parent: DrawnTable) -> NDArray[np.bool_]:
    """Return which rows of a parent can be referred to: those without nulls in their key."""
    known = np.ones(parent.rows, np.bool_)
    for column in relation.key.parent_columns:
        if column in parent.values and parent.values[column].null_count:
            known &= parent.values[column].is_valid().to_numpy(zero_copy_only=False)
    return known


def learned_quotas(
    relation: FittedRelation,
    drawn: NDArray[np.int32],
    rng: RngKey,
    usable: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Give parents, in the order of the numbers drawn for them, as many children as learned.

    Few parents' numbers, drawn each by itself, miss the few that have most children. Parents that
    may have none come first, where the numbers are least.
    """
    numbers, parents = np.array(relation.counts, np.int64).reshape(-1, 2).T
    if not len(numbers) or not len(drawn):
        return drawn.astype(np.int64)
    upto = np.cumsum(parents) / parents.sum()
    chance = rng.child("ties").generator().random(len(drawn))
    middle = (np.arange(len(drawn)) + 0.5) / len(drawn)
    found = np.empty(len(drawn), np.int64)
    found[np.lexsort((chance, drawn, usable))] = numbers[np.searchsorted(upto, middle)]
    return found
