"""How likely it is that columns agree by accident.

A parent's row counts once, however many children have it: what a column owes to its parents may
agree with what the parents say, by accident, in few parents and yet in many rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.rules.columns import column_of
from simulacra.rules.finding.codes import Codes

LEAST_TELLING = 30
"""Rows that must have another value than the commonest one, for a match to be no accident."""
CHANCE = 1e-9
"""How likely it may be that any two of all columns compared agree by accident."""


class Evidence:
    """Weighs matches between the columns of some rows.

    Args:
        codes: The columns.
        given: Those that are given.
        rows: The rows of those, with the columns of foreign keys, where they are known.
        keys: The columns of each foreign key.
    """

    def __init__(
        self,
        codes: Codes,
        given: AbstractSet[str],
        rows: pa.Table,
        keys: Iterable[tuple[str, ...]],
    ) -> None:
        self._codes = codes
        self._given = given
        self._rows = rows
        self._keys = {f"^{','.join(key)}": key for key in keys}
        self._parents: dict[str, NDArray[np.int64]] = {}
        own = sum(name not in given for name in codes.names)
        pairs = max(1, own * len(codes.names))
        self._least = math.log(pairs) - math.log(CHANCE)

    def excludes_chance(self, name: str, of: str, share: float = 1.0) -> bool:
        """Say whether a column can't agree so often with another one by accident.

        Two rows drawn at random have the same value with probability q. If columns that have
        nothing to do with each other agree in each of N rows as two such rows do, they agree in
        the share s of them with at most the probability exp(-N KL(s, q)) (Chernoff 1952).

        Args:
            name: The column whose values tell q.
            of: The column whose rows count: of a given one, once for each of the parent's rows.
            share: In which share of rows they agree.
        """
        place = self._codes.place(name)
        rows = self.rows(of)
        values = self._codes.codes[place][rows][self._codes.known[place][rows]]
        _, count = np.unique(values, return_counts=True)
        same = float(np.square(count / max(len(values), 1)).sum())
        return 0.0 < same < share and len(values) * _divergence(share, same) >= self._least

    def is_given(self, name: str) -> bool:
        """Say whether a column is given."""
        return name in self._given

    def rows(self, name: str) -> NDArray[np.int64]:
        """Return the rows that count: all, or of a given column one for each parent's row."""
        if name not in self._given:
            return np.arange(self._codes.codes.shape[1])
        return self._parent_rows(name)

    def _parent_rows(self, name: str) -> NDArray[np.int64]:
        parent = parent_of(name)
        if parent not in self._parents:
            key = self._keys.get(parent, ())
            if key and set(key) <= set(self._rows.column_names):
                columns = Codes({name: column_of(self._rows, name) for name in key})
                told = list(columns.codes)
            else:
                places = [n in self._given and parent_of(n) == parent for n in self._codes.names]
                told = list(self._codes.codes[places])
            self._parents[parent] = _first_rows(told)
        return self._parents[parent]


def _first_rows(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the first row of each combination of values."""
    label = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        _, value = np.unique(column, return_inverse=True)
        _, label = np.unique(label * (int(value.max(initial=0)) + 1) + value, return_inverse=True)
    _, first = np.unique(label, return_index=True)
    return first.astype(np.int64)


def parent_of(given: str) -> str:
    """Return what given columns of one parent's row have in common, as ``^key`` of ``^key.name``.

    Own columns that are given are each a parent of their own.
    """
    key, dot, _ = given.rpartition(".")
    return key if dot and given.startswith("^") else given


def _divergence(share: float, chance: float) -> float:
    """Return the relative entropy of two coins, in nats."""
    parts = ((share, chance), (1 - share, 1 - chance))
    return sum(p * math.log(p / q) for p, q in parts if p > 0)
