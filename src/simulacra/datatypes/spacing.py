"""How values are spaced: the step between whole numbers, the decimals of real ones."""

from __future__ import annotations

import math

import numpy as np

from simulacra.datatypes.summary import Values

_MOST_DECIMALS = 12
_ULPS = 8
_EXACT = 2.0**53


class StepWatch:
    """Finds the greatest step that all distances are multiples of."""

    def __init__(self) -> None:
        self.step = 0
        self._anchor: int | None = None

    def __call__(self, values: Values) -> None:
        """Look at distinct values, ascending, int64 or Python integers."""
        if self.step == 1:
            return
        if self._anchor is None:
            self._anchor = int(values[0])
        self.step = math.gcd(self.step, abs(int(values[0]) - self._anchor))
        if values.dtype == object:
            self.step = math.gcd(self.step, *(int(v) for v in np.diff(values)))
        elif len(values) > 1:
            # Distances of int64 fit uint64, not int64.
            gaps = np.diff(values.view(np.uint64))
            self.step = math.gcd(self.step, int(np.gcd.reduce(gaps)))


class DecimalsWatch:
    """Finds the fewest decimals that write every value, None beyond twelve.

    Values off by a few units in the last place, as sums of prices are, count as written.

    Args:
        dtype: The column's own dtype; float32 values are written as float32.
    """

    def __init__(self, dtype: np.dtype[np.floating]) -> None:
        self.decimals: int | None = 0
        self._dtype = dtype

    def __call__(self, values: Values) -> None:
        """Look at distinct finite values, float64."""
        while self.decimals is not None and not self._written(values, self.decimals):
            self.decimals = self.decimals + 1 if self.decimals < _MOST_DECIMALS else None

    def _written(self, values: Values, decimals: int) -> bool:
        scale = 10.0**decimals
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = np.rint(values * scale)
            back = scaled / scale
            if self._dtype == np.float64:
                close = np.abs(back - values) <= _ULPS * np.finfo(np.float64).eps * np.abs(values)
            else:
                close = back.astype(self._dtype) == values.astype(self._dtype)
            # Beyond 2**53 there are no decimals left.
            return bool((close | ~(np.abs(scaled) < _EXACT)).all())
