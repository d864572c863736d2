"""The patterns of numbers and codes: where digits, capitals and small letters stand.

What is kept of a value is its pattern, as ``(999) 999-9999``, and for a pattern of many different
values the characters met at the first places. A value can't be told from that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.datatypes.letters import Letters, exchanged, letters_of, matrix_of
from simulacra.datatypes.personal.kind import Facts
from simulacra.datatypes.personal.people import People
from simulacra.datatypes.personal.template import DIGITS

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
_ASCII_SIGNS = np.arange(256, dtype=np.uint8)
for _sign, _characters in PLACES.items():
    _ASCII_SIGNS[[ord(c) for c in _characters]] = ord(_sign)
_VALUES_THAT_TELL = 50
"""Different values of a pattern from which on the characters met at each place are kept: those of a
value that many rows repeat would be the value."""
_ROOM = 10
"""How many times as many values as rows a pattern has room for."""
_MOST_PATTERNS = 64
_MOST_WATCHED = 4_096


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern of a column.

    Attributes:
        head: What values begin with that stays as it is: a country's code.
        form: The rest, with signs of ``PLACES``.
        rows: How many rows have it.
        met: The characters met at each sign, empty for a sign that may be any; none: all may.
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
        if not self.met:
            return tuple(PLACES[sign] for sign in self.signs)
        return tuple(tuple(m) or PLACES[c] for m, c in zip(self.met, self.signs, strict=True))


class PatternLearner:
    """Counts patterns.

    Args:
        head: A regular expression of RE2 for what values begin with that is kept as it is.
        meets: Whether to note the characters met at each place.
    """

    def __init__(self, head: str = "", *, meets: bool = True) -> None:
        self._meets = meets
        self._head = f"^({head})" if head else ""
        self._rows: dict[tuple[str, str], int] = {}
        self._met: dict[tuple[str, str], NDArray[np.bool_]] = {}
        self._values: dict[tuple[str, str], set[int]] = {}

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
            if self._meets:
                self._meet((head, form), rest.take(pa.array(places)))

    def _split(self, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
        if not self._head:
            return pa.array([""] * len(texts), pa.large_string()), texts
        heads = pc.struct_field(pc.extract_regex(texts, self._head.replace("(", "(?P<head>", 1)), 0)
        heads = heads.fill_null("")
        return heads, pc.replace_substring_regex(texts, self._head, "", max_replacements=1)

    def _meet(self, key: tuple[str, str], values: pa.Array) -> None:
        """Note the characters at each sign, and some of the values, as hashes."""
        signs = [place for place, c in enumerate(key[1]) if c in PLACES]
        met = self._met.setdefault(key, np.zeros((len(signs), 128), np.bool_))
        if not signs:
            return
        known = self._values.setdefault(key, set())
        if len(known) < _VALUES_THAT_TELL:
            few = pc.unique(values).slice(0, 2 * _VALUES_THAT_TELL).to_pylist()
            known.update(hash_of(value) for value in few)
        letters = matrix_of(values)
        for place, sign in enumerate(signs):
            seen = np.unique(letters[:, sign])
            met[place, seen[seen < 128]] = True

    def facts(self) -> Facts:
        """Return the most frequent patterns."""
        ranked = sorted(self._rows.items(), key=lambda item: (-item[1], item[0]))
        found: list[dict[str, Any]] = []
        for (head, form), rows in ranked[:_MOST_PATTERNS]:
            met = self._told((head, form), rows) if self._meets else []
            found.append({"head": head, "form": form, "rows": rows, "met": met})
        return {"patterns": found}

    def _told(self, key: tuple[str, str], rows: int) -> list[str]:
        """Return the characters met at each sign; empty where any may stand.

        The first place tells little and is always kept. The last ones are left open until there is
        room for new values beside those that were there.
        """
        met = ["".join(map(chr, np.flatnonzero(row))) for row in self._met[key]]
        if len(self._values.get(key, ())) < _VALUES_THAT_TELL:
            return met[:1] + [""] * (len(met) - 1)
        signs = [c for c in key[1] if c in PLACES]
        for place in range(len(met) - 1, 0, -1):
            sizes = (len(few or PLACES[sign]) for few, sign in zip(met, signs, strict=True))
            if prod(sizes) >= _ROOM * rows:
                break
            met[place] = ""
        return met


def hash_of(text: str) -> int:
    """Return 64 bits that stand for a text, the same in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def patterns_of(facts: Facts) -> list[Pattern]:
    """Return the patterns that were learned."""
    return [
        Pattern(str(p["head"]), str(p["form"]), int(p["rows"]), tuple(p["met"]))
        for p in facts["patterns"]
    ]


def form_of(texts: pa.Array) -> pa.Array:
    """Return the pattern of each text."""
    quick = exchanged(texts, _ASCII_SIGNS)
    if quick is not None:
        return quick
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
    sexes = None if people.sexes is None else people.sexes[rows]
    births = None if people.births is None else people.births[rows]
    numbers = np.ascontiguousarray(people.numbers[rows])
    return People(people.key, numbers, people.column, sexes, births)


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
