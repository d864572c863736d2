"""Names of what is made: short enough, and each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count

from simulacra.core.errors import OutputError

LIMITS: Mapping[str, tuple[int, str]] = {
    "postgresql": (63, "bytes"),
    "mysql": (64, "characters"),
}
"""How long names may be; PostgreSQL cuts off the rest without a word."""

_OF_TABLE: Mapping[str, frozenset[str]] = {
    "postgresql": frozenset({"reference", "check"}),
    "mysql": frozenset({"key"}),
    "sqlite": frozenset({"reference", "check"}),
    "duckdb": frozenset({"reference", "check"}),
}
"""What may have one name in two tables of a schema."""


_ONE_OF_ALL_KINDS = {"postgresql"}
"""Where no two constraints of a table have one name, of whatever kind they are."""
_ONE_PLANE = {"mysql"}
_LAST_OF_PLANE = 0xFFFF


def check_name(name: str, dialect: str, title: str, where: str) -> None:
    """Refuse the name of a table or column that is too long, empty, or has impossible characters.

    Raises:
        OutputError: It is.
    """
    most, unit = LIMITS.get(dialect, (None, ""))
    if most is not None and _length(name, unit) > most:
        raise OutputError(
            f"the name has {_length(name, unit)} {unit}",
            where=where,
            why=f"{title} has at most {most}",
            mend="Rename it",
        )
    beyond = [sign for sign in name if ord(sign) > _LAST_OF_PLANE or sign in "\r\n"]
    if beyond and dialect in _ONE_PLANE:
        raise OutputError(
            f"the name holds {beyond[0]!r}",
            where=where,
            why=f"names in {title} take no character beyond U+FFFF, nor ends of lines",
            mend="Rename it",
        )
    if not name or "\0" in name:
        raise OutputError(f"nothing can be called {name!r}", where=where, mend="Rename it")


def check_apart(columns: Iterable[str], title: str, where: str) -> None:
    """Refuse columns of one table whose names differ in case alone.

    Raises:
        OutputError: There are such.
    """
    known: dict[str, str] = {}
    for column in columns:
        other = known.setdefault(column.lower(), column)
        if other != column:
            raise OutputError(
                f"the columns {other} and {column} would be the same",
                where=where,
                why=f"{title} doesn't mind the case of names",
                mend="Rename one of them",
            )


def _length(name: str, unit: str) -> int:
    return len(name.encode()) if unit == "bytes" else len(name)


class Names:
    """Hands out the names of constraints and indexes.

    Args:
        dialect: Name of the dialect.
        taken: What is there already, by schema.
    """

    def __init__(self, dialect: str, taken: Mapping[str | None, Iterable[str]]) -> None:
        self._dialect = dialect
        self._taken = {
            ("", schema): {name.lower() for name in names} for schema, names in taken.items()
        }

    def free(
        self, wanted: str | None, otherwise: str, what: str, place: tuple[str | None, str]
    ) -> str:
        """Return a name that nothing has yet.

        Args:
            wanted: The name it had.
            otherwise: What it is called if it had none.
            what: ``key``, ``reference`` or ``check``.
            place: Schema and table.
        """
        schema, table = place
        is_of_table = what in _OF_TABLE.get(self._dialect, ())
        scopes = {(table if is_of_table else "", schema)}
        if self._dialect in _ONE_OF_ALL_KINDS:
            scopes.add((table, schema))
        taken = [self._taken.setdefault(scope, set()) for scope in scopes]
        most, unit = LIMITS.get(self._dialect, (128, "characters"))
        name = wanted or otherwise
        for number in count(2):
            name = _cut(name, most, unit)
            if not any(name.lower() in names for names in taken):
                break
            ending = f"_{number}"
            name = _cut(otherwise, most - len(ending), unit) + ending
        for names in taken:
            names.add(name.lower())
        return name


def _cut(name: str, most: int, unit: str) -> str:
    while _length(name, unit) > most:
        name = name[:-1]
    return name
