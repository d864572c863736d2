"""What may stand at each place of a number, read from the regular expression of its form."""

from __future__ import annotations

import re
from itertools import product

_ATOM = re.compile(r"\[(?P<set>[^\]]+)\]|\((?P<group>[^()]+)\)|(?P<one>[0-9A-Z])")
_TIMES = re.compile(r"\{(\d+)\}")


def parts_of(form: str) -> list[tuple[str, ...]]:
    """Return the texts that may stand at each part of a form: one character, or a group's texts.

    Args:
        form: Characters, sets and groups of alternatives, each perhaps so many times, as
            ``(0[1-9]|1[0-2])[0-9]{4}``.

    Raises:
        ValueError: There is anything else in it.
    """
    parts: list[tuple[str, ...]] = []
    place = 0
    while place < len(form):
        atom = _ATOM.match(form, place)
        if atom is None:
            msg = f"{form!r} has something else at {place}"
            raise ValueError(msg)
        place = atom.end()
        times = _TIMES.match(form, place)
        if times is not None:
            place = times.end()
        parts += [_choices(atom)] * (int(times[1]) if times else 1)
    return parts


def _choices(atom: re.Match[str]) -> tuple[str, ...]:
    if atom["one"]:
        return (atom["one"],)
    if atom["set"]:
        return tuple(_characters(atom["set"]))
    return tuple(
        "".join(combination)
        for alternative in atom["group"].split("|")
        for combination in product(*parts_of(alternative))
    )


def _characters(some: str) -> str:
    ranges = re.findall(r"(.)-(.)|(.)", some)
    return "".join(
        one or "".join(map(chr, range(ord(first), ord(last) + 1))) for first, last, one in ranges
    )
