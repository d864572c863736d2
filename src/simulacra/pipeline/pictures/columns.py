"""Overlays: how each column is distributed on each side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.metrics.columns import Kind, Leaf
from simulacra.pipeline.pictures.safe import (
    FEWEST,
    SYNTHETIC,
    grouped,
    is_safe,
    merged,
    real_counts,
    shares,
)
from simulacra.pipeline.pictures.scales import Scale

NAMED = 12
"""The most categories that are named."""

_LONGEST_NAME = 60
_TOO_FEW = f"fewer than {FEWEST} real values"
_TOO_RARE = f"no value is in {FEWEST} real rows or more"

Picture = dict[str, Any]


def overlay(leaf: Leaf, tables: Mapping[str, pa.Table]) -> Picture:
    """Return how a leaf is distributed on each side.

    Args:
        leaf: The leaf.
        tables: The rows of each side: ``real``, ``synthetic``, and ``holdout`` if there is one.

    Returns:
        ``{"column", "type", "kind", "nulls": {side: share}}`` and, of numbers, dates, times and
        lengths, ``"unit"``, ``"edges"`` (n + 1 of them; the outermost bins hold all beyond) and
        ``"shares": {side: [n shares of all rows]}``; of categories ``"names"``, ``"shares"`` and
        ``"rarer": {side: share}``, all values that are not named. Where nothing may be shown,
        ``"why"`` says so. Every bin and name is of no real row or of ten at least.
    """
    picture: Picture = {"column": leaf.name, "type": leaf.spec.type}
    columns = {side: leaf.values(table) for side, table in tables.items()}
    picture["nulls"] = {
        side: round(_null_share(values), 6) for side, values in columns.items() if len(values)
    }
    if leaf.kind is None:
        return picture | {"kind": "none", "why": leaf.why}
    picture["kind"] = leaf.kind.value
    if leaf.kind is Kind.CATEGORY:
        return picture | _bars(columns)
    return picture | _histogram(Scale.of(leaf, columns["real"].type), columns)


def _null_share(values: pa.ChunkedArray) -> float:
    return float(pc.sum(pc.is_null(values, nan_is_null=True)).as_py() or 0) / len(values)


def _histogram(scale: Scale, columns: Mapping[str, pa.ChunkedArray]) -> Picture:
    places = {side: scale.places(values) for side, values in columns.items()}
    places = {side: v for side, v in places.items() if side == SYNTHETIC or len(v) >= FEWEST}
    if "real" not in places:
        return {"why": _TOO_FEW}
    edges = scale.edges(places["real"])
    counts = {side: _binned(values, edges) for side, values in places.items()}
    groups = merged(counts)
    if not groups:
        return {"why": _TOO_FEW}
    rows = {side: len(columns[side]) for side in places}
    at = [groups[0][0], *(stop for _, stop in groups)]
    return {
        "unit": scale.unit.value,
        "edges": [_tidy(float(edges[i])) for i in at],
        "shares": shares(grouped(counts, groups), rows),
    }


def _tidy(edge: float) -> float:
    """Return an edge without what binary fractions leave of 0.1 + 0.2."""
    return float(f"{edge:.12g}")


def _binned(values: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count values in bins; those beyond the outermost edges are in the outermost bins."""
    codes = np.searchsorted(edges[1:-1], values, side="right")
    return np.bincount(codes, minlength=len(edges) - 1).astype(np.int64)


def _bars(columns: Mapping[str, pa.ChunkedArray]) -> Picture:
    texts = {side: as_text(values) for side, values in columns.items()}
    names, counts = named_counts(texts, NAMED)
    if not names:
        return {"why": _TOO_RARE}
    rows = {side: len(values) for side, values in columns.items()}
    found = shares(counts, rows)
    return {
        "names": _shortened(names),
        "shares": {side: each[:-1] for side, each in found.items()},
        "rarer": {side: each[-1] for side, each in found.items()},
    }


def _shortened(names: list[str]) -> list[str]:
    """Return names cut where they are long, unless they would be the same then."""
    short = [n if len(n) <= _LONGEST_NAME else f"{n[: _LONGEST_NAME - 1]}…" for n in names]
    return short if len(set(short)) == len(short) else names


def as_text(values: pa.ChunkedArray) -> pa.Array:
    """Return categories as people read them, null where null."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    array = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
    if pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        return pa.array([None if v is None else v.hex() for v in array.to_pylist()], pa.string())
    return array.cast(pa.large_string())


def named_counts(
    texts: Mapping[str, pa.Array], most: int
) -> tuple[list[str], dict[str, NDArray[np.int64]]]:
    """Return the most frequent real categories, and how often each side has them.

    Args:
        texts: The categories of each side, shape ``(rows,)``.
        most: How many to name at most.

    Returns:
        Names, the most frequent first, and for each side their counts, followed by the count of
        all other values. Every count of real rows is 0 or at least ``FEWEST``.
    """
    found = pc.value_counts(texts["real"].drop_null())
    values, times = found.field("values"), found.field("counts").to_numpy()
    order = np.lexsort((np.arange(len(values)), -times))
    kept = [i for i in order[:most] if times[i] >= FEWEST]
    names = values.take(pa.array(kept, pa.int64()))
    counts = {side: _counted(side_texts, names) for side, side_texts in texts.items()}
    named = np.ones(len(names) + 1, dtype=bool)
    for i in range(len(names)):
        if not is_safe(real_counts(counts)[:, i]):
            _pool(counts, named, i)
    # A rest of few rows would be those few: the rarest named join it until they are enough.
    while named[:-1].any() and not is_safe(real_counts(counts)[:, -1]):
        _pool(counts, named, int(np.flatnonzero(named[:-1])[-1]))
    if not is_safe(real_counts(counts)[:, -1]):
        return [], {}
    shown = names.filter(pa.array(named[:-1])).to_pylist()
    return shown, {side: each[named] for side, each in counts.items()}


def _pool(counts: dict[str, NDArray[np.int64]], named: NDArray[np.bool_], place: int) -> None:
    for each in counts.values():
        each[-1] += each[place]
    named[place] = False


def _counted(texts: pa.Array, names: pa.Array) -> NDArray[np.int64]:
    """Count each name, and behind them all other texts, in nobody's order."""
    places = pc.index_in(texts.drop_null(), value_set=names).fill_null(len(names))
    return np.bincount(places.to_numpy(), minlength=len(names) + 1).astype(np.int64)
