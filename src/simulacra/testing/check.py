"""A check: a name and something to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class NotConformant(AssertionError):  # noqa: N818 - a verdict, as pytest's own failures
    """A plug-in doesn't do what its contract says."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold.

    Attributes:
        name: What must hold, as ``returns_the_rows_asked_for``.
        run: Checks it, in an empty folder of its own; raises when it doesn't hold.
    """

    name: str
    run: Callable[[Path], None]


def checks_of(subject: T, functions: Iterable[Callable[[T, Path], None]]) -> list[Check]:
    """Return a check for each function, which takes what is checked and a folder."""

    def bind(function: Callable[[T, Path], None]) -> Check:
        return Check(function.__name__, lambda folder: function(subject, folder))

    return [bind(function) for function in functions]


def require(holds: object, problem: str) -> None:
    """Raise :class:`NotConformant` unless something holds."""
    if not holds:
        raise NotConformant(problem)


def for_each(names: Iterable[T], check: Callable[[T], None]) -> None:
    """Run a check for each name, or list of them, and tell all that fail, not only the first.

    Raises:
        NotConformant: At least one failed, by an exception of whatever kind.
    """
    problems: list[str] = []
    causes: list[Exception] = []
    for name in names:
        try:
            check(name)
        except Exception as error:  # noqa: BLE001 - any failure of a plug-in is what we look for
            problems.append(f"{name}: {type(error).__name__}: {error}")
            causes.append(error)
    if problems:
        raise NotConformant("\n".join(problems)) from causes[0]
