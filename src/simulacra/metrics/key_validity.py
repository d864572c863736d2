"""Key validity: is every key unique, and does every foreign key name a row that is there?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
from simulacra.metrics.intervals import alike_shares, wilson
from simulacra.metrics.joined import about, qualified
from simulacra.metrics.sides import Floor

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

    The floor is the validity of the hold-out. Without one, it is that of the real keys themselves,
    and for differences between shares that of as many rows drawn with replacement from the real
    ones. Intervals take rows as independent.
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
        del options
        scores = []
        for reference in references_of(spec):
            scores += self._foreign(
                reference,
                real.reference(reference),
                synthetic.reference(reference),
                None if holdout is None else holdout.reference(reference),
                rng.child(reference.label),
            )
        peer = real if holdout is None else holdout
        for name, table in spec.tables.items():
            for key in _keys(name, table):
                counts = [side.key(name, key.columns) for side in (synthetic, peer)]
                scores.append(self._unique(key, real, counts, held_out=holdout is not None))
        return scores

    def _unique(
        self, key: _Key, real: DatasetView, sides: list[KeyCounts], *, held_out: bool
    ) -> Score:
        value, floor = [_unique_share(counts, key) for counts in sides]
        counts = sides[0]
        details: dict[str, Any] = {
            "table": key.table,
            "what": f"{key.table}({', '.join(key.columns)})",
            "key": key.what,
            "rows": counts.rows,
            "nulls": counts.nulls,
            "repeats": counts.repeats,
            "floor": _floor(held_out=held_out),
        }
        if value is None:
            details = {"why": "there are no synthetic rows", **details}
            return Score(self.name, None, key.qualified, floor, details)
        if value < 1.0:
            # A key that doesn't hold in the real data can't be asked of synthetic ones.
            details["real"] = _unique_share(real.key(key.table, key.columns), key)
        return Score(self.name, value, key.qualified, floor, details, wilson(value, counts.rows))

    def _foreign(
        self,
        reference: Reference,
        real: ReferenceCounts,
        synthetic: ReferenceCounts,
        holdout: ReferenceCounts | None,
        rng: RngKey,
    ) -> list[Score]:
        columns = qualified([reference])
        valid = _valid(real), _valid(synthetic)
        held_out = None if holdout is None else _valid(holdout)
        details: dict[str, Any] = about(reference) | {
            "key": "foreign key",
            "rows": synthetic.rows,
            "nulls": synthetic.nulls,
            "orphans": synthetic.orphans,
            "valid_share": synthetic.valid_share,
            "real_valid_share": real.valid_share,
        }
        if reference.keeps_orphans:
            why = "no row of one side names a parent"
            validity = _alike(self.name, columns, *valid, held_out, rng.child("orphans"))
        else:
            why = "no synthetic row names a parent"
            peer = valid[0] if held_out is None else held_out
            validity = Score(
                self.name,
                synthetic.valid_share,
                columns,
                peer.share,
                {"floor": _floor(held_out=holdout is not None)},
                wilson(valid[1].share or 0.0, valid[1].cases),
            )
        scores = [_with(validity, details, why)]
        if not real.nulls and not synthetic.nulls:
            return scores
        nulls = _null(real), _null(synthetic)
        held_out = None if holdout is None else _null(holdout)
        details = about(reference) | {
            "real_share": real.null_share,
            "synthetic_share": synthetic.null_share,
        }
        score = _alike(NULLS, columns, *nulls, held_out, rng.child("nulls"))
        return [*scores, _with(score, details, "there are no rows on one side")]


@dataclass(frozen=True, slots=True)
class _Share:
    """A share of cases; None of none."""

    share: float | None
    cases: int


def _valid(counts: ReferenceCounts) -> _Share:
    return _Share(counts.valid_share, counts.rows - counts.nulls)


def _null(counts: ReferenceCounts) -> _Share:
    return _Share(counts.null_share, counts.rows)


def _alike(
    metric: str,
    columns: tuple[str, ...],
    real: _Share,
    synthetic: _Share,
    holdout: _Share | None,
    rng: RngKey,
) -> Score:
    """Return one minus the difference of the real share and the synthetic one."""
    if real.share is None or synthetic.share is None:
        return Score(metric, None, columns)
    value, interval = alike_shares(real.share, real.cases, synthetic.share, synthetic.cases)
    if holdout is None:
        drawn = rng.generator().binomial(synthetic.cases, real.share) / synthetic.cases
        peer, kind = _Share(drawn, synthetic.cases), Floor.BOOTSTRAP
    else:
        peer, kind = holdout, Floor.HOLDOUT
    floor = None if peer.share is None else 1.0 - abs(real.share - peer.share)
    return Score(metric, value, columns, floor, {"floor": kind.value}, interval)


def _with(score: Score, details: Mapping[str, Any], why: str) -> Score:
    """Return a score with details, or with the reason why there is none."""
    if score.value is None:
        return replace(score, interval=None, details={"why": why, **details, **score.details})
    return replace(score, details={**details, **score.details})


def _floor(*, held_out: bool) -> str:
    return (Floor.HOLDOUT if held_out else Floor.REAL).value


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
