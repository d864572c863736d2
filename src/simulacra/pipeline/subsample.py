"""A uniform sample of a stream: bounded memory, one pass, the same rows however it is batched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.batches import check_names
from simulacra.core.errors import InputError, UsageError
from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey

_WORDS_AT_ONCE = 1 << 20
_HIGHEST = int(np.iinfo(np.uint64).max)


class UniformSampler:
    """Keeps a uniform sample, without replacement, of the rows it is shown.

    Row number *i* of the stream has the *i*-th word of the key's stream as its priority, and the
    ``rows`` smallest priorities win (a bottom-k sample: Cohen and Kaplan, "Summarizing data using
    bottom-k sketches", PODC 2007). So the sample depends on the key and the order of the rows,
    never on the batches they came in, and a smaller sample with the same key is part of a larger
    one. At most twice ``rows`` rows, and one batch, are held at a time.

    Args:
        schema: The schema of the batches.
        rows: The size of the sample, at least 1; all rows are kept when there are no more.
        rng: The key of the sample.
        expected_rows: The number of rows to come when it is known. It saves copying rows that
            others push out later; the sample is the same without it.

    Raises:
        UsageError: ``rows`` is less than 1.
    """

    def __init__(
        self, schema: pa.Schema, rows: int, rng: RngKey, *, expected_rows: int | None = None
    ) -> None:
        if rows < 1:
            raise UsageError(f"a sample of {rows} rows", mend="Give at least 1")
        self._schema = schema
        self._rows = rows
        self._priorities = rng.generator().bit_generator
        self._highest = _HIGHEST
        if expected_rows is not None and expected_rows > rows:
            self._highest = _smallest_word(rng, rows, expected_rows)
        self._kept: list[pa.RecordBatch] = []
        self._kept_priorities: list[NDArray[np.uint64]] = []
        self._held = 0
        self._seen = 0

    @property
    def seen(self) -> int:
        """The number of rows shown so far."""
        return self._seen

    def update(self, batch: pa.RecordBatch) -> None:
        """Take the next rows of the stream."""
        priorities = self._priorities.random_raw(batch.num_rows)
        self._seen += batch.num_rows
        wins = priorities <= self._highest
        if not wins.all():
            batch, priorities = batch.filter(pa.array(wins)), priorities[wins]
        if batch.num_rows:
            self._kept.append(batch)
            self._kept_priorities.append(priorities)
            self._held += batch.num_rows
        if self._held > 2 * self._rows:
            self._drop_losers()

    def finish(self) -> pa.Table:
        """Return the sample, in the order of the stream.

        Raises:
            InputError: Fewer rows came than were expected.
        """
        if self._held > self._rows:
            self._drop_losers()
        if self._held < min(self._rows, self._seen):
            raise InputError(
                f"a source has {self._seen:,} rows, which is fewer than it says it has",
                mend="Its rows() must be exact, or None",
            )
        return pa.Table.from_batches(self._kept, self._schema)

    def _drop_losers(self) -> None:
        priorities = np.concatenate(self._kept_priorities)
        self._highest = int(np.partition(priorities, self._rows - 1)[self._rows - 1])
        wins = priorities <= self._highest
        # Of equal priorities the earlier row wins.
        surplus = int(wins.sum()) - self._rows
        if surplus:
            wins[np.flatnonzero(priorities == self._highest)[-surplus:]] = False
        table = pa.Table.from_batches(self._kept, self._schema).filter(pa.array(wins))
        self._kept = table.combine_chunks().to_batches()
        self._kept_priorities = [priorities[wins]]
        self._held = self._rows


def uniform_sample(
    source: BatchSource, rows: int, rng: RngKey, *, columns: Sequence[str] | None = None
) -> pa.Table:
    """Return ``rows`` rows drawn uniformly from a source, in its order; all if it has no more.

    The rows depend on the key alone, not on batch sizes; see :class:`UniformSampler`.

    Args:
        source: Read once, a batch at a time; of plain layouts (see ``pipeline.plain``).
        rows: How many, at least 1.
        rng: The key of the sample.
        columns: The columns wanted; all when None.

    Raises:
        InputError: The source can't be read, or has fewer rows than it says.
        UsageError: ``rows`` is less than 1.
    """
    schema = source.schema
    check_names(schema, "the source")
    if columns is not None:
        schema = pa.schema([schema.field(name) for name in columns], metadata=schema.metadata)
    sampler = UniformSampler(schema, rows, rng, expected_rows=source.rows())
    for batch in source.batches(columns):
        sampler.update(batch)
    return sampler.finish()


def bytes_per_row(source: BatchSource, columns: Sequence[str]) -> float:
    """Return how many bytes a row has, by the first batch that has rows."""
    for batch in source.batches(columns):
        if batch.num_rows:
            return float(batch.nbytes / batch.num_rows)
    return 1.0


def _smallest_word(rng: RngKey, rank: int, count: int) -> int:
    """Return the ``rank``-th smallest of the first ``count`` words of a key's stream."""
    stream = rng.generator().bit_generator
    smallest = np.empty(0, dtype=np.uint64)
    for start in range(0, count, _WORDS_AT_ONCE):
        words = stream.random_raw(min(_WORDS_AT_ONCE, count - start))
        if len(smallest) == rank:
            words = words[words < smallest.max()]
        smallest = np.concatenate([smallest, words])
        if len(smallest) > rank:
            smallest = np.partition(smallest, rank - 1)[:rank]
    return int(smallest.max())
