"""Exact copies: synthetic rows that equal a real one in all that is compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.scores import Score
from simulacra.metrics.columns import Leaf
from simulacra.metrics.intervals import wilson
from simulacra.metrics.privacy.ranks import labels

EXACT_COPIES = "exact_copies"


def exact_copies(
    used: Sequence[Leaf],
    real: pa.Table,
    synthetic: pa.Table,
    holdout: pa.Table | None,
    does_not_show: str,
) -> Score:
    """Return the share of synthetic rows that equal a row learned from.

    The floor is the share of held-out rows that do; without them, of real rows that equal another.

    Args:
        used: The columns compared, at least one.
        real: The rows learned from, at least one.
        synthetic: The synthetic rows, at least one.
        holdout: Rows that were not learned from.
        does_not_show: What it does not show.
    """
    tables = [real, synthetic] if holdout is None else [real, synthetic, holdout]
    hashes = _row_hashes(used, tables)
    learned, counts = np.unique(hashes[0], return_counts=True)
    shares = [float(np.isin(side, learned).mean()) for side in hashes[1:]]
    # Without held-out rows each real row stands in for one: does another real row equal it?
    shares.append(float(counts[counts > 1].sum() / real.num_rows))
    value, floor = shares[:2]
    interval = wilson(value, synthetic.num_rows)
    whose = "of other people's rows" if holdout is not None else "of real rows, each other"
    said = f"{value:.1%} of the synthetic rows equal a row learned from, and {floor:.1%} {whose}"
    details = {
        "verdict": f"{'Copies' if interval[0] > floor else 'No copying found'}: {said}.",
        "does_not_show": does_not_show,
        "synthetic_rows": synthetic.num_rows,
        "real_rows": real.num_rows,
    }
    return Score(EXACT_COPIES, value, floor=floor, interval=interval, details=details)


def _row_hashes(used: Sequence[Leaf], tables: Sequence[pa.Table]) -> list[NDArray[np.uint64]]:
    """Return 64 bits a row, shape ``(rows,)``: equal rows agree, others all but surely differ."""
    hashes = [np.zeros(table.num_rows, dtype=np.uint64) for table in tables]
    for leaf in used:
        codes = labels(leaf, tables)
        hashes = [_mix(h, code.view(np.uint64)) for h, code in zip(hashes, codes, strict=True)]
    return hashes


def _mix(hashes: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Stir one more code into hashes (SplitMix64: Steele, Lea and Flood, OOPSLA 2014)."""
    words = np.bitwise_xor(hashes, codes) + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
