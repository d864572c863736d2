"""Texts of one shape exchanged for others of it: signs stay, and each character's sort does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.letters import Letters, exchanged, in_order, matrix_of, texts_of
from simulacra.datatypes.masking.alphabets import (
    CAPITALS,
    DIGITS,
    SMALL,
    alphabet_of,
    letters_in,
    places_in,
)
from simulacra.datatypes.masking.permuting import permuted_digits

Alphabets = Sequence[str]
"""The characters that may stand at each place."""

_SORTS = np.arange(256, dtype=np.uint8)
for _alphabet in (DIGITS, CAPITALS, SMALL):
    _SORTS[[ord(c) for c in _alphabet]] = ord(_alphabet[0])


def shapes_of(texts: pa.Array) -> pa.Array:
    """Return each text with the first character of its alphabet in place of each."""
    quick = exchanged(texts, _SORTS)
    if quick is not None:
        return quick
    shapes = ["".join(alphabet_of(c)[0] for c in text) for text in texts.to_pylist()]
    return pa.array(shapes, pa.large_string())


def alphabets_of(shape: str) -> Alphabets:
    """Return the alphabets of a shape that :func:`shapes_of` gave."""
    return tuple(map(alphabet_of, shape))


def masked_by_shape(
    texts: pa.Array,
    shapes: pa.Array,
    alphabets: Callable[[str], Alphabets],
    secret: SecretKey,
    *label: str,
) -> pa.Array:
    """Return each text, changed into another that has the same shape.

    Signs that can't change don't count: with and without hyphens the same number becomes the same.

    Args:
        texts: Large strings without nulls.
        shapes: What texts must share to be exchanged, as large strings.
        alphabets: The characters at each place of a text of some shape.
        secret: What it depends on.
        label: What the texts are.
    """
    encoded = shapes.dictionary_encode()
    of = encoded.indices.to_numpy()
    order = np.argsort(of, kind="stable")
    ends = np.cumsum(np.bincount(of, minlength=len(encoded.dictionary)))
    parts = []
    for shape, rows in zip(encoded.dictionary.to_pylist(), np.split(order, ends[:-1]), strict=True):
        group = texts.take(pa.array(rows))
        if any(len(alphabet) > 1 for alphabet in alphabets(shape)):
            made = masked_letters(matrix_of(group), alphabets(shape), secret, *label)
            group = texts_of(made)
        parts.append((rows, group))
    return in_order(parts, len(texts))


def masked_letters(
    letters: Letters, alphabets: Alphabets, secret: SecretKey, *label: str
) -> Letters:
    """Return texts of one length with their characters exchanged within the alphabets.

    Args:
        letters: Shape ``(rows, length)``; each character is in the alphabet of its place.
        alphabets: As many as the length; of those of one character nothing is changed.
        secret: What it depends on.
        label: What the texts are.
    """
    places = [place for place, alphabet in enumerate(alphabets) if len(alphabet) > 1]
    free = [alphabets[place] for place in places]
    digits = np.empty((len(letters), len(places)), np.int64)
    for column, (place, alphabet) in enumerate(zip(places, free, strict=True)):
        digits[:, column] = places_in(alphabet)[
            letters[:, place].astype(np.int64) - _least(alphabet)
        ]
    radices = [len(alphabet) for alphabet in free]
    moved = permuted_digits(secret, digits, radices, *label, *free)
    made = letters.copy()
    for column, (place, alphabet) in enumerate(zip(places, free, strict=True)):
        made[:, place] = letters_in(alphabet)[moved[:, column]]
    return made


def _least(alphabet: str) -> int:
    return min(map(ord, alphabet))


def all_within(letters: Letters, alphabets: Alphabets) -> NDArray[np.bool_]:
    """Say which texts of one length have a character of its alphabet at every place."""
    found = np.ones(len(letters), np.bool_)
    for place, alphabet in enumerate(alphabets):
        found &= np.isin(letters[:, place], letters_in(alphabet))
    return found
