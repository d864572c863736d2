"""Finds columns that are null together, or null unless another one says so."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.rules.finding.codes import Codes
from simulacra.rules.finding.evidence import CHANCE, LEAST_TELLING
from simulacra.rules.finding.state import State
from simulacra.rules.nulls import NullTogether, NullUnless

MOST_VALUES = 32
"""A column of more values is no category that says where others are null."""

Nulls = NDArray[np.bool_]


def find_null_patterns(state: State) -> None:
    """Find in which rows columns are null, and note it, of columns as all other rules leave them.

    A column must be null in 30 rows and known in as many. Of columns that are null wherever another
    one is, each is bound to the one that is null in the most rows.

    Args:
        state: The rows, and the rules found before.
    """
    nulls = {n: _nulls(values) for n, values in state.own() if values.null_count}
    nulls = {n: null for n, null in nulls.items() if _both(null)}
    if not nulls:
        return
    least = 2 * math.log(max(len(state.columns), 2)) - math.log(CHANCE)
    groups: dict[bytes, list[str]] = {}
    for name, null in nulls.items():
        groups.setdefault(null.tobytes(), []).append(name)
    heads = {group[0]: nulls[group[0]] for group in groups.values()}
    for group in groups.values():
        rate = nulls[group[0]].mean()
        if len(group) > 1 and _surprise(rate, len(nulls[group[0]])) >= least:
            state.holds(NullTogether.name, {"columns": tuple(group)})
    said = _categories(state)
    # What is null in the most rows is bound first, so that it is decided last.
    for name, null in sorted(heads.items(), key=lambda item: -item[1].sum()):
        options = _by_category(null, said, least)
        of = options.get("of") or _within(name, heads, least)
        if of is not None and of != name:
            state.holds(NullUnless.name, {"column": name, "of": of, **options})


def _nulls(values: pa.Array) -> Nulls:
    null: Nulls = values.is_null().to_numpy(zero_copy_only=False)
    return null


def _both(null: Nulls) -> bool:
    return bool(LEAST_TELLING <= null.sum() <= len(null) - LEAST_TELLING)


def _surprise(rate: float, rows: int) -> float:
    """Return how unlikely so many rows are to agree on a null or none by accident, in nats."""
    agree = rate**2 + (1 - rate) ** 2
    return float(-rows * math.log(agree)) if agree > 0 else math.inf


def _within(name: str, heads: dict[str, Nulls], least: float) -> str | None:
    """Return the column of the most nulls of those where another one is always null, too."""
    null = heads[name]
    alone = -math.log(null.mean())
    inside = [
        (int(other.sum()), of)
        for of, other in heads.items()
        if of != name and not (other & ~null).any() and other.sum() * alone >= least
    ]
    return max(inside)[1] if inside else None


def _categories(state: State) -> dict[str, tuple[NDArray[np.int64], pa.Array]]:
    """Return the columns of few values, as the place of each row's value, and the values."""
    found = {}
    for name, values in state.coded():
        if values.null_count or pa.types.is_dictionary(values.type):
            continue
        codes = Codes({name: values}).codes[0]
        _, first, place = np.unique(codes, return_index=True, return_inverse=True)
        if 1 < len(first) <= MOST_VALUES:
            found[name] = (place, values.take(pa.array(first)))
    return found


def _by_category(
    null: Nulls, said: dict[str, tuple[NDArray[np.int64], pa.Array]], least: float
) -> dict[str, object]:
    """Return the options of the category that says best in which rows a column is null."""
    best: tuple[int, dict[str, object]] = (0, {})
    alone = -math.log(null.mean())
    for name, (place, values) in said.items():
        rows = np.bincount(place)
        nulls = np.bincount(place, weights=null).astype(np.int64)
        empty = nulls == rows
        decided = bool((empty | (nulls == 0)).all())
        # Of a value of few rows it may be an accident that all are null.
        empty &= decided | (rows * alone >= least)
        told = int(rows[empty].sum())
        if told >= LEAST_TELLING and told * alone >= least and told > best[0]:
            allowed = values.filter(pa.array(~empty)).to_pylist()
            options: dict[str, object] = {"of": name, "values": tuple(allowed)}
            best = (told, {**options, "required": True} if decided else options)
    return best[1]
