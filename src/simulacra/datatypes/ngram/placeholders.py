"""Characters that stand for something hidden: always kept, never spelled out, never listed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulacra.core.placeholders import FIRST

_UTF_8 = chr(FIRST).encode()


def is_placeholder(data: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which words are placeholders.

    Args:
        data: The bytes of all texts, dtype uint8.
        starts: Where each word begins, shape ``(words,)``, dtype int64.
    """
    answers = np.ones(len(starts), np.bool_)
    # All of them begin with the same two bytes, and 256 are four times the last byte's 64.
    for place, byte in enumerate(_UTF_8[:3]):
        found = data[np.minimum(starts + place, len(data) - 1)]
        answers &= (found >= byte) & (found < byte + 4) if place == 2 else found == byte
    return answers
