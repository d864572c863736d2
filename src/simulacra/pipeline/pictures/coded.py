"""Columns as a few codes each, alike on all sides, for pictures of several columns at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.metrics.columns import Kind, Leaf
from simulacra.metrics.encode import Numbers, as_numbers, lengths
from simulacra.pipeline.pictures.columns import as_text
from simulacra.pipeline.pictures.safe import FEWEST

CODES = 12
"""Codes of a column at most: values or groups of them, the rest, and null."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A column as codes.

    Attributes:
        name: The leaf's name.
        codes: For each side the code of each row, shape ``(rows,)``, dtype int64, under ``CODES``.
        numbers: For each side the values as float64, NaN where null or infinite; None of a
            category.
    """

    name: str
    codes: Mapping[str, NDArray[np.int64]]
    numbers: Mapping[str, NDArray[np.float64]] | None = None

    @classmethod
    def of(cls, leaf: Leaf, tables: Mapping[str, pa.Table]) -> Coded:
        """Code a leaf that is compared: numbers by deciles of the real ones, categories by name."""
        columns = {side: leaf.values(table) for side, table in tables.items()}
        if leaf.kind is Kind.CATEGORY:
            return cls(leaf.name, _by_name({side: as_text(c) for side, c in columns.items()}))
        numbers = {side: _finite(_numbers(leaf, column)) for side, column in columns.items()}
        real = numbers["real"][~np.isnan(numbers["real"])]
        cuts = (
            np.unique(np.quantile(real, np.arange(1, CODES - 2) / (CODES - 2)))
            if len(real)
            else real
        )
        codes = {side: _cut(values, cuts) for side, values in numbers.items()}
        return cls(leaf.name, codes, numbers)


def coded(leaves: Sequence[Leaf], tables: Mapping[str, pa.Table]) -> list[Coded]:
    """Code every leaf that is compared."""
    return [Coded.of(leaf, tables) for leaf in leaves if leaf.kind is not None]


def _numbers(leaf: Leaf, values: pa.ChunkedArray) -> Numbers:
    return lengths(values) if leaf.kind is Kind.LENGTH else as_numbers(values, leaf.spec)


def _finite(numbers: Numbers) -> NDArray[np.float64]:
    floats = numbers.floats()
    floats[~np.isfinite(floats)] = np.nan
    return floats


def _cut(values: NDArray[np.float64], cuts: NDArray[np.float64]) -> NDArray[np.int64]:
    codes = np.searchsorted(cuts, values, side="right").astype(np.int64)
    codes[np.isnan(values)] = CODES - 1
    return codes


def _by_name(texts: Mapping[str, pa.Array]) -> dict[str, NDArray[np.int64]]:
    found = pc.value_counts(texts["real"].drop_null())
    times = found.field("counts").to_numpy()
    order = [i for i in np.argsort(-times, kind="stable")[: CODES - 2] if times[i] >= FEWEST]
    names = found.field("values").take(pa.array(order, pa.int64()))
    codes = {}
    for side, side_texts in texts.items():
        places = pc.index_in(side_texts, value_set=names).fill_null(CODES - 2)
        nulls = side_texts.is_null().to_numpy(zero_copy_only=False)
        codes[side] = np.where(nulls, CODES - 1, places.to_numpy()).astype(np.int64)
    return codes
