"""Which columns together may refer to a key of several columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from simulacra.core.references import Reference
from simulacra.pipeline.finding_keys.agreement import Agreement, agreement
from simulacra.pipeline.finding_keys.facts import ColumnFacts, Family, KeyKind, TableFacts
from simulacra.pipeline.finding_keys.names import TableName
from simulacra.pipeline.finding_keys.singles import Single, may_contain
from simulacra.pipeline.inclusion import Inclusion

_LEAST_SHARE = 0.25
_CHOICES_AT_MOST = 8
"""Ways to match columns that are tried; more mean that names tell nothing."""
_BY_CHANCE = 1e-3
_NO_TABLE = TableName(())


@dataclass(frozen=True, slots=True)
class Part:
    """One column of a composite key and the column that may refer to it.

    Attributes:
        child: The column.
        parent: The key's column.
        agreement: How well the names agree; as in a role, where both refer to one other key.
        is_common: Whether both refer to one other key.
    """

    child: ColumnFacts
    parent: ColumnFacts
    agreement: Agreement
    is_common: bool

    @property
    def is_telling(self) -> bool:
        """Whether it speaks of a key, not of a measure or a part of a date."""
        says_key = self.child.called.says_key and self.parent.called.says_key
        return self.is_common or says_key or self.parent.family in {Family.TEXT, Family.BYTES}


@dataclass(frozen=True, slots=True)
class Composite:
    """Columns that may refer to a key of several columns.

    Attributes:
        parts: The columns, in the order of the key.
        keys: Rows of the parent.
    """

    parts: tuple[Part, ...]
    keys: int

    @property
    def reference(self) -> Reference:
        """What is to be counted."""
        first = self.parts[0]
        return Reference(
            first.child.table,
            tuple(part.child.name for part in self.parts),
            first.parent.table,
            tuple(part.parent.name for part in self.parts),
        )

    @property
    def rank(self) -> tuple[object, ...]:
        """The lower the likelier."""
        reference = self.reference
        return (
            -sum(part.agreement for part in self.parts),
            -self.keys,
            len(reference.parent),
            reference.parent,
            reference.columns,
        )

    @property
    def is_accident(self) -> bool:
        """Whether the columns' values, put together anyhow, would hardly miss the key's."""
        space = math.prod(max(1, part.parent.distinct) for part in self.parts)
        values = max(part.child.distinct for part in self.parts)
        density = min(1.0, self.keys / space)
        return values * math.log(max(density, 1e-300)) > math.log(_BY_CHANCE)

    def names_agree(self) -> bool:
        """Say whether the names tell of a key, not only of like measures."""
        return any(part.is_telling for part in self.parts)

    def is_certain(self, found: Inclusion) -> bool:
        """Say whether it is a key beyond doubt."""
        return found.is_whole and found.is_key and self.names_agree() and not self.is_accident


def composite_candidates(
    tables: Mapping[str, TableFacts],
    keys: Mapping[str, Sequence[str]],
    certain: Sequence[Single],
) -> list[Composite]:
    """Return the columns and composite keys worth comparing over all rows.

    Args:
        tables: All tables.
        keys: The primary key of each.
        certain: The keys of one column that were found.
    """
    leads = {
        (single.child.table, single.child.name): (single.parent.table, single.parent.name)
        for single in certain
    }
    found = []
    for parent, key in keys.items():
        parts = [tables[parent].columns.get(name) for name in key]
        if len(parts) < 2 or any(part is None for part in parts):
            continue
        columns = [part for part in parts if part is not None]
        rows = columns[0].rows
        for child in tables.values():
            if child.name != parent:
                found += [Composite(chosen, rows) for chosen in _matches(child, columns, leads)]
    return found


def _matches(
    child: TableFacts,
    key: Sequence[ColumnFacts],
    leads: Mapping[tuple[str, str], tuple[str, str]],
) -> list[tuple[Part, ...]]:
    options: list[list[Part]] = []
    for own in key:
        parts = [
            part
            for column in child.columns.values()
            if (part := _part(column, own, leads)) is not None
        ]
        if not parts:
            return []
        best = max(part.agreement for part in parts)
        options.append([part for part in parts if part.agreement == best])
    if math.prod(map(len, options)) > _CHOICES_AT_MOST:
        return []
    return [
        chosen
        for chosen in product(*options)
        if len({part.child.name for part in chosen}) == len(chosen)
    ]


def _part(
    column: ColumnFacts, own: ColumnFacts, leads: Mapping[tuple[str, str], tuple[str, str]]
) -> Part | None:
    if column.family is not own.family or not may_contain(own, column, _LEAST_SHARE):
        return None
    if column.key is KeyKind.PRIMARY and column.called.is_bare:
        return None
    lead = leads.get((column.table, column.name))
    is_common = lead is not None and lead == leads.get((own.table, own.name))
    # Numbers that are called alike are alike here: the other columns say that it is a key.
    grade, _ = agreement(column.called, own.called, _NO_TABLE, is_primary=False, is_number=False)
    if _are_called_alike(column, own):
        grade = Agreement.TABLE
    if is_common:
        grade = max(grade, Agreement.ROLE)
    return Part(column, own, grade, is_common) if grade > Agreement.ALIKE else None


def _are_called_alike(column: ColumnFacts, own: ColumnFacts) -> bool:
    return bool(set(column.called.readings) & set(own.called.readings))
