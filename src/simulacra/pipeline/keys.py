"""Primary keys that number the rows of each group, as order and line: kept without gaps.

The column that names the groups is numbered anew: of the rows with the same number in their group,
the k-th gets the k-th group. So no pair ever repeats, without a set of those already used, every
group holds numbers without gaps, and as many groups as in the source reach each number. Other keys
are kept unique by :mod:`simulacra.pipeline.uniqueness`, where values stay as drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.context import RunContext
from simulacra.core.schema import TableSpec
from simulacra.pipeline.aggregates import key_counts
from simulacra.pipeline.flat_sources import FlatSource

_SEQUENCE_AT_MOST = 10_000
_WITHOUT_FIRST = 0.02
"""The share of groups that may lack their first number, and of what sampling hides of them."""
_ALL_BUT_WHOLE = 0.01
_LARGEST = 2**62
"""Columns of larger numbers are hashes, which counting on would overflow."""


@dataclass(frozen=True, slots=True)
class CompositeKey:
    """How one table's composite key is made unique.

    Attributes:
        group: The column that is numbered anew; an integer one.
        line: The column that numbers the rows within a group, from the first on.
        first: The least value of the group column in the source.
        step: The mean distance between its values, at least 1; whole if it is all but so.
    """

    group: str
    line: str
    first: int
    step: float

    @classmethod
    def of(
        cls,
        spec: TableSpec,
        sample: pa.Table,
        flat: FlatSource,
        *,
        where: str,
        ctx: RunContext,
    ) -> CompositeKey | None:
        """Plan for a table; None if its key doesn't number the rows of groups.

        Args:
            spec: The table.
            sample: A uniform sample of its rows.
            flat: Its rows; the key's integer columns are read once.
            where: The table's name, for messages.
            ctx: Limits and progress.
        """
        key = spec.primary_key
        if len(key) != 2 or not all(_is_whole(spec, sample, name) for name in key):
            return None
        counts = key_counts(flat, [[name] for name in key], where=where, ctx=ctx)
        (rows, groups), group = max(zip(counts, key, strict=True), key=lambda pair: pair[0][1])
        line = next(name for name in key if name != group)
        begun = groups * sample.num_rows / max(rows, 1)
        if not _is_sequence(sample.column(line), begun):
            return None
        bounds = pc.min_max(sample.column(group)).as_py()
        step = _step(bounds["max"] - bounds["min"], groups)
        return cls(group, line, bounds["min"], step)

    def to_json(self) -> dict[str, object]:
        """Return it as JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: dict[str, object]) -> CompositeKey:
        """Undo :meth:`to_json`."""
        return cls(**value)  # type: ignore[arg-type]


def _is_whole(spec: TableSpec, sample: pa.Table, name: str) -> bool:
    return bool(
        pa.types.is_integer(spec.columns[name].arrow_type())
        and not spec.columns[name].unique
        and pc.max(sample.column(name)).as_py() < _LARGEST
    )


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
    """Numbers the rows of one run, in order: holds how often each line occurred.

    Attributes:
        key: The plan.
        seen: Rows so far with each number in their group.
    """

    key: CompositeKey
    seen: dict[int, int] = field(default_factory=dict)

    def apply(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the next rows with their group column numbered anew."""
        key = self.key
        lines, labels = np.unique(batch.column(key.line).to_numpy(), return_inverse=True)
        order = np.argsort(labels, kind="stable")
        starts = np.searchsorted(labels[order], np.arange(len(lines) + 1))
        numbers = np.empty(len(labels), np.int64)
        for label, line in enumerate(lines.tolist()):
            begin, end = starts[label], starts[label + 1]
            already = self.seen.get(line, 0)
            self.seen[line] = already + int(end - begin)
            numbers[order[begin:end]] = np.arange(already, self.seen[line])
        groups = key.first + (key.step * numbers).astype(np.int64)
        made = pa.array(groups).cast(batch.schema.field(key.group).type)
        return batch.set_column(
            batch.schema.get_field_index(key.group), batch.schema.field(key.group), made
        )
