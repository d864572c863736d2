"""Progress of work inside a larger piece of work: the rows of both count as the larger one's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from simulacra.core.progress import Progress, Task


class Steps:
    """Reports all that goes on inside a task as that task, for displays show one at a time.

    Args:
        progress: Where the task itself is shown.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._outer: Task | None = None

    @contextmanager
    def around(self, title: str) -> Iterator[None]:
        """Show one task, of whatever is done within."""
        with self._progress.task(title) as task:
            self._outer = task
            try:
                yield
            finally:
                self._outer = None

    @contextmanager
    def task(self, title: str, total: int | None = None, unit: str = "rows") -> Iterator[Task]:
        """Give the task that is shown, or show this one if none is."""
        if self._outer is not None:
            yield self._outer
            return
        with self._progress.task(title, total, unit) as task:
            yield task

    def note(self, message: str) -> None:
        """Tell the user one fact about the run."""
        self._progress.note(message)
