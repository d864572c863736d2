"""Which telephone numbers there can be: the number plans that phonenumbers knows."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np

_HEAD = 4
"""Digits of a number that decide whether it can be: an area's or a network's."""
_TRIES = 6


@cache
def country_codes() -> str:
    """Return a regular expression for a country's code as numbers begin with it."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    codes = "|".join(str(code) for code in sorted(COUNTRY_CODE_TO_REGION_CODE, reverse=True))
    return rf"(?:\+|00)(?:{codes})"


def region_of(head: str, locale: str | None) -> str | None:
    """Return the region whose plan numbers keep: by their country's code, else by the locale."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    code = re.sub(r"^(\+|00)", "", head)
    if code:
        return str(COUNTRY_CODE_TO_REGION_CODE[int(code)][0])
    return locale.partition("_")[2] if locale else None


@cache
def heads(region: str, length: int) -> tuple[str, ...]:
    """Return the first digits of the numbers of a plan, as they are dialled within the country.

    A number can be if its digits, without the trunk prefix, match the plan of fixed or of mobile
    lines; a beginning is kept if whatever follows it can be.

    Args:
        region: The region, as DE.
        length: How many digits numbers have.

    Returns:
        Beginnings of four digits; none if no number of that length can be.
    """
    from phonenumbers import PhoneMetadata

    plan: Any = PhoneMetadata.metadata_for_region(region, None)
    if plan is None or length <= _HEAD:
        return ()
    forms = [
        re.compile(kind.national_number_pattern)
        for kind in (plan.fixed_line, plan.mobile)
        if kind is not None and kind.national_number_pattern
    ]
    trunk = plan.national_prefix or ""
    generator = np.random.Generator(np.random.Philox(length))
    endings = ["".join(map(str, generator.integers(0, 10, length - _HEAD))) for _ in range(_TRIES)]

    def can_be(number: str) -> bool:
        national = number.removeprefix(trunk) if trunk else number
        return any(form.fullmatch(national) for form in forms)

    return tuple(
        head
        for head in (f"{n:0{_HEAD}d}" for n in range(10**_HEAD))
        if all(can_be(head + ending) for ending in endings)
    )
