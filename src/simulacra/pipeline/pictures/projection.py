"""The projection: all columns at once, as a density over two axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.pipeline.pictures.coded import CODES, Coded
from simulacra.pipeline.pictures.safe import FEWEST

CELLS = 36
"""The most cells along an axis."""

_TAIL = 0.005
_FEWEST_ROWS = 500
_MOST_FEATURES = 600

Matrix = NDArray[np.float64]


def projection(columns: Sequence[Coded]) -> dict[str, Any] | None:
    """Return the density of each side over the first two principal axes of the real rows.

    Numbers are standardised, categories become one indicator for each code, divided by the root of
    its share (factor analysis of mixed data: Pagès, Revue de statistique appliquée 2004). Nothing
    is shown of single rows: a cell that fewer than ten rows of a side are in is left out of that
    side, and so are rows beyond the middle 99 % along an axis.

    Returns:
        ``{"cells": int, "explained": [float, float], "sides": {side: [[x, y, share]]}}`` with x
        and y from 0 to cells - 1 and each side's shares of its rows; None with fewer than two
        features, or 500 rows on a side.
    """
    sides = list(columns[0].codes) if columns else []
    rows = {side: len(columns[0].codes[side]) for side in sides}
    shown = [side for side in sides if rows[side] >= _FEWEST_ROWS]
    if not {"real", "synthetic"} <= set(shown):
        return None
    features = _features(columns, shown)
    if features["real"].shape[1] < 2:
        return None
    centre = features["real"].mean(axis=0)
    covariance = np.cov(features["real"] - centre, rowvar=False)
    values, vectors = np.linalg.eigh(covariance)
    axes = _turned(vectors[:, [-1, -2]])
    total = float(values.sum())
    if values[-2] <= 1e-12 * max(total, 1e-300):
        return None
    placed = {side: (features[side] - centre) @ axes for side in shown}
    cells = int(np.clip(np.sqrt(min(rows[side] for side in shown) / (3 * FEWEST)), 8, CELLS))
    bounds = [np.quantile(placed["real"][:, axis], [_TAIL, 1 - _TAIL]) for axis in (0, 1)]
    return {
        "cells": cells,
        "explained": [round(float(values[-axis] / total), 4) for axis in (1, 2)],
        "sides": {side: _density(placed[side], bounds, cells) for side in shown},
    }


def _turned(axes: Matrix) -> Matrix:
    """Return axes pointing the way in which their greatest part is positive."""
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return axes * signs


def _features(columns: Sequence[Coded], sides: Sequence[str]) -> dict[str, Matrix]:
    parts: dict[str, list[Matrix]] = {side: [] for side in sides}
    features = 0
    for column in columns:
        made = _numeric(column.numbers) if column.numbers is not None else _indicators(column.codes)
        width = made["real"].shape[1]
        if features + width > _MOST_FEATURES:
            break
        features += width
        for side in sides:
            parts[side].append(made[side])
    return {side: np.hstack(found) for side, found in parts.items()}


def _numeric(numbers: Mapping[str, Matrix]) -> dict[str, Matrix]:
    real = numbers["real"][~np.isnan(numbers["real"])]
    if not len(real):
        return {side: np.zeros((len(values), 0)) for side, values in numbers.items()}
    low, high = np.quantile(real, [_TAIL, 1 - _TAIL])
    inner = np.clip(real, low, high)
    middle, spread = inner.mean(), inner.std()
    if not np.isfinite(spread) or spread <= 0:
        return {side: np.zeros((len(values), 0)) for side, values in numbers.items()}
    return {
        side: np.nan_to_num((np.clip(values, low, high) - middle) / spread)[:, None]
        for side, values in numbers.items()
    }


def _indicators(codes: Mapping[str, NDArray[np.int64]]) -> dict[str, Matrix]:
    share = np.bincount(codes["real"], minlength=CODES) / len(codes["real"])
    used = np.flatnonzero(share > 0)
    weights = np.eye(CODES)[:, used] / np.sqrt(share[used])
    return {side: weights[each] for side, each in codes.items()}


def _density(places: Matrix, bounds: Sequence[Matrix], cells: int) -> list[list[float]]:
    counts, _, _ = np.histogram2d(
        places[:, 0], places[:, 1], bins=cells, range=[tuple(bound) for bound in bounds]
    )
    return [
        [int(x), int(y), round(float(counts[x, y] / len(places)), 6)]
        for x, y in np.argwhere(counts >= FEWEST)
    ]
