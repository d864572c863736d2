"""Key validity: is every key unique, and does every foreign key name a row that is there?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from simulacra.core.random import RngKey
from simulacra.core.references import (
    DatasetView,
    KeyCounts,
    Reference,
    ReferenceCounts,
    references_of,
)
from simulacra.core.schema import DatasetSpec, TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.joined import about, qualified

NULLS = "key_nulls"
_IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of a table: its columns, what it is, and whether nulls are allowed in it."""

    table: str
    columns: tuple[str, ...]
    what: str
    nullable: bool

    @property
    def qualified(self) -> tuple[str, ...]:
        return tuple(f"{self.table}.{column}" for column in self.columns)


class KeyValidity:
    """One score a key: the share of it that holds, over all rows; 1 when all does.

    - A primary key: the share of rows whose key has no null and is no repetition of an earlier
      row's. A unique key: the same, but nulls are fine where the specification allows them.
    - A foreign key: of the keys without a null, the share that names a row of the parent. Where
      orphans belong to the data (``orphans: keep``): one minus the difference between the real
      share of orphans and the synthetic one.

    Foreign keys that can be null have a second score, ``key_nulls``: one minus the difference
    between the real share of nulls and the synthetic one.

    The floor is the validity of the hold-out.
    """

    name: ClassVar[str] = "key_validity"
    scope: ClassVar[str] = "dataset"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure("key_validity", "Key validity", Group.VALIDITY),
        Measure("key_nulls", "Nulls in keys", Group.RELATIONS),
    )
    optional: ClassVar[bool] = False

    def compute(
        self,
        real: DatasetView,
        synthetic: DatasetView,
        *,
        holdout: DatasetView | None,
        spec: DatasetSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Return one score a key, and one more for foreign keys with nulls."""
        del options, rng
        sides = [synthetic] if holdout is None else [synthetic, holdout]
        scores = []
        for reference in references_of(spec):
            counts = [side.reference(reference) for side in sides]
            scores += self._foreign(reference, real.reference(reference), counts)
        for name, table in spec.tables.items():
            for key in _keys(name, table):
                scores.append(self._unique(key, real, [s.key(name, key.columns) for s in sides]))
        return scores

    def _unique(self, key: _Key, real: DatasetView, sides: list[KeyCounts]) -> Score:
        value, *floor = [_unique_share(counts, key) for counts in sides]
        counts = sides[0]
        details: dict[str, Any] = {
            "table": key.table,
            "what": f"{key.table}({', '.join(key.columns)})",
            "key": key.what,
            "rows": counts.rows,
            "nulls": counts.nulls,
            "repeats": counts.repeats,
        }
        if value is None:
            details = {"why": "there are no synthetic rows", **details}
        elif value < 1.0:
            # A key that doesn't hold in the real data can't be asked of synthetic ones.
            details["real"] = _unique_share(real.key(key.table, key.columns), key)
        return Score(self.name, value, key.qualified, floor[0] if floor else None, details)

    def _foreign(
        self, reference: Reference, real: ReferenceCounts, sides: list[ReferenceCounts]
    ) -> list[Score]:
        columns = qualified([reference])
        value, *floor = [_held_share(reference, real, counts) for counts in sides]
        counts = sides[0]
        details: dict[str, Any] = about(reference) | {
            "key": "foreign key",
            "rows": counts.rows,
            "nulls": counts.nulls,
            "orphans": counts.orphans,
            "valid_share": counts.valid_share,
            "real_valid_share": real.valid_share,
        }
        if value is None:
            details = {"why": "no synthetic row names a parent", **details}
        scores = [Score(self.name, value, columns, floor[0] if floor else None, details)]
        if not real.nulls and not counts.nulls:
            return scores
        value, *floor = [_alike(real.null_share, side.null_share) for side in sides]
        details = about(reference) | {
            "real_share": real.null_share,
            "synthetic_share": counts.null_share,
        }
        if value is None:
            details = {"why": "there are no rows on one side", **details}
        return [*scores, Score(NULLS, value, columns, floor[0] if floor else None, details)]


def _keys(name: str, table: TableSpec) -> Iterator[_Key]:
    primary = tuple(table.primary_key)
    if primary:
        yield _Key(name, primary, "primary key", nullable=False)
    single = [
        [column]
        for column, spec in table.columns.items()
        if spec.unique and spec.type == _IDENTIFIER
    ]
    for columns in dict.fromkeys(map(tuple, [*table.unique, *single])):
        if sorted(columns) != sorted(primary):
            nullable = any(table.columns[column].nullable for column in columns)
            yield _Key(name, columns, "unique key", nullable)


def _unique_share(counts: KeyCounts, key: _Key) -> float | None:
    if not counts.rows:
        return None
    faults = counts.repeats + (0 if key.nullable else counts.nulls)
    return 1.0 - faults / counts.rows


def _held_share(
    reference: Reference, real: ReferenceCounts, counts: ReferenceCounts
) -> float | None:
    if reference.keeps_orphans:
        return _alike(real.valid_share, counts.valid_share)
    return counts.valid_share


def _alike(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else 1.0 - abs(one - other)
