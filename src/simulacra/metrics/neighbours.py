"""Exact nearest neighbours by comparing all with all, block by block."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

SAME = 1e-9
"""Squared distances that differ by less count as equal: rows of a few values tie often, and what
makes them differ then is rounding (some 1e-14 in the space of ``embedding``)."""

_BLOCK = 1_024


def blocks(queries: Matrix, rows: Matrix) -> Iterator[tuple[slice, Matrix]]:
    """Yield squared Euclidean distances to all rows, some queries at a time.

    Args:
        queries: Points, shape ``(queries, dimensions)``.
        rows: Points, shape ``(rows, dimensions)``.

    Yields:
        Which queries, and their distances, shape ``(so many, rows)``; the array may be changed.
    """
    norms = np.einsum("ij,ij->i", rows, rows)
    for start in range(0, len(queries), _BLOCK):
        part = queries[start : start + _BLOCK]
        squared = part @ rows.T
        squared *= -2.0
        squared += norms
        squared += np.einsum("ij,ij->i", part, part)[:, None]
        np.maximum(squared, 0.0, out=squared)
        yield slice(start, start + len(part)), squared


def blocks_within(rows: Matrix) -> Iterator[tuple[slice, Matrix]]:
    """Yield squared distances of rows to each other, as ``blocks``; to itself each is infinite."""
    for part, squared in blocks(rows, rows):
        places = np.arange(part.start, part.stop)
        squared[places - part.start, places] = np.inf
        yield part, squared


def kth(queries: Matrix, rows: Matrix, k: int) -> Matrix:
    """Return the squared distance of each query to its k-th nearest row, shape ``(queries,)``.

    Args:
        queries: Points, shape ``(queries, dimensions)``.
        rows: Points, shape ``(rows, dimensions)``, at least ``k``.
        k: Which neighbour, from 1.
    """
    return _kth(blocks(queries, rows), len(queries), k)


def kth_within(rows: Matrix, k: int) -> Matrix:
    """Return the squared distance of each row to its k-th nearest other, shape ``(rows,)``.

    Args:
        rows: Points, shape ``(rows, dimensions)``, more than ``k``.
        k: Which neighbour, from 1.
    """
    return _kth(blocks_within(rows), len(rows), k)


def _kth(found: Iterator[tuple[slice, Matrix]], count: int, k: int) -> Matrix:
    distances = np.empty(count)
    for part, squared in found:
        if k == 1:
            distances[part] = squared.min(axis=1)
        else:
            squared.partition(k - 1, axis=1)
            distances[part] = squared[:, k - 1]
    return distances


def nearest(queries: Matrix, rows: Matrix) -> tuple[NDArray[np.int64], Matrix]:
    """Return the nearest row of each query and its squared distance, both ``(queries,)``."""
    places = np.empty(len(queries), dtype=np.int64)
    distances = np.empty(len(queries))
    for part, squared in blocks(queries, rows):
        places[part] = squared.argmin(axis=1)
        distances[part] = squared.min(axis=1)
    return places, distances
