"""Which characters may stand for which: digits for digits, capitals for capitals, of one script."""

from __future__ import annotations

import string
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

DIGITS = string.digits
FIRST_DIGITS = "123456789"
CAPITALS = string.ascii_uppercase
SMALL = string.ascii_lowercase
_PAGE = 128


@cache
def alphabet_of(character: str) -> str:
    """Return the characters of the same sort as one, itself among them; signs stand alone.

    Letters of other scripts are exchanged for those beside them in Unicode.
    """
    for alphabet in (DIGITS, CAPITALS, SMALL):
        if character in alphabet:
            return alphabet
    category = unicodedata.category(character)
    if category[0] not in "LN" or character.isascii():
        return character
    page = ord(character) // _PAGE * _PAGE
    return "".join(
        chr(code)
        for code in range(page, page + _PAGE)
        if unicodedata.category(chr(code)) == category
    )


@cache
def places_in(alphabet: str) -> NDArray[np.int64]:
    """Return the place of each character in an alphabet, by code point less that of the least."""
    least = min(map(ord, alphabet))
    places = np.full(max(map(ord, alphabet)) - least + 1, -1, np.int64)
    places[[ord(c) - least for c in alphabet]] = np.arange(len(alphabet))
    return places


@cache
def letters_in(alphabet: str) -> NDArray[np.uint32]:
    """Return the code points of an alphabet."""
    return np.array([ord(c) for c in alphabet], np.uint32)
