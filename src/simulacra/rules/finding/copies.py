"""Finds columns that repeat another one too often for chance."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.rules.copied import Copy, CopyConfig, equal, heavy_values
from simulacra.rules.finding.columns import Column
from simulacra.rules.finding.ranks import Ranks
from simulacra.rules.finding.state import State

LEAST_SHARE = 0.05
"""Rows that are equal, of all; by chance that are fewer than the 1 % that a heavy value has."""


def find_copies(state: State, columns: dict[str, Column]) -> None:
    """Find columns that often repeat another one, and note them.

    Args:
        state: The rows, and the rules found before.
        columns: The columns that may repeat each other, counted.
    """
    if not columns:
        return
    ranks = Ranks(columns)
    heavy = {name: heavy_values(column.values) for name, column in columns.items()}
    shares = {}
    for name, column in columns.items():
        for other in ranks.partners(name):
            share = _share(column.values, columns[other].values, heavy[name])
            # The column less bound to all others gives way.
            if share >= LEAST_SHARE and ranks.bound(name) <= ranks.bound(other):
                shares[name, other] = share
    repeating: set[str] = set()
    repeated: set[str] = set()
    for name, other in sorted(shares, key=lambda pair: -shares[pair]):
        if name not in repeating | repeated and other not in repeating:
            state.apply(Copy.name, CopyConfig(column=name, of=other))
            repeating.add(name)
            repeated.add(other)


def _share(one: pa.Array, other: pa.Array, heavy: pa.Array) -> float:
    if one.type != other.type:
        return 0.0
    count = pc.sum(equal(one, other, heavy)).as_py() or 0
    return float(count / len(one))
