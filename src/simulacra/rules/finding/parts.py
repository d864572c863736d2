"""Finds columns that are a part of another one in every row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulacra.rules import ticks
from simulacra.rules.finding.evidence import LEAST_TELLING, Evidence
from simulacra.rules.finding.state import State
from simulacra.rules.part import Part, PartConfig, PartRule, number_part, part_of
from simulacra.rules.ticks import Ticks, Unit

_DIVISORS = (7, 10, 12, 24, 60, 100, 1_000, 3_600, 10_000, 86_400, 1_000_000)
_FEWEST_QUOTIENTS = 3
_SIGNATURE_ROWS = 256
"""Rows whose values are a column's signature: equal parts have equal ones."""
_ONES = cast("Unit", ticks.unit_of(pa.int64()))
_NO_COLUMN = ""


def find_parts(
    state: State, wholes: Mapping[str, pa.Array], evidence: Evidence | None = None
) -> None:
    """Find parts of dates, times and numbers, and note them.

    A column found to be a part leaves the state: it can be worked out, so nothing else needs it.

    Args:
        state: The rows, and the rules found before.
        wholes: The columns to look for parts of.
        evidence: Weighs what own columns have in common with given ones.
    """
    some = _some_rows(state)
    parts: dict[bytes, list[PartConfig]] = {}
    for name, values in wholes.items():
        for options, part in _parts(name, values.take(some)):
            parts.setdefault(_signature(part), []).append(options)
    for name, values in list(state.numbers()):
        alike = parts.get(_signature(ticks.read(values.take(some), _ONES)), [])
        for options in alike if _tells(values) else []:
            if options.of == name or options.of not in state.columns:
                continue
            found = _checked(state, options.model_copy(update={"column": name}))
            if found is None:
                continue
            if evidence is None or evidence.excludes_chance(name, options.of):
                state.apply(PartRule.name, found)
                break


def _some_rows(state: State) -> pa.Array:
    rows = max((len(values) for values in state.columns.values()), default=0)
    return pa.array(np.linspace(0, max(rows - 1, 0), min(rows, _SIGNATURE_ROWS)).astype(np.int64))


def _parts(name: str, values: pa.Array) -> Iterator[tuple[PartConfig, Ticks]]:
    """Yield every part that a column may have."""
    for part in Part:
        if part.fits(values.type) and not part.of_number:
            options = PartConfig(column=_NO_COLUMN, of=name, part=part)
            yield options, ticks.read(part_of(values, options), _ONES)
    if Part.QUOTIENT.fits(values.type):
        read = ticks.read(values, _ONES)
        for part, by in product((Part.QUOTIENT, Part.REMAINDER), _DIVISORS):
            options = PartConfig(column=_NO_COLUMN, of=name, part=part, by=by)
            yield options, number_part(read, options)


def _signature(read: Ticks) -> bytes:
    """Return what columns that differ by a constant have in common."""
    some = read.count[read.known]
    relative = np.where(read.known, read.count - (some[0] if some.size else 0), 0)
    return relative.tobytes() + read.known.tobytes()


def _tells(values: pa.Array) -> bool:
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.decimal128(38, values.type.scale))  # the others have no mode
    commonest = pc.mode(values)
    return len(commonest) > 0 and len(values) - commonest[0]["count"].as_py() >= LEAST_TELLING


def _checked(state: State, options: PartConfig) -> PartConfig | None:
    """Return the options, with the offset, if the part is right in all rows."""
    column, whole = (state.columns[name] for name in (options.column, options.of))
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
