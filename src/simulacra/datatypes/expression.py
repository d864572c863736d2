"""Regular expressions as numbered texts: which text has which number, and how many there are.

A number is split over the parts of an expression as over the digits of a number whose base differs
from place to place, so that different numbers give different texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.letters import in_order

Numbers = NDArray[np.uint64]
_MOST_LENGTHS = 1_000
MOST_TEXTS = 1 << 62
"""The most texts that are numbered; longer ones are split."""
_CLASSES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_WORD": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
    "CATEGORY_SPACE": " ",
}
_PRINTABLE = "".join(chr(code) for code in range(32, 127))


class Texts(Protocol):
    """Numbered texts."""

    @property
    def count(self) -> int:
        """The number of texts."""
        ...

    def of(self, numbers: Numbers) -> pa.Array:
        """Return the texts of numbers below ``count``, as ``large_string``."""
        ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """Texts of a list, such as the characters of a class."""

    texts: tuple[str, ...]

    @property
    def count(self) -> int:
        """The number of texts."""
        return len(self.texts)

    def of(self, numbers: Numbers) -> pa.Array:
        """Return the texts of numbers."""
        return pa.array(self.texts, pa.large_string()).take(pa.array(numbers.astype(np.int64)))


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts, one after the other."""

    parts: tuple[Texts, ...]

    @property
    def count(self) -> int:
        """The number of texts."""
        return prod(part.count for part in self.parts)

    def of(self, numbers: Numbers) -> pa.Array:
        """Return the texts of numbers."""
        texts = []
        for part in reversed(self.parts):
            numbers, place = np.divmod(numbers, np.uint64(part.count))
            texts.append(part.of(place))
        empty = pa.scalar("", pa.large_string())
        if not texts:
            return pa.array([""] * len(numbers), pa.large_string())
        return pc.binary_join_element_wise(*reversed(texts), empty)


@dataclass(frozen=True, slots=True)
class Either:
    """Texts of one or another kind."""

    kinds: tuple[Texts, ...]

    @property
    def count(self) -> int:
        """The number of texts."""
        return sum(kind.count for kind in self.kinds)

    def of(self, numbers: Numbers) -> pa.Array:
        """Return the texts of numbers."""
        ends = np.cumsum([kind.count for kind in self.kinds], dtype=np.uint64)
        which = np.searchsorted(ends, numbers, side="right")
        parts = []
        for place, kind in enumerate(self.kinds):
            rows = np.flatnonzero(which == place)
            begin = ends[place] - np.uint64(kind.count)
            parts.append((rows, kind.of(numbers[rows] - begin)))
        return in_order(parts, len(numbers))


def texts_of_expression(expression: str) -> Texts:
    """Return the texts that an expression matches whole.

    Python's syntax, of which literals, classes, groups, alternatives and bounded repetitions make
    sense here. Classes that are open (``.``, ``[^…]``) mean printable ASCII.

    Raises:
        ValueError: It is no regular expression, has something else, or has no end.
    """
    try:
        parsed = re._parser.parse(expression)  # type: ignore[attr-defined]  # noqa: SLF001 - the only one
    except re.error as error:
        raise ValueError(f"it is no regular expression: {error}") from error
    return _joined(parsed)


def split(texts: Texts) -> list[Texts]:
    """Return stretches of the texts, each of which has at most 2**62."""
    parts = texts.parts if isinstance(texts, Joined) else (texts,)
    found: list[list[Texts]] = [[]]
    for part in parts:
        if prod(other.count for other in [*found[-1], part]) > MOST_TEXTS:
            found.append([])
        found[-1].append(part)
    return [Joined(tuple(stretch)) for stretch in found if stretch]


def _joined(items: Iterable[Any]) -> Joined:
    parts: list[Texts] = []
    for name, argument in items:
        found = _part(str(name), argument)
        parts += found.parts if isinstance(found, Joined) else [found]
    return Joined(tuple(parts))


def _part(name: str, argument: Any) -> Texts:
    """Return what one item of a parsed expression matches."""
    match name:
        case "LITERAL":
            found: Texts = OneOf((chr(argument),))
        case "ANY":
            found = OneOf(tuple(_PRINTABLE))
        case "IN":
            found = OneOf(_characters(argument))
        case "NOT_LITERAL":
            found = OneOf(_characters([("NEGATE", None), ("LITERAL", argument)]))
        case "SUBPATTERN":
            found = _joined(argument[3])
        case "BRANCH":
            found = _either([_joined(items) for items in argument[1]])
        case "MAX_REPEAT" | "MIN_REPEAT":
            found = _repeated(*argument)
        case "AT":  # an end: texts are matched whole
            found = Joined(())
        case _:
            raise ValueError(f"{name.lower()} can't be made, only matched")
    return found


def _repeated(least: int, most: int, items: Iterable[Any]) -> Texts:
    if most - least > _MOST_LENGTHS:
        raise ValueError("a repetition has no end: say how often at most, as {1,8}")
    once = _joined(items)
    return _either([Joined(once.parts * times) for times in range(least, most + 1)])


def _either(kinds: Sequence[Joined]) -> Texts:
    if len(kinds) == 1:
        return kinds[0]
    if sum(kind.count for kind in kinds) > MOST_TEXTS:
        raise ValueError("one of several forms has more than 2**62 texts: make it shorter")
    return Either(tuple(kinds))


def _characters(items: Sequence[tuple[Any, Any]]) -> tuple[str, ...]:
    found: set[str] = set()
    for name, argument in items:
        match str(name):
            case "LITERAL":
                found.add(chr(argument))
            case "RANGE":
                found.update(map(chr, range(argument[0], argument[1] + 1)))
            case "CATEGORY" if str(argument) in _CLASSES:
                found.update(_CLASSES[str(argument)])
            case "NEGATE":
                continue
            case other:
                raise ValueError(f"{other.lower()} {argument} can't be made, only matched")
    if any(str(name) == "NEGATE" for name, _ in items):
        found = set(_PRINTABLE) - found
    if not found:
        raise ValueError("a class has no printable character")
    return tuple(sorted(found))
