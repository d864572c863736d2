"""Which of a source's tables are wanted, by patterns over their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from simulacra.core.errors import UsageError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """Patterns of names, as ``order*``.

    Attributes:
        include: Tables wanted; all if empty.
        exclude: Tables not wanted.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Say whether a table is wanted."""
        return (not self.include or _fits(name, self.include)) and not _fits(name, self.exclude)

    def options(self) -> dict[str, Any]:
        """Return it as options for connectors that choose tables themselves."""
        return {
            name: patterns
            for name, patterns in (("include", self.include), ("exclude", self.exclude))
            if patterns
        }

    def among(self, tables: Mapping[str, T], *, where: str) -> dict[str, T]:
        """Return the tables wanted.

        Raises:
            UsageError: A pattern fits no table, or none is left.
        """
        for pattern in (*self.include, *self.exclude):
            if not any(fnmatchcase(name, pattern) for name in tables):
                raise UsageError(
                    f"no table is called {pattern!r}",
                    where=where,
                    mend=f"There are {', '.join(tables)}",
                )
        chosen = {name: table for name, table in tables.items() if self.takes(name)}
        if not chosen:
            raise UsageError(
                "no table is left",
                where=where,
                why=f"of {', '.join(tables)}",
                mend="Include more, or exclude less",
            )
        return chosen


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
