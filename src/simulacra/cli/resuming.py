"""Commands that go on after they were stopped: ``--resume``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from simulacra.core.errors import Cancelled, OutputError, UsageError

if TYPE_CHECKING:
    from simulacra.pipeline.journal import Journal

_NOTHING_LEFT = "Nothing was left behind"


def journal_wanted(
    dest: str, *, resume: bool, folder: str | None, overwrite: bool
) -> Journal | None:
    """Return the journal that ``--resume`` and ``--journal`` ask for.

    Raises:
        UsageError: They make no sense.
    """
    from simulacra.api.resuming import journal_of

    if folder is not None and not resume:
        raise UsageError("--journal without --resume", mend="Add --resume")
    return journal_of(dest, resume=folder or resume, overwrite=overwrite)


def may_replace(dest: str, journal: Journal | None, *, overwrite: bool) -> bool:
    """Say whether what is at the target may be replaced, or is this run's own result."""
    from simulacra.api.resuming import is_published

    return overwrite or (journal is not None and is_published(dest, journal))


@contextmanager
def going_on(journal: Journal | None) -> Iterator[None]:
    """Say how to go on, where something is kept of a run that is stopped or fails."""
    try:
        yield
    except KeyboardInterrupt as error:
        if journal is None or not journal.holds_work():
            raise
        raise Cancelled(
            "stopped", mend=f"Run the same command again to go on from {journal.folder}"
        ) from error
    except OutputError as error:
        if journal is not None and journal.holds_work() and error.mend.startswith(_NOTHING_LEFT):
            error.mend = f"Mend that and run the same command again to go on from {journal.folder}"
        raise
