"""Texts of a fixed length made of parts, each one of a few: unique, and by the thousand.

A part is a list of texts of one length: the ten digits, the days of a year, area codes. Which one a
person gets is a digit of the person's number in mixed radix, so that as many people as there are
combinations all get different texts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from simulacra.datatypes.letters import Letters, letters_of
from simulacra.datatypes.personal.people import People

Complete = Callable[[Letters], None]
"""Writes the check characters of texts, in place."""

DIGITS = tuple("0123456789")
WRITTEN = "?"
"""Stands in a part for each character that ``complete`` writes."""
_ROOM = 2**62


@dataclass(frozen=True, slots=True)
class Template:
    """How texts of one form are made.

    Attributes:
        parts: The possible texts of each part, of one length within a part; check characters are
            parts of their own, of a single text of ``WRITTEN``.
        complete: Writes the check characters; None: there are none.
    """

    parts: tuple[tuple[str, ...], ...]
    complete: Complete | None = None

    @property
    def room(self) -> int:
        """How many different texts there are, check characters aside."""
        return prod(len(part) for part in self.parts)

    def draw(self, people: People, *label: str) -> Letters:
        """Return the text of each person."""
        if not self.parts:
            return np.zeros((len(people.numbers), 0), np.uint32)
        numbered, room = self._numbered()
        rest = people.permuted(room, *label)
        noise = people.noise(*label, "rest") if numbered < len(self.parts) else rest
        columns: list[Letters] = []
        for place in range(len(self.parts) - 1, -1, -1):
            part = self.parts[place]
            size = np.uint64(len(part))
            if place >= len(self.parts) - numbered:
                chosen, rest = rest % size, rest // size
            else:
                chosen = (noise >> np.uint64(20)) % size
                noise = noise * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
            columns.append(letters_of(part)[chosen.astype(np.intp)])
        made = np.concatenate(columns[::-1], axis=1)
        if self.complete is not None:
            self.complete(made)
        return made

    def _numbered(self) -> tuple[int, int]:
        """Return how many parts from the end on count people, and how many they can count."""
        room, numbered = 1, 0
        for part in reversed(self.parts):
            if room * len(part) > _ROOM:
                break
            room, numbered = room * len(part), numbered + 1
        return numbered, room


def digits(count: int) -> tuple[tuple[str, ...], ...]:
    """Return parts for so many digits."""
    return (DIGITS,) * count


def numbers(first: int, last: int, width: int) -> tuple[str, ...]:
    """Return a part of the whole numbers of a range, written with leading zeros."""
    return tuple(f"{number:0{width}d}" for number in range(first, last + 1))
