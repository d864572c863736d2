"""How a column writes what it holds: how many of its values are of which style and case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.personal.kind import Facts, matching
from simulacra.datatypes.personal.people import People, Places

_MOSTLY = 0.9


class StyleLearner:
    """Counts styles and cases.

    Args:
        styles: What values of each style look like, as regular expressions of RE2; a value counts
            for the first that it matches.
    """

    def __init__(self, styles: Mapping[str, str]) -> None:
        self._styles = styles
        self._counts = dict.fromkeys(styles, 0)
        self._cased = self._upper = self._lower = 0

    def add(self, texts: pa.Array) -> None:
        """Count the next values."""
        left = np.ones(len(texts), np.bool_)
        for style, pattern in self._styles.items():
            found = left & matching(texts, pattern)
            self._counts[style] += int(found.sum())
            left &= ~found
        upper = pc.equal(pc.utf8_upper(texts), texts)
        lower = pc.equal(pc.utf8_lower(texts), texts)
        caseless = pc.and_(upper, lower)
        self._cased += len(texts) - (pc.sum(caseless).as_py() or 0)
        self._upper += pc.sum(pc.and_not(upper, caseless)).as_py() or 0
        self._lower += pc.sum(pc.and_not(lower, caseless)).as_py() or 0

    def facts(self) -> Facts:
        """Return the counts of styles, and the case of nearly all values."""
        case = ""
        if self._upper > _MOSTLY * self._cased:
            case = "upper"
        elif self._lower > _MOSTLY * self._cased:
            case = "lower"
        return {"styles": self._counts, "case": case}


def chosen_style(facts: Facts, people: People, default: str) -> tuple[list[str], Places]:
    """Return the styles and which one each person gets, as often as learned."""
    styles: dict[str, Any] = {name: count for name, count in facts["styles"].items() if count > 0}
    styles = styles or {default: 1}
    weights = np.array(list(styles.values()), np.float64)
    return list(styles), people.chosen(weights, "style", people.column)


def in_case(facts: Facts, texts: pa.Array) -> pa.Array:
    """Return texts in the case that was learned."""
    if facts["case"] == "upper":
        return pc.utf8_upper(texts)
    return pc.utf8_lower(texts) if facts["case"] == "lower" else texts


def by_style(places: Places, made: list[pa.Array]) -> pa.Array:
    """Return for each row what its style made.

    Args:
        places: The style of each row, shape ``(rows,)``.
        made: What each style makes of every row.
    """
    if len(made) == 1:
        return made[0]
    rows = len(places)
    flat = pa.concat_arrays(made)
    return flat.take(pa.array(places * rows + np.arange(rows)))


def taken(words: pa.Array, places: NDArray[Any]) -> pa.Array:
    """Return the words at some places."""
    return words.take(pa.array(places.astype(np.int64)))


def spelled(numbers: NDArray[Any]) -> pa.Array:
    """Return whole numbers as texts; nought is empty."""
    texts = pa.array(numbers.astype(np.int64)).cast(pa.large_string())
    return pc.if_else(pc.equal(texts, "0"), "", texts).cast(pa.large_string())


def put_together(*parts: pa.Array | str) -> pa.Array:
    """Return texts written one after the other."""
    scalars = [pa.scalar(p, pa.large_string()) if isinstance(p, str) else p for p in parts]
    return pc.binary_join_element_wise(*scalars, pa.scalar("", pa.large_string()))
