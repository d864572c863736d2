"""The correlation matrix of hidden normal numbers, estimated from scores of codes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, eigh

from simulacra.core.compiled import Floats, kernel

Matrix = NDArray[np.float64]
"""Shape ``(features, features)``, symmetric."""

LEAST_EIGENVALUE = 1e-4
_STRONGEST = 0.9999
_BISECTIONS = 15
_PROJECTIONS = 30


def shrunk_correlation(chunks: Iterable[NDArray[np.float64]], features: int) -> Matrix:
    """Return the correlation of columns, shrunk towards none as far as their noise asks for.

    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
    2004, for the off-diagonal entries of a correlation matrix (Schäfer and Strimmer 2005). A
    column without variance is correlated with nothing.

    Args:
        chunks: Rows, shape ``(any, features)`` each; iterated twice, so no one-shot iterator.
        features: The number of columns.
    """
    count, total = 0, np.zeros(features)
    squares = np.zeros((features, features))
    for chunk in chunks:
        count += len(chunk)
        total += chunk.sum(axis=0)
        squares += chunk.T @ chunk
    if count < 2:
        return np.eye(features)
    mean = total / count
    covariance = squares / count - np.outer(mean, mean)
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    varies = spread > 1e-9
    scale = np.where(varies, 1.0 / np.where(varies, spread, 1.0), 0.0)
    correlation = covariance * np.outer(scale, scale)
    np.fill_diagonal(correlation, varies.astype(float))
    # Mean squared error of the off-diagonal entries, and their distance from 0.
    distance = float((correlation**2).sum()) - int(varies.sum())
    fourth = 0.0
    for chunk in chunks:
        lengths = ((chunk - mean) * scale) ** 2
        fourth += float((lengths.sum(axis=1) ** 2).sum() - (lengths**2).sum())
    error = max(fourth / count - distance, 0.0) / count
    shrinkage = min(error / distance, 1.0) if distance > 0 else 1.0
    correlation *= 1.0 - shrinkage
    np.fill_diagonal(correlation, 1.0)
    return np.asarray(correlation)


def hidden_correlation(correlation: Matrix, moments: NDArray[np.float64]) -> Matrix:
    """Return the correlations of hidden normal numbers whose scores correlate as given.

    Scores of coarse codes correlate less than what they stand for. By Mehler's formula the
    covariance of two scores is a power series in the hidden correlation, whose coefficients are
    products of their Hermite moments; it is inverted by bisection. For two binary features this
    is the tetrachoric correlation (Pearson 1900), in general the polychoric one by moments.

    Args:
        correlation: Of the scores.
        moments: Of the features (:class:`~simulacra.models.normal_scores.Scores`), shape
            ``(features, degree)``.
    """
    hidden = np.eye(len(correlation))
    _invert_mehler(correlation, moments, hidden)
    return hidden


@kernel
def _invert_mehler(correlation: Matrix, moments: Floats, hidden: Matrix) -> None:
    features, degree = moments.shape
    products = np.empty(degree)
    for one in range(features):
        for other in range(one):
            wanted = correlation[one, other] * np.sqrt(moments[one, 0] * moments[other, 0])
            if wanted == 0.0:
                continue
            for power in range(degree):
                products[power] = moments[one, power] * moments[other, power]
            low, high = -_STRONGEST, _STRONGEST
            for _ in range(_BISECTIONS):
                middle = 0.5 * (low + high)
                series = 0.0
                for power in range(degree - 1, -1, -1):
                    series = (series + products[power]) * middle
                if series < wanted:
                    low = middle
                else:
                    high = middle
            hidden[one, other] = hidden[other, one] = 0.5 * (low + high)


def nearest_correlation(matrix: Matrix, *, tolerance: float) -> Matrix:
    """Return a well-conditioned correlation matrix near a symmetric one with unit diagonal.

    Where it is enough to scale all correlations down by no more than the tolerance, that is done
    (Higham, Strabić and Šego, "Restoring definiteness via shrinking", 2016); it needs no
    eigenvalues, which for thousands of features take long. Else alternating projections with
    Dykstra's correction (Higham, "Computing the nearest correlation matrix: a problem from
    finance", 2002), with a floor under the eigenvalues.

    Args:
        matrix: Its diagonal is 1.
        tolerance: How far an entry may be off.
    """
    shrunk = _shrunk_until_definite(matrix, tolerance)
    return _projected(matrix, tolerance) if shrunk is None else shrunk


def _shrunk_until_definite(matrix: Matrix, most: float) -> Matrix | None:
    """Scale correlations down by as little as needed, None if ``most`` is too little."""
    if _is_definite(matrix):
        return matrix
    identity = np.eye(len(matrix))
    low, high = 0.0, most
    if not _is_definite(matrix + high * (identity - matrix)):
        return None
    while high - low > 0.1 * most:
        middle = 0.5 * (low + high)
        if _is_definite(matrix + middle * (identity - matrix)):
            high = middle
        else:
            low = middle
    return matrix + high * (identity - matrix)


def _is_definite(matrix: Matrix) -> bool:
    """Say whether no eigenvalue is below the floor."""
    try:
        cholesky(matrix - LEAST_EIGENVALUE * np.eye(len(matrix)), lower=True)
    except LinAlgError:
        return False
    return True


def _projected(matrix: Matrix, tolerance: float) -> Matrix:
    current, correction = matrix, np.zeros_like(matrix)
    for _ in range(_PROJECTIONS):
        shifted = current - correction
        lifted = _lift(shifted)
        correction = lifted - shifted
        np.fill_diagonal(lifted, 1.0)
        moved = np.abs(lifted - current).max()
        current = lifted
        if moved <= tolerance:
            break
    lifted = _lift(current)
    spread = np.sqrt(np.diag(lifted))
    scaled = lifted / np.outer(spread, spread)
    np.fill_diagonal(scaled, 1.0)
    return np.asarray(scaled)


def _lift(matrix: Matrix) -> Matrix:
    """Lift the eigenvalues below the floor to it."""
    values, vectors = eigh(matrix, subset_by_value=(-np.inf, LEAST_EIGENVALUE))
    lifted = matrix + (vectors * (LEAST_EIGENVALUE - values)) @ vectors.T
    return np.asarray(0.5 * (lifted + lifted.T))
