"""Names of tables and columns, understood: a key is mostly called after what it refers to.

Names are taken apart into words (``customerId``, ``CUSTOMER_ID`` and ``customer id`` are alike),
and a word for keys at their end (id, key, no, …) into what it is the key of. What all columns of a
table begin with (``o_`` of TPC-H's orders) is read both with and without.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

KEY_WORDS = frozenset({
    "id", "key", "code", "no", "nr", "num", "number", "nbr", "uid", "uuid", "guid", "pk", "fk",
    "sk", "ref", "rk", "identifier",
})  # fmt: skip
_LEADING_KEY_WORDS = frozenset(("id", "fk", "ref"))
_GLUED_KEY_WORDS = ("identifier", "number", "uuid", "guid", "code", "key", "num", "nbr")
_SHORT_GLUED_KEY_WORDS = ("id", "no", "nr")
_SHORTEST_STEM = 3
_TABLE_WORDS = frozenset({
    "dim", "dimension", "fact", "tbl", "tab", "table", "stg", "staging", "raw", "src", "ods",
    "dwh", "public", "dbo", "main", "app", "vw", "view", "lookup", "lkp", "ref", "lu", "t", "d",
    "f",
})  # fmt: skip
_IRREGULAR = {
    "people": "person",
    "persons": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "feet": "foot",
    "teeth": "tooth",
    "geese": "goose",
    "indices": "index",
    "vertices": "vertex",
    "matrices": "matrix",
    "criteria": "criterion",
    "media": "medium",
}
_LETTERS_OR_DIGITS = re.compile(r"[^\W\d_]+|\d+")


@dataclass(frozen=True)
class Reading:
    """One way to understand a column's name.

    Attributes:
        stem: The words without those for keys.
        key_word: The word for keys that they came with; empty if there was none.
    """

    stem: tuple[str, ...]
    key_word: str

    @cached_property
    def text(self) -> str:
        """The stem as one word."""
        return "".join(self.stem)

    @cached_property
    def forms(self) -> frozenset[str]:
        """The stem as one word, as it is and in the singular; none without a stem."""
        return forms(self.stem) if self.stem else frozenset()


@dataclass(frozen=True)
class ColumnName:
    """A column's name, understood.

    Attributes:
        readings: What it may mean, as a whole.
        roles: The same with a role left away before or behind; never empty stems.
    """

    readings: tuple[Reading, ...]
    roles: tuple[Reading, ...]

    @cached_property
    def says_key(self) -> bool:
        """Whether a word for keys is in it."""
        return any(reading.key_word for reading in self.readings)

    @cached_property
    def is_bare(self) -> bool:
        """Whether it is nothing but a word for keys, as ``id``."""
        return any(not reading.stem for reading in self.readings)

    @cached_property
    def forms(self) -> frozenset[str]:
        """All that it may be called as a whole."""
        return frozenset(form for reading in self.readings for form in reading.forms)

    @cached_property
    def every_form(self) -> frozenset[str]:
        """All that it may be called, as a whole or in a role."""
        return self.forms | {form for reading in self.roles for form in reading.forms}


@dataclass(frozen=True)
class TableName:
    """A table's name, understood.

    Attributes:
        entities: Its words, with and without those that say nothing of its rows.
    """

    entities: tuple[tuple[str, ...], ...]

    @cached_property
    def singulars(self) -> frozenset[str]:
        """What one of its rows may be called."""
        return frozenset(form for entity in self.entities for form in _strict_singulars(entity))

    @cached_property
    def forms(self) -> frozenset[str]:
        """What its rows may be called, one or many."""
        return frozenset(form for entity in self.entities for form in forms(entity))

    @cached_property
    def tails(self) -> frozenset[str]:
        """The same without some words before."""
        ends = [entity[start:] for entity in self.entities for start in range(1, len(entity))]
        return frozenset(form for end in ends for form in forms(end))


def words(name: str) -> tuple[str, ...]:
    """Return the words of a name in lower case."""
    found: list[str] = []
    for run in _LETTERS_OR_DIGITS.findall(name):
        begin = 0
        for place in range(1, len(run)):
            after = run[place + 1 : place + 2]
            starts = run[place].isupper() and (run[place - 1].islower() or after.islower())
            if starts:
                found.append(run[begin:place])
                begin = place
        found.append(run[begin:])
    return tuple(word.lower() for word in found)


def column_names(names: Sequence[str]) -> dict[str, ColumnName]:
    """Understand the names of all columns of a table."""
    split = {name: words(name) for name in names}
    shared = _shared_start(list(split.values()))
    return {
        name: _column_name(taken[shared:], whole=taken if shared else None)
        for name, taken in split.items()
    }


def table_names(names: Sequence[str]) -> dict[str, TableName]:
    """Understand the names of all tables of a dataset."""
    split = {name: words(name) for name in names}
    shared = _shared_start(list(split.values()))
    understood = {}
    for name, taken in split.items():
        entities = {taken, words(name.rpartition(".")[2]), taken[shared:]}
        entities |= {_without(entity, _TABLE_WORDS) for entity in entities}
        understood[name] = TableName(tuple(sorted(filter(None, entities))))
    return understood


def _shared_start(split: Sequence[tuple[str, ...]]) -> int:
    """Return how many words all names begin with, short of a whole name."""
    if len(split) < 2:
        return 0
    shared = 0
    while all(len(taken) > shared + 1 for taken in split) and (
        len({taken[shared] for taken in split}) == 1
    ):
        shared += 1
    return shared


def _without(entity: tuple[str, ...], empty_words: Collection[str]) -> tuple[str, ...]:
    begin, end = 0, len(entity)
    while end - begin > 1 and entity[begin] in empty_words:
        begin += 1
    while end - begin > 1 and entity[end - 1] in empty_words:
        end -= 1
    return entity[begin:end]


def _column_name(taken: tuple[str, ...], *, whole: tuple[str, ...] | None) -> ColumnName:
    readings = _readings(taken)
    roles = [
        Reading(reading.stem[start:], reading.key_word)
        for reading in readings
        for start in range(1, len(reading.stem))
    ]
    for end, (word, _) in enumerate(pairwise(taken), start=1):
        if word in KEY_WORDS and end > 1:
            roles += _readings(taken[:end])
    # What all columns begin with is no role.
    readings += _readings(whole) if whole is not None else []
    return ColumnName(
        tuple(dict.fromkeys(readings)), tuple(dict.fromkeys(r for r in roles if r.stem))
    )


def _readings(taken: tuple[str, ...]) -> list[Reading]:
    if len(taken) > 1 and taken[0] in _LEADING_KEY_WORDS:
        rest = _readings(taken[1:])
        return [Reading(reading.stem, reading.key_word or taken[0]) for reading in rest]
    stem, key_word = taken, ""
    while stem and stem[-1] in KEY_WORDS:
        stem, key_word = stem[:-1], stem[-1]
    readings = [Reading(stem, key_word)]
    if not key_word and stem:
        last = stem[-1]
        for glued in (*_GLUED_KEY_WORDS, *_SHORT_GLUED_KEY_WORDS):
            if last.endswith(glued) and len(last) - len(glued) >= _SHORTEST_STEM:
                readings.append(Reading((*stem[:-1], last[: -len(glued)]), glued))
                break
    return readings


def forms(stem: tuple[str, ...]) -> frozenset[str]:
    """Return what a stem may be as one word: as it is, and in the singular."""
    head, last = "".join(stem[:-1]), stem[-1]
    return frozenset(head + form for form in _singulars(last))


def _strict_singulars(stem: tuple[str, ...]) -> frozenset[str]:
    every = forms(stem)
    return every if len(every) == 1 else every - {"".join(stem)}


def _singulars(word: str) -> set[str]:
    found = {word}
    if word in _IRREGULAR:
        found.add(_IRREGULAR[word])
    if len(word) <= _SHORTEST_STEM or not word.endswith("s"):
        return found
    if word.endswith("ies"):
        found |= {word[:-3] + "y", word[:-1]}
    elif word.endswith("ves"):
        found |= {word[:-3] + "f", word[:-3] + "fe", word[:-1]}
    elif word.endswith("es"):
        found |= {word[:-1]}
        if word[:-2].endswith(("s", "x", "z", "ch", "sh", "o")):
            found |= {word[:-2]}
        if word.endswith("ses"):
            found |= {word[:-2] + "is"}
    elif not word.endswith(("ss", "us", "is")):
        found.add(word[:-1])
    return found


def is_named_after(column: ColumnName, table: TableName) -> bool:
    """Say whether a column is called as the key of this table would be."""
    return not column.forms.isdisjoint(table.forms)
