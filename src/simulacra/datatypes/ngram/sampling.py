"""A uniform sample of a stream of texts, bounded in texts and in bytes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.random import RngKey


class TextSample:
    """Keeps the texts with the least random priorities, so every text has the same chance.

    Args:
        texts: The most texts to keep.
        size: The most bytes to keep; long texts lower the number kept, not their length.
        rng: The key of the priorities.
    """

    def __init__(self, texts: int, size: int, rng: RngKey) -> None:
        self._texts = texts
        self._size = size
        self._generator = rng.generator()
        self._limit = 1.0
        self._priorities: list[np.ndarray] = []
        self._values: list[pa.Array] = []
        self._kept = 0
        self._bytes = 0
        self.seen = 0

    def add(self, values: pa.Array) -> None:
        """Offer the next texts, a ``large_string`` array without nulls."""
        self.seen += len(values)
        priorities = self._generator.random(len(values))
        chosen = np.flatnonzero(priorities < self._limit)
        if not len(chosen):
            return
        kept = values.take(pa.array(chosen))
        self._priorities.append(priorities[chosen])
        self._values.append(kept)
        self._kept += len(kept)
        self._bytes += pc.sum(pc.binary_length(kept)).as_py()
        if self._kept > 2 * self._texts or self._bytes > 2 * self._size:
            self._shrink()

    def _shrink(self) -> None:
        values, priorities = self._joined()
        sizes = pc.binary_length(values).to_numpy()
        order = np.argsort(priorities, kind="stable")
        within = int(np.searchsorted(np.cumsum(sizes[order]), self._size, side="right"))
        count = max(1, min(self._texts, within, len(order)))
        if count < len(order):
            self._limit = float(priorities[order[count]])
        chosen = np.sort(order[:count])
        self._values = [values.take(pa.array(chosen))]
        self._priorities = [priorities[chosen]]
        self._kept = count
        self._bytes = int(sizes[chosen].sum())

    def _joined(self) -> tuple[pa.Array, np.ndarray]:
        empty = pa.array([], pa.large_string())
        values = pa.concat_arrays([empty, *self._values])
        return values, np.concatenate([np.zeros(0), *self._priorities])

    def finish(self) -> pa.Array:
        """Return the texts kept, in the order of the stream, as ``large_string``."""
        if self._kept > self._texts or self._bytes > self._size:
            self._shrink()
        return self._joined()[0]
