"""Who the rows of a block tell of: everything personal is worked out from a person's number.

Columns of one table share a key, so that a row's name, e-mail address and user name are those of
one person, although each column is made by itself. A person's number is the row's, unless a column
tells of the same people again and again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.core.random import RngKey

Words = NDArray[np.uint64]
Places = NDArray[np.int64]
UNTOLD, FEMALE, MALE = range(3)
"""A person's sex, as far as other columns tell it."""


def salt_of(column: RngKey) -> int:
    """Return what tells the people of a table from others under the same seed.

    Args:
        column: The key of one of its columns; the one above it is the table's.
    """
    return RngKey(column.seed, column.path[:-1]).child("people").integer()


@dataclass(frozen=True, slots=True)
class People:
    """The people of some rows.

    Attributes:
        key: The key that all columns about these people share.
        numbers: The number of each row's person, shape ``(rows,)``, dtype uint64.
        column: The name of the column being made: what tells its numbers from another column's.
        sexes: What other columns say of each person's sex, as ``traits`` numbers them, shape
            ``(rows,)``, dtype int8; None if they say nothing.
        births: What other columns say of each person's day of birth, NaT for nothing, shape
            ``(rows,)``, dtype datetime64[D]; None if they say nothing.
    """

    key: RngKey
    numbers: Words
    column: str
    sexes: NDArray[np.int8] | None = None
    births: NDArray[np.datetime64] | None = None

    @classmethod
    def of_rows(
        cls, key: RngKey, rows: Words, *, column: str, people: int | None, learned: int
    ) -> People:
        """Number the people of rows.

        Args:
            key: The key that all columns about these people share.
            rows: The numbers of the rows in the whole table, dtype uint64.
            column: The column being made.
            people: How many people ``learned`` rows tell of; None: one each.
            learned: How many rows were learned.
        """
        if people is None or people >= learned:
            return cls(key, rows, column)
        # As many rows as were learned tell of as many people; the next ones of others.
        pages = rows // np.uint64(learned)
        within = _scrambled(rows, key.child("people")) % np.uint64(people)
        return cls(key, pages * np.uint64(people) + within, column)

    def permuted(self, size: int, *label: str) -> Words:
        """Return a number for each person, all of ``range(size)`` before any beyond it."""
        from simulacra.datatypes.permutation import KEYS, permute

        out = np.empty_like(self.numbers)
        permute(self.numbers, size, self.key.child("order", *label).words(KEYS), out)
        return out

    def noise(self, *label: str) -> Words:
        """Return 64 bits for each person that look random; the same for the same label."""
        return _scrambled(self.numbers, self.key.child("noise", *label))

    def chosen(self, weights: NDArray[np.float64], *label: str) -> Places:
        """Choose one of some for each person, by weights; shape ``(rows,)``, dtype int64."""
        edges = np.cumsum(weights)
        draws = (self.noise(*label) >> np.uint64(11)) * (2.0**-53) * edges[-1]
        places: Places = np.searchsorted(edges, draws, side="right").astype(np.int64)
        return np.minimum(places, len(weights) - 1)


def _scrambled(numbers: Words, key: RngKey) -> Words:
    from simulacra.datatypes.permutation import scramble

    out = np.empty_like(numbers)
    scramble(np.ascontiguousarray(numbers), key.words(1)[0], out)
    return out
