"""Drawing rows of which some values are given, or that rules can't mend.

Values that the model can hold fixed are given to it, which draws the rest from its conditional
distribution. What it can't (columns that rules work out, ranges, lists), and rows that break a rule
which can't mend them, are left to rejection: rows are drawn until they fit, up to a bound, beyond
which what is wanted is refused as too rare. How many were drawn again for rules is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.errors import UsageError
from simulacra.core.progress import Progress
from simulacra.core.random import RngKey
from simulacra.pipeline.conditions.wanted import Condition
from simulacra.pipeline.nesting import Flat

MOST_DRAWS = 5_000
"""Rows drawn for one that is wanted, at most; where any will do that is near, a few."""
_NEAR_DRAWS = 20
_AT_ONCE = 65_536

_HOPELESS = 200_000
"""Rows of which none fits: then not one in 5,000 does, but for a chance of exp(-40)."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Drawn rows.

    Attributes:
        flat: The rows.
        kept: Which of them break no rule that can't mend rows; None if there is no such rule.
    """

    flat: Flat
    kept: pa.BooleanArray | None = None


Draw = Callable[[NDArray[np.int64], Mapping[str, pa.Array], RngKey], Drawn]
"""Draws rows: their places in the block, the columns known of them all, and a key."""


class Tally:
    """Counts the rows of a table that broke rules and were drawn again; threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows = 0
        self._broken = 0

    def add(self, rows: int, broken: int) -> None:
        """Count rows drawn for the first time."""
        with self._lock:
            self._rows += rows
            self._broken += broken

    def tell(self, where: str, progress: Progress) -> None:
        """Say how many were drawn again, if any rule was asked."""
        if self._rows:
            progress.note(
                f"{where}: {self._broken:,} of {self._rows:,} rows broke rules "
                f"({self._broken / self._rows:.2%}) and were drawn again"
            )


def draw_given(
    condition: Condition | None,
    rows: int,
    *,
    start: int,
    draw: Draw,
    rng: RngKey,
    tally: Tally | None = None,
) -> Flat:
    """Return ``rows`` rows that are as wanted, in the order of the known rows.

    Args:
        condition: What is wanted; None if rows need only keep the rules.
        rows: How many.
        start: The first row's place among all.
        draw: Draws rows, as like what is known as it can.
        rng: The key of the block.
        tally: Counts what is drawn again for rules.

    Raises:
        UsageError: The condition, or rows that keep the rules, are too rare; and it is strict.
    """
    condition = Condition({}, {}) if condition is None else condition
    known = condition.part(start, rows)
    waiting = np.arange(rows)
    found: list[Flat] = []
    places: list[NDArray[np.int64]] = []
    lawful: int | None = None
    drawn, most = 0, (MOST_DRAWS if condition.strict else _NEAR_DRAWS) * rows
    for attempt in range(MOST_DRAWS):
        hopeless = len(waiting) == rows and drawn >= _HOPELESS
        if not len(waiting) or drawn >= most or hopeless:
            break
        times = max(1, min(_AT_ONCE // len(waiting), (most - drawn) // len(waiting)))
        if attempt == 0:
            times = 1
        tried = np.repeat(waiting, times)
        flat, kept, tried = _drawn(condition, known, tried, draw, rng.child(attempt))
        fits = condition.accepts(flat.batch, {n: v.take(pa.array(tried)) for n, v in known.items()})
        if kept is not None:
            fine = int(pc.sum(kept).as_py() or 0)
            if attempt == 0 and tally is not None:
                tally.add(len(tried), len(tried) - fine)
            lawful = fine + (lawful or 0)
            fits = pc.and_(fits, kept)
        drawn += len(tried)
        accepted = np.flatnonzero(fits.to_numpy(zero_copy_only=False))
        # Of several that fit one row, the first.
        _, first = np.unique(tried[accepted], return_index=True)
        taken = accepted[np.sort(first)]
        found.append(flat.take(taken))
        places.append(tried[taken])
        waiting = np.setdiff1d(waiting, tried[taken], assume_unique=True)
    if len(waiting) and not condition.strict:
        flat, _, tried = _drawn(condition, known, waiting, draw, rng.child("near"))
        found.append(flat)
        places.append(tried)
    elif len(waiting):
        raise _too_rare(condition, rows - len(waiting), drawn, lawful)
    back = np.argsort(np.concatenate(places), kind="stable")
    whole = Flat.concat(found).take(back)
    return whole if condition.strict else _with_known(whole, known)


def _too_rare(condition: Condition, fit: int, drawn: int, lawful: int | None) -> UsageError:
    """Return what to say where too few rows fit.

    Args:
        condition: What was wanted.
        fit: How many rows did.
        drawn: How many were drawn.
        lawful: How many of those kept the rules; None if there are none.
    """
    if not condition.columns:
        return UsageError(
            f"rows that keep the rules are too rare: {lawful:,} of {drawn:,} drawn do "
            f"({(lawful or 0) / drawn:.2%})",
            mend="Write them as rules that are kept by construction (chain, formula, …), or loosen "
            "the rule custom",
        )
    rules = "" if lawful is None else f"; {lawful:,} of them keep the rules ({lawful / drawn:.2%})"
    return UsageError(
        f"what is given is too rare: {fit:,} of {drawn:,} rows drawn fit it{rules}",
        mend="Give less, or wider ranges",
    )


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
) -> tuple[Flat, pa.BooleanArray | None, NDArray[np.int64]]:
    """Draw rows at the given places, those together of which the same columns are known.

    Returns:
        The rows, which of them keep the rules (None without rules to ask), and the place of each.
    """
    empty = [n for n, value in condition.fixed.items() if not value.is_valid]
    parts, places = [], []
    for number, (names, group) in enumerate(_patterns(known, tried)):
        rows = tried[group]
        values = {name: known[name].take(pa.array(rows)) for name in names}
        values |= {name: pa.nulls(len(rows), condition.fixed[name].type) for name in empty}
        parts.append(draw(rows, values, rng.child("pattern", number)))
        places.append(rows)
    kept = [part.kept for part in parts if part.kept is not None]
    flat = Flat.concat([part.flat for part in parts])
    return flat, pa.concat_arrays(kept) if kept else None, np.concatenate(places)


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
