"""Where people live and what firms are called: other words of the locale, chosen by the value."""

from __future__ import annotations

from functools import partial

import pyarrow as pa

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.masking.classes import TextClass, everything, masked_by_class
from simulacra.datatypes.personal import words
from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.kind import matching
from simulacra.datatypes.personal.kinds.places import StreetAddress
from simulacra.datatypes.personal.masks.known import book, is_spaced
from simulacra.datatypes.personal.masks.pieces import in_case_of, shaped

_HOUSES = 9_999
_NAMES_OF_FIRMS = 3


def masked_cities(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return towns that there are not."""
    return book("city", config.locale or words.DEFAULT).masked(texts, secret)


def masked_countries(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return countries for known ones, and codes for codes."""
    known = book("country", config.locale or words.DEFAULT)
    return masked_by_class(
        texts,
        [
            TextClass(known.knows, partial(known.masked, secret=secret)),
            TextClass(everything, lambda codes: shaped(codes, secret, "country")),
        ],
    )


def masked_postcodes(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return postcodes of the same pattern."""
    del config
    return shaped(texts, secret, "postcode")


def masked_companies(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return firms of several names and one of the ends that firms have."""
    locale = config.locale or words.DEFAULT
    starts, ends = words.company_parts(locale)
    spaced = is_spaced(locale)
    values = texts.to_pylist()
    made = []
    for value, number in zip(values, secret.numbers(values, "company", locale), strict=True):
        rest, end = divmod(number, len(ends))
        names = []
        for _ in range(_NAMES_OF_FIRMS):
            rest, place = divmod(rest, len(starts))
            names.append(starts[place])
        firm = ("-" if spaced else "").join(names) + (" " if spaced else "") + ends[end]
        made.append(in_case_of(value, firm))
    return pa.array(made, pa.large_string())


def masked_addresses(texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
    """Return streets and numbers, the number where it was."""
    locale = config.locale or words.DEFAULT
    streets = words.drawn(locale, "street_name")
    names = words.last_names(locale) if is_spaced(locale) else ("",)
    values = texts.to_pylist()
    styles = _styles(texts)
    made = []
    numbers = secret.numbers(values, "address", locale)
    for value, style, number in zip(values, styles, numbers, strict=True):
        rest, house = divmod(number, _HOUSES)
        rest, street = divmod(rest, len(streets))
        name = f"{names[rest % len(names)]} {streets[street]}".strip()
        made.append(in_case_of(value, _WRITTEN[style].format(street=name, house=house + 1)))
    return pa.array(made, pa.large_string())


_WRITTEN = {
    "unspaced": "{street}{house}号",
    "number street": "{house} {street}",
    "street, number": "{street}, {house}",
    "street number": "{street} {house}",
    "street": "{street}",
}


def _styles(texts: pa.Array) -> list[str]:
    """Return how each address is written: the first style that it matches."""
    styles = [""] * len(texts)
    for style, pattern in StreetAddress.styles.items():
        for place, found in enumerate(matching(texts, pattern)):
            if found and not styles[place]:
                styles[place] = style
    return [style or "street" for style in styles]
