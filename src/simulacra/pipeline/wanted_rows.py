"""How many rows a subset shall have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from simulacra.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Wanted:
    """How large a subset shall be: a share of all tables, or rows of some.

    Attributes:
        rows: Rows about the largest table, or rows by table.
        scale: The share of rows, from 0 to 1.
    """

    rows: int | Mapping[str, int] | None
    scale: float | None

    def __post_init__(self) -> None:
        if (self.rows is None) == (self.scale is None):
            what = "nothing says how many rows" if self.rows is None else "rows and scale are given"
            raise UsageError(what, mend="Give either rows or a scale")
        if self.scale is not None and not 0 <= self.scale <= 1:
            raise UsageError(f"a scale of {self.scale}", mend="Give a number from 0 to 1")
        numbers = self.rows.values() if isinstance(self.rows, Mapping) else [self.rows or 0]
        for number in numbers:
            if number < 0:
                raise UsageError(f"{number} rows", mend="Give 0 or more")

    def tables(self) -> Collection[str]:
        """Return the tables that rows are wanted of by name."""
        return self.rows.keys() if isinstance(self.rows, Mapping) else ()
