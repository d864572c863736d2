"""Keeps keys unique: repeated rows move to the nearest value that is free.

All rows drawn before are known by 64 bits each; that two keys share those moves a row in vain,
nothing more. Rows are taken in order, so the same rows always move to the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.compiled import Flags, Hashes
from simulacra.core.errors import LimitError
from simulacra.pipeline.relations.keys.forms import KeyForm
from simulacra.pipeline.relations.keys.words import Words
from simulacra.pipeline.text_variants import byte_variants, variants
from simulacra.pipeline.unique_kernels import (
    Claims,
    Grid,
    WordSet,
    claim,
    mix_into,
    move_apart,
)
from simulacra.pipeline.uniques import UniqueKey

_NO_TAGS: Hashes = np.empty(0, np.uint64)

Moved = Callable[[pa.RecordBatch, NDArray[np.intp], Mapping[str, pa.Array]], pa.RecordBatch]
"""Puts moved values into some rows of a batch, and works out anew what depends on them."""


class Uniqueness:
    """Keeps the keys of one run unique: holds a word of every key so far.

    Args:
        keys: The keys.
        where: The table's name, for messages.
    """

    def __init__(self, keys: Sequence[UniqueKey], where: str) -> None:
        self._where = where
        self._groups = list(_grouped(keys, where))
        self._rows = 0

    def apply(self, batch: pa.RecordBatch, moved: Moved) -> pa.RecordBatch:
        """Return the next rows with no key twice.

        Raises:
            LimitError: A column has no value left.
        """
        for group in self._groups:
            values, rows = group.apart(batch, self._rows)
            if len(rows):
                batch = moved(batch, rows, {group.mover: values})
        self._rows += batch.num_rows
        return batch


def _grouped(keys: Sequence[UniqueKey], where: str) -> Iterator[_Group]:
    """Yield keys by what moves: first those whose other columns don't move any more."""
    left = {key.mover: [k for k in keys if k.mover == key.mover] for key in keys}
    while left:
        still = {
            mover: {c for key in left[mover] for c in key.columns if c != mover and c in left}
            for mover in left
        }
        mover = min(still, key=lambda name: len(still[name]))
        yield _Group(mover, left.pop(mover), where)


class _Group:
    """Keys in which the same column moves."""

    def __init__(self, mover: str, keys: list[UniqueKey], where: str) -> None:
        self.mover = mover
        self._keys = keys
        self._where = where
        self._sets = [WordSet() for _ in keys]
        self._like_so_far: dict[tuple[bytes, str | bytes], Iterator[str | bytes]] = {}

    def apart(self, batch: pa.RecordBatch, start: int) -> tuple[pa.Array, NDArray[np.intp]]:
        """Return new values for rows whose key is there already, and which rows those are.

        Raises:
            LimitError: There is no value left for a row.
        """
        values = batch.column(self.mover)
        ticks = self._keys[0].ticks
        claims = self._claims(batch)
        if ticks is None:
            found = self._texts_apart(values, claims, start)
        else:
            numbers = ticks.count(values)
            lowest, highest = ticks.limits(values.type)
            grid = Grid(ticks.least, ticks.greatest, ticks.step, lowest, highest, _NO_TAGS)
            changed = _moved(claims, numbers, grid, start)
            found = ticks.values(numbers[changed], values.type), np.flatnonzero(changed)
        left = np.flatnonzero(claims.again)
        if len(left):
            raise LimitError(
                f"no value is left for row {start + left[0] + 1:,}",
                where=f"{self._where}.{self.mover}",
                why=f"no two rows may agree in {', '.join(self._keys[0].columns)}",
                mend="Ask for fewer rows, or take it out of the key",
            )
        return found

    def _claims(self, batch: pa.RecordBatch) -> Claims:
        """Return what is known of the keys' other columns."""
        null = np.asarray(batch.column(self.mover).is_null())
        bases = np.zeros((len(self._keys), batch.num_rows), np.uint64)
        exempt = np.zeros(bases.shape, np.bool_)
        exempt[:] = null
        for number, key in enumerate(self._keys):
            for place, name in enumerate(sorted(set(key.columns) - {self.mover})):
                found = _words(batch.column(name), f"{self._where}.{name}")
                mix_into(bases[number], found.words, place)
                exempt[number] |= found.null
        sets = tuple(held.with_room(batch.num_rows) for held in self._sets)
        known: Flags = ~np.logical_and.reduce(exempt)
        return Claims(sets, bases, exempt, known)

    def _texts_apart(
        self, values: pa.Array, claims: Claims, start: int
    ) -> tuple[pa.Array, NDArray[np.intp]]:
        """Move texts and bytes: to others that there are, else to some like themselves."""
        made: dict[int, str | bytes] = {}
        if self._keys[0].choices:
            made |= self._to_choices(values, claims, start)
        claim(claims, _tags(values, self.mover))
        made |= self._to_variants(values, claims)
        rows = np.array(sorted(made), np.intp)
        return pa.array([made[int(row)] for row in rows], values.type), rows

    def _to_choices(self, values: pa.Array, claims: Claims, start: int) -> dict[int, str]:
        """Move texts that are among few to others of those; return the new ones by row."""
        names = self._keys[0].choices
        choices = pa.array(names, values.type)
        places = pc.index_in(values, choices)
        strange = np.asarray(places.is_null())
        numbers = np.asarray(places.fill_null(0)).astype(np.int64)
        grid = Grid(0, len(choices) - 1, 1, 0, len(choices) - 1, _tags(choices, self.mover))
        waiting = claims.again & strange
        claims.again[strange] = False
        changed = _moved(claims, numbers, grid, start)
        claims.again[waiting] = True
        return {int(row): names[numbers[row]] for row in np.flatnonzero(changed)}

    def _to_variants(self, values: pa.Array, claims: Claims) -> dict[int, str | bytes]:
        """Move texts and bytes to some like themselves; return the new ones by row."""
        made: dict[int, str | bytes] = {}
        waiting = np.flatnonzero(claims.again)
        while len(waiting):
            likes = (
                self._like(values[row].as_py(), claims.bases[:, row]) for row in map(int, waiting)
            )
            others = [next(like, None) for like in likes]
            some = waiting[np.array([other is not None for other in others])]
            tried = pa.array([other for other in others if other is not None], values.type)
            part = Claims(
                claims.sets,
                np.ascontiguousarray(claims.bases[:, some]),
                np.ascontiguousarray(claims.exempt[:, some]),
                np.ones(len(some), np.bool_),
            )
            claim(part, _tags(tried, self.mover))
            claims.again[some] = part.again
            made |= {
                int(some[place]): tried[int(place)].as_py() for place in np.flatnonzero(~part.again)
            }
            waiting = some[part.again]
        return made

    def _like(self, value: str | bytes, bases: Hashes) -> Iterator[str | bytes]:
        """Return values like one; asked again for the same it goes on where it was."""
        name = (bases.tobytes(), value)
        if name not in self._like_so_far:
            made: Iterator[str | bytes] = (
                byte_variants(value)
                if isinstance(value, bytes)
                else variants(value, self._keys[0].longest)
            )
            self._like_so_far[name] = made
        return self._like_so_far[name]


def _moved(claims: Claims, numbers: NDArray[np.int64], grid: Grid, start: int) -> Flags:
    """Enter rows, moving their numbers; return which were moved."""
    moved = np.zeros(len(numbers), np.bool_)
    move_apart(claims, numbers, grid, start, moved)
    return moved


def _tags(values: pa.Array, where: str) -> Hashes:
    return np.ascontiguousarray(_words(values, where).words[:, 0])


def _words(values: pa.Array, where: str) -> Words:
    return KeyForm.of(values.type, where).words(values, where)
