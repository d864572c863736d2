"""Drawing rows of which some values are given.

Values that the model can hold fixed are given to it, which draws the rest from its conditional
distribution. What it can't (columns that rules work out, ranges, lists) is left to rejection: rows
are drawn until they fit, up to a bound, beyond which the condition is refused as too rare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.errors import UsageError
from simulacra.core.random import RngKey
from simulacra.pipeline.conditions.wanted import Condition
from simulacra.pipeline.nesting import Flat

MOST_DRAWS = 5_000
"""Rows drawn for one that is wanted, at most; where any will do that is near, a few."""
_NEAR_DRAWS = 20
_AT_ONCE = 65_536

Draw = Callable[[NDArray[np.int64], Mapping[str, pa.Array], RngKey], Flat]
"""Draws rows: their places in the block, the columns known of them all, and a key."""


def draw_given(
    condition: Condition,
    rows: int,
    *,
    start: int,
    draw: Draw,
    rng: RngKey,
) -> Flat:
    """Return ``rows`` rows that are as wanted, in the order of the known rows.

    Args:
        condition: What is wanted.
        rows: How many.
        start: The first row's place among all.
        draw: Draws rows, as like what is known as it can.
        rng: The key of the block.

    Raises:
        UsageError: The condition is too rare, and strict.
    """
    known = condition.part(start, rows)
    waiting = np.arange(rows)
    found: list[Flat] = []
    places: list[NDArray[np.int64]] = []
    drawn, most = 0, (MOST_DRAWS if condition.strict else _NEAR_DRAWS) * rows
    for attempt in range(MOST_DRAWS):
        if not len(waiting) or drawn >= most:
            break
        times = max(1, min(_AT_ONCE // len(waiting), (most - drawn) // len(waiting)))
        if attempt == 0:
            times = 1
        tried = np.repeat(waiting, times)
        flat, tried = _drawn(condition, known, tried, draw, rng.child(attempt))
        drawn += len(tried)
        fits = condition.accepts(flat.batch, {n: v.take(pa.array(tried)) for n, v in known.items()})
        accepted = np.flatnonzero(fits.to_numpy(zero_copy_only=False))
        # Of several that fit one row, the first.
        _, first = np.unique(tried[accepted], return_index=True)
        taken = accepted[np.sort(first)]
        found.append(flat.take(taken))
        places.append(tried[taken])
        waiting = np.setdiff1d(waiting, tried[taken], assume_unique=True)
    if len(waiting) and not condition.strict:
        flat, tried = _drawn(condition, known, waiting, draw, rng.child("near"))
        found.append(flat)
        places.append(tried)
    elif len(waiting):
        raise UsageError(
            f"what is given is too rare: {rows - len(waiting):,} of {drawn:,} rows drawn fit it",
            mend="Give less, or wider ranges",
        )
    back = np.argsort(np.concatenate(places), kind="stable")
    whole = Flat.concat(found).take(back)
    return whole if condition.strict else _with_known(whole, known)


def _with_known(flat: Flat, known: Mapping[str, pa.Array]) -> Flat:
    """Return rows with what is known of them in place."""
    batch = flat.batch
    for name, values in known.items():
        place = batch.schema.get_field_index(name)
        drawn = batch.column(place)
        if pa.types.is_dictionary(drawn.type):
            both = pa.chunked_array([drawn, values]).unify_dictionaries().combine_chunks()
            chosen = np.where(
                values.is_valid(), np.arange(len(drawn)) + len(drawn), np.arange(len(drawn))
            )
            merged = both.take(pa.array(chosen))
        else:
            merged = pc.coalesce(values, drawn).cast(drawn.type)
        batch = batch.set_column(place, name, merged)
    return Flat(batch, flat.lists)


def _drawn(
    condition: Condition,
    known: Mapping[str, pa.Array],
    tried: NDArray[np.int64],
    draw: Draw,
    rng: RngKey,
) -> tuple[Flat, NDArray[np.int64]]:
    """Draw rows at the given places, those together of which the same columns are known.

    Returns:
        The rows, and the place of each.
    """
    empty = [n for n, value in condition.fixed.items() if not value.is_valid]
    flats, places = [], []
    for number, (names, group) in enumerate(_patterns(known, tried)):
        rows = tried[group]
        values = {name: known[name].take(pa.array(rows)) for name in names}
        values |= {name: pa.nulls(len(rows), condition.fixed[name].type) for name in empty}
        flats.append(draw(rows, values, rng.child("pattern", number)))
        places.append(rows)
    return Flat.concat(flats), np.concatenate(places)


def _patterns(
    known: Mapping[str, pa.Array], tried: NDArray[np.int64]
) -> Iterator[tuple[list[str], NDArray[np.int64]]]:
    """Yield sets of columns, and the rows of which those and no others are known."""
    names = list(known)
    if not names:
        yield [], np.arange(len(tried))
        return
    valid = np.stack(
        [known[name].is_valid().to_numpy(zero_copy_only=False)[tried] for name in names]
    )
    patterns, which = np.unique(valid, axis=1, return_inverse=True)
    for number in range(patterns.shape[1]):
        chosen = [name for name, there in zip(names, patterns[:, number], strict=True) if there]
        yield chosen, np.flatnonzero(which.reshape(-1) == number)
