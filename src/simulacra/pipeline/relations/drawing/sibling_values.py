"""Keys with foreign keys in them: their other columns are moved apart where they would repeat."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.errors import LimitError
from simulacra.pipeline.relations.family import Distinct, Family
from simulacra.pipeline.relations.matching.values import separate_values
from simulacra.pipeline.relations.parent_rows import Rows
from simulacra.pipeline.ticks import Ticks


class Separator:
    """Moves the columns of keys apart, among the rows of a block.

    Args:
        family: The table's keys.
        parents: The parents of the block's rows, for each relation.
        within: The columns at hand: keys with others are left alone. All when None.
        without: Columns that are apart already.
    """

    def __init__(
        self,
        family: Family,
        parents: Sequence[Rows],
        *,
        within: Collection[str] | None = None,
        without: Collection[str] = (),
    ) -> None:
        self._keys = [
            key
            for key in family.distinct
            if key.columns
            and not set(key.columns) <= set(without)
            and (within is None or set(key.columns) <= set(within))
        ]
        self._parents = parents

    @property
    def columns(self) -> list[str]:
        """The columns that are moved, or tell rows apart."""
        return list(dict.fromkeys(column for key in self._keys for column in key.columns))

    @property
    def is_needed(self) -> bool:
        """Whether there is such a key."""
        return bool(self._keys)

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the rows with no key twice.

        Raises:
            LimitError: There are fewer values than rows of one parent.
        """
        for key in self._keys:
            batch = self._apart(key, batch)
        return batch

    def _apart(self, key: Distinct, batch: pa.RecordBatch) -> pa.RecordBatch:
        *before, last = key.columns
        place = batch.schema.get_field_index(last)
        shared = [self._parents[relation].astype(np.int64) for relation in key.relations]
        shared += [_codes(batch.column(name)) for name in before]
        group = shared[0]
        if len(shared) > 1:
            _, group = np.unique(np.column_stack(shared), axis=0, return_inverse=True)
            group = group.reshape(-1)
        ticks = Ticks(*key.grids[-1])
        choices = pa.array(key.choices[-1]) if key.choices[-1] else None
        values = batch.column(last)
        numbers = ticks.count(values) if choices is None else _places(values, choices)
        order = np.lexsort([numbers, group])
        apart = np.empty_like(numbers)
        apart[order] = separate_values(
            group[order].astype(np.int64),
            numbers[order],
            least=ticks.least,
            greatest=ticks.greatest,
            step=ticks.step,
        )
        if choices is None:
            moved = ticks.values(apart, values.type)
        else:
            moved = _chosen(apart, choices, last).cast(values.type)
        return batch.set_column(place, last, moved)


def _codes(values: pa.Array) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = (
        pc.dictionary_encode(values).indices.fill_null(-1).to_numpy(zero_copy_only=False)
    ).astype(np.int64)
    return codes


def _places(values: pa.Array, choices: pa.Array) -> NDArray[np.int64]:
    """Return where values stand among choices."""
    places = pc.index_in(values, choices.cast(values.type))
    numbers: NDArray[np.int64] = places.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _chosen(places: NDArray[np.int64], choices: pa.Array, column: str) -> pa.Array:
    """Return the choices at some places.

    Raises:
        LimitError: There are fewer.
    """
    if len(places) and places.max() >= len(choices):
        raise LimitError(
            f"a parent has more rows than the {len(choices):,} values of its key",
            where=column,
            mend="Ask for fewer rows, or more rows of the parent",
        )
    return choices.take(pa.array(places))
