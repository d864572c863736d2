"""Which rows of a table a sample of it holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.pipeline.relations.keys.resolve import LinkedTable
from simulacra.pipeline.relations.sources import RowNumbers
from simulacra.pipeline.subsample import uniform_sample


@dataclass(frozen=True, slots=True)
class Sample:
    """A uniform sample of a table.

    Attributes:
        rows: The rows.
        numbers: Their numbers in the table, rising, shape ``(rows,)``.
    """

    rows: pa.Table
    numbers: NDArray[np.int64]


def with_numbers(
    sample: pa.Table, source: BatchSource, linked: LinkedTable, budget: int, rng: RngKey
) -> Sample:
    """Find out which rows a sample holds: the same sampler takes the same of the row numbers.

    Args:
        sample: The sample of the table as found.
        source: The table as found.
        linked: The table without rows left out: the sample is rid of them.
        budget: How many rows were wanted.
        rng: The key that the sample was taken by.
    """
    count = len(linked.taken) if linked.taken is not None else linked.rows
    numbers = RowNumbers(count, known=source.rows() is not None)
    chosen = uniform_sample(numbers, budget, rng).column(0).to_numpy()
    if linked.taken is None:
        return Sample(sample, chosen)
    left = linked.taken[chosen]
    place = np.cumsum(linked.taken) - 1
    return Sample(sample.filter(pa.array(left)), place[chosen[left]])
