"""Finds columns of which exactly one is set in every row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.rules.finding.evidence import LEAST_TELLING
from simulacra.rules.finding.state import State
from simulacra.rules.one_hot import OneHot


def find_one_hot(state: State, touched: Iterable[str]) -> None:
    """Find groups of flags of which one is set in every row, and note them.

    Each flag must be set in 30 rows. Flags that stand beside each other are tried first, then the
    others, each group as far as it goes.

    Args:
        state: The rows, and the rules found before.
        touched: Columns that other rules read or change: they are left alone.
    """
    left = set(touched)
    flags = {n: _flag(values) for n, values in state.tables() if n not in left}
    known = {n: flag for n, flag in flags.items() if flag is not None}
    used: set[str] = set()
    for beside in (True, False):
        for group in _groups({n: f for n, f in known.items() if n not in used}, beside=beside):
            if state.holds(OneHot.name, {"columns": group}):
                used |= set(group)


def _groups(flags: dict[str, NDArray[np.bool_]], *, beside: bool) -> Iterator[tuple[str, ...]]:
    names = list(flags)
    used: set[str] = set()
    for start, first in enumerate(names):
        if first in used:
            continue
        group, taken = [first], flags[first].copy()
        for name in names[start + 1 :]:
            if taken.all():
                break
            if name not in used and not (taken & flags[name]).any():
                group.append(name)
                taken |= flags[name]
            elif beside:
                break
        if len(group) > 1 and taken.all():
            used |= set(group)
            yield tuple(group)


def _flag(values: pa.Array) -> NDArray[np.bool_] | None:
    """Return where a column is set, None if it holds more than 0 and 1, or hardly one of them."""
    kind = values.type
    if values.null_count or not len(values):
        return None
    if not pa.types.is_boolean(kind):
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return None
        ends = pc.min_max(values.cast(pa.float64(), safe=False)).as_py()
        if ends != {"min": 0.0, "max": 1.0}:
            return None
        numbers = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
        if not np.isin(numbers, (0.0, 1.0)).all():
            return None
        flag = numbers == 1.0
    else:
        flag = values.to_numpy(zero_copy_only=False).astype(bool)
    return flag if LEAST_TELLING <= flag.sum() <= len(flag) - LEAST_TELLING else None
