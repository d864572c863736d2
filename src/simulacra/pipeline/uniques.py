"""Keys that hold no value twice: repeated rows move to the nearest value that is free.

Columns are drawn each row by itself, so the values of a key repeat. One column of it gives way: a
number or a time goes to the nearest free one of the grid that the source's values lie on, a text to
another of the source's where those are few, else to one that differs in its last letters. All rows
drawn before are known by 64 bits each; that two keys share those moves a row in vain, nothing more.
Rows are taken in order, so the same rows always move to the same values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.compiled import Flags, Hashes
from simulacra.core.errors import LimitError
from simulacra.core.schema import TableSpec
from simulacra.pipeline.relations.key_values import Words
from simulacra.pipeline.relations.key_words import KeyForm
from simulacra.pipeline.text_variants import byte_variants, variants
from simulacra.pipeline.ticks import Ticks, is_counted
from simulacra.pipeline.unique_kernels import (
    Claims,
    Grid,
    WordSet,
    claim,
    mix_into,
    move_apart,
)

_IDENTIFIER = "identifier"
_CATEGORY = "category"
_FORMED = {"boolean", "date", "datetime", "decimal", "duration", "float", "integer", "time"}
_MOST_CHOICES = 10_000
_NO_TAGS: Hashes = np.empty(0, np.uint64)

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UniqueKey:
    """How one key is kept unique.

    Attributes:
        columns: The key.
        mover: Which of its columns gives way.
        ticks: The grid of its values; None if they are texts or bytes.
        choices: The texts it may be, where they are few.
        longest: The most characters of its texts.
    """

    columns: Key
    mover: str
    ticks: Ticks | None = None
    choices: tuple[str, ...] = ()
    longest: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "columns": list(self.columns),
            "mover": self.mover,
            "ticks": None if self.ticks is None else asdict(self.ticks),
            "choices": list(self.choices),
            "longest": self.longest,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> UniqueKey:
        """Undo :meth:`to_json`."""
        ticks = value["ticks"]
        return cls(
            tuple(value["columns"]),
            value["mover"],
            None if ticks is None else Ticks(**ticks),
            tuple(value["choices"]),
            int(value["longest"]),
        )


def declared_keys(table: TableSpec) -> list[Key]:
    """Return the keys that a table's specification declares and that aren't unique by themselves.

    Those with a whole other key in them are left out, and so are those with an identifier.
    """
    keys = list(dict.fromkeys(tuple(key) for key in (table.primary_key, *table.unique) if key))
    sets = [set(key) for key in keys]
    made = {n for n, c in table.columns.items() if c.unique and c.type == _IDENTIFIER}
    return [
        key
        for key, own in zip(keys, sets, strict=True)
        if not own & made
        and not any(other < own for other in sets)
        and all(table.columns[n].fields is None and table.columns[n].items is None for n in key)
    ]


def observed_keys(table: TableSpec, left_alone: Collection[str]) -> list[Key]:
    """Return the single columns that hold no value twice, though nobody declared it.

    Args:
        table: The table.
        left_alone: Columns that no rule works out from others.
    """
    declared = declared_keys(table)
    return [
        (name,)
        for name, column in table.columns.items()
        if column.unique
        and column.type != _IDENTIFIER
        and name in left_alone
        and column.fields is None
        and column.items is None
        and not any({name} >= set(key) for key in declared)
    ]


def plan_keys(
    keys: Sequence[Key], table: TableSpec, sample: pa.Table, movable: Collection[str]
) -> tuple[UniqueKey, ...]:
    """Plan how keys are kept unique.

    Args:
        keys: The keys.
        table: Their table.
        sample: A uniform sample of its rows.
        movable: Columns that may give way.
    """
    shared = {name: sum(name in key for key in keys) for key in keys for name in key}
    planned: dict[str, UniqueKey] = {}
    found = []
    for key in keys:
        for name in set(key) & set(movable) - planned.keys():
            plan = _planned(key, name, table, sample)
            if plan is not None:
                planned[name] = plan
        able = sorted(set(key) & planned.keys())
        if able:
            # Where keys overlap, what they share moves: then it is free in all of them.
            counts = {n: (shared[n], len(pc.unique(sample.column(n)))) for n in able}
            found.append(replace(planned[max(able, key=lambda n: counts[n])], columns=key))
    return tuple(found)


def _planned(key: Key, mover: str, table: TableSpec, sample: pa.Table) -> UniqueKey | None:
    """Plan how a column moves; None if it can't."""
    values = sample.column(mover).drop_null().combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks)
    if is_counted(values.type):
        ticks = Ticks.of(values)
        return None if ticks is None else UniqueKey(key, mover, ticks)
    if not _is_text(values.type):
        return UniqueKey(key, mover) if _is_bytes(values.type) else None
    if table.columns[mover].type in _FORMED:
        return None  # with other letters a date is none
    longest = pc.max(pc.utf8_length(values)).as_py() or 0
    choices: tuple[str, ...] = ()
    # Values of other texts are nobody's to give away.
    if table.columns[mover].type == _CATEGORY:
        known = pc.unique(values)
        if len(known) <= _MOST_CHOICES:
            choices = tuple(sorted(known.to_pylist()))
    return UniqueKey(key, mover, None, choices, longest)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    )


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
        key = self._keys[0]
        made: dict[int, str | bytes] = {}
        if key.choices:
            choices = pa.array(key.choices, values.type)
            places = pc.index_in(values, choices)
            strange = np.asarray(places.is_null())
            numbers = np.asarray(places.fill_null(0)).astype(np.int64)
            grid = Grid(0, len(choices) - 1, 1, 0, len(choices) - 1, _tags(choices, self.mover))
            waiting = claims.again & strange
            claims.again[strange] = False
            changed = _moved(claims, numbers, grid, start)
            claims.again[waiting] = True
            made = {int(row): key.choices[numbers[row]] for row in np.flatnonzero(changed)}
        claim(claims, _tags(values, self.mover))
        waiting = np.flatnonzero(claims.again)
        while len(waiting):
            likes = (
                self._like(values[row].as_py(), claims.bases[:, row]) for row in map(int, waiting)
            )
            others = [next(like, None) for like in likes]
            known = np.array([other is not None for other in others])
            some = waiting[known]
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
        rows = np.array(sorted(made), np.intp)
        return pa.array([made[int(row)] for row in rows], values.type), rows

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
