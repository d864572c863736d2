"""What a run is given: threads, memory, progress, and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from simulacra.core.limits import Limits
from simulacra.core.progress import Progress, silent

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class RunContext:
    """Handed down through every long operation.

    Attributes:
        limits: How many threads and bytes may be used.
        progress: Where to report what is going on.
    """

    limits: Limits = field(default_factory=Limits)
    progress: Progress = field(default_factory=silent)

    def map(self, fn: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R]:
        """Yield ``fn(task)`` in order, from threads, at most two tasks a thread ahead.

        An exception in a task, or leaving the iterator, drops the tasks not begun.
        """
        threads = self.limits.threads
        if threads == 1:
            yield from map(fn, tasks)
            return
        pool = ThreadPoolExecutor(threads, thread_name_prefix="simulacra")
        try:
            rest = iter(tasks)
            waiting: list[Future[R]] = [pool.submit(fn, task) for task in islice(rest, 2 * threads)]
            while waiting:
                result = waiting.pop(0).result()
                waiting += [pool.submit(fn, task) for task in islice(rest, 1)]
                yield result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
