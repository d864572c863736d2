"""Progress: bars on a terminal, plain lines elsewhere, nothing when silent."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichBars
    from rich.progress import TaskID

log = logging.getLogger("simulacra")
_LEAST_RATE = 10


class Task(Protocol):
    """One piece of work under way."""

    def advance(self, amount: int = 1) -> None:
        """Say that ``amount`` more units are done; safe from any thread."""
        ...


class Progress(Protocol):
    """Where work reports how far it is."""

    def task(
        self, title: str, total: int | None = None, unit: str = "rows"
    ) -> AbstractContextManager[Task]:
        """Return a context manager giving a :class:`Task` of ``total`` units."""
        ...

    def note(self, message: str) -> None:
        """Tell the user one fact about the run."""
        ...


class _NullTask:
    def advance(self, amount: int = 1) -> None:
        """Ignore."""


class SilentProgress:
    """Shows nothing; notes go to the ``simulacra`` logger."""

    @contextmanager
    def task(self, title: str, total: int | None = None, unit: str = "rows") -> Iterator[Task]:
        """Give a task that reports nowhere."""
        del total, unit
        log.debug(title)
        yield _NullTask()

    def note(self, message: str) -> None:
        """Log the message."""
        log.info(message)


def silent() -> Progress:
    """Return a progress that shows nothing."""
    return SilentProgress()


class _CountingTask:
    def __init__(self) -> None:
        self.done = 0

    def advance(self, amount: int = 1) -> None:
        self.done += amount


def _rate(done: int, seconds: float, unit: str) -> str:
    """Return how fast work goes, nothing if so slow that it says nothing."""
    rate = done / seconds if seconds else 0.0
    return f"{rate:,.0f} {unit}/s" if rate >= _LEAST_RATE else ""


class PlainProgress:
    """One line when a piece of work ends: for logs, pipes and CI.

    Args:
        stream: Where lines go; standard error unless told.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    @contextmanager
    def task(self, title: str, total: int | None = None, unit: str = "rows") -> Iterator[Task]:
        """Time the work and say how much was done, and how fast."""
        del total
        counting = _CountingTask()
        begun = time.monotonic()
        yield counting
        seconds = time.monotonic() - begun
        amount = f", {counting.done:,} {unit}" if counting.done else ""
        rate = _rate(counting.done, seconds, unit)
        self.note(f"{title}: {seconds:.1f} s{amount}{f' ({rate})' if rate else ''}")

    def note(self, message: str) -> None:
        """Write one line."""
        print(message, file=self._stream, flush=True)


class RichProgress:
    """Live bars with the rate and the time left, for terminals."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)

    @contextmanager
    def task(self, title: str, total: int | None = None, unit: str = "rows") -> Iterator[Task]:
        """Show a bar while the work goes on."""
        from rich import progress
        from rich.markup import escape

        title = escape(title)  # names of tables may hold brackets

        columns = (
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[unit]}"),
            progress.TimeElapsedColumn(),
            progress.TimeRemainingColumn(),
            progress.TextColumn("{task.fields[rate]}"),
        )
        with progress.Progress(*columns, console=self._console, transient=True) as bars:
            bar = _RichTask(bars, bars.add_task(title, total=total, unit=unit, rate=""), unit)
            yield bar
        self._console.print(f"[green]✓[/] {title} [dim]{bar.summary()}[/]", highlight=False)

    def note(self, message: str) -> None:
        """Print one line above the bars."""
        self._console.print(message, style="dim", highlight=False, markup=False)


class _RichTask:
    def __init__(self, bars: RichBars, task_id: TaskID, unit: str) -> None:
        self._bars = bars
        self._id = task_id
        self._unit = unit
        self._begun = time.monotonic()
        self._done = 0

    def advance(self, amount: int = 1) -> None:
        self._done += amount
        rate = _rate(self._done, time.monotonic() - self._begun, self._unit)
        self._bars.update(self._id, advance=amount, rate=rate)

    def summary(self) -> str:
        seconds = time.monotonic() - self._begun
        amount = f"{self._done:,} {self._unit}" if self._done else ""
        parts = (f"{seconds:.1f} s", amount, _rate(self._done, seconds, self._unit))
        return ", ".join(part for part in parts if part)
