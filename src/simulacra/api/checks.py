"""Functions of Python that say which rows are as they must be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulacra.core.errors import UsageError
from simulacra.rules.custom import Check

Checks = Check | Mapping[str, Check | Sequence[Check]] | None
"""A function for a single table, or one or more by table."""


def checks_of(
    checks: Checks, tables: Sequence[str], *, resume: bool
) -> dict[str, tuple[Check, ...]]:
    """Return the functions of each table.

    Args:
        checks: What a user gave.
        tables: The tables that are learned.
        resume: Whether what is learned is kept to go on from.

    Raises:
        UsageError: There is no such table, one function is given for several tables, or functions
            are to be kept.
    """
    if checks is None:
        return {}
    if resume:
        raise UsageError(
            "checks that are Python functions can't be kept to resume from",
            mend="Write them as SQL expressions, with the rule custom",
        )
    if not isinstance(checks, Mapping):
        if len(tables) != 1:
            raise UsageError(
                "one check is given for several tables",
                mend=f"Give them by table: {', '.join(tables)}",
            )
        return {tables[0]: (checks,)}
    unknown = sorted(set(checks) - set(tables))
    if unknown:
        raise UsageError(
            f"there is no table {unknown[0]!r} to check", mend=f"There are: {', '.join(tables)}"
        )
    return {
        name: tuple(some) if isinstance(some, Sequence) else (some,)
        for name, some in checks.items()
    }
