"""Codes for ordered values: one a value where few repeat often, else quantile bins with detail.

A code owns *cells*: single values that are seen often, and ranges over the rarer ones. Decoding
picks a cell by its share of the rows and draws evenly within it, so frequent values come back as
they are, while values seen in fewer rows than ``min_count`` are never copied. Ranges reach about
half-way to the neighbouring values, never beyond the least and greatest value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import BundleError
from simulacra.core.features import Codes, code_dtype
from simulacra.core.random import RngKey
from simulacra.datatypes.summary import Counts, Histogram, Values

ROWS_A_VALUE = 4
"""Rows a value, on average, for a column to get a code a value; rarer values are nearly unique."""
_RANGES_A_CODE = 16
_RANGE_ROWS = 5
"""Rows in a range of rarer values, at least: none of them is kept, so it may be narrow."""
_BUCKET_BITS = 13
"""Codes are looked up in so many buckets (2**bits) first: most hold one edge or none."""
_MOST_ATOMS = 1 << 17
"""Single values held at most: their table should fit a processor's cache."""


@dataclass(frozen=True)
class Bins:
    """Codes of ordered values, uint64 or float64.

    Attributes:
        edges: The least value of each code, ascending, shape ``(codes,)``.
        starts: Where the cells of each code begin, shape ``(codes + 1,)``, dtype int64.
        low: The least value of each cell, shape ``(cells,)``.
        high: The greatest value of each cell, shape ``(cells,)``.
        own: For picking a cell, see ``count_kernels.alias_tables``, dtype uint32.
        other: The same, dtype int32.
    """

    edges: NDArray[Any]
    starts: NDArray[np.int64]
    low: NDArray[Any]
    high: NDArray[Any]
    own: NDArray[np.uint32]
    other: NDArray[np.int32]

    @property
    def cardinality(self) -> int:
        """The number of codes."""
        return len(self.edges)

    @cached_property
    def is_exact(self) -> bool:
        """Whether every code is one value."""
        return len(self.low) == len(self.edges) and bool((self.low == self.high).all())

    @cached_property
    def _shift(self) -> int:
        return max(0, int(self.edges[-1]).bit_length() - _BUCKET_BITS)

    @cached_property
    def _scale(self) -> float:
        with np.errstate(over="ignore", divide="ignore"):
            scale = (1 << _BUCKET_BITS) / (self.edges[-1] - self.edges[0])
        return float(scale) if np.isfinite(scale) else 0.0

    @cached_property
    def _upto(self) -> NDArray[np.int64]:
        """How many edges lie in the buckets before each bucket."""
        if self.edges.dtype == np.uint64:
            buckets = (self.edges >> np.uint64(self._shift)).astype(np.int64)
        else:
            scaled = (self.edges - self.edges[0]) * self._scale if self._scale else self.edges * 0
            buckets = np.minimum(scaled.astype(np.int64), (1 << _BUCKET_BITS) - 1)
        return np.searchsorted(buckets, np.arange(buckets[-1] + 2))

    def encode(self, values: NDArray[Any]) -> Codes:
        """Return the code of each value; the nearest code for one out of range."""
        from simulacra.datatypes.line_kernels import find_real, find_whole

        codes = np.empty(len(values), code_dtype(self.cardinality))
        if self.edges.dtype == np.uint64:
            find_whole(self.edges, values, self._shift, self._upto, codes)
        else:
            find_real(self.edges, values, self._scale, self._upto, codes)
        return codes

    def draw(self, codes: Codes, rng: RngKey) -> NDArray[Any]:
        """Draw a value for each code (all below ``cardinality``)."""
        if self.is_exact:
            return self.low[codes]
        from simulacra.datatypes.line_kernels import draw_real, draw_whole

        draw = draw_whole if self.low.dtype == np.uint64 else draw_real
        out = np.empty(len(codes), self.low.dtype)
        words = rng.words(len(codes))
        draw(codes, words, self.starts, self.own, self.other, self.low, self.high, out)
        return out

    def kept(self) -> NDArray[Any]:
        """Return the real values held: single values and the two extremes, ascending."""
        single = self.low[self.low == self.high]
        return np.unique(np.concatenate([single, self.low[:1], self.high[-1:]]))

    def save(self, out: ArtifactWriter, name: str) -> None:
        """Write the arrays."""
        out.arrays(
            name,
            {
                "edges": _storable(self.edges),
                "starts": self.starts,
                "low": _storable(self.low),
                "high": _storable(self.high),
                "own": self.own,
                "other": self.other,
            },
        )

    @classmethod
    def load(cls, src: ArtifactReader, name: str, *, whole: bool) -> Bins:
        """Read what ``save`` wrote: whole numbers (uint64) or real ones (float64).

        Raises:
            BundleError: The arrays do not make bins.
        """
        arrays = src.arrays(name)
        dtype = np.uint64 if whole else np.float64
        try:
            edges, low, high = (arrays[key].view(dtype) for key in ("edges", "low", "high"))
            bins = cls(edges, arrays["starts"], low, high, arrays["own"], arrays["other"])
        except (KeyError, ValueError) as error:
            raise damaged(str(error)) from error
        bins._check()
        return bins

    def _check(self) -> None:
        """Refuse arrays that would make a kernel read outside of them."""
        cells, codes = len(self.low), len(self.edges)
        right = (
            self.starts.dtype == np.int64
            and self.own.dtype == np.uint32
            and self.other.dtype == np.int32
            and self.starts.shape == (codes + 1,)
            and self.high.shape == self.own.shape == self.other.shape == (cells,)
            and codes > 0
            and self.starts[0] == 0
            and self.starts[-1] == cells
            and bool((np.diff(self.starts) > 0).all())
            and bool(((self.other >= 0) & (self.other < cells)).all())
            and bool((self.low <= self.high).all())
        )
        if not right:
            raise damaged("the bins can't be right")


def damaged(why: str) -> BundleError:
    """Return the error for a column in a bundle that makes no sense."""
    return BundleError(
        "a column in the bundle is unusable",
        why=why,
        mend="The file is damaged or was changed; write it again",
    )


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    return array.view(np.int64) if array.dtype == np.uint64 else array


def learn_bins(histogram: Histogram, *, most_codes: int, min_count: int) -> tuple[Bins, Counts]:
    """Choose codes and cells.

    Args:
        histogram: The values, dtype uint64 or float64, finite.
        most_codes: The most codes, at least 4.
        min_count: Rows that a value must be seen in to be kept, unless every value gets a code.

    Returns:
        The bins, and the rows of each code.
    """
    from simulacra.datatypes.count_kernels import alias_tables, cut_cells, cut_codes

    values, counts = histogram.values, histogram.counts
    fewest = min(min_count, _RANGE_ROWS)
    if is_discrete(histogram, most_codes):
        atom_rows = 1
        begins = np.arange(len(values) + 1)
    else:
        atom_rows = _atom_rows(histogram, min_count)
        begins = cut_codes(counts, most_codes, fewest)
    first, last, mass, starts = cut_cells(counts, begins, atom_rows, fewest, _RANGES_A_CODE)
    own, other = alias_tables(mass, starts)
    edges, least, greatest = _borders(values, counts, begins, atom_rows)
    code = np.repeat(np.arange(len(begins) - 1), np.diff(starts))
    low, high = _reach(values, first, last, mass)
    single = (first == last) & (counts[first] >= atom_rows)
    low = np.where(single, values[first], np.maximum(low, least[code]))
    high = np.where(single, values[last], np.minimum(high, greatest[code]))
    return Bins(edges, starts, low, high, own, other), np.add.reduceat(counts, begins[:-1])


def is_discrete(histogram: Histogram, most_codes: int) -> bool:
    """Say whether every value gets a code of its own."""
    distinct = len(histogram.values)
    return (
        histogram.pool_rows == 0
        and distinct <= most_codes
        and histogram.rows >= ROWS_A_VALUE * distinct
    )


def _atom_rows(histogram: Histogram, min_count: int) -> int:
    """Return from how many rows on a value is kept as it is."""
    counts = histogram.counts
    # A pool of several values looks like one value of at most pool_rows rows.
    rows = max(min_count, 4 * histogram.pool_rows)
    if np.count_nonzero(counts >= rows) > _MOST_ATOMS:
        rows = max(rows, 4 * histogram.rows // len(counts))
    if np.count_nonzero(counts >= rows) > _MOST_ATOMS:
        rows = int(np.partition(counts, -_MOST_ATOMS)[-_MOST_ATOMS]) + 1
    return rows


def _borders(
    values: Values, counts: Counts, begins: NDArray[np.int64], atom_rows: int
) -> tuple[Values, Values, Values]:
    """Return the codes' edges, and the least and greatest value that each may draw."""
    first, last = values[begins[:-1]], values[begins[1:] - 1]
    single = (np.diff(begins) == 1) & (counts[begins[:-1]] >= atom_rows)
    before, after = last[:-1], first[1:]
    if values.dtype == np.uint64:
        middle = before + (after - before + np.uint64(1)) // np.uint64(2)
        above = before + np.uint64(1)
    else:
        middle = before / 2 + after / 2
        middle = np.where(middle > before, middle, after)
        above = np.nextafter(before, np.inf)
    # A frequent value's code reaches no further than the value, beside a range.
    inner = np.where(
        single[:-1] & ~single[1:], above, np.where(~single[:-1] & single[1:], after, middle)
    )
    edges = np.concatenate([first[:1], inner])
    below = inner - np.uint64(1) if values.dtype == np.uint64 else np.nextafter(inner, -np.inf)
    return edges, edges, np.concatenate([below, last[-1:]])


def _reach(
    values: Values, first: NDArray[np.int64], last: NDArray[np.int64], mass: Counts
) -> tuple[Values, Values]:
    """Return how low and high each cell's range goes: about as far as its values lie apart."""
    whole = values.dtype == np.uint64
    with np.errstate(over="ignore"):
        gaps = np.diff(values)
        half = gaps - gaps // np.uint64(2) if whole else gaps / 2
        zero = np.zeros(1, values.dtype)
        left = np.concatenate([zero, half])[first]
        right = np.concatenate([half, zero])[last]
        spread = values[last] - values[first]
        steps = np.maximum(mass - 1, 1).astype(values.dtype)
        apart = spread // steps if whole else spread / steps
        # A value alone says nothing about how far apart values are.
        alone = first == last
        low = values[first] - np.where(alone, left, np.minimum(left, apart))
        high = values[last] + np.where(alone, right, np.minimum(right, apart))
    return low, high
