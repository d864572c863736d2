"""Do two names speak of the same thing? A key's column is mostly named after what it refers to.

Names are taken apart into words (``customerId``, ``CUSTOMER_ID`` and ``customer id`` are alike),
and a word for keys at their end (id, key, no, …) into what it is the key of. What all columns of a
table begin with (``o_`` of TPC-H's orders) is read both with and without.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

KEY_WORDS = frozenset({
    "id", "key", "code", "no", "nr", "num", "number", "nbr", "uid", "uuid", "guid", "pk", "fk",
    "sk", "ref", "rk", "identifier",
})  # fmt: skip
_LEADING_KEY_WORDS = frozenset(("id", "fk", "ref"))
_GLUED_KEY_WORDS = ("identifier", "number", "uuid", "guid", "code", "key", "num", "nbr")
_SHORT_GLUED_KEY_WORDS = ("id", "no", "nr")
_SHORTEST_STEM = 3
_SHORTEST_SKELETON = 4
_GENERIC = frozenset({
    "name", "title", "type", "kind", "value", "description", "comment", "comments", "status",
    "state", "date", "time", "label", "text", "note", "notes", "line", "row", "rank",
    "position", "sort", "order", "sequence", "seq", "index", "level", "version",
})  # fmt: skip
"""Columns called so are about their own row, and say not of what else."""
_OWN_KIND = frozenset({
    "parent", "manager", "boss", "supervisor", "superior", "chief", "head", "leader", "mentor",
    "reportsto", "reportto", "managedby", "supervisedby", "replyto", "inreplyto", "ancestor",
    "root", "predecessor", "successor", "previous", "prev", "next", "replaces", "replacedby",
    "supersedes", "supersededby", "original", "duplicateof", "referredby", "referrer", "mother",
    "father", "sire", "dam", "spouse", "partner", "master", "relatedto", "linkedto",
    "dependson", "upline",
})  # fmt: skip
"""Columns called so refer to another row of their own table."""
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


class Agreement(IntEnum):
    """How well the name of a column fits that of a key."""

    NONE = 0
    ALIKE = 1
    """One may shorten the other (``cust_id``, customers): only values can tell."""
    ROLE = 2
    """The key's name in a role (``home_team_id``), or a word for rows of the own table."""
    SAME = 3
    """The key's own name (``carrier``, ``o_custkey`` of ``c_custkey``)."""
    TABLE = 4
    """The name of the key's table (``customer_id``, ``customer``)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand a column's name.

    Attributes:
        stem: The words without those for keys.
        key_word: The word for keys that they came with; empty if there was none.
    """

    stem: tuple[str, ...]
    key_word: str

    @property
    def text(self) -> str:
        """The stem as one word."""
        return "".join(self.stem)


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column's name, understood.

    Attributes:
        readings: What it may mean, as a whole.
        roles: The same with a role left away before or behind; never empty stems.
    """

    readings: tuple[Reading, ...]
    roles: tuple[Reading, ...]

    @property
    def says_key(self) -> bool:
        """Whether a word for keys is in it."""
        return any(reading.key_word for reading in self.readings)

    @property
    def is_bare(self) -> bool:
        """Whether it is nothing but a word for keys, as ``id``."""
        return any(not reading.stem for reading in self.readings)


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's name, understood: its words, without those that say nothing of its rows."""

    entities: tuple[tuple[str, ...], ...]

    def singulars(self) -> frozenset[str]:
        """Return what one of its rows may be called."""
        return frozenset(form for entity in self.entities for form in _strict_singulars(entity))

    def forms(self) -> frozenset[str]:
        """Return what its rows may be called, one or many."""
        return frozenset(form for entity in self.entities for form in forms(entity))


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
    """Say whether a column is called as the key of this table would be, in full or shortened."""
    entities = table.forms()
    return any(
        reading.stem
        and (forms(reading.stem) & entities or any(_shortens(reading.text, e) for e in entities))
        for reading in column.readings
    )


def agreement(
    column: ColumnName,
    key: ColumnName,
    table: TableName,
    *,
    is_primary: bool,
    is_number: bool,
) -> tuple[Agreement, int]:
    """Say how well a column's name fits that of a key.

    Args:
        column: The column that may refer to the key.
        key: The key's column.
        table: The key's table.
        is_primary: Whether it is the main key of the table.
        is_number: Whether the values are numbers: those of one thing lie easily among those of
            another, so its name must say that it is a key.

    Returns:
        How well, and a number that is higher the more of the name fits.
    """
    best = (Agreement.NONE, 0)
    for reading in column.readings:
        found = _of_reading(reading, key, table, is_primary=is_primary, is_number=is_number)
        best = max(best, (found, 2 * len(reading.stem) + _same_key_word(reading, key)))
    if best[0] > Agreement.ALIKE:
        return best
    for reading in column.roles:
        if reading.text in _GENERIC and not reading.key_word:
            continue
        found = _of_reading(reading, key, table, is_primary=is_primary, is_number=is_number)
        if found >= Agreement.SAME:
            lowered = Agreement.ROLE
            if is_number and not reading.key_word:
                lowered = Agreement.ALIKE
            best = max(best, (lowered, 2 * len(reading.stem) + _same_key_word(reading, key)))
    return best


def in_a_role(column: ColumnName) -> ColumnName:
    """Return the name without what it is as a whole: ``flight`` of a flight is its number."""
    return ColumnName((), column.roles)


def refers_to_own_kind(column: ColumnName, table: TableName) -> bool:
    """Say whether a column is called as one that refers to its own table, as ``manager_id``."""
    entities = table.singulars()
    return any(
        "".join(stem) in _OWN_KIND and (not rest or "".join(rest) in entities)
        for reading in column.readings
        for end in range(1, len(reading.stem) + 1)
        for stem, rest in [(reading.stem[:end], reading.stem[end:])]
    )


def _same_key_word(reading: Reading, key: ColumnName) -> int:
    return int(any(reading.key_word == other.key_word for other in key.readings))


def _of_reading(
    reading: Reading, key: ColumnName, table: TableName, *, is_primary: bool, is_number: bool
) -> Agreement:
    if not reading.stem:
        return Agreement.NONE
    if _names_table(reading, key, table, is_primary=is_primary):
        return Agreement.TABLE
    for other in key.readings:
        if not other.stem or not forms(reading.stem) & forms(other.stem):
            continue
        if reading.text in _GENERIC and not (reading.key_word and other.key_word):
            continue
        # A number called "orders" is their number, where the key is called "order_id".
        is_count = is_number and reading.text not in forms(other.stem)
        if reading.key_word or (other.key_word and not is_count) or not is_number:
            return Agreement.SAME
    entities = table.forms()
    if is_primary and reading.key_word:
        tails = {form for e in table.entities for i in range(1, len(e)) for form in forms(e[i:])}
        shortened = any(_shortens(reading.text, e) or _shortens(e, reading.text) for e in entities)
        if shortened or forms(reading.stem) & tails:
            return Agreement.ALIKE
    return Agreement.NONE


def _names_table(reading: Reading, key: ColumnName, table: TableName, *, is_primary: bool) -> bool:
    """Say whether a name is that of a row of the table, and so of its key."""
    if reading.key_word:
        named = bool(forms(reading.stem) & table.forms())
    else:
        # "orders" beside a table of orders is their number; "order" is one of them.
        named = reading.text in table.singulars()
    if not named or is_primary:
        return named
    # Of several keys, one that is not the main one must be meant by its own word.
    return any(
        other.key_word == reading.key_word and (not other.stem or forms(other.stem) & table.forms())
        for other in key.readings
    )


def _shortens(short: str, full: str) -> bool:
    """Say whether one word may be short for another: its start, or enough of its letters."""
    if len(short) < _SHORTEST_STEM or len(short) >= len(full) or short[0] != full[0]:
        return False
    if full.startswith(short):
        return True
    letters = iter(full)
    return len(short) >= _SHORTEST_SKELETON and all(letter in letters for letter in short)
