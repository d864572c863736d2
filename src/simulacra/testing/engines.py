"""What every engine must do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

from simulacra.core.protocols import Engine
from simulacra.testing.check import Check, checks_of, require
from simulacra.testing.guards import no_threads_left, quiet

_TASKS = 200
_MOST_AHEAD = 64
_THREADS = (1, 2)


class _TaskFailure(Exception):  # noqa: N818 - only the checks see it
    """What a failing task raises."""


def checks(engine: Engine) -> list[Check]:
    """Return an engine's checks."""
    return checks_of(engine, _CHECKS)


def square(number: int) -> int:
    """Return the square: a task that any engine can send elsewhere."""
    return number * number


def fail_at_seventeen(number: int) -> int:
    """Fail at one number."""
    if number == 17:
        raise _TaskFailure(number)
    return number


@dataclass
class _Counted:
    """An endless stream of tasks that knows how many were taken."""

    taken: int = 0
    numbers: Iterator[int] = field(default_factory=count)

    def __iter__(self) -> Iterator[int]:
        for number in self.numbers:
            self.taken += 1
            yield number


def keeps_the_order_of_tasks(engine: Engine, folder: Path) -> None:
    """Results come in the order of the tasks, each once."""
    del folder
    for threads in _THREADS:
        found = list(engine.map(square, range(_TASKS), ctx=quiet(threads)))
        require(found == [n * n for n in range(_TASKS)], f"results lost or mixed on {threads}")


def takes_no_task_at_all(engine: Engine, folder: Path) -> None:
    """No tasks, no results."""
    del folder
    for threads in _THREADS:
        nothing: list[int] = []
        require(not list(engine.map(square, nothing, ctx=quiet(threads))), "a result of nothing")


def passes_exceptions_on(engine: Engine, folder: Path) -> None:
    """What a task raises reaches the caller, after the results before it; nothing stays."""
    del folder
    for threads in _THREADS:
        found: list[int] = []
        failed = False
        with no_threads_left():
            try:
                for result in engine.map(fail_at_seventeen, range(_TASKS), ctx=quiet(threads)):
                    found.append(result)  # noqa: PERF402 - what came before the failure matters
            except _TaskFailure:
                failed = True
        require(failed, "an exception of a task was swallowed")
        require(found == list(range(17)), f"results before the failure: {found}")


def works_a_bounded_number_ahead(engine: Engine, folder: Path) -> None:
    """An endless stream of tasks is taken only as results are wanted; leaving it ends all."""
    del folder
    for threads in _THREADS:
        tasks = _Counted()
        with no_threads_left():
            results = engine.map(square, tasks, ctx=quiet(threads))
            require(list(islice(results, 10)) == [n * n for n in range(10)], "results lost")
            require(tasks.taken <= 10 + _MOST_AHEAD, f"{tasks.taken} tasks taken for 10 results")
            close = getattr(results, "close", None)
            if close is not None:
                close()
            del results


def leaves_no_threads(engine: Engine, folder: Path) -> None:
    """When the results are all there, so is everybody."""
    del folder
    with no_threads_left():
        list(engine.map(square, range(_TASKS), ctx=quiet(2)))


_CHECKS: list[Callable[[Engine, Path], None]] = [
    keeps_the_order_of_tasks,
    takes_no_task_at_all,
    passes_exceptions_on,
    works_a_bounded_number_ahead,
    leaves_no_threads,
]
