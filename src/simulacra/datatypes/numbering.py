"""Keys that are numbers: counted up as found, or permuted in the range found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.datatypes.spacing import StepWatch
from simulacra.datatypes.summary import Values

_UINT64 = 1 << 64


@dataclass(frozen=True, slots=True)
class Numbering:
    """Numbers for row numbers, none twice.

    Attributes:
        least: The number of the first step.
        step: What all distances are multiples of.
        size: Steps in the range found.
        stride: If positive, numbers ascend by so many steps a row on average; else they are
            permuted within the range, and then in further ranges of that size.
    """

    least: int
    step: int
    size: int
    stride: int

    def highest(self, rows: int) -> int:
        """Return a bound of the numbers of so many rows."""
        if self.stride:
            return self.least + (rows * self.stride - 1) * self.step
        pages = max(1, -(-rows // self.size))
        return self.least + (pages * self.size - 1) * self.step

    def steps(self, rows: NDArray[np.uint64], key: RngKey) -> NDArray[np.uint64]:
        """Return how many steps above the least each row's number is.

        Args:
            rows: Row numbers.
            key: The same for all rows of a column and run.
        """
        from simulacra.datatypes.permutation import KEYS, permute, scramble

        out = np.empty(len(rows), np.uint64)
        if self.stride == 0:
            permute(rows, self.size, key.words(KEYS), out)
            return out
        if self.stride == 1:
            return rows
        scramble(rows, key.words(1)[0], out)
        return rows * np.uint64(self.stride) + out % np.uint64(self.stride)

    def draw(self, rows: NDArray[np.uint64], key: RngKey) -> NDArray[np.int64]:
        """Return each row's number; all must fit int64."""
        steps = self.steps(rows, key) * np.uint64(self.step)
        return (steps + np.uint64(self.least % _UINT64)).view(np.int64)

    def facts(self) -> dict[str, Any]:
        """Return the attributes."""
        return asdict(self)


class NumberingWatch:
    """Learns a numbering from a stream."""

    def __init__(self) -> None:
        self._step = StepWatch()
        self._least: int | None = None
        self._greatest = 0
        self._rows = 0
        self._ascends = True

    def add(self, numbers: Values) -> None:
        """Take the next numbers, int64 or Python integers."""
        if not len(numbers):
            return
        ascends = bool((numbers[1:] > numbers[:-1]).all())
        if self._least is not None:
            ascends = ascends and int(numbers[0]) > self._greatest
        self._ascends = self._ascends and ascends
        ordered = numbers if ascends else np.sort(numbers)
        self._step(ordered)
        least, greatest = int(ordered[0]), int(ordered[-1])
        self._greatest = greatest if self._least is None else max(self._greatest, greatest)
        self._least = least if self._least is None else min(self._least, least)
        self._rows += len(numbers)

    def finish(self) -> Numbering | None:
        """Return the numbering, None if there was no number."""
        if self._least is None:
            return None
        step = max(self._step.step, 1)
        size = max((self._greatest - self._least) // step + 1, self._rows)
        stride = max(1, size // self._rows) if self._ascends else 0
        # One row says nothing about an order, nor about a range.
        return Numbering(self._least, step, min(size, 1 << 62), stride)
