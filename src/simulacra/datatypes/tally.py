"""Counting every value of a column, of any type that Arrow can hash, without a Python loop."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_MERGE_AT = 1 << 20
_VALUE, _ROWS = "value", "rows"


def plain_type(arrow_type: pa.DataType) -> pa.DataType | None:
    """Return the type in which values of a type are counted, None if they can't be."""
    kinds = pa.types
    if kinds.is_dictionary(arrow_type):
        return plain_type(arrow_type.value_type)
    for is_kind, plain in (
        (kinds.is_string, pa.large_string()),
        (kinds.is_string_view, pa.large_string()),
        (kinds.is_binary, pa.large_binary()),
        (kinds.is_binary_view, pa.large_binary()),
        (kinds.is_float16, pa.float32()),
    ):
        if is_kind(arrow_type):
            return plain
    if kinds.is_decimal(arrow_type) and arrow_type.bit_width < 128:
        return pa.decimal128(arrow_type.precision, arrow_type.scale)
    hashable = kinds.is_primitive(arrow_type) or kinds.is_decimal(arrow_type)
    large = kinds.is_large_string(arrow_type) or kinds.is_large_binary(arrow_type)
    known = hashable or large or kinds.is_null(arrow_type) or kinds.is_boolean(arrow_type)
    if (known or kinds.is_fixed_size_binary(arrow_type)) and not kinds.is_interval(arrow_type):
        return arrow_type
    return None


def plain(values: pa.Array) -> pa.Array:
    """Return values in the type that they are counted in."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(plain_type(values.type))


class Tally:
    """Rows per value, null among them, and for dictionaries all their values in order.

    Args:
        arrow_type: The column's type; ``plain_type`` knows it.
    """

    def __init__(self, arrow_type: pa.DataType) -> None:
        self._plain = plain_type(arrow_type)
        self._pending: list[pa.Table] = []
        self._entries = 0
        self._merged = 0
        self.dictionary: pa.Array | None = None
        if pa.types.is_dictionary(arrow_type):
            self.dictionary = pa.array([], self._plain)

    def add(self, values: pa.Array) -> None:
        """Count the next rows."""
        if not len(values):
            return
        if pa.types.is_dictionary(values.type):
            found, rows = self._count_indices(values)
        else:
            counted = plain(values).value_counts()
            found, rows = counted.field(0), counted.field(1)
        self._pending.append(pa.table({_VALUE: found, _ROWS: rows}))
        self._entries += len(found)
        if self._entries > max(_MERGE_AT, 2 * self._merged):
            self._merge()

    def _count_indices(self, values: pa.DictionaryArray) -> tuple[pa.Array, pa.Array]:
        known = plain(values.dictionary)
        self._remember(known)
        indices = values.indices.drop_null().to_numpy(zero_copy_only=False)
        rows = np.bincount(indices, minlength=len(known))
        found = pa.concat_arrays([known, pa.nulls(1, self._plain)])
        return found, pa.array(np.append(rows, values.indices.null_count))

    def _remember(self, dictionary: pa.Array) -> None:
        new = pc.is_null(pc.index_in(dictionary, value_set=self.dictionary))
        fresh = dictionary.filter(pc.and_(new, dictionary.is_valid()))
        if len(fresh):
            self.dictionary = pa.concat_arrays([self.dictionary, fresh])

    def _merge(self) -> None:
        whole = pa.concat_tables(self._pending).group_by(_VALUE, use_threads=False)
        merged = whole.aggregate([(_ROWS, "sum")]).rename_columns([_VALUE, _ROWS])
        self._pending = [merged]
        self._entries = self._merged = merged.num_rows

    def finish(self) -> tuple[pa.Array, NDArray[np.int64], int]:
        """Return the values seen, most frequent first, their rows, and the rows that are null.

        Equally frequent values are in ascending order, so that rows may come in any order.
        """
        if not self._pending:
            return pa.array([], self._plain), np.zeros(0, np.int64), 0
        self._merge()
        table = self._pending[0].filter(pc.greater(pc.field(_ROWS), 0))
        is_null = pc.is_null(table[_VALUE])
        nulls = pc.sum(table[_ROWS].filter(is_null)).as_py() or 0
        table = table.filter(pc.invert(is_null))
        if not pa.types.is_null(self._plain):
            table = table.sort_by([(_ROWS, "descending"), (_VALUE, "ascending")])
        values = table[_VALUE].combine_chunks() if table.num_rows else pa.array([], self._plain)
        if isinstance(values, pa.ChunkedArray):
            values = pa.concat_arrays(values.chunks)
        return values, table[_ROWS].to_numpy().astype(np.int64), int(nulls)
