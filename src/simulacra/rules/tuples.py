"""Combinations of values in several columns, numbered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_UNSEEN = -1


class TupleIndex:
    """Numbers the combinations of values that some rows have.

    Args:
        tuples: The combinations, one a row, none twice. Null is a value like others.
    """

    def __init__(self, tuples: pa.Table) -> None:
        self.tuples = tuples.combine_chunks()
        self._values: list[pa.Array] = []
        self._stages: list[NDArray[np.int64]] = []
        labels = np.zeros(tuples.num_rows, np.int64)
        for name in tuples.column_names:
            column = _countable(_whole(self.tuples.column(name)))
            distinct = column.unique()
            pairs = labels * len(distinct) + _places(column, distinct)
            known, labels = np.unique(pairs, return_inverse=True)
            self._values.append(distinct)
            self._stages.append(known)
        self._numbers = np.full(max(len(self.tuples), 1), _UNSEEN, np.int64)
        self._numbers[labels] = np.arange(tuples.num_rows)

    @classmethod
    def of(cls, rows: pa.Table) -> TupleIndex:
        """Return the index of the combinations in some rows, in order of their first row."""
        first = TupleIndex._first_rows(rows)
        return cls(rows.take(pa.array(first)))

    @staticmethod
    def _first_rows(rows: pa.Table) -> NDArray[np.int64]:
        labels = np.zeros(rows.num_rows, np.int64)
        for name in rows.column_names:
            column = _countable(_whole(rows.column(name)))
            distinct = column.unique()
            pairs = labels * max(len(distinct), 1) + _places(column, distinct)
            _, labels = np.unique(pairs, return_inverse=True)
        _, first = np.unique(labels, return_index=True)
        return np.sort(first)

    def __len__(self) -> int:
        """Return how many combinations there are."""
        return int(self.tuples.num_rows)

    def numbers(self, columns: Sequence[pa.Array]) -> NDArray[np.int64]:
        """Return the number of each row's combination, -1 of one that is not known.

        Args:
            columns: The columns in the order of the combinations', of the same types.
        """
        labels = np.zeros(len(columns[0]), np.int64)
        seen = np.ones(len(columns[0]), bool)
        for column, distinct, known in zip(columns, self._values, self._stages, strict=True):
            place = _places(_countable(column), distinct)
            seen &= place >= 0
            pairs = labels * len(distinct) + place
            labels = np.minimum(np.searchsorted(known, pairs), max(len(known) - 1, 0))
            seen &= (known[labels] == pairs) if len(known) else False
        return np.where(seen, self._numbers[labels], _UNSEEN)


def _places(column: pa.Array, distinct: pa.Array) -> NDArray[np.int64]:
    """Return the place of each value among distinct ones, -1 of one that is not there."""
    found: NDArray[np.int64] = (
        pc.index_in(column, value_set=distinct)
        .fill_null(_UNSEEN)
        .to_numpy(zero_copy_only=False)
        .astype(np.int64)
    )
    return found


def _countable(column: pa.Array) -> pa.Array:
    """Return values of a type in which Arrow can look others up."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.dictionary_decode()
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return column.cast(pa.decimal128(38, kind.scale))
    if pa.types.is_floating(kind):
        # As bits NaN equals itself; adding 0 makes both zeros one.
        return pc.add(column.cast(pa.float64()), 0.0).view(pa.int64())
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    return column


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
