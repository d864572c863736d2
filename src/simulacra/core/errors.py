"""Every error Simulacra raises on purpose.

::

    SimulacraError                exit code
    ├── UsageError                2   an argument or option makes no sense
    │   ├── SpecError             2   the specification is wrong or does not fit the data
    │   └── PluginError           2   a plug-in is unknown, broken, or named twice
    ├── InputError                3   data can't be read, or is not what it says
    ├── OutputError               3   a result can't be written
    ├── BundleError               3   a ``.sim`` bundle is damaged, hostile or too new
    ├── LimitError                3   the work doesn't fit the memory or disk it was given
    ├── CheckFailed               1   a check the user asked for did not hold
    └── Cancelled                 130 the run was stopped from outside

Messages say what went wrong, where (``table.column`` or a path), why, and how to mend it.
"""

from __future__ import annotations


class SimulacraError(Exception):
    """Base of every error Simulacra raises on purpose.

    Args:
        what: What went wrong, one sentence without a full stop.
        where: The place: ``table.column``, ``table`` or a path.
        why: The cause, when it is known.
        mend: What the user can do about it.
    """

    exit_code = 3

    def __init__(self, what: str, *, where: str = "", why: str = "", mend: str = "") -> None:
        self.what = what
        self.where = where
        self.why = why
        self.mend = mend
        super().__init__(what, where, why, mend)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.why:
            text += f": {self.why}"
        if self.mend:
            text += f". {self.mend}"
        return text


class UsageError(SimulacraError):
    """An argument or option makes no sense."""

    exit_code = 2


class SpecError(UsageError):
    """The specification is wrong, or does not fit the data."""


class PluginError(UsageError):
    """A plug-in is unknown, broken, or named twice."""


class InputError(SimulacraError):
    """Data can't be read, or is not what it says."""


class OutputError(SimulacraError):
    """A result can't be written."""


class BundleError(SimulacraError):
    """A ``.sim`` bundle is damaged, hostile or of an unknown version."""


class LimitError(SimulacraError):
    """The work doesn't fit the memory or disk it was given."""


class CheckFailed(SimulacraError):  # noqa: N818 - a failed check is a verdict, not an error
    """A check that the user asked for did not hold."""

    exit_code = 1


class Cancelled(SimulacraError):  # noqa: N818 - stopping is a wish, not an error
    """The run was stopped from outside."""

    exit_code = 130
