"""How many rows must have a value for it to be kept: what fewer have may tell of a person."""

from __future__ import annotations

MIN_COUNT = 10
"""Rows that must have a value for it to be kept, unless a column's options say otherwise."""
FEWEST_ROWS = 1_000
"""In columns of fewer rows rare is usual: every value is kept unless ``min_count`` is given."""


def least_count(asked: int | None, rows: int) -> int:
    """Return how many rows must have a value: what was asked, or by default what protects.

    Args:
        asked: The option ``min_count``; None by default.
        rows: The rows of the column that aren't null.
    """
    if asked is not None:
        return asked
    return MIN_COUNT if rows >= FEWEST_ROWS else 1
