"""Keys that hold no value twice: which there are, and which of their columns give way.

Columns are drawn each row by itself, so the values of a key repeat. One column of it gives way: a
number or a time goes to the nearest free one of the grid that the source's values lie on, a text to
another of the source's where those are few, else to one that differs in its last letters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from simulacra.core.schema import TableSpec
from simulacra.pipeline.ticks import Ticks, is_counted

_IDENTIFIER = "identifier"
_CATEGORY = "category"
_FORMED = {
    "boolean", "coordinate", "date", "datetime", "decimal", "duration", "float", "integer", "time",
}  # fmt: skip
_MOST_CHOICES = 10_000

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
