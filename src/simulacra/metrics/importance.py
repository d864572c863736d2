"""How much predictions lean on each column, and whether two models lean on the same ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.metrics.intervals import DRAWS, Interval, about

ROWS = 1_000
"""The most rows that columns are shuffled in."""
COLUMNS = 30
"""The most columns that are shuffled: those that bring the models most."""
FEWEST_COLUMNS = 3
"""Of two columns the ranks agree or not, by chance as likely as not."""
_LEAST = 0.01

Floats = NDArray[np.float64]


def importances(
    losses: Callable[[Floats], Floats],
    matrix: Floats,
    columns: Sequence[Sequence[int]],
    rng: RngKey,
) -> Floats:
    """Return what shuffling each column costs a model in each row.

    The mean over the rows is the permutation importance of the column (Breiman, "Random forests",
    Machine Learning 2001; model reliance in Fisher, Rudin and Dominici, "All models are wrong, but
    many are useful", JMLR 2019), here by one shuffling, the same one for every model.

    Args:
        losses: The loss of the model in each row of a matrix.
        matrix: Features, shape ``(rows, features)``.
        columns: The features of each column: they are shuffled together.
        rng: The key of the shufflings.

    Returns:
        The loss with the column shuffled less that without, shape ``(columns, rows)``.
    """
    whole = losses(matrix)
    found = np.empty((len(columns), len(matrix)))
    for place, features in enumerate(columns):
        order = rng.child(place).generator().permutation(len(matrix))
        changed = matrix.copy()
        changed[:, features] = matrix[order][:, features]
        found[place] = losses(changed) - whole
    return found


def agreement(one: Floats, other: Floats, rng: RngKey) -> tuple[float, Interval] | None:
    """Return the rank correlation of two models' importances, and its interval.

    Spearman's coefficient (American Journal of Psychology 1904): 1 where both rank the columns
    alike, 0 where there is no relation, -1 where the ranks are reversed. Importances below 1 % of
    the model's greatest count as none: which of two columns that hardly matter is first is chance.
    The standard error is that of resampled rows (see
    :func:`simulacra.metrics.intervals.bootstrap`).

    Args:
        one: What :func:`importances` gives, shape ``(columns, rows)``.
        other: The same of another model, on the same rows.
        rng: The key of the resamples.

    Returns:
        None where one of the models leans on all columns alike.
    """
    value = float(_spearman(one.mean(axis=1)[:, None], other.mean(axis=1)[:, None])[0])
    if not np.isfinite(value):
        return None
    rows = one.shape[1]
    draws = np.empty((rows, DRAWS))
    for place in range(DRAWS):
        drawn = rng.child(place).generator().integers(0, rows, rows)
        draws[:, place] = np.bincount(drawn, minlength=rows)
    found = _spearman(one @ draws, other @ draws)
    found = found[np.isfinite(found)]
    error = float(found.std(ddof=1)) if len(found) > 1 else 0.0
    return value, about(value, error, -1.0, 1.0)


def _spearman(one: Floats, other: Floats) -> Floats:
    """Return the rank correlation of each pair of columns, shape ``(columns,)``; NaN if none."""
    from scipy.stats import rankdata

    kept = (np.where(side < _LEAST * side.max(axis=0), 0.0, side) for side in (one, other))
    first, second = (rankdata(side.clip(0), axis=0) - (len(side) + 1) / 2 for side in kept)
    spread = np.sqrt((first**2).sum(axis=0) * (second**2).sum(axis=0))
    together = (first * second).sum(axis=0)
    found: Floats = np.divide(together, spread, out=np.full(len(spread), np.nan), where=spread > 0)
    return found
