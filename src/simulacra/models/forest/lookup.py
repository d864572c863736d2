"""Looking a feature up by another that determines it.

Trees split by coarse groups, one at a time; a minute determined by one of a thousand clock times,
or a carrier by one of four thousand tail numbers, is better looked up.
"""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.core.features import Codes
from simulacra.models.forest.words import pick


class Lookup(NamedTuple):
    """A bag of codes for each code of the key.

    Attributes:
        begin: Where each key's bag begins, shape ``(keys + 1,)``, dtype int64.
        bag: Codes, by key, rising for each.
    """

    begin: NDArray[np.int64]
    bag: NDArray[np.unsignedinteger]


def lookup(key: Codes, target: Codes, keys: int) -> Lookup:
    """Learn a look-up.

    Args:
        key: The determining feature's codes, shape ``(rows,)``.
        target: The determined feature's codes, shape ``(rows,)``.
        keys: The key's cardinality.
    """
    begin = np.zeros(keys + 1, np.int64)
    np.cumsum(np.bincount(key, minlength=keys), out=begin[1:])
    return Lookup(begin, target[np.lexsort([target, key])])


@kernel
def draw_by_key(
    found: Lookup,
    key: NDArray[np.uint32],
    words: NDArray[np.uint64],
    ordinal: bool,  # noqa: FBT001 - kernels take no keywords
    codes: NDArray[np.uint32],
) -> None:
    """Move ``codes`` to those that were seen with the key.

    The key leaves a few codes to choose from, and the trees know the other features: of ordinal
    codes the one nearest to what they have drawn is taken, of nominal ones that very one, or any
    if it is not among them.

    Args:
        found: The look-up.
        key: The key's codes, shape ``(rows,)``.
        words: One random word a row.
        ordinal: Whether neighbouring codes are alike.
        codes: What trees have drawn; kept for keys never seen.
    """
    state = np.empty(1, np.uint64)
    for row in range(len(codes)):
        begin, end = found.begin[key[row]], found.begin[key[row] + 1]
        if end <= begin:
            continue
        near = nearest_seen(found.bag, begin, end, np.int64(codes[row]))
        if ordinal or found.bag[near] == codes[row]:
            codes[row] = found.bag[near]
        else:
            state[0] = words[row] + np.uint64(1)
            codes[row] = found.bag[begin + pick(end - begin, state)]


@kernel
def nearest_seen(bag: NDArray[np.unsignedinteger], begin: int, end: int, wanted: int) -> int:
    """Return where the code nearest to one is in a rising part of a bag; of two, the lower."""
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        if np.int64(bag[middle]) < wanted:
            low = middle + 1
        else:
            high = middle
    if low == end:
        return end - 1
    if low == begin or np.int64(bag[low]) == wanted:
        return low
    above, below = np.int64(bag[low]) - wanted, wanted - np.int64(bag[low - 1])
    return low if above < below else low - 1
