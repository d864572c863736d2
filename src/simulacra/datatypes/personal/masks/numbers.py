"""Numbers with check digits, exchanged for others of their sort whose check digits are right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.letters import Letters, in_order, letters_of, matrix_of, texts_of
from simulacra.datatypes.masking.classes import TextClass, everything, masked_by_class
from simulacra.datatypes.masking.permuting import permuted_digits
from simulacra.datatypes.masking.shapes import alphabets_of, masked_by_shape, shapes_of
from simulacra.datatypes.personal import check_digits
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.masks.forms import parts_of
from simulacra.datatypes.personal.masks.pieces import shaped
from simulacra.datatypes.personal.registry import kind_of
from simulacra.datatypes.personal.schemes import NATIONAL, SSN, Scheme
from simulacra.datatypes.personal.template import WRITTEN, Complete


def masked_national_ids(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return national numbers of the same scheme."""
    chosen = {config.number: NATIONAL[config.number]} if config.number else NATIONAL
    return _masked(
        texts, secret, [_scheme(name, scheme, secret) for name, scheme in chosen.items()]
    )


def masked_ssns(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return Social Security numbers."""
    del config
    return _masked(texts, secret, [_scheme("us.ssn", SSN, secret)])


def masked_cards(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return numbers of cards of the same network: the first digit stays, or the first two."""
    kind = kind_of("card")
    step = partial(_luhn_numbers, secret=secret)
    return _masked(texts, secret, [TextClass(partial(kind.matches, config=config), step)])


def masked_ibans(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return numbers of accounts in the same country."""
    kind = kind_of("iban")
    step = partial(_accounts, secret=secret)
    return _masked(texts, secret, [TextClass(partial(kind.matches, config=config), step)])


def _masked(texts: pa.Array, secret: SecretKey, classes: list[TextClass]) -> pa.Array:
    """Mask numbers without their separators, and put those back."""
    values = texts.to_pylist()
    compact = ["".join(filter(str.isalnum, value)).upper() for value in values]
    distinct = list(dict.fromkeys(compact))
    other = TextClass(everything, lambda rest: shaped(rest, secret, "number"))
    made = masked_by_class(pa.array(distinct, pa.large_string()), [*classes, other])
    became = dict(zip(distinct, made.to_pylist(), strict=True))
    found = [_spread(value, became[key]) for value, key in zip(values, compact, strict=True)]
    return pa.array(found, pa.large_string())


def _spread(model: str, compact: str) -> str:
    """Return characters with the separators and the case of another text."""
    rest = iter(compact)
    return "".join(
        (next(rest).lower() if c.islower() else next(rest)) if c.isalnum() else c for c in model
    )


def _by_length(texts: pa.Array, change: Callable[[Letters], Letters]) -> pa.Array:
    """Change texts, those of one length together."""
    lengths = pc.utf8_length(texts).to_numpy()
    parts = []
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        parts.append((rows, texts_of(change(matrix_of(texts.take(pa.array(rows)))))))
    return in_order(parts, len(texts))


def _completed(letters: Letters, complete: Complete) -> Letters:
    complete(letters)
    return letters


# --- cards and accounts ----------------------------------------------------------------------


def _luhn_numbers(texts: pa.Array, *, secret: SecretKey) -> pa.Array:
    shapes = [_card_shape(text) for text in texts.to_pylist()]
    moved = masked_by_shape(
        texts, pa.array(shapes, pa.large_string()), _card_alphabets, secret, "card"
    )
    return _by_length(
        moved,
        lambda letters: _completed(letters, check_digits.luhn(at=letters.shape[1] - 1)),
    )


def _card_shape(text: str) -> str:
    """Return what stays of a number, and ``#`` for other digits."""
    stays = 1 if text[0] == "4" else 2
    return text[:stays] + "#" * (len(text) - stays - 1) + WRITTEN


def _card_alphabets(shape: str) -> tuple[str, ...]:
    return tuple("0123456789" if sign == "#" else sign for sign in shape)


def _accounts(texts: pa.Array, *, secret: SecretKey) -> pa.Array:
    heads = pc.utf8_slice_codeunits(texts, 0, 2)
    bodies = shapes_of(pc.utf8_slice_codeunits(texts, 4))
    between = pa.scalar(WRITTEN * 2, pa.large_string())
    shapes = pc.binary_join_element_wise(heads, between, bodies, pa.scalar("", pa.large_string()))
    moved = masked_by_shape(texts, shapes, _account_alphabets, secret, "iban")
    return _by_length(moved, lambda letters: _completed(letters, check_digits.iban))


def _account_alphabets(shape: str) -> tuple[str, ...]:
    return (*shape[:4], *alphabets_of(shape[4:]))


# --- national numbers ------------------------------------------------------------------------


def _scheme(name: str, scheme: Scheme, secret: SecretKey) -> TextClass:
    step = partial(_of_scheme, name=name, scheme=scheme, secret=secret)
    return TextClass(scheme.matches, step)


def _of_scheme(texts: pa.Array, *, name: str, scheme: Scheme, secret: SecretKey) -> pa.Array:
    """Move on by a step among all numbers of a form, whatever the check digits before.

    Where other digits would have to change for a number to have check digits, it is left without:
    it is none of the scheme, and moves on again.
    """
    letters = matrix_of(texts)
    parts = parts_of(scheme.form)
    starts = [0, *accumulate(len(part[0]) for part in parts)]
    checks = _check_places(scheme)
    free = [
        place
        for place, part in enumerate(parts)
        if len(part) > 1 and not checks & set(range(starts[place], starts[place + 1]))
    ]
    digits = np.empty((len(letters), len(free)), np.int64)
    for column, place in enumerate(free):
        written = letters[:, starts[place] : starts[place + 1]]
        digits[:, column] = _places(parts[place], written)
    sizes = [len(parts[place]) for place in free]
    moved = permuted_digits(secret, digits, sizes, "national", name)
    made = letters.copy()
    for column, place in enumerate(free):
        choices = letters_of(parts[place])
        made[:, starts[place] : starts[place + 1]] = choices[moved[:, column]]
    made[:, list(checks)] = ord(WRITTEN)
    if scheme.template.complete is not None:
        whole = made.copy()
        scheme.template.complete(whole)
        others = [place for place in range(letters.shape[1]) if place not in checks]
        stands = (whole[:, others] == made[:, others]).all(axis=1)
        made[stands] = whole[stands]
    return texts_of(made)


def _places(choices: tuple[str, ...], written: Letters) -> NDArray[np.int64]:
    """Return which of some texts of one length each row of characters is."""
    width = len(choices[0])
    texts = np.ascontiguousarray(written).view(f"<U{width}").reshape(len(written))
    listed = np.array(choices)
    order = np.argsort(listed)
    return order[np.searchsorted(listed, texts, sorter=order)].astype(np.int64)


def _check_places(scheme: Scheme) -> set[int]:
    """Return the places of the check digits."""
    texts: Iterable[str] = (part[0] for part in scheme.template.parts)
    return {place for place, c in enumerate("".join(texts)) if c == WRITTEN}
