"""Which columns may refer to which keys of one column: by name and by values, nothing read yet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow.compute as pc

from simulacra.core.references import Reference
from simulacra.pipeline.finding_keys.agreement import (
    Agreement,
    agreement,
    in_a_role,
    refers_to_own_kind,
)
from simulacra.pipeline.finding_keys.facts import (
    KINDS,
    ColumnFacts,
    Family,
    KeyKind,
    TableFacts,
    TextFacts,
)
from simulacra.pipeline.finding_keys.names import is_named_after
from simulacra.pipeline.inclusion import Inclusion

_LEAST_SHARE_NAMED = 0.25
_LEAST_SHARE = 0.8
"""Distinct values that must be among the key's for all rows to be worth reading."""
_SURE = 4.0
"""Standard deviations that a sample may lie below what is asked."""
_FEWEST_VALUES = 3
_SHORTEST_CODE = 2.0
_BY_CHANCE = 1e-6
_FEWEST_TELLING_ROWS = 20
_SAME_SPAN = 0.9
_LARGER = 1.3
"""How many times the key's values a column may seem to have: counts are ±7 %, and some faulty."""


@dataclass(frozen=True, slots=True)
class Single:
    """A column that may refer to a key of one column.

    Attributes:
        child: The column.
        parent: The key.
        agreement: How well the names agree.
        fit: Higher the more of the name fits.
        is_own_kind: Whether it is named as one that refers to rows of its own table.
        makes_primary: Whether the key's table has no primary key but, so, this one.
    """

    child: ColumnFacts
    parent: ColumnFacts
    agreement: Agreement
    fit: int
    is_own_kind: bool = False
    makes_primary: bool = False

    @property
    def reference(self) -> Reference:
        """What is to be counted."""
        return Reference(
            self.child.table, (self.child.name,), self.parent.table, (self.parent.name,)
        )

    @property
    def rank(self) -> tuple[object, ...]:
        """The lower the likelier, among the keys that one column may refer to."""
        kind = KINDS.index(self.parent.key or KeyKind.NEARLY)
        parent = self.parent
        return (
            -self.agreement,
            -self.fit,
            kind,
            # Of a table and another that has some of its rows, all rows are referred to.
            -parent.rows,
            len(parent.table),
            parent.table,
            parent.name,
        )

    def names_agree(self, found: Inclusion) -> bool:
        """Say whether the names agree, once it is known what holds."""
        if found.rows == found.own:
            return False  # a copy of the key
        if self.is_own_kind and not (self.child.nulls or found.own):
            return False  # some row must come first: it refers to none, or to itself
        if self.agreement is Agreement.ALIKE:
            return _spans(self.child, self.parent) or _tells(self.child, self.parent)
        return self.agreement > Agreement.ALIKE

    def is_certain(self, found: Inclusion, *, is_primary: bool) -> bool:
        """Say whether it is a key beyond doubt: it holds for every row, and names agree.

        Args:
            found: What was counted.
            is_primary: Whether the key is known to be the primary key of its table.
        """
        parent = self.parent
        if not (found.is_whole and found.is_key and not parent.nulls and self.names_agree(found)):
            return False
        if is_primary:
            return True
        if parent.key is KeyKind.UNIQUE:
            enough = parent.rows >= _FEWEST_TELLING_ROWS
            return self.agreement >= (Agreement.SAME if enough else Agreement.TABLE)
        return self.makes_primary and self.agreement is Agreement.TABLE


def single_candidates(tables: Mapping[str, TableFacts]) -> list[Single]:
    """Return the columns and keys worth comparing over all rows."""
    keys: dict[Family, list[ColumnFacts]] = {family: [] for family in Family}
    for table in tables.values():
        for column in table.columns.values():
            if column.key is not None:
                keys[column.family].append(column)
    found = []
    for table in tables.values():
        for child in table.columns.values():
            found += [
                single
                for parent in keys[child.family]
                if parent is not child
                if (single := _candidate(child, parent, tables)) is not None
            ]
    return found


def _candidate(
    child: ColumnFacts, parent: ColumnFacts, tables: Mapping[str, TableFacts]
) -> Single | None:
    if child.distinct > _LARGER * parent.distinct + 1:
        return None
    own, other = tables[child.table], tables[parent.table]
    is_key = child.key is KeyKind.PRIMARY or (child.is_unique and not own.spec.primary_key)
    if is_key and (child.called.is_bare or is_named_after(child.called, own.called)):
        return None  # it is what rows of its own table are called by
    single = _named(child, parent, own, other)
    if single.agreement is Agreement.NONE:
        if parent.key is not KeyKind.PRIMARY or own is other or not _tells(child, parent):
            return None
    elif parent.key in {KeyKind.OTHER, KeyKind.NEARLY} and single.agreement < Agreement.SAME:
        return None
    least = _LEAST_SHARE_NAMED if single.agreement > Agreement.ALIKE else _LEAST_SHARE
    return single if may_contain(parent, child, least) else None


def _named(child: ColumnFacts, parent: ColumnFacts, own: TableFacts, other: TableFacts) -> Single:
    makes_primary = (
        not other.spec.primary_key
        and parent.key is not KeyKind.NEARLY
        and parent.family in {Family.NUMBER, Family.TEXT}
        and (parent.called.is_bare or is_named_after(parent.called, other.called))
    )
    is_primary = parent.key is KeyKind.PRIMARY or makes_primary
    grade, fit = agreement(
        in_a_role(child.called) if own is other else child.called,
        parent.called,
        other.called,
        is_primary=is_primary,
        is_number=child.family is Family.NUMBER,
    )
    is_own_kind = False
    if own is other:
        is_own_kind = is_primary and refers_to_own_kind(child.called, own.called)
        if grade is Agreement.ALIKE:
            grade = Agreement.NONE
        grade = max(grade, Agreement.ROLE) if is_own_kind else grade
    return Single(child, parent, grade, fit, is_own_kind=is_own_kind, makes_primary=makes_primary)


def _tells(child: ColumnFacts, parent: ColumnFacts) -> bool:
    """Say whether values that are among the key's would hardly be so by chance."""
    if child.texts is not None and parent.texts is not None:
        is_code = len(child.values) >= _FEWEST_VALUES and child.texts.mean >= _SHORTEST_CODE
        return is_code and _reaches(child, parent.texts) >= _LEAST_SHARE
    if child.family is Family.BYTES:
        return len(child.values) >= _FEWEST_VALUES
    if child.family is not Family.NUMBER or not _is_within(child, parent):
        return False
    return len(child.values) * math.log(max(parent.density, 1e-12)) <= math.log(_BY_CHANCE)


def _reaches(child: ColumnFacts, parent: TextFacts) -> float:
    """Return the share of a column's texts that are between the key's, and as long."""
    lengths = pc.utf8_length(child.values)
    tests = [
        pc.greater_equal(lengths, parent.shortest),
        pc.less_equal(lengths, parent.longest),
    ]
    if parent.least is not None and parent.greatest is not None:
        tests += [
            pc.greater_equal(child.values, parent.least),
            pc.less_equal(child.values, parent.greatest),
        ]
    return float(pc.mean(reduce(pc.and_, tests).cast("int8")).as_py())


def _spans(child: ColumnFacts, parent: ColumnFacts) -> bool:
    """Say whether a column's numbers reach as far as the key's."""
    if not _is_within(child, parent) or parent.rows < _FEWEST_TELLING_ROWS:
        return False
    return _span(child) >= _SAME_SPAN * _span(parent)


def _is_within(child: ColumnFacts, parent: ColumnFacts) -> bool:
    if child.least is None or child.greatest is None:
        return False
    if parent.least is None or parent.greatest is None:
        return False
    return parent.least <= child.least and child.greatest <= parent.greatest


def _span(column: ColumnFacts) -> int:
    return (column.greatest or 0) - (column.least or 0)


def may_contain(parent: ColumnFacts, child: ColumnFacts, least: float) -> bool:
    """Say whether a share of the column's values may be among the key's, by their samples."""
    known = len(parent.values) / max(parent.distinct, 1)
    expected = len(child.values) * min(1.0, known) * least
    hits = pc.sum(pc.is_in(child.values, value_set=parent.values)).as_py() or 0
    return hits >= expected - _SURE * float(np.sqrt(expected))
