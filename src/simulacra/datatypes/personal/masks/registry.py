"""The masks of personal data by kind. A new kind needs a line here too."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Protocol, cast

import pyarrow as pa

from simulacra.core.secret_key import SecretKey
from simulacra.datatypes.personal.config import PersonalConfig

_PLACES = {
    "email": "online:masked_emails",
    "iban": "numbers:masked_ibans",
    "card": "numbers:masked_cards",
    "national_id": "numbers:masked_national_ids",
    "ssn": "numbers:masked_ssns",
    "mac": "machines:masked_macs",
    "ip": "machines:masked_ips",
    "url": "online:masked_urls",
    "phone": "phones:masked_phones",
    "first_name": "names:masked_first_names",
    "last_name": "names:masked_last_names",
    "user_name": "online:masked_user_names",
    "company": "places:masked_companies",
    "person_name": "names:masked_person_names",
    "street_address": "places:masked_addresses",
    "postcode": "places:masked_postcodes",
    "city": "places:masked_cities",
    "country": "places:masked_countries",
    "uuid": "machines:masked_uuids",
}


class Mask(Protocol):
    """Masks the values of one kind."""

    def __call__(self, texts: pa.Array, config: PersonalConfig, secret: SecretKey) -> pa.Array:
        """Return what each value becomes, by the secret and the value alone.

        Args:
            texts: Different large strings, none null or empty.
            config: What the column is; of it kind, locale and number count.
            secret: What pseudonyms are made by.
        """
        ...


@cache
def mask_of(kind: str) -> Mask:
    """Return the mask of a kind."""
    module, _, function = _PLACES[kind].partition(":")
    found = import_module(f"simulacra.datatypes.personal.masks.{module}")
    return cast(Mask, getattr(found, function))
