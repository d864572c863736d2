"""The line: ordered positions to codes and back, for whole and for real numbers.

Whole positions (integers, decimals, dates, times) are int64, or Python integers where those don't
reach. They are counted in steps from the least one, so that uint64 always holds them and the
column's spacing (all multiples of 5, say) is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.features import Codes, code_dtype
from simulacra.core.protection import least_count
from simulacra.core.random import RngKey
from simulacra.datatypes.bins import Bins, damaged, is_discrete, learn_bins
from simulacra.datatypes.protection import clipped, without_rare
from simulacra.datatypes.summary import Counts, Histogram, Values

_INT64 = np.iinfo(np.int64)


@dataclass(frozen=True, slots=True)
class WholeLine:
    """Whole positions in steps of ``step`` from ``least`` to ``greatest``.

    Attributes:
        bins: Codes of the steps.
        least: The least position.
        greatest: The greatest position.
        step: What all distances are multiples of, at least 1.
        shift: Low bits of a step's number that are not kept, where 64 bits are too few.
        replaced: In how many rows a rare or extreme value was replaced.
    """

    bins: Bins
    least: int
    greatest: int
    step: int
    shift: int = 0
    replaced: int = 0

    def encode(self, positions: Values) -> Codes:
        """Return the code of each position."""
        return self.bins.encode(self._steps(positions))

    @property
    def _is_wide(self) -> bool:
        return not _INT64.min <= self.least <= self.greatest <= _INT64.max

    def _steps(self, positions: Values) -> NDArray[np.uint64]:
        if self._is_wide:
            positions = positions.astype(object)
        inside = np.clip(positions, self.least, self.greatest)
        if not self._is_wide:
            inside = inside.astype(np.int64, copy=False)
        return to_steps(inside, self.least, self.step, self.shift)

    def draw(self, codes: Codes, rng: RngKey) -> Values:
        """Draw a position for each code."""
        return self._positions(self.bins.draw(codes, rng))

    def _positions(self, steps: NDArray[np.uint64]) -> Values:
        if self._is_wide:
            wide = (steps.astype(object) << self.shift) * self.step + self.least
            return np.asarray(np.minimum(wide, self.greatest))
        if self.step != 1:
            steps = steps * np.uint64(self.step)
        # Arithmetic modulo 2**64: a line may be longer than int64 goes.
        return (steps + np.uint64(self.least % 2**64)).view(np.int64)

    def kept(self) -> Values:
        """Return the real positions held."""
        return self._positions(self.bins.kept())

    def save(self, out: ArtifactWriter, name: str) -> None:
        """Write everything ``load_line`` needs."""
        out.json(
            name,
            {
                "least": self.least,
                "greatest": self.greatest,
                "step": self.step,
                "shift": self.shift,
                "replaced": self.replaced,
            },
        )
        self.bins.save(out, f"{name}_bins")


@dataclass(frozen=True, slots=True)
class RealLine:
    """Real positions, float64.

    Attributes:
        bins: Their codes.
        decimals: Digits after the point that positions have at most, None if there is no limit.
        replaced: In how many rows a rare or extreme value was replaced.
    """

    bins: Bins
    decimals: int | None
    replaced: int = 0

    def encode(self, positions: Values) -> Codes:
        """Return the code of each position."""
        return self.bins.encode(positions)

    def draw(self, codes: Codes, rng: RngKey) -> Values:
        """Draw a position for each code."""
        drawn = self.bins.draw(codes, rng)
        if self.decimals is None or self.bins.is_exact:
            return drawn
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.round(drawn, self.decimals)
        inside = (rounded >= self.bins.low[0]) & (rounded <= self.bins.high[-1])
        return np.where(inside, rounded, drawn)

    def kept(self) -> Values:
        """Return the real positions held."""
        return self.bins.kept()

    def save(self, out: ArtifactWriter, name: str) -> None:
        """Write everything ``load_line`` needs."""
        out.json(name, {"decimals": self.decimals, "replaced": self.replaced})
        self.bins.save(out, f"{name}_bins")


@dataclass(frozen=True, slots=True)
class TableLine:
    """A code a position, for the few that lie too far apart for 64 bits.

    Attributes:
        positions: Python integers, ascending, shape ``(codes,)``.
        replaced: In how many rows a rare or extreme value was replaced.
    """

    positions: Values
    replaced: int = 0

    @property
    def bins(self) -> TableLine:
        """Itself: positions are codes."""
        return self

    @property
    def cardinality(self) -> int:
        """The number of codes."""
        return len(self.positions)

    def encode(self, positions: Values) -> Codes:
        """Return the code of the nearest position."""
        middles = self.positions[:-1] + (np.diff(self.positions) + 1) // 2
        codes = np.searchsorted(middles, positions.astype(object), side="right")
        return codes.astype(code_dtype(self.cardinality))

    def draw(self, codes: Codes, rng: RngKey) -> Values:
        """Return the position of each code."""
        del rng
        return self.positions[codes]

    def kept(self) -> Values:
        """Return the real positions held."""
        return self.positions

    def save(self, out: ArtifactWriter, name: str) -> None:
        """Write everything ``load_line`` needs."""
        positions = [int(position) for position in self.positions]
        out.json(name, {"positions": positions, "replaced": self.replaced})


Line = WholeLine | RealLine | TableLine

_OFTEN = 5


def load_line(src: ArtifactReader, name: str) -> Line:
    """Read a line that ``save`` wrote.

    Raises:
        BundleError: The members do not make a line.
    """
    facts: dict[str, Any] = src.json(name)
    if "positions" in facts:
        positions = np.empty(len(facts["positions"]), object)
        positions[:] = facts["positions"]
        return TableLine(positions, int(facts["replaced"]))
    whole = "step" in facts
    bins = Bins.load(src, f"{name}_bins", whole=whole)
    try:
        if not whole:
            return RealLine(bins, facts["decimals"], int(facts["replaced"]))
        whole_facts = ("least", "greatest", "step", "shift", "replaced")
        line = WholeLine(bins, *(int(facts[k]) for k in whole_facts))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(str(error)) from error
    if line.step < 1 or line.shift < 0 or line.least > line.greatest:
        raise damaged("the range of a column can't be right")
    return line


def to_steps(positions: Values, least: int, step: int, shift: int) -> NDArray[np.uint64]:
    """Return how many steps each position lies above ``least``, rounded down."""
    if positions.dtype == object:
        steps: NDArray[np.uint64] = ((positions - least) // step >> shift).astype(np.uint64)
        return steps
    steps = positions.view(np.uint64) - np.uint64(least % 2**64)
    return steps if step == 1 else steps // np.uint64(step)


def learn_whole_line(
    histogram: Histogram, step: int, *, most_codes: int, min_count: int | None
) -> tuple[WholeLine | TableLine, Counts]:
    """Learn a line from whole positions.

    Args:
        histogram: The positions, dtype int64 or object.
        step: What all distances are multiples of; 0 if there is one position only.
        most_codes: The most codes.
        min_count: Rows that a value must be seen in to be kept; see ``protection``.

    Returns:
        The line, and the rows of each code.
    """
    seen = histogram
    histogram, replaced = _protected(seen, most_codes, min_count)
    least, greatest = int(histogram.values[0]), int(histogram.values[-1])
    step = max(step, 1)
    shift = max(0, ((greatest - least) // step).bit_length() - 64)
    if shift and is_discrete(histogram, most_codes):
        table = TableLine(histogram.values.astype(object), replaced)
        return table, _rows_of_codes(table, seen)
    steps = to_steps(histogram.values, least, step, shift)
    if shift:
        firsts = np.flatnonzero(np.concatenate([[True], steps[1:] != steps[:-1]]))
        counts = np.add.reduceat(histogram.counts, firsts)
        histogram = Histogram(steps[firsts], counts, histogram.pool_rows)
    else:
        histogram = Histogram(steps, histogram.counts, histogram.pool_rows)
    bins, counts = learn_bins(
        histogram, most_codes=most_codes, min_count=min_count or _kept_from(histogram)
    )
    line = WholeLine(bins, least, greatest, step, shift, replaced)
    return line, _rows_of_codes(line, seen) if replaced else counts


def learn_real_line(
    histogram: Histogram, decimals: int | None, *, most_codes: int, min_count: int | None
) -> tuple[RealLine, Counts]:
    """Learn a line from real positions, dtype float64; as :func:`learn_whole_line`."""
    seen = histogram
    histogram, replaced = _protected(seen, most_codes, min_count)
    bins, counts = learn_bins(
        histogram, most_codes=most_codes, min_count=min_count or _kept_from(histogram)
    )
    line = RealLine(bins, decimals, replaced)
    return line, _rows_of_codes(line, seen) if replaced else counts


def _rows_of_codes(line: Line, seen: Histogram) -> Counts:
    """Return how many rows have each code, those with replaced values too."""
    codes = line.encode(seen.values)
    rows = np.bincount(codes, weights=seen.counts, minlength=line.bins.cardinality)
    return rows.astype(np.int64)


def _protected(
    histogram: Histogram, most_codes: int, min_count: int | None
) -> tuple[Histogram, int]:
    """Return the values without those that too few rows have, and how many rows had such."""
    least = least_count(min_count, histogram.rows)
    kept = clipped(histogram, least)
    if is_discrete(kept, most_codes):
        kept = without_rare(kept, least)
    if kept is histogram:
        return histogram, 0
    same = histogram.counts[np.searchsorted(histogram.values, kept.values)]
    return kept, int(histogram.counts.sum() - same.sum())


def _kept_from(histogram: Histogram) -> int:
    """Return how many rows a value must have to be kept among many that are nearly unique."""
    return max(least_count(None, histogram.rows), _OFTEN)
