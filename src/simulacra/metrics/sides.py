"""The samples that a two-sample measure compares, with a floor when there is a hold-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from simulacra.core.limits import usable_cores
from simulacra.core.random import RngKey

ROWS = 50_000
"""Rows compared on each side unless the option ``rows`` says otherwise."""

_CELLS = 20_000_000
"""Values compared on each side at most: very wide tables are compared by fewer rows."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sides:
    """What is measured against what.

    With a hold-out, which nobody learned from, the synthetic rows are measured against it, and
    as many real rows (the ones learned from) are measured against it for the floor: what a
    perfect generator scores, as its rows too would be a second sample of the same population.
    Without one, synthetic rows are measured against real ones and there is no floor.

    Attributes:
        reference: What both others are measured against.
        synthetic: The synthetic rows.
        peer: As many real rows; None without a hold-out.
    """

    reference: pa.Table
    synthetic: pa.Table
    peer: pa.Table | None

    @classmethod
    def of(
        cls,
        real: pa.Table,
        synthetic: pa.Table,
        holdout: pa.Table | None,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> Sides:
        """Draw the samples, of at most ``options["rows"]`` rows each."""
        rows = row_budget(options, real.num_columns)
        if holdout is None:
            return cls(
                at_most(real, rows, rng.child("real")),
                at_most(synthetic, rows, rng.child("synthetic")),
                None,
            )
        rows = min(rows, real.num_rows, synthetic.num_rows)
        return cls(
            at_most(holdout, row_budget(options, real.num_columns), rng.child("holdout")),
            at_most(synthetic, rows, rng.child("synthetic")),
            at_most(real, rows, rng.child("real")),
        )

    @property
    def tables(self) -> list[pa.Table]:
        """The tables there are: reference, synthetic, and the peer if there is one."""
        tables = [self.reference, self.synthetic]
        return tables if self.peer is None else [*tables, self.peer]

    @property
    def rows(self) -> dict[str, int]:
        """The rows compared, for ``Score.details``."""
        return {
            "reference_rows": self.reference.num_rows,
            "synthetic_rows": self.synthetic.num_rows,
        }

    @property
    def empty(self) -> str:
        """Why nothing can be compared; empty when each side has rows."""
        if not self.reference.num_rows:
            return "there are no real rows" if self.peer is None else "the hold-out has no rows"
        if not self.synthetic.num_rows:
            return "there are no synthetic rows, or no real ones"
        return ""


def measure(sides: list[T], distance: Callable[[T, T], float]) -> tuple[float, float | None]:
    """Return the value (synthetic against reference) and the floor (peer against reference).

    Args:
        sides: What stands for each of ``Sides.tables``.
        distance: Called with reference and other.
    """
    value, *floor = [distance(sides[0], other) for other in sides[1:]]
    return value, floor[0] if floor else None


def at_most(table: pa.Table, rows: int, rng: RngKey) -> pa.Table:
    """Return a uniform sample of ``rows`` rows in their order, or the table if it has no more."""
    if table.num_rows <= rows:
        return table
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.generator().choice(table.num_rows, rows, replace=False, shuffle=False)] = True
    return table.filter(pa.array(chosen))


def row_budget(options: Mapping[str, Any], columns: int) -> int:
    """Return how many rows of ``columns`` columns a metric should compare on each side."""
    return max(1, min(int(options.get("rows", ROWS)), _CELLS // max(columns, 1)))


def thread_budget(options: Mapping[str, Any]) -> int:
    """Return how many threads a metric may use: ``options["threads"]``, or one a processor."""
    return int(options.get("threads", usable_cores()))
