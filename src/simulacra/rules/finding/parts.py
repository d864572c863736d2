"""Finds columns that are a part of another one in every row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.rules import ticks
from simulacra.rules.finding.state import State
from simulacra.rules.part import Part, PartConfig, PartRule, part_of
from simulacra.rules.ticks import Unit

LEAST_TELLING = 30
"""Rows that must have another value than the commonest one, for a match to be no accident."""
_DIVISORS = (7, 10, 12, 24, 60, 100, 1_000, 3_600, 10_000, 86_400, 1_000_000)
_FEWEST_QUOTIENTS = 3
_FIRST_ROWS = 256
"""Rows whose values are a column's signature: equal parts have equal ones."""
_ONES = cast("Unit", ticks.unit_of(pa.int64()))
_NO_COLUMN = "?"


def find_parts(state: State) -> None:
    """Find parts of dates, times and numbers, and note them.

    A column found to be a part leaves the state: it can be worked out, so nothing else needs it.
    """
    wholes: dict[bytes, list[tuple[str, Part, int | None]]] = {}
    for name, values in state.measures():
        for part, by in _kinds(values.type):
            options = PartConfig(column=_NO_COLUMN, of=name, part=part, by=by)
            signature = _signature(part_of(values[:_FIRST_ROWS], options))
            wholes.setdefault(signature, []).append((name, part, by))
    for name, values in list(state.numbers()):
        if not _tells(values):
            continue
        for other, part, by in wholes.get(_signature(values[:_FIRST_ROWS]), []):
            if other == name or other not in state.rows.column_names:
                continue
            found = _checked(state, PartConfig(column=name, of=other, part=part, by=by))
            if found is not None:
                state.apply(PartRule.name, found)
                break


def _kinds(kind: pa.DataType) -> Iterator[tuple[Part, int | None]]:
    for part in Part:
        if part.fits(kind):
            yield from ((part, by) for by in (_DIVISORS if part.of_number else (None,)))


def _signature(values: pa.Array) -> bytes:
    """Return what columns that differ by a constant have in common."""
    read = ticks.read(values, _ONES)
    some = read.count[read.known]
    relative = np.where(read.known, read.count - (some[0] if some.size else 0), 0)
    return relative.tobytes() + read.known.tobytes()


def _tells(values: pa.Array) -> bool:
    commonest = pc.mode(values)
    return len(commonest) > 0 and len(values) - commonest[0]["count"].as_py() >= LEAST_TELLING


def _checked(state: State, options: PartConfig) -> PartConfig | None:
    """Return the options, with the offset, if the part is right in all rows."""
    column, whole = (state.column(name) for name in (options.column, options.of))
    part = part_of(whole, options)
    distance = pc.subtract(ticks.write(ticks.read(column, _ONES), pa.int64(), _ONES), part)
    offset = pc.min(distance).as_py()
    if offset is None:
        return None
    if options.part.of_number:
        quotients = pc.divide(ticks.write(ticks.read(whole, _ONES), pa.int64(), _ONES), options.by)
        if offset != 0 or pc.count_distinct(quotients).as_py() < _FEWEST_QUOTIENTS:
            return None
    found = options.model_copy(update={"offset": offset})
    return found if PartRule.holds(column, whole, found) else None
