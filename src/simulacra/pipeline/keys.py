"""Primary keys of several columns: made unique while rows are drawn.

One column of the key, the one with the most values, is numbered anew: of the rows that agree in the
key's other columns, the k-th gets the k-th group. So no pair ever repeats, without a set of those
already used. Where the others number the rows of every group from the first (order lines), every
group then holds numbers without gaps, and as many groups as in the source reach each number.
Elsewhere a permutation of its own for each of the others' values spreads rows over the groups.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.pipeline.aggregates import exact_distinct
from simulacra.pipeline.flat_sources import FlatSource

_SEQUENCE_AT_MOST = 10_000
_WITHOUT_FIRST = 0.02
"""The share of groups that may lack their first number, and of what sampling hides of them."""
_ALL_BUT_WHOLE = 0.01
_ROUNDS = 4
_LARGEST = 2**62
"""Columns of larger numbers are hashes, which counting on would overflow."""


@dataclass(frozen=True, slots=True)
class CompositeKey:
    """How one table's composite key is made unique.

    Attributes:
        group: The column that is numbered anew; an integer one.
        others: The key's other columns.
        first: The least value of the group column in the source.
        step: The mean distance between its values, at least 1; whole if it is all but so.
        groups: Its distinct values in the source.
        sequence: Whether the other column numbers the rows within a group, from the first on.
    """

    group: str
    others: tuple[str, ...]
    first: int
    step: float
    groups: int
    sequence: bool

    @classmethod
    def of(
        cls,
        spec: TableSpec,
        sample: pa.Table,
        flat: FlatSource,
        *,
        rows: int,
        where: str,
        ctx: RunContext,
    ) -> CompositeKey | None:
        """Plan for a table; None if its key is single, or has no integer column to number anew.

        Args:
            spec: The table.
            sample: A uniform sample of its rows.
            flat: Its rows; the key's integer columns are read once.
            rows: How many rows there are.
            where: The table's name, for messages.
            ctx: Limits and progress.
        """
        numbers = [
            name
            for name in spec.primary_key
            if pa.types.is_integer(spec.columns[name].arrow_type())
            and pc.max(sample.column(name)).as_py() < _LARGEST
        ]
        if len(spec.primary_key) < 2 or not numbers:
            return None
        distinct = exact_distinct(flat, [[name] for name in numbers], where=where, ctx=ctx)
        groups, group = max(zip(distinct, numbers, strict=True), key=lambda pair: pair[0])
        others = tuple(name for name in spec.primary_key if name != group)
        bounds = pc.min_max(sample.column(group)).as_py()
        step = _step(bounds["max"] - bounds["min"], groups)
        begun = groups * sample.num_rows / rows
        sequence = len(others) == 1 and _is_sequence(sample.column(others[0]), begun)
        return cls(group, others, bounds["min"], step, groups, sequence)

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: dict[str, object]) -> CompositeKey:
        """Undo :meth:`to_json`."""
        others = value["others"]
        return cls(**{**value, "others": tuple(others)})  # type: ignore[arg-type]


def _step(width: int, groups: int) -> float:
    step = max(1.0, width / max(groups - 1, 1))
    whole = round(step)
    return whole if abs(step - whole) < _ALL_BUT_WHOLE * step else step


def _is_sequence(values: pa.ChunkedArray, begun: float) -> bool:
    """Say whether values count from 0 or 1, each at most as often as the one before.

    Args:
        values: Rows of the sample.
        begun: How many of them are the first of their group, if all groups have their first.
            They don't where the rows are some of an original's.
    """
    if not pa.types.is_integer(values.type):
        return False
    numbers, counts = np.unique(values.drop_null().to_numpy(), return_counts=True)
    if not 1 <= len(numbers) <= _SEQUENCE_AT_MOST or numbers[0] not in {0, 1}:
        return False
    dense = int(numbers[-1]) - int(numbers[0]) == len(numbers) - 1
    # Sampling noise: two neighbours' counts differ by a few standard deviations at most.
    noise = 4 * np.sqrt(counts[:-1] + counts[1:])
    whole = counts[0] >= (1 - _WITHOUT_FIRST) * begun
    return bool(dense and whole and np.all(counts[1:] <= counts[:-1] + noise))


@dataclass(slots=True)
class KeyNumbering:
    """Numbers the rows of one run, in order: holds how often each of the others occurred.

    Attributes:
        key: The plan.
        rng: The key of the run.
        seen: Rows so far for each value of the others.
    """

    key: CompositeKey
    rng: RngKey
    seen: dict[tuple[object, ...], int] = field(default_factory=dict)

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the next rows with their group column numbered anew."""
        key = self.key
        rows = pa.Table.from_batches([batch]).select(list(key.others))
        values = rows.group_by(list(key.others), use_threads=False).aggregate([])
        labels = _labels(rows, values)
        order = np.argsort(labels, kind="stable")
        starts = np.searchsorted(labels[order], np.arange(values.num_rows + 1))
        numbers = np.empty(len(labels), np.int64)
        for label, value in enumerate(values.to_pylist()):
            name = tuple(value.values())
            begin, end = starts[label], starts[label + 1]
            already = self.seen.get(name, 0)
            self.seen[name] = already + int(end - begin)
            ranks = np.arange(already, self.seen[name])
            numbers[order[begin:end]] = ranks if key.sequence else self._spread(ranks, name)
        groups = key.first + (key.step * numbers).astype(np.int64)
        made = pa.array(groups).cast(batch.schema.field(key.group).type)
        return batch.set_column(
            batch.schema.get_field_index(key.group), batch.schema.field(key.group), made
        )

    def _spread(self, ranks: NDArray[np.int64], name: tuple[object, ...]) -> NDArray[np.int64]:
        """Permute the ranks below the number of groups; those beyond stay as they are."""
        inside = ranks < self.key.groups
        spread = ranks.copy()
        words = self.rng.child("key", repr(name)).words(_ROUNDS)
        spread[inside] = _permute(ranks[inside], self.key.groups, words)
        return spread


def _labels(rows: pa.Table, values: pa.Table) -> NDArray[np.int64]:
    """Return for each row the position of its value among ``values``."""
    numbered = values.append_column("#", pa.array(np.arange(values.num_rows)))
    places = rows.append_column("@", pa.array(np.arange(rows.num_rows)))
    joined = places.join(numbered, rows.column_names, use_threads=False).sort_by("@")
    labels: NDArray[np.int64] = joined.column("#").to_numpy()
    return labels


def _permute(ranks: NDArray[np.int64], size: int, words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Permute 0 … size - 1 with a Feistel network, walking cycles back into the range.

    Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002.
    """
    half = max(1, (max(size - 1, 1).bit_length() + 1) // 2)
    mask = np.uint64((1 << half) - 1)
    shift = np.uint64(half)
    out = ranks.astype(np.uint64)
    outside = np.ones(len(out), bool)
    while outside.any():
        left, right = out[outside] >> shift, out[outside] & mask
        for word in words:
            mixed = (right + word) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
            mixed *= np.uint64(0xBF58476D1CE4E5B9)
            left, right = right, left ^ ((mixed >> np.uint64(32)) & mask)
        out[outside] = (left << shift) | right
        outside = out >= np.uint64(size)
    return out.astype(np.int64)
