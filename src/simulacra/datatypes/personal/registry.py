"""The kinds of personal data by name. A new kind is a class in ``kinds`` and a line here."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from simulacra.datatypes.personal.kind import Kind

_PLACES = {
    "email": "online:Email",
    "iban": "numbers:Iban",
    "card": "numbers:Card",
    "national_id": "numbers:NationalId",
    "ssn": "numbers:Ssn",
    "mac": "numbers:Mac",
    "ip": "online:Ip",
    "url": "online:Url",
    "phone": "phone:Phone",
    "first_name": "names:FirstName",
    "last_name": "names:LastName",
    "user_name": "online:UserName",
    "company": "places:Company",
    "person_name": "names:PersonName",
    "street_address": "places:StreetAddress",
    "postcode": "places:Postcode",
    "city": "places:City",
    "country": "places:Country",
    "uuid": "numbers:Uuid",
}
"""Where each kind is; of equal claims, the first in this order wins."""


def kind_names() -> tuple[str, ...]:
    """Return the names of all kinds."""
    return tuple(_PLACES)


@cache
def kind_of(name: str) -> Kind:
    """Return a kind by its name."""
    module, _, cls = _PLACES[name].partition(":")
    found: Kind = getattr(import_module(f"simulacra.datatypes.personal.kinds.{module}"), cls)()
    return found
