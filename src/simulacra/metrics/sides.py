"""The samples that a two-sample measure compares, and those that give its floor."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from simulacra.core.limits import usable_cores
from simulacra.core.random import RngKey
from simulacra.core.scores import Score
from simulacra.metrics.intervals import Estimate, Interval

ROWS = 50_000
"""Rows compared on each side unless the option ``rows`` says otherwise."""

_CELLS = 20_000_000
"""Values compared on each side at most: very wide tables are compared by fewer rows."""

T = TypeVar("T")


class Floor(StrEnum):
    """What stood in for a second real sample."""

    HOLDOUT = "hold-out"
    """Real rows, against real rows that were not learned from."""
    BOOTSTRAP = "bootstrap"
    """Rows drawn with replacement from the real ones, against the real ones."""
    HALVES = "halves"
    """One random half of the real rows, against the other."""
    REAL = "real rows"
    """The real rows themselves: what is asked of each row needs no other sample."""


@dataclass(frozen=True, slots=True)
class Sides:
    """What is measured against what.

    With a hold-out, which nobody learned from, the synthetic rows are measured against it, and
    as many real rows (the ones learned from) are measured against it for the floor: what a
    perfect generator scores, as its rows too would be a second sample of the same population.
    Without one, synthetic rows are measured against real ones, and for the floor as many rows
    drawn with replacement from the real ones: what a generator scores that has learned nothing
    but the real rows, and those perfectly.

    Attributes:
        reference: What both others are measured against.
        synthetic: The synthetic rows.
        peer: As many real rows.
        floor: Where the peer comes from.
    """

    reference: pa.Table
    synthetic: pa.Table
    peer: pa.Table
    floor: Floor

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
            drawn = at_most(synthetic, rows, rng.child("synthetic"))
            return cls(
                at_most(real, rows, rng.child("real")),
                drawn,
                with_replacement(real, drawn.num_rows, rng.child("peer")),
                Floor.BOOTSTRAP,
            )
        alike = min(rows, real.num_rows, synthetic.num_rows)
        return cls(
            at_most(holdout, rows, rng.child("holdout")),
            at_most(synthetic, alike, rng.child("synthetic")),
            at_most(real, alike, rng.child("real")),
            Floor.HOLDOUT,
        )

    def of_equal_rows(self, rng: RngKey) -> Sides:
        """Return as many rows of each side: what chance adds to some measures depends on them."""
        rows = min(self.reference.num_rows, self.synthetic.num_rows)
        cut = [at_most(side, rows, rng.child("equal", i)) for i, side in enumerate(self.tables)]
        return Sides(cut[0], cut[1], cut[2], self.floor)

    @property
    def tables(self) -> list[pa.Table]:
        """Reference, synthetic and peer."""
        return [self.reference, self.synthetic, self.peer]

    @property
    def details(self) -> dict[str, Any]:
        """The rows compared and where the floor comes from, for ``Score.details``."""
        return {
            "reference_rows": self.reference.num_rows,
            "synthetic_rows": self.synthetic.num_rows,
            "floor": self.floor.value,
        }

    @property
    def empty(self) -> str:
        """Why nothing can be compared; empty when each side has rows."""
        if not self.reference.num_rows:
            held_out = self.floor is Floor.HOLDOUT
            return "the hold-out has no rows" if held_out else "there are no real rows"
        if not self.synthetic.num_rows:
            return "there are no synthetic rows, or no real ones"
        return ""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a two-sample measure found.

    Attributes:
        value: Synthetic against reference.
        floor: Peer against reference; None where it is not defined.
        interval: The 95 % confidence interval of the value; None where none can be given.
    """

    value: float
    floor: float | None
    interval: Interval | None

    def score(self, metric: str, columns: tuple[str, ...], details: Mapping[str, Any]) -> Score:
        """Return what was found as a score."""
        return Score(metric, self.value, columns, self.floor, details, self.interval)


def measure(
    sides: Sequence[T], distance: Callable[[T, T], Estimate], *, high: float = 1.0
) -> Measured:
    """Return the value (synthetic against reference) and the floor (peer against reference).

    Args:
        sides: What stands for each of ``Sides.tables``.
        distance: Called with reference and other; from 0 to ``high``.
        high: The greatest value that there can be.
    """
    reference, synthetic, peer = sides
    found, floor = distance(reference, synthetic), distance(reference, peer).value
    at = None if math.isnan(floor) else floor
    interval = found.interval(0.0, high) if math.isfinite(found.error) else None
    return Measured(found.value, at, interval)


def at_most(table: pa.Table, rows: int, rng: RngKey) -> pa.Table:
    """Return a uniform sample of ``rows`` rows in their order, or the table if it has no more."""
    if table.num_rows <= rows:
        return table
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[rng.generator().choice(table.num_rows, rows, replace=False, shuffle=False)] = True
    return table.filter(pa.array(chosen))


def with_replacement(table: pa.Table, rows: int, rng: RngKey) -> pa.Table:
    """Return ``rows`` rows drawn with replacement; none of a table without rows."""
    if not table.num_rows:
        return table
    return table.take(pa.array(np.sort(rng.generator().integers(0, table.num_rows, rows))))


def halves(table: pa.Table, rng: RngKey) -> tuple[pa.Table, pa.Table]:
    """Return two random halves of the rows; an odd one out is in the second."""
    first = np.zeros(table.num_rows, dtype=bool)
    first[rng.generator().permutation(table.num_rows)[: table.num_rows // 2]] = True
    return table.filter(pa.array(first)), table.filter(pa.array(~first))


def row_budget(options: Mapping[str, Any], columns: int) -> int:
    """Return how many rows of ``columns`` columns a metric should compare on each side."""
    return max(1, min(int(options.get("rows", ROWS)), _CELLS // max(columns, 1)))


def thread_budget(options: Mapping[str, Any]) -> int:
    """Return how many threads a metric may use: ``options["threads"]``, or one a processor."""
    return int(options.get("threads", usable_cores()))
