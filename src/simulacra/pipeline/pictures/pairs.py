"""Heat maps: how strongly each two columns go together on either side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.pipeline.pictures.coded import CODES, Coded

MEASURED = 100
"""The most columns whose pairs are measured."""

SHOWN = 30
"""The most columns that are shown: those that differ most."""

_FEWEST_ROWS = 100
_SIDES = ("real", "synthetic")

Matrix = NDArray[np.float64]


def associations(columns: Sequence[Coded]) -> dict[str, Any] | None:
    """Return how strongly each two columns go together, from 0 to 1, on either side.

    The measure is the informational coefficient of correlation, ``√(1 - exp(-2 I))`` with I the
    mutual information in nats (Linfoot, "An informational measure of correlation", Information
    and Control 1957), of columns cut into at most twelve codes, less its bias (Miller, 1955). Of
    two normal columns it is about ``|r|``.

    Returns:
        ``{"columns": [str], "real": [[float]], "synthetic": [[float]], "left_out": int}``, the
        matrices square and symmetric, 1 on the diagonal; None with fewer than two columns or 100
        rows. Of many columns those whose associations differ most are there, in their order.
    """
    used = columns[:MEASURED]
    if len(used) < 2 or any(len(used[0].codes[side]) < _FEWEST_ROWS for side in _SIDES):
        return None
    real, synthetic = (_matrix([column.codes[side] for column in used]) for side in _SIDES)
    apart = np.abs(real - synthetic).sum(axis=0)
    shown = np.sort(np.argsort(-apart, kind="stable")[:SHOWN])
    return {
        "columns": [used[i].name for i in shown],
        "real": _listed(real, shown),
        "synthetic": _listed(synthetic, shown),
        "left_out": len(columns) - len(shown),
    }


def _listed(matrix: Matrix, shown: NDArray[np.int64]) -> list[list[float]]:
    return [[round(float(matrix[i, j]), 4) for j in shown] for i in shown]


def _matrix(codes: Sequence[NDArray[np.int64]]) -> Matrix:
    found = np.eye(len(codes))
    for i, one in enumerate(codes):
        for j in range(i):
            found[i, j] = found[j, i] = association(one, codes[j])
    return found


def association(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Return the informational coefficient of correlation of two columns of codes."""
    counts = np.bincount(one * CODES + other, minlength=CODES**2).reshape(CODES, CODES)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    total = counts.sum()
    there = counts > 0
    expected = np.outer(rows, columns)[there] / total
    information = float((counts[there] * np.log(counts[there] / expected)).sum() / total)
    cells = [int((each > 0).sum()) - 1 for each in (rows, columns)]
    information -= cells[0] * cells[1] / (2 * total)
    return float(np.sqrt(-np.expm1(-2 * max(information, 0.0))))
