"""The patterns of numbers and codes: where digits, capitals and small letters stand.

What is kept of a value is its pattern, as ``(999) 999-9999``, and for a pattern that many rows have
the characters met at each place. A value can't be told from that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.personal.kind import Facts
from simulacra.datatypes.personal.people import People
from simulacra.datatypes.personal.template import DIGITS, Letters, letters_of

PLACES = {
    "9": DIGITS,
    "A": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "a": tuple("abcdefghijklmnopqrstuvwxyz"),
}
"""The characters that may stand for each sign of a pattern; all others stand for themselves."""
_SIGNS = (
    (r"\p{Lu}", "A"),
    (r"[\p{Ll}\p{Lo}\p{Lt}\p{Lm}\p{M}]", "a"),
    (r"\p{N}", "9"),
)
_ROWS_THAT_TELL = 50
"""Rows of a pattern from which on the characters at each place are kept."""
_MOST_PATTERNS = 64
_MOST_WATCHED = 4_096


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern of a column.

    Attributes:
        head: What values begin with that stays as it is: a country's code.
        form: The rest, with signs of ``PLACES``.
        rows: How many rows have it.
        met: The characters met at each sign, where enough rows have the pattern; else empty.
    """

    head: str
    form: str
    rows: int
    met: tuple[str, ...]

    @property
    def signs(self) -> str:
        """The signs alone."""
        return "".join(c for c in self.form if c in PLACES)

    @property
    def choices(self) -> tuple[tuple[str, ...], ...]:
        """The characters that may stand at each sign."""
        if self.met:
            return tuple(tuple(met) for met in self.met)
        return tuple(PLACES[sign] for sign in self.signs)


class PatternLearner:
    """Counts patterns.

    Args:
        head: A regular expression of RE2 for what values begin with that is kept as it is.
    """

    def __init__(self, head: str = "") -> None:
        self._head = f"^({head})" if head else ""
        self._rows: dict[tuple[str, str], int] = {}
        self._met: dict[tuple[str, str], NDArray[np.bool_]] = {}

    def add(self, texts: pa.Array) -> None:
        """Count the next values."""
        heads, rest = self._split(texts)
        forms = form_of(rest)
        encoded = pc.dictionary_encode(
            pc.binary_join_element_wise(heads, forms, pa.scalar("\0", pa.large_string()))
        )
        order = np.argsort(encoded.indices.to_numpy(), kind="stable")
        counts = np.bincount(encoded.indices.to_numpy(), minlength=len(encoded.dictionary))
        begin = 0
        for key, count in zip(encoded.dictionary.to_pylist(), counts.tolist(), strict=True):
            head, _, form = key.partition("\0")
            places = order[begin : begin + count]
            begin += count
            if (head, form) not in self._rows and len(self._rows) >= _MOST_WATCHED:
                continue
            self._rows[head, form] = self._rows.get((head, form), 0) + count
            self._meet((head, form), rest.take(pa.array(places)))

    def _split(self, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
        if not self._head:
            return pa.array([""] * len(texts), pa.large_string()), texts
        heads = pc.struct_field(pc.extract_regex(texts, self._head.replace("(", "(?P<head>", 1)), 0)
        heads = heads.fill_null("")
        return heads, pc.replace_substring_regex(texts, self._head, "", max_replacements=1)

    def _meet(self, key: tuple[str, str], values: pa.Array) -> None:
        signs = [place for place, c in enumerate(key[1]) if c in PLACES]
        met = self._met.setdefault(key, np.zeros((len(signs), 128), np.bool_))
        letters = letters_of(values.to_pylist())[:, signs] if signs and len(key[1]) else None
        if letters is None:
            return
        for place in range(len(signs)):
            seen = np.unique(letters[:, place])
            met[place, seen[seen < 128]] = True

    def facts(self) -> Facts:
        """Return the most frequent patterns."""
        ranked = sorted(self._rows.items(), key=lambda item: (-item[1], item[0]))
        found: list[dict[str, Any]] = []
        for (head, form), rows in ranked[:_MOST_PATTERNS]:
            met = ["".join(chr(c) for c in np.flatnonzero(row)) for row in self._met[head, form]]
            tells = rows >= _ROWS_THAT_TELL and all(met)
            found.append({"head": head, "form": form, "rows": rows, "met": met if tells else []})
        return {"patterns": found}


def patterns_of(facts: Facts) -> list[Pattern]:
    """Return the patterns that were learned."""
    return [
        Pattern(str(p["head"]), str(p["form"]), int(p["rows"]), tuple(p["met"]))
        for p in facts["patterns"]
    ]


def form_of(texts: pa.Array) -> pa.Array:
    """Return the pattern of each text."""
    for characters, sign in _SIGNS:
        texts = pc.replace_substring_regex(texts, characters, sign)
    return texts


def by_pattern(people: People, patterns: Sequence[Pattern]) -> list[tuple[Pattern, NDArray[Any]]]:
    """Return for each pattern the rows that get it, as often as learned."""
    weights = np.array([pattern.rows for pattern in patterns], np.float64)
    chosen = people.chosen(weights, "pattern", people.column)
    return [(pattern, np.flatnonzero(chosen == place)) for place, pattern in enumerate(patterns)]


def only(people: People, rows: NDArray[Any]) -> People:
    """Return the people of some rows."""
    return People(people.key, np.ascontiguousarray(people.numbers[rows]), people.column)


def written(pattern: Pattern, compact: Letters) -> Letters:
    """Write the characters of each row at the signs of a pattern.

    Args:
        pattern: The pattern.
        compact: A character for each sign, shape ``(rows, signs)``.
    """
    whole = pattern.head + pattern.form
    if not whole:
        return np.zeros((len(compact), 0), np.uint32)
    made = np.repeat(letters_of([whole]), len(compact), axis=0)
    places = [len(pattern.head) + at for at, c in enumerate(pattern.form) if c in PLACES]
    made[:, places] = compact
    return made


def in_order(parts: Sequence[tuple[NDArray[Any], pa.Array]], rows: int) -> pa.Array:
    """Put texts made for some rows each back into the order of all rows."""
    if not parts:
        return pa.array([""] * rows, pa.large_string())
    places = np.concatenate([places for places, _ in parts])
    order = np.empty(rows, np.int64)
    order[places] = np.arange(rows)
    return pa.concat_arrays([texts for _, texts in parts]).take(pa.array(order))
