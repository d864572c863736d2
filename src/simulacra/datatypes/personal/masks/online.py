"""Addresses online: names in them become what names become, everything else other letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.masking.classes import TextClass, everything, masked_by_class
from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.masks.known import Book, book
from simulacra.datatypes.personal.masks.pieces import (
    KEPT,
    Piece,
    in_case_of,
    masked_pieces,
    shaped,
)

_RUNS = re.compile(r"[A-Za-z]+|[0-9]+|[^A-Za-z0-9]+")
_URL = re.compile(
    r"(?P<kept>(?:[a-z]+://)?)(?P<user>[^/@]*@)?(?P<www>(?:www\.)?)"
    r"(?P<host>[^/:?#]+)(?P<port>(?::[0-9]+)?)(?P<path>.*)",
    re.IGNORECASE | re.DOTALL,
)
_HOST_LETTERS = "abcdefghjkmnpqrstuvwxyz023456789"
_HOST_LENGTH = 12


def masked_emails(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return addresses under names that belong to nobody (RFC 2606), one for each domain."""
    pieces: list[list[Piece]] = []
    for text in texts.to_pylist():
        local, at, domain = text.rpartition("@")
        # Without a sign it is no address, but may be somebody's name all the same.
        pieces.append([*_local(local), (KEPT, at), ("host", domain)] if at else _local(text))
    return masked_pieces(pieces, _masks(config, secret))


def masked_user_names(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return log-ins: those of an e-mail address become what they become there."""
    return masked_pieces([_local(text) for text in texts.to_pylist()], _masks(config, secret))


def masked_urls(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return addresses of pages under names that belong to nobody."""
    pieces: list[list[Piece]] = []
    for text in texts.to_pylist():
        found = _URL.fullmatch(text)
        if found is None:
            pieces.append([("path", text)])
            continue
        user = found["user"] or ""
        pieces.append(
            [
                (KEPT, found["kept"]),
                *_local(user),
                (KEPT, found["www"]),
                ("host", found["host"]),
                (KEPT, found["port"]),
                ("path", found["path"]),
            ]
        )
    return masked_pieces(pieces, _masks(config, secret))


def _local(text: str) -> list[Piece]:
    """Return the letters, numbers and signs of what stands before the @."""
    pieces: list[Piece] = []
    words_before = 0
    for run in _RUNS.findall(text):
        if run[0].isascii() and run[0].isalpha():
            pieces.append(("first word" if words_before == 0 else "later word", run))
            words_before += 1
        elif run.isascii() and not run.isdigit():
            pieces.append((KEPT, run))
        else:
            pieces.append(("rest", run))
    return pieces


def _masks(config: PersonalConfig, secret: SecretKey) -> dict[str, Callable[[pa.Array], pa.Array]]:
    locale = config.locale or words.DEFAULT
    first, last = (_Slugs(book(part, locale)) for part in ("first", "last"))
    other = TextClass(everything, lambda texts: shaped(texts, secret, "local part"))
    givens, families = (
        TextClass(names.knows, partial(names.masked, secret=secret)) for names in (first, last)
    )
    return {
        "first word": partial(masked_by_class, classes=(givens, families, other)),
        "later word": partial(masked_by_class, classes=(families, givens, other)),
        "rest": lambda texts: shaped(texts, secret, "local part"),
        "host": partial(_hosts, secret=secret),
        "path": lambda texts: shaped(texts, secret, "path"),
    }


@dataclass(frozen=True, slots=True)
class _Slugs:
    """Names as addresses write them: letters a to z."""

    names: Book

    def knows(self, texts: pa.Array) -> NDArray[np.bool_]:
        """Say which texts are known names, in letters a to z."""
        values = texts.to_pylist()
        return np.array(
            [text.isascii() and text.lower() in self.names.homes for text in values], np.bool_
        )

    def masked(self, texts: pa.Array, secret: SecretKey) -> pa.Array:
        """Return what each becomes as a name, in letters a to z where it has such."""
        made = self.names.masked(texts, secret).to_pylist()
        slugs = [
            in_case_of(text, words.plain(name))
            for text, name in zip(texts.to_pylist(), made, strict=True)
        ]
        return pa.array(slugs, pa.large_string())


def _hosts(texts: pa.Array, *, secret: SecretKey) -> pa.Array:
    """Return a host that is nobody's for each, the same for the same; 60 bits tell them apart."""
    values = texts.to_pylist()
    numbers = secret.numbers([value.lower() for value in values], "host")
    made = []
    for number in numbers:
        rest, letters = number, []
        for _ in range(_HOST_LENGTH):
            rest, place = divmod(rest, len(_HOST_LETTERS))
            letters.append(_HOST_LETTERS[place])
        made.append("".join(letters) + ".example")
    return pa.array(made, pa.large_string())
