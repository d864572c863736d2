"""Random words inside kernels: a stream for each row or tree, seeded by one word."""

# mypy: disable-error-code="arg-type,misc,no-any-return,return-value"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel


@kernel
def next_word(state: NDArray[np.uint64]) -> np.uint64:
    """Return the next word of a SplitMix64 stream (Steele et al., OOPSLA 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    word = state[0]
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    word ^= word >> np.uint64(31)
    return word


@kernel
def uniform(state: NDArray[np.uint64]) -> float:
    """Return the next number of the stream in [0, 1)."""
    return (next_word(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@kernel
def pick(size: int, state: NDArray[np.uint64]) -> int:
    """Return a number from 0 to ``size - 1``; ``size`` is positive and below 2³²."""
    return np.int64(((next_word(state) >> np.uint64(32)) * np.uint64(size)) >> np.uint64(32))
