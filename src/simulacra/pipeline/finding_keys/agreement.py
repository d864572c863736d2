"""How well do the names of a column and of a key agree?"""

from __future__ import annotations

from enum import IntEnum

from simulacra.pipeline.finding_keys.names import ColumnName, Reading, TableName

_SHORTEST = 3
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
    known = (key.forms, table.forms, table.tails)
    if all(column.every_form.isdisjoint(some) for some in known):
        # Most pairs of names end here.
        shortened = is_primary and any(_is_short(r, key, table) for r in column.readings)
        return (Agreement.ALIKE if shortened else Agreement.NONE), 0
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
    entities = table.singulars
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
        if reading.forms.isdisjoint(other.forms):
            continue
        if reading.text in _GENERIC and not (reading.key_word and other.key_word):
            continue
        # A number called "orders" is their number, where the key is called "order_id".
        is_count = is_number and reading.text not in other.forms
        if reading.key_word or (other.key_word and not is_count) or not is_number:
            return Agreement.SAME
    return Agreement.ALIKE if is_primary and _is_short(reading, key, table) else Agreement.NONE


def _is_short(reading: Reading, key: ColumnName, table: TableName) -> bool:
    """Say whether a name may be a shorter (or longer) one of the key's, or of its table."""
    if not (reading.stem and reading.key_word):
        return False
    full = table.forms | key.forms
    return not reading.forms.isdisjoint(table.tails) or any(
        _shortens(reading.text, other) or _shortens(other, reading.text) for other in full
    )


def _names_table(reading: Reading, key: ColumnName, table: TableName, *, is_primary: bool) -> bool:
    """Say whether a name is that of a row of the table, and so of its key."""
    if reading.key_word:
        named = not reading.forms.isdisjoint(table.forms)
    else:
        # "orders" beside a table of orders is their number; "order" is one of them.
        named = reading.text in table.singulars
    if not named or is_primary:
        return named
    # Of several keys, one that is not the main one must be meant by its own word.
    return any(
        other.key_word == reading.key_word
        and (not other.stem or not other.forms.isdisjoint(table.forms))
        for other in key.readings
    )


def _shortens(short: str, full: str) -> bool:
    """Say whether one word may be short for another: its start, or enough of its letters."""
    if len(short) < _SHORTEST or len(short) >= len(full) or short[0] != full[0]:
        return False
    if full.startswith(short):
        return True
    letters = iter(full)
    return len(short) >= _SHORTEST_SKELETON and all(letter in letters for letter in short)
