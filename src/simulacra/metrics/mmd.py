"""Maximum mean discrepancy: do both tables have the same mean, as a kernel sees them?"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.columns import leaves
from simulacra.metrics.disjoint import REAL, disjoint
from simulacra.metrics.embedding import embed
from simulacra.metrics.intervals import about
from simulacra.metrics.neighbours import blocks

ROWS = 3_000
"""The most rows of a side that the kernel compares."""
_FEWEST_ROWS = 10
_BANDWIDTH_ROWS = 1_000
"""The reference rows whose distances the bandwidth is the median of."""

Matrix = NDArray[np.float64]


class Mmd:
    """One score a table: the squared maximum mean discrepancy (MMD²); 0: the same distribution.

    Gretton et al., "A kernel two-sample test", JMLR 2012: the mean of ``k(x, x')`` over pairs of
    reference rows, plus that over pairs of synthetic ones, minus twice that over pairs of both. It
    sees differences of any kind, those of whole rows too, but says little by its size: compare it
    with its floor. The estimate is unbiased (their equation 3), so that equal distributions give
    values around 0, on both sides of it. The kernel is ``exp(-d² / 2b²)``, d being the Euclidean
    distance in the space of ``simulacra.metrics.embedding`` and b the median distance between (a
    thousand) reference rows (``details["bandwidth"]``), so that value and floor see by one kernel.

    At most 3,000 rows a side are compared, as many on each. The interval is that of a
    U-statistic, with the terms of first and second order of its variance (Serfling,
    "Approximation theorems of mathematical statistics", 1980, section 5.2).

    Options: ``rows``, the most rows a side (50,000, of which 3,000 are used). With a hold-out,
    synthetic rows and as many real ones are compared with it; the latter is the floor. Without
    one, they are compared with one half of the real rows, and the other half is the floor.
    """

    name: ClassVar[str] = "mmd"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "mmd",
            "Maximum mean discrepancy (MMD²)",
            Group.FIDELITY,
            higher_is_better=False,
            ideal=0.0,
        ),
    )
    optional: ClassVar[bool] = False

    def compute(
        self,
        real: pa.Table,
        synthetic: pa.Table,
        *,
        holdout: pa.Table | None,
        table: TableSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Return one score for the table."""
        sides = disjoint(real, synthetic, holdout, options, rng, most=ROWS)
        found = leaves(table, real)
        details = dict(sides.details)
        why = ""
        if all(leaf.kind is None for leaf in found):
            why = "no column can be compared"
        elif sides.reference.num_rows < _FEWEST_ROWS:
            why = f"fewer than {_FEWEST_ROWS} rows to compare on one side"
        if why:
            return [Score(self.name, None, details={"why": why, **details})]
        reference, other, peer = embed(found, sides.tables, settled_by=REAL).tables
        distances = _squared(reference, reference)
        bandwidth = _bandwidth(distances)
        among = _kernel(distances, bandwidth)
        value, error = discrepancy(reference, other, among, bandwidth)
        floor, _ = discrepancy(reference, peer, among, bandwidth)
        details |= {"bandwidth": bandwidth, "dimensions": reference.shape[1]}
        # No MMD² of a kernel of at most 1 lies beyond 2, but its estimate may well be below 0.
        interval = about(value, error, low=-math.inf, high=math.inf)
        return [Score(self.name, value, floor=floor, details=details, interval=interval)]


def discrepancy(
    reference: Matrix, other: Matrix, among: Matrix, bandwidth: float
) -> tuple[float, float]:
    """Return the unbiased MMD² of two samples of equal size, and its standard error.

    Args:
        reference: Points, shape ``(rows, dimensions)``.
        other: Points, likewise.
        among: The kernel between reference rows, shape ``(rows, rows)``.
        bandwidth: The kernel's ``b``.
    """
    rows = len(reference)
    within = _kernel(_squared(other, other), bandwidth)
    across = _kernel(_squared(reference, other), bandwidth)
    ours, theirs = (_mean_of_others(square) for square in (among, within))
    value = float(ours.mean() + theirs.mean() - 2 * across.mean())
    # How much each row moves the value.
    first = float((ours - across.mean(axis=1)).var() + (theirs - across.mean(axis=0)).var())
    # Row i of one side is paired with row i of the other.
    across += across.T
    pairs = among + within
    pairs -= across
    np.fill_diagonal(pairs, 0.0)
    # What pairs do beyond what their rows do alone.
    means = pairs.sum(axis=1) / (rows - 1)
    pairs -= means[:, None] + means - means.mean()
    np.fill_diagonal(pairs, 0.0)
    second = float(np.einsum("ij,ij->", pairs, pairs)) / (rows * (rows - 1))
    # The means of rows vary by chance too.
    first = max(first - second / (rows - 1), 0.0)
    return value, math.sqrt(4 * first / rows + 2 * second / (rows * (rows - 1)))


def _mean_of_others(square: Matrix) -> Matrix:
    """Return the mean of each row without what stands on the diagonal."""
    found: Matrix = (square.sum(axis=1) - np.diagonal(square)) / (len(square) - 1)
    return found


def _bandwidth(distances: Matrix) -> float:
    """Return the median distance between rows; their mean where most are equal."""
    some = distances[:_BANDWIDTH_ROWS, :_BANDWIDTH_ROWS]
    others = np.sqrt(some[np.triu_indices(len(some), 1)])
    return float(np.median(others)) or float(others.mean()) or 1.0


def _squared(one: Matrix, other: Matrix) -> Matrix:
    distances = np.empty((len(one), len(other)))
    for part, squared in blocks(one, other):
        distances[part] = squared
    return distances


def _kernel(distances: Matrix, bandwidth: float) -> Matrix:
    """Turn squared distances into values of the kernel, in place."""
    distances *= -0.5 / bandwidth**2
    return np.exp(distances, out=distances)
