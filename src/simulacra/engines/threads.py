"""The default engine: threads of this process. The kernels they run release the GIL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, TypeVar

from simulacra.core.context import RunContext

T = TypeVar("T")
R = TypeVar("R")


class Threads:
    """Runs tasks on ``ctx.limits.threads`` threads."""

    name: ClassVar[str] = "threads"

    def map(self, fn: Callable[[T], R], tasks: Iterable[T], *, ctx: RunContext) -> Iterator[R]:
        """Yield ``fn(task)`` in order, at most two tasks a thread ahead."""
        return ctx.map(fn, tasks)
