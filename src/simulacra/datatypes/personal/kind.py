"""What each kind of personal data is: how it is known, what is learned of it, how it is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.personal.config import PersonalConfig
from simulacra.datatypes.personal.people import People

Facts = Mapping[str, Any]
"""What was learned of a column, as JSON keeps it; no value is in it."""


class Reach(StrEnum):
    """What a kind tells of people, which decides when a column of it is taken."""

    IDENTIFYING = "identifying"
    """It leads to a person: always made anew, however often it repeats."""
    NAMING = "naming"
    """Many people share it: made anew where the column's name says so."""
    PLACE = "place"
    """It tells of a group, and has statistics: made anew where hardly any two rows share it."""
    CHOSEN = "chosen"
    """Taken only where the specification says so."""


class Learner(Protocol):
    """Learns the form of a column's values, in bounded memory."""

    def add(self, texts: pa.Array) -> None:
        """Take the next values: large strings without nulls."""
        ...

    def facts(self) -> Facts:
        """Return what was learned."""
        ...


class Kind(Protocol):
    """One kind of personal data."""

    name: str
    reach: Reach
    said: re.Pattern[str]
    """What names of such columns say, in the form that ``column_names.joined`` gives."""
    alone: bool
    """Whether values tell without the column's name, by check digits or a form of their own."""

    def matches(self, texts: pa.Array, config: PersonalConfig) -> NDArray[np.bool_]:
        """Say which values (large strings without nulls) are of this kind."""
        ...

    def settle(self, texts: pa.Array) -> dict[str, Any]:
        """Return options that the values of a sample tell: ``locale``, ``number``."""
        ...

    def learner(self, config: PersonalConfig) -> Learner:
        """Begin to learn a column."""
        ...

    def make(self, facts: Facts, people: People, config: PersonalConfig) -> pa.Array:
        """Make the value of each person: large strings, none null."""
        ...


WHOLE_NUMBERS = frozenset({"card", "national_id", "phone"})
"""The kinds that are stored as whole numbers as well."""


def is_long_number(arrow_type: pa.DataType) -> bool:
    """Say whether a type holds whole numbers of up to 18 digits, as such kinds have."""
    return bool(pa.types.is_int64(arrow_type) or pa.types.is_uint64(arrow_type))


def says(*words: str) -> re.Pattern[str]:
    """Return what finds any of some words in a column's name, whole."""
    return re.compile(rf"(?:^|_)(?:{'|'.join(words)})(?=_|$)")


def matching(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    """Say which texts have a form, given as a regular expression of RE2 for all of a text."""
    found: NDArray[np.bool_] = pc.match_substring_regex(texts, f"^(?:{pattern})$").to_numpy(
        zero_copy_only=False
    )
    return found
