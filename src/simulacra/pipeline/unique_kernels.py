"""A growing set of 64-bit words, and what moves numbers until their words are new in it."""

# mypy: disable-error-code="assignment,no-any-return"
# in kernels Python's and numpy's numbers are one

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulacra.core.compiled import Flags, Hashes, Ints, kernel
from simulacra.datatypes.line_kernels import mixed

FREE = 0
_NEAR = 64
_TRIES = 64
_SWEEP = 1 << 24
_FIRST_SLOTS = 1 << 10


@kernel
def _place(slots: Hashes, word: np.uint64) -> np.int64:
    """Return where a word is, or where it would be entered."""
    spread = mixed(word + np.uint64(0x9E3779B97F4A7C15))
    size = np.uint64(len(slots))
    high = (spread >> np.uint64(32)) * size
    low = (spread & np.uint64(0xFFFFFFFF)) * size
    place = np.int64((high + (low >> np.uint64(32))) >> np.uint64(32))
    while slots[place] != np.uint64(FREE) and slots[place] != word:
        place += 1
        if place == len(slots):
            place = np.int64(0)
    return place


@kernel
def _has(slots: Hashes, word: np.uint64) -> bool:
    word = word | np.uint64(1)
    return slots[_place(slots, word)] == word


@kernel
def _enter(slots: Hashes, word: np.uint64) -> bool:
    """Add a word; return whether it was not there yet."""
    word = word | np.uint64(1)
    place = _place(slots, word)
    if slots[place] == word:
        return False
    slots[place] = word
    return True


@kernel
def refill(slots: Hashes, words: Hashes) -> None:
    """Enter what another set holds."""
    for word in words:
        if word != np.uint64(FREE):
            _enter(slots, word)


class Claims(NamedTuple):
    """The keys of some rows on their way into the sets.

    There is a set for each key, with room for all rows; ``bases`` are words of the other columns of
    each key and ``exempt`` says which keys of which rows have a null, both of the shape
    ``(keys, rows)``; ``again`` are the rows that are not in yet.
    """

    sets: tuple[Hashes, ...]
    bases: Hashes
    exempt: Flags
    again: Flags


@kernel
def _claimed(claims: Claims, row: int, tag: np.uint64) -> bool:
    """Enter a row's keys into their sets if all are new; return whether they are."""
    for key in range(len(claims.sets)):
        word = mixed(claims.bases[key, row] ^ tag)
        if not claims.exempt[key, row] and _has(claims.sets[key], word):
            return False
    for key in range(len(claims.sets)):
        if not claims.exempt[key, row]:
            _enter(claims.sets[key], mixed(claims.bases[key, row] ^ tag))
    claims.again[row] = False
    return True


@kernel
def claim(claims: Claims, tags: Hashes) -> None:
    """Enter the keys of rows that are not in yet where all are new.

    Args:
        claims: The keys.
        tags: The word of each row's own value, shape ``(rows,)``.
    """
    for row in range(len(tags)):
        if claims.again[row]:
            _claimed(claims, row, tags[row])


class Grid(NamedTuple):
    """Numbers that may be moved to.

    ``least`` to ``greatest`` in steps of ``step`` are those that were seen, ``lowest`` to
    ``highest`` all there are. ``tags`` are the words of all, empty if made of the numbers.
    """

    least: int
    greatest: int
    step: int
    lowest: int
    highest: int
    tags: Hashes


@kernel
def _number_claimed(claims: Claims, row: int, number: np.int64, grid: Grid) -> bool:
    """Enter a row's keys with a number if it is one of the grid's, and they are new."""
    if number < grid.lowest or number > grid.highest:
        return False
    if len(grid.tags):
        return _claimed(claims, row, grid.tags[number - grid.lowest])
    return _claimed(claims, row, mixed(np.uint64(number) + np.uint64(0x9E3779B97F4A7C15)))


@kernel
def _nearest(claims: Claims, row: int, number: np.int64, grid: Grid) -> np.int64:
    """Enter a row with the nearest number that is new, if there is one nearby; return it."""
    for away in range(1, _NEAR + 1):
        for side in (1, -1):
            other = number + side * away * grid.step
            if grid.least <= other <= grid.greatest and _number_claimed(claims, row, other, grid):
                return other
    return number


@kernel
def _any(claims: Claims, row: int, number: np.int64, grid: Grid, seed: int) -> np.int64:
    """Enter a row with any number that is new, twice as far up each time; return it."""
    steps = np.uint64((grid.greatest - grid.least) // grid.step + 1)
    room = np.uint64((grid.highest - grid.least) // grid.step + 1)
    while True:
        for attempt in range(_TRIES):
            word = np.uint64(seed) * np.uint64(0xD1342543DE82EF95) + np.uint64(attempt)
            place = mixed(claims.bases[0, row] ^ mixed(word ^ steps)) % steps
            other = np.int64(grid.least) + np.int64(place) * grid.step
            if _number_claimed(claims, row, other, grid):
                return other
        if steps >= room:
            return number
        steps = min(steps * np.uint64(2), room)


@kernel
def _first(claims: Claims, row: int, number: np.int64, grid: Grid) -> np.int64:
    """Enter a row with the first number of all that is new, unless they are too many."""
    if (grid.highest - grid.lowest) // grid.step < _SWEEP:
        for other in range(grid.lowest, grid.highest + 1, grid.step):
            if _number_claimed(claims, row, np.int64(other), grid):
                return np.int64(other)
    return number


@kernel
def move_apart(claims: Claims, numbers: Ints, grid: Grid, start: int, moved: Flags) -> None:
    """Enter the keys of rows that are not in yet, moving numbers where they are there already.

    Rows for which there is no number left stay as they are.

    Args:
        claims: The keys.
        numbers: The numbers, shape ``(rows,)``; changed in place.
        grid: Where they may move.
        start: The number of the first row among all.
        moved: Rows whose number was changed are marked.
    """
    for row in range(len(numbers)):
        number = numbers[row]
        if not claims.again[row] or _number_claimed(claims, row, number, grid):
            continue
        number = _nearest(claims, row, number, grid)
        if claims.again[row]:
            number = _any(claims, row, number, grid, start + row)
        if claims.again[row]:
            number = _first(claims, row, number, grid)
        numbers[row] = number
        moved[row] = not claims.again[row]


@kernel
def mix_into(bases: Hashes, words: Hashes, column: int) -> None:
    """Mix the words of a column, shape ``(rows, width)``, into those of each row's key."""
    for row in range(words.shape[0]):
        for part in range(words.shape[1]):
            salt = np.uint64(column * 2 + part + 1) * np.uint64(0x9E3779B97F4A7C15)
            bases[row] ^= mixed(mixed(words[row, part] + salt) + salt)


class WordSet:
    """A set of 64-bit words, in 16 to 32 bytes a word."""

    def __init__(self) -> None:
        self.slots: Hashes = np.zeros(_FIRST_SLOTS, np.uint64)
        self.held = 0

    def with_room(self, count: int) -> Hashes:
        """Return the slots, with room for so many words more."""
        if 2 * (self.held + count) > len(self.slots):
            old = self.slots
            self.slots = np.zeros(4 * (self.held + count), np.uint64)
            refill(self.slots, old)
        self.held += count
        return self.slots
