"""Columns as few codes: categories as they are, numbers in bins of equal frequency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.columnwise import Columns, numbers_of
from simulacra.metrics.encode import Numbers, as_codes

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Discrete:
    """One column of several tables as codes.

    Attributes:
        codes: For each table the code of each row, shape ``(rows,)``.
        cardinality: How many codes there are.
    """

    codes: list[Codes]
    cardinality: int

    @classmethod
    def of(cls, leaf: Leaf, columns: Columns, *, bins: int, most: int | None = None) -> Discrete:
        """Return a column as codes, null being a code.

        Args:
            leaf: The column; text, binary values and lists count by their length.
            columns: Its values in each table; the first has rows.
            bins: Into how many bins numbers are put, each of about as many rows of the first table;
                fewer where one value fills several.
            most: The most categories that stand for themselves, the most frequent over all tables;
                all others are one. All do when None.
        """
        if leaf.kind is Kind.CATEGORY:
            codes, cardinality = as_codes(columns)
            if most is not None and cardinality > most + 1:
                # Codes run from the most frequent to the rarest.
                codes, cardinality = [np.minimum(side, most) for side in codes], most + 1
            return cls(codes, cardinality)
        numbers = numbers_of(leaf, columns)
        edges = _edges(numbers[0], bins)
        return cls([_binned(side, edges) for side in numbers], len(edges) + 2)

    def counts(self) -> list[Codes]:
        """Return for each table how many rows have each code, shape ``(cardinality,)``."""
        return [np.bincount(side, minlength=self.cardinality) for side in self.codes]


def joint(a: Discrete, b: Discrete) -> list[Codes]:
    """Return for each table how many rows have each pair of codes, shape ``(of a, of b)``."""
    shape = a.cardinality, b.cardinality
    return [
        np.bincount(one * shape[1] + other, minlength=shape[0] * shape[1]).reshape(shape)
        for one, other in zip(a.codes, b.codes, strict=True)
    ]


def _edges(reference: Numbers, bins: int) -> NDArray[Any]:
    """Return the least value of each bin but the first, ascending: values that rows have.

    Where one value fills the first bins, the first is of values below it, of which the reference
    has none.
    """
    ordered = np.sort(reference.present())
    places = (np.arange(1, bins) * len(ordered)) // bins
    edges: NDArray[Any] = np.unique(ordered[places]) if len(ordered) else ordered
    return edges


def _binned(side: Numbers, edges: NDArray[Any]) -> Codes:
    codes: Codes = np.searchsorted(edges, side.values, side="right")
    codes[side.null] = len(edges) + 1
    return codes
