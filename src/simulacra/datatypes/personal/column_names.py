"""What a column's name says: which words it is made of, and whose data it holds."""

from __future__ import annotations

import re

_BOUNDARY = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^0-9A-Za-z\u0080-\uffff]+"
)
_GENERAL = frozenset((
    "c", "p", "u", "s", "e", "customer", "customers", "cust", "client", "clients", "user",
    "users", "usr", "person", "people", "persons", "employee", "employees", "emp", "member",
    "members", "patient", "patients", "student", "students", "account", "accounts", "address",
    "addr", "home", "primary", "main", "first", "last", "full", "given", "family", "private",
    "personal", "the", "of", "name", "id", "no", "number", "nr", "num", "work", "mobile",
    "cell", "type", "value",
))  # fmt: skip
"""Words that say nothing of whose data it is."""


def words_of(name: str) -> list[str]:
    """Return the words of a column's name in lower case: ``BillingCity`` is billing, city."""
    return [word.lower() for word in _BOUNDARY.split(name) if word]


def joined(name: str) -> str:
    """Return a column's name as ``billing_city``."""
    return "_".join(words_of(name))


def owner(name: str, said: re.Pattern[str]) -> str:
    """Return whose data a column holds: what its name says beside the kind of data.

    ``billing_city`` is billing's, ``contact_name`` contact's; ``customer_email`` and ``email`` are
    those of the person that the row is about, who has no name here.

    Args:
        name: The column's name.
        said: What in it names the kind.
    """
    rest = words_of(said.sub(" ", joined(name)))
    return "_".join(word for word in rest if word not in _GENERAL and not word.isdigit())
