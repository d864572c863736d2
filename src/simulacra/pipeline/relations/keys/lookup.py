"""Tables from keys of one or two 64-bit words to row numbers.

Keys that lie close together are addressed directly: a row number for every whole number from the
least to the greatest. Others go into a hash table with open addressing whose slots hold row numbers
alone, twice as many as keys; the words lie beside it in the order of rows and are compared, so that
no two keys are ever taken for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import Flags, Hashes, Ints, kernel

EMPTY = -1
_SPREAD = 4
"""Direct addressing is used up to so many whole numbers for a key: 16 bytes a key, as hashing."""
_ALWAYS_DIRECT = 1 << 16
_SLOTS_PER_KEY = 2
_INT32_ROWS = 2**31 - 1


@kernel
def _home(first: np.uint64, second: np.uint64, slots: int) -> np.int64:
    """Return the slot at which to look first for a key."""
    word = (first ^ (second * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(32))) * np.uint64(0x94D049BB133111EB)
    word ^= word >> np.uint64(29)
    # The upper half of a product with 32 bits of the word; slots may be more than 2³².
    high = (word >> np.uint64(32)) * np.uint64(slots)
    low = (word & np.uint64(0xFFFFFFFF)) * np.uint64(slots)
    return np.int64((high + (low >> np.uint64(32))) >> np.uint64(32))


@kernel
def fill_slots(words: Hashes, skipped: Flags, slots: NDArray[Any]) -> int:
    """Enter the row of each key that is not skipped; return how many came twice or more."""
    twice = 0
    wide = words.shape[1] == 2
    for row in range(len(words)):
        if skipped[row]:
            continue
        first = words[row, 0]
        second = words[row, 1] if wide else np.uint64(0)
        place = _home(first, second, len(slots))
        while True:
            other = slots[place]
            if other < 0:
                slots[place] = row
                break
            if words[other, 0] == first and (not wide or words[other, 1] == second):
                twice += 1
                break
            place += 1
            if place == len(slots):
                place = np.int64(0)
    return twice


@kernel
def find_slots(words: Hashes, slots: NDArray[Any], wanted: Hashes, out: Ints) -> None:
    """Write the row of each key wanted, ``EMPTY`` where there is none."""
    wide = words.shape[1] == 2
    for i in range(len(wanted)):
        first = wanted[i, 0]
        second = wanted[i, 1] if wide else np.uint64(0)
        place = _home(first, second, len(slots))
        while True:
            row = slots[place]
            if row < 0 or (words[row, 0] == first and (not wide or words[row, 1] == second)):
                out[i] = row
                break
            place += 1
            if place == len(slots):
                place = np.int64(0)


@kernel
def fill_range(numbers: Ints, skipped: Flags, least: int, places: NDArray[Any]) -> int:
    """Enter the row of each number that is not skipped; return how many came twice or more."""
    twice = 0
    for row in range(len(numbers)):
        if not skipped[row]:
            place = numbers[row] - least
            if places[place] < 0:
                places[place] = row
            else:
                twice += 1
    return twice


@kernel
def find_range(numbers: Ints, least: int, places: NDArray[Any], out: Ints) -> None:
    """Write the row of each number, ``EMPTY`` where there is none."""
    for i in range(len(numbers)):
        # As unsigned, a number below the least is beyond the greatest.
        place = np.uint64(numbers[i]) - np.uint64(least)
        out[i] = places[place] if place < np.uint64(len(places)) else EMPTY


@dataclass(frozen=True, slots=True)
class DirectTable:
    """A row number for every whole number of a range.

    Attributes:
        least: The least number.
        places: The rows, ``EMPTY`` where no key is.
        duplicates: Rows whose key an earlier row has.
    """

    least: int
    places: NDArray[Any]
    duplicates: int

    def find(self, words: Hashes, out: Ints) -> None:
        """Write the row of each key, ``EMPTY`` where there is none."""
        find_range(words[:, 0].view(np.int64), self.least, self.places, out)


@dataclass(frozen=True, slots=True)
class HashTable:
    """Row numbers in open addressing.

    Attributes:
        words: The keys in order of rows, shape ``(rows, width)``.
        slots: The rows, ``EMPTY`` where no key is.
        duplicates: Rows whose key an earlier row has.
    """

    words: Hashes
    slots: NDArray[Any]
    duplicates: int

    def find(self, words: Hashes, out: Ints) -> None:
        """Write the row of each key, ``EMPTY`` where there is none."""
        find_slots(self.words, self.slots, words, out)


def table_of(words: Hashes, skipped: Flags) -> DirectTable | HashTable:
    """Return a table of keys.

    Args:
        words: Shape ``(width, rows)`` with a width of 1 or 2.
        skipped: Which rows have no key, shape ``(rows,)``.
    """
    rows = len(words)
    keys = rows - int(np.count_nonzero(skipped))
    kind = np.int32 if rows <= _INT32_ROWS else np.int64
    if words.shape[1] == 1:
        numbers = words[:, 0].view(np.int64)
        least, most = _bounds(numbers, skipped) if keys else (0, -1)
        width = most - least + 1
        if width <= max(_SPREAD * keys, _ALWAYS_DIRECT):
            places = np.full(width, EMPTY, kind)
            return DirectTable(least, places, fill_range(numbers, skipped, least, places))
    slots = np.full(_SLOTS_PER_KEY * keys + 1, EMPTY, kind)
    return HashTable(words, slots, fill_slots(words, skipped, slots))


def _bounds(numbers: Ints, skipped: Flags) -> tuple[int, int]:
    if not skipped.any():
        return int(numbers.min()), int(numbers.max())
    info = np.iinfo(np.int64)
    least = numbers.min(where=~skipped, initial=info.max)
    return int(least), int(numbers.max(where=~skipped, initial=info.min))
