"""Telephone numbers, exchanged for others of their country's plan."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.letters import matrix_of, texts_of
from simulacra.datatypes.masking.classes import TextClass, everything, masked_by_class
from simulacra.datatypes.masking.permuting import permuted_digits
from simulacra.datatypes.personal import phones
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.masks.pieces import KEPT, Piece, masked_pieces, shaped

_DIGITS = re.compile("[0-9]")


def masked_phones(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return numbers with the same country's code, written in the same way."""
    code = re.compile(phones.country_codes())
    home = phones.region_of("", config.locale) or ""
    roles: dict[str, tuple[str, int]] = {}
    pieces: list[list[Piece]] = []
    numbers: list[str] = []
    rests: list[str] = []
    for text in texts.to_pylist():
        head = code.match(text)
        rest = text[head.end() :] if head else text
        digits = "".join(_DIGITS.findall(rest))
        region = phones.region_of(head[0], None) if head else home
        country = re.sub(r"^(\+|00)", "", head[0]) if head else region
        role = f"{country} {region} {len(digits)}"
        roles[role] = (region or "", len(digits))
        numbers.append(digits)
        rests.append(text[: head.end()] if head else "")
        pieces.append([(role, digits)] if digits else [(KEPT, "")])
    made = masked_pieces(
        pieces,
        {
            role: partial(_numbers, region=region, role=role, secret=secret)
            for role, (region, length) in roles.items()
            if length
        },
    ).to_pylist()
    found = [
        head + _written(text[len(head) :], digits)
        for text, head, digits in zip(texts.to_pylist(), rests, made, strict=True)
    ]
    # Whatever letters there are lead somewhere too.
    return masked_pieces([_letters(text) for text in found], {"letters": partial(_rest, secret)})


def _written(model: str, digits: str) -> str:
    rest = iter(digits)
    return _DIGITS.sub(lambda _: next(rest), model)


def _letters(text: str) -> list[Piece]:
    """Return what isn't a number and its extension."""
    parts = re.split(r"(?i)((?<=[0-9 ])(?:x|ext)(?=[. 0-9])|[^\W\d_]+)", text)
    return [
        ("letters" if part.isalpha() and part.lower() not in {"x", "ext"} else KEPT, part)
        for part in parts
    ]


def _rest(secret: SecretKey, texts: pa.Array) -> pa.Array:
    return shaped(texts, secret, "phone")


def _numbers(texts: pa.Array, *, region: str, role: str, secret: SecretKey) -> pa.Array:
    """Return numbers of as many digits, those of the plan for those of the plan."""
    length = len(texts[0].as_py())
    heads = phones.heads(region, length) if region else ()
    within = partial(_begin_so, heads=heads)
    return masked_by_class(
        texts,
        [
            TextClass(within, partial(_moved, heads=heads, role=role, secret=secret)),
            TextClass(everything, lambda rest: shaped(rest, secret, "phone", role)),
        ],
    )


def _begin_so(texts: pa.Array, *, heads: tuple[str, ...]) -> NDArray[np.bool_]:
    known = frozenset(heads)
    return np.array([text[:4] in known for text in texts.to_pylist()], np.bool_)


def _moved(texts: pa.Array, *, heads: tuple[str, ...], role: str, secret: SecretKey) -> pa.Array:
    places = {head: place for place, head in enumerate(heads)}
    values = texts.to_pylist()
    width = len(heads[0])
    digits = matrix_of(texts).astype(np.int64) - ord("0")
    digits = digits[:, width - 1 :]
    digits[:, 0] = [places[value[:width]] for value in values]
    radices = [len(heads), *[10] * (digits.shape[1] - 1)]
    moved = permuted_digits(secret, digits, radices, "phone", role)
    tails = texts_of((moved[:, 1:] + ord("0")).astype(np.uint32)).to_pylist()
    made = [heads[head] + tail for head, tail in zip(moved[:, 0].tolist(), tails, strict=True)]
    return pa.array(made, pa.large_string())
