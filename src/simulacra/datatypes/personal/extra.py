"""The extra ``personal``: the word lists and number plans that personal data are made of."""

from __future__ import annotations

from importlib.util import find_spec

from simulacra.core.errors import SpecError

INSTALL = "pip install 'simulacra[personal]'"
_MODULES = {"faker": "Faker", "phonenumbers": "phonenumbers"}


def missing() -> list[str]:
    """Return the packages of the extra that are not installed."""
    return [package for module, package in _MODULES.items() if find_spec(module) is None]


def require_extra(where: str) -> None:
    """Refuse to go on without the extra.

    Raises:
        SpecError: A package of it is missing.
    """
    absent = missing()
    if absent:
        raise SpecError(
            "personal data can't be made",
            where=where,
            why=f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed",
            mend=f"{INSTALL}, or choose another datatype for it in the specification",
        )
