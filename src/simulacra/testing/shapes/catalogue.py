"""The list of shapes: each a function that makes a small database, hard in one way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulacra.testing.small_database import Database, Maker

_SHAPES: dict[str, Callable[[Maker], Database]] = {}
SHAPES: Mapping[str, Callable[[Maker], Database]] = _SHAPES
"""What makes the database of each shape, by its name."""


def shape(make: Callable[[Maker], Database]) -> Callable[[Maker], Database]:
    """Add a shape, under the name of its function."""
    _SHAPES[make.__name__] = make
    return make


def database(name: str, *, seed: int = 0) -> Database:
    """Return the database of a shape.

    Args:
        name: The shape.
        seed: Decides the rows.
    """
    return SHAPES[name](Maker.of(name, seed))
