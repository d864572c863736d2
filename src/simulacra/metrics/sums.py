"""Sums of products in the thread that asks for them.

``@`` hands long vectors to BLAS, whose threads wait for each other, and for long where others use
the processors too. Sums in pairs are also more exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def dot(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the sum of the products of two vectors of equal shape."""
    return float((one * other).sum())
