"""Check characters, worked out for many numbers at once.

Numbers come as code points, shape ``(rows, length)``, dtype uint32; the functions write into them.
ISO 7064 describes the systems modulo 11 and 97; Luhn is US patent 2950048; Verhoeff is of "Error
detecting decimal codes" (1969); weights and moduli of national numbers are as python-stdnum
documents them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.datatypes.letters import Letters
from simulacra.datatypes.personal.template import Complete

Digits = NDArray[np.int64]
_ZERO = 48


def values(letters: Letters) -> Digits:
    """Return what characters are worth: digits themselves, letters 10 to 35."""
    codes = letters.astype(np.int64)
    return np.where(codes < 58, codes - _ZERO, codes - 55)


def dot(letters: Letters, weights: Sequence[int] | Digits) -> Digits:
    """Return the weighted sums of what characters are worth, shape ``(rows,)``."""
    total = np.zeros(len(letters), np.int64)
    for place, weight in enumerate(weights):
        total += values(letters[:, place]) * weight
    return total


def weighted(
    weights: Sequence[int], modulus: int, alphabet: str, *, places: slice, at: int
) -> Complete:
    """Return what writes the character of a weighted sum.

    Args:
        weights: A weight for each place that counts.
        modulus: Of the sum.
        alphabet: The character for each remainder.
        places: Which places count.
        at: Where to write.
    """
    symbols = np.array([ord(c) for c in alphabet], np.uint32)

    def complete(letters: Letters) -> None:
        letters[:, at] = symbols[dot(letters[:, places], weights) % modulus]

    return complete


def chained(*steps: Complete) -> Complete:
    """Return what does one step after the other."""

    def complete(letters: Letters) -> None:
        for step in steps:
            step(letters)

    return complete


def luhn(*, at: int, start: int = 0) -> Complete:
    """Return what writes the Luhn digit at the place ``at`` of the digits from ``start`` on."""

    def complete(letters: Letters) -> None:
        payload = values(letters[:, start:at])[:, ::-1]
        doubled = payload[:, ::2] * 2
        total = (doubled - 9 * (doubled > 9)).sum(axis=1) + payload[:, 1::2].sum(axis=1)
        letters[:, at] = (-total % 10) + _ZERO

    return complete


def mod_97_of(letters: Letters) -> Digits:
    """Return numbers modulo 97, letters counting as two digits."""
    rest = np.zeros(len(letters), np.int64)
    for place in range(letters.shape[1]):
        worth = values(letters[:, place])
        rest = (np.where(worth > 9, rest * 100, rest * 10) + worth) % 97
    return rest


def write_two(letters: Letters, at: int, numbers: Digits) -> None:
    """Write numbers of two digits."""
    letters[:, at] = numbers // 10 + _ZERO
    letters[:, at + 1] = numbers % 10 + _ZERO


def iban(letters: Letters) -> None:
    """Write the two digits of an IBAN after its country (ISO 13616)."""
    letters[:, 2:4] = _ZERO
    rest = mod_97_of(np.concatenate([letters[:, 4:], letters[:, :4]], axis=1))
    write_two(letters, 2, 98 - rest)


def french_insee(letters: Letters) -> None:
    """Write the last two digits of a French NIR."""
    write_two(letters, 13, 97 - mod_97_of(letters[:, :13]))


_VERHOEFF_PERMUTED = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_INVERSE = np.array([0, 4, 3, 2, 1, 5, 6, 7, 8, 9])


def _dihedral() -> Digits:
    """Return the multiplication table of the dihedral group of ten elements."""
    table = np.zeros((10, 10), np.int64)
    for a in range(10):
        for b in range(10):
            rotated = (a % 5 + b % 5) % 5 if a < 5 else (a % 5 - b % 5) % 5
            table[a, b] = rotated + 5 * ((a >= 5) != (b >= 5))
    return table


def verhoeff(*, at: int) -> Complete:
    """Return what writes the Verhoeff digit after the first ``at`` digits."""
    table = _dihedral()
    powers = np.zeros((8, 10), np.int64)
    powers[0] = np.arange(10)
    for turn in range(1, 8):
        powers[turn] = np.array(_VERHOEFF_PERMUTED)[powers[turn - 1]]

    def complete(letters: Letters) -> None:
        check = np.zeros(len(letters), np.int64)
        for turn, place in enumerate(range(at - 1, -1, -1), start=1):
            check = table[check, powers[turn % 8][values(letters[:, place])]]
        letters[:, at] = _INVERSE[check] + _ZERO

    return complete
