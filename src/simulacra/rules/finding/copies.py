"""Finds columns that repeat another one too often for chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.rules.copied import Copy, CopyConfig, equal, heavy_values
from simulacra.rules.finding.columns import Column
from simulacra.rules.finding.equals import Match
from simulacra.rules.finding.ranks import Ranks
from simulacra.rules.finding.state import State

LEAST_SHARE = 0.05
"""Rows that are equal, of all; by chance that are fewer than the 1 % that a heavy value has."""


def find_copies(state: State, columns: Mapping[str, Column], matches: Iterable[Match]) -> None:
    """Find columns that often repeat another one, and note them.

    Args:
        state: The rows, and the rules found before.
        columns: The columns that may repeat each other, counted.
        matches: Columns of any type that nearly always equal another one.
    """
    changed = {rule.options.get("column") for rule in state.found}
    wanted = [
        (CopyConfig(column=match.column, of=match.of, frequent=True), match.share)
        for match in matches
        if not match.always
        and {match.column, match.of} <= state.columns.keys()
        and not {match.column, match.of} & changed
    ]
    wanted.sort(key=lambda pair: -pair[1])
    wanted += _often(columns)
    repeating: set[str] = set()
    repeated: set[str] = set()
    for config, _ in wanted:
        if config.column not in repeating | repeated and config.of not in repeating:
            state.apply(Copy.name, config)
            repeating.add(config.column)
            repeated.add(config.of)


def _often(columns: Mapping[str, Column]) -> list[tuple[CopyConfig, float]]:
    """Return the numbers and times that are equal in many rows, those in most rows first."""
    if not columns:
        return []
    ranks = Ranks(columns)
    heavy = {name: heavy_values(column.values) for name, column in columns.items()}
    found = []
    for name, column in columns.items():
        if column.given:
            continue
        for other in ranks.partners(name):
            share = _share(column.values, columns[other].values, heavy[name])
            # The column less bound to all others gives way.
            gives_way = columns[other].given or ranks.bound(name) <= ranks.bound(other)
            if share >= LEAST_SHARE and gives_way:
                found.append((CopyConfig(column=name, of=other), share))
    return sorted(found, key=lambda pair: -pair[1])


def _share(one: pa.Array, other: pa.Array, heavy: pa.Array) -> float:
    if one.type != other.type:
        return 0.0
    count = pc.sum(equal(one, other, heavy)).as_py() or 0
    return float(count / len(one))
