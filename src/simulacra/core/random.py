"""Keyed randomness: every block of work has its own generator, derived from one seed.

A result may not depend on the number of threads, processes or machines, so nothing shares a
generator. A key is a path below the seed; hashing the path gives the Philox key (Salmon et al.,
"Parallel random numbers: as easy as 1, 2, 3", SC 2011).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class RngKey:
    """A place in the tree of random streams.

    Attributes:
        seed: The user's seed, any integer of at most 128 bits.
        path: The names and numbers that lead from the seed to this stream.
    """

    seed: int
    path: tuple[str | int, ...] = ()

    def child(self, *path: str | int) -> RngKey:
        """Return the key ``path`` below this one; equal paths give equal streams."""
        return RngKey(self.seed, self.path + path)

    def _digest(self) -> bytes:
        state = hashlib.blake2b(digest_size=16, person=b"simulacra-rng")
        # Lengths and type marks keep ("a", "b") apart from ("ab",), and 1 apart from "1".
        for part in (self.seed, *self.path):
            data = repr(part).encode()
            state.update(len(data).to_bytes(8, "little") + data)
        return state.digest()

    def generator(self) -> np.random.Generator:
        """Return a fresh generator at the start of this key's stream."""
        return np.random.Generator(np.random.Philox(key=int.from_bytes(self._digest(), "little")))

    def words(self, count: int) -> NDArray[np.uint64]:
        """Return the stream's first ``count`` raw words, shape ``(count,)``, dtype uint64."""
        bits = np.random.Philox(key=int.from_bytes(self._digest(), "little"))
        return bits.random_raw(count)

    def integer(self, bits: int = 63) -> int:
        """Return one integer of at most ``bits`` bits (64 at most), to seed another library."""
        return int.from_bytes(self._digest()[:8], "little") >> (64 - bits)
