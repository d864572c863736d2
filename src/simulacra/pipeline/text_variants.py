"""Texts a little different from one another, of the same length and make."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import category

_DIGITS = "0123456789"
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_WHEELS = (_DIGITS, _LOWER, _LOWER.upper())
_BESIDE = 32
_BYTES = "".join(map(chr, range(256)))


def variants(text: str, longest: int) -> Iterator[str]:
    """Yield texts near a text: its last letters and digits count on, as an odometer does.

    Letters stay letters of their case, digits digits, and what follows an ``@`` stays. When all
    are through, numbers are put behind, as long as there is room.

    Args:
        text: The text.
        longest: The most characters that one may have.
    """
    head, at, tail = text.partition("@")
    wheels = [(place, wheel) for place, c in enumerate(head) if (wheel := _wheel(c))]
    yield from (f"{turned}{at}{tail}" for turned in _turned(head, wheels))
    for number in range(2, 10 ** max(longest - len(text), 0)):
        yield f"{head}{number}{at}{tail}"


def _wheel(character: str) -> str:
    """Return the characters that one may turn into, itself among them; none if it must stay."""
    for wheel in _WHEELS:
        if character in wheel:
            return wheel
    if not character.isalpha():
        return ""
    # Of other scripts the letters of the same kind that stand beside it.
    first = ord(character) // _BESIDE * _BESIDE
    kind = category(character)
    return "".join(c for c in map(chr, range(first, first + _BESIDE)) if category(c) == kind)


def byte_variants(data: bytes) -> Iterator[bytes]:
    """Yield other byte strings of the same length, counting on from the last byte."""
    text = data.decode("latin-1")
    for turned in _turned(text, [(place, _BYTES) for place in range(len(text))]):
        yield turned.encode("latin-1")


def _turned(text: str, wheels: list[tuple[int, str]]) -> Iterator[str]:
    """Yield what an odometer shows at each step until it is back at the beginning."""
    letters = list(text)
    begin = [wheel.index(text[place]) for place, wheel in wheels]
    shown = list(begin)
    while True:
        for at in range(len(wheels) - 1, -1, -1):
            place, wheel = wheels[at]
            shown[at] = (shown[at] + 1) % len(wheel)
            letters[place] = wheel[shown[at]]
            if shown[at] != begin[at]:
                break
        else:
            return
        yield "".join(letters)
