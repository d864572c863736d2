"""Random counting queries: how many rows have a value in this range, that category, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import as_codes, as_numbers, lengths

MOST_PREDICATES = 3
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition: ``low <= value <= high`` of a column's ranks.

    Attributes:
        column: The place of the column.
        low: The least rank that fulfils it.
        high: The greatest.
    """

    column: int
    low: int
    high: int


Query = tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Tables whose values are ranks: equal values have equal ones, in all tables.

    Attributes:
        names: The columns.
        ranges: For each column whether its ranks are an order, so that ranges make sense.
        ranks: For each table the ranks, shape ``(columns, rows)``, dtype int32; -1 is a number
            that is null.
    """

    names: list[str]
    ranges: list[bool]
    ranks: list[NDArray[np.int32]]

    @classmethod
    def of(cls, leaves: Sequence[Leaf], tables: Sequence[pa.Table]) -> Ranked:
        """Rank numbers by size, text and lists by length; categories have a code each."""
        columns = []
        for leaf in leaves:
            values = [leaf.values(table) for table in tables]
            if leaf.kind is Kind.CATEGORY:
                columns.append(as_codes(values)[0])
                continue
            if leaf.kind is Kind.LENGTH:
                numbers = [lengths(side) for side in values]
            else:
                numbers = [as_numbers(side, leaf.spec) for side in values]
            known = np.unique(np.concatenate([side.present() for side in numbers]))
            columns.append(
                [np.where(n.null, -1, np.searchsorted(known, n.values)) for n in numbers]
            )
        ranks = [
            np.stack([column[place] for column in columns]).astype(np.int32)
            for place in range(len(tables))
        ]
        return cls(
            [leaf.name for leaf in leaves],
            [leaf.kind is not Kind.CATEGORY for leaf in leaves],
            ranks,
        )

    def draw(self, count: int, generator: np.random.Generator) -> list[Query]:
        """Return random queries about the first table.

        Each has one to three predicates, as often each, on different columns, and is centred on a
        random row, so that values are asked for as often as they occur (as Wang et al. centre
        theirs, "Are we ready for learned cardinality estimation?", PVLDB 2021). A category is to
        be the row's; a number is to lie in a range around the row's that holds a random share of
        the rows, any share as likely; or to be null where the row's is.
        """
        ranks = self.ranks[0]
        ordered = [np.sort(column[column >= 0]) for column in ranks]
        queries = []
        for _ in range(count):
            predicates = int(generator.integers(1, MOST_PREDICATES + 1))
            row = int(generator.integers(ranks.shape[1]))
            chosen = generator.permutation(len(ranks))[:predicates]
            shares = generator.random(len(chosen))
            query = []
            for column, share in zip(chosen, shares, strict=True):
                low = high = int(ranks[column, row])
                if self.ranges[column] and low >= 0:
                    low, high = _range(ordered[column], low, share)
                query.append(Predicate(int(column), low, high))
            queries.append(tuple(query))
        return queries


def holds(ranks: NDArray[np.int32], query: Query) -> Flags:
    """Return which rows fulfil all conditions of a query, shape ``(rows,)``.

    Args:
        ranks: A table's ranks, shape ``(columns, rows)``.
        query: The conditions.
    """
    found = np.ones(ranks.shape[1], dtype=bool)
    for predicate in query:
        column = ranks[predicate.column]
        found &= (column >= predicate.low) & (column <= predicate.high)
    return found


def _range(ordered: NDArray[np.int32], rank: int, share: float) -> tuple[int, int]:
    """Return the ranks that bound about a share of the values around one of them."""
    half = int(share * len(ordered) / 2)
    first = int(np.searchsorted(ordered, rank, side="left"))
    last = int(np.searchsorted(ordered, rank, side="right")) - 1
    low = ordered[max(0, first - half)]
    high = ordered[min(len(ordered) - 1, last + half)]
    return int(low), int(high)
