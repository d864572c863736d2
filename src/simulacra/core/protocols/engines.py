"""The contract of engines, which run independent tasks somewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

if TYPE_CHECKING:
    from simulacra.core.context import RunContext


T = TypeVar("T")
R = TypeVar("R")


class Engine(Protocol):
    """Runs independent tasks somewhere."""

    name: ClassVar[str]

    def map(self, fn: Callable[[T], R], tasks: Iterable[T], *, ctx: RunContext) -> Iterator[R]:
        """Yield ``fn(task)`` in the order of the tasks, working a bounded number ahead."""
        ...
