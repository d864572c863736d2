"""Codes: numbers of orders, tickets, products; whatever a text is that has no form of its own."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.masking.alphabets import FIRST_DIGITS, alphabet_of
from simulacra.datatypes.masking.classes import TextClass, everything, masked_by_class
from simulacra.datatypes.masking.integers import masked_numbers
from simulacra.datatypes.masking.shapes import (
    Alphabets,
    masked_by_shape,
    shapes_of,
)

_NUMBER = "^-?[1-9][0-9]{0,17}$"
_HEXADECIMAL = "^(?:[0-9a-f-]*|[0-9A-F-]*)$"
_FEWEST_HEXADECIMAL = 12
_UUID = 32
_VERSION, _VARIANT = 12, 16
_VARIANTS = "89abAB"
_NUMBERED = re.compile(r"([Aa]+)[^Aa0]*0[^Aa]*")
_FEWEST_NUMBERED = 3
"""A word before so many digits at least is what they are numbers of: it stays."""


def masked_codes(texts: pa.Array, secret: SecretKey) -> pa.Array:
    """Return the code that each becomes: of the same length, signs, and sorts of characters.

    Whole numbers become what they would as numbers. Hexadecimal codes stay such, and UUIDs keep
    their version. A word before a number (``ORD-00042``) stays.

    Args:
        texts: Large strings without nulls.
        secret: What it depends on.
    """
    return masked_by_class(
        texts,
        [
            TextClass(_are_numbers, partial(_numbers, secret=secret)),
            TextClass(are_hexadecimal, partial(masked_hexadecimal, secret=secret)),
            TextClass(everything, partial(_others, secret=secret)),
        ],
    )


def _are_numbers(texts: pa.Array) -> NDArray[np.bool_]:
    return _matching(texts, _NUMBER)


def _numbers(texts: pa.Array, *, secret: SecretKey) -> pa.Array:
    numbers = texts.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return pa.array(masked_numbers(numbers, secret)).cast(pa.large_string())


def are_hexadecimal(texts: pa.Array) -> NDArray[np.bool_]:
    """Say which texts are longer hexadecimal codes, with both digits and letters."""
    long = pc.count_substring_regex(texts, "[0-9A-Fa-f]").to_numpy() >= _FEWEST_HEXADECIMAL
    found: NDArray[np.bool_] = long & _matching(texts, _HEXADECIMAL)
    found &= _matching(texts, "[0-9]") & _matching(texts, "[A-Fa-f]")
    return found


def masked_hexadecimal(texts: pa.Array, *, secret: SecretKey) -> pa.Array:
    """Return hexadecimal codes, exchanged for others of the same length and case."""
    shapes = pa.array([_hexadecimal_shape(t) for t in texts.to_pylist()], pa.large_string())
    return masked_by_shape(texts, shapes, _hexadecimal_alphabets, secret, "hexadecimal")


def _hexadecimal_shape(text: str) -> str:
    """Return ``h`` for each digit that may change, capital if letters are; others as they are."""
    sign = "h" if text.lower() == text else "H"
    shape = [c if c == "-" else sign for c in text]
    places = [place for place, c in enumerate(text) if c != "-"]
    if len(places) == _UUID:
        version, variant = places[_VERSION], places[_VARIANT]
        shape[version] = text[version]
        if text[variant] in _VARIANTS:
            shape[variant] = "v" if sign == "h" else "V"
        else:
            shape[variant] = text[variant]
    return "".join(shape)


def _hexadecimal_alphabets(shape: str) -> Alphabets:
    free = {
        "h": "0123456789abcdef",
        "H": "0123456789ABCDEF",
        "v": "89ab",
        "V": "89AB",
    }
    return tuple(free.get(sign, sign) for sign in shape)


def _others(texts: pa.Array, *, secret: SecretKey) -> pa.Array:
    return masked_by_shape(texts, _shapes(texts), _alphabets, secret, "code")


_KEPT = "\U0010fffe"
"""Before a character of a shape that stays; no text holds it."""
_FIRST = "1"
"""Stands for the first digit of a number too long for whole numbers: not nought."""


def _shapes(texts: pa.Array) -> pa.Array:
    """Return shapes that spell out what stays: a leading nought, a word before a number."""
    plain = shapes_of(texts)
    made = [
        _shape(text, shape)
        for text, shape in zip(texts.to_pylist(), plain.to_pylist(), strict=True)
    ]
    return pa.array(made, pa.large_string())


def _shape(text: str, shape: str) -> str:
    if shape.strip("0") == "" and len(shape) > 1:
        return (_KEPT + "0" if text[0] == "0" else _FIRST) + shape[1:]
    word = _NUMBERED.fullmatch(shape)
    stays = len(word[1]) if word and shape.count("0") >= _FEWEST_NUMBERED else 0
    return "".join(_KEPT + c for c in text[:stays]) + shape[stays:]


def _alphabets(shape: str) -> Alphabets:
    pieces = re.findall(f"{_KEPT}.|[^{_KEPT}]", shape, re.DOTALL)
    return tuple(
        c[1] if c[0] == _KEPT else FIRST_DIGITS if c == _FIRST else alphabet_of(c) for c in pieces
    )


def _matching(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = pc.match_substring_regex(texts, pattern).to_numpy(
        zero_copy_only=False
    )
    return found
