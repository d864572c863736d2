"""Foreign keys that no one declared: found by name, type and inclusion, each with its evidence.

A column is compared with a key only where their names agree or its values could hardly be among the
key's by accident; what is left is counted over all rows. That integers from 1 up lie among others
tells nothing, so without names it never makes a key. The idea of inclusion dependencies as hints at
foreign keys: Rostin et al., "A machine learning approach to foreign key discovery", WebDB 2009.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from simulacra.core.context import RunContext
from simulacra.core.protocols import BatchSource
from simulacra.core.random import RngKey
from simulacra.core.references import Reference
from simulacra.core.schema import ForeignKey, TableSpec
from simulacra.pipeline.finding_keys.agreement import Agreement
from simulacra.pipeline.finding_keys.choice import (
    certain_composites,
    certain_singles,
    hinted_composites,
    hinted_singles,
    without_implied,
)
from simulacra.pipeline.finding_keys.composites import composite_candidates
from simulacra.pipeline.finding_keys.facts import ColumnFacts, column_facts, table_facts
from simulacra.pipeline.finding_keys.primary import settle
from simulacra.pipeline.finding_keys.singles import single_candidates
from simulacra.pipeline.inclusion import Inclusion, count_inclusions
from simulacra.pipeline.plain import plain
from simulacra.pipeline.profile import DETECTION_ROWS, profile_table

Facts = Mapping[str, ColumnFacts]
"""What is known of a table's columns, by name."""


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A foreign key that was found.

    Attributes:
        table: The table whose key it is.
        key: The key, with its evidence.
        share: The share of rows (without nulls in it) that hold a key of the parent.
        names_agree: Whether its columns are called as a key of the parent would be.
        is_certain: Whether it holds for every row, names agree, and the parent's key is one.
    """

    table: str
    key: ForeignKey
    share: float
    names_agree: bool
    is_certain: bool

    def __str__(self) -> str:
        own, other = (
            _places(self.table, self.key.columns),
            _places(self.key.parent, self.key.parent_columns),
        )
        return f"{own} → {other}"


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """All that the search found.

    Attributes:
        keys: Foreign keys, the best first.
        primary: The primary key of each table, chosen anew where foreign keys tell better.
        repeating: Columns of each table that hold no value twice by accident only.
    """

    keys: list[FoundKey]
    primary: Mapping[str, list[str]]
    repeating: Mapping[str, Collection[str]]


def find_foreign_keys(
    sources: Mapping[str, BatchSource], tables: Mapping[str, TableSpec], *, ctx: RunContext
) -> list[FoundKey]:
    """Find what columns refer to.

    Args:
        sources: The tables' rows, by name; each is read a few times.
        tables: What they are: their primary keys and unique columns are what others may refer to.
        ctx: Limits and progress.

    Returns:
        The keys, the best first: those beyond doubt, then hints; the same for the same data.

    Raises:
        InputError: A source can't be read.
    """
    sources = {name: plain(sources[name]) for name in tables}
    facts = {
        name: column_facts(
            name,
            table,
            profile_table(
                sources[name],
                where=name,
                sample_rows=DETECTION_ROWS,
                rng=RngKey(0, ("keys", name)),
                ctx=ctx,
            ),
        )
        for name, table in tables.items()
    }
    return search_keys(sources, tables, facts, ctx=ctx).keys


def search_keys(
    sources: Mapping[str, BatchSource],
    tables: Mapping[str, TableSpec],
    facts: Mapping[str, Facts],
    *,
    declared: Collection[str] = (),
    ctx: RunContext,
) -> FoundKeys:
    """Find foreign keys, and what they tell of primary keys.

    Args:
        sources: The tables' rows, of plain layouts.
        tables: What they are.
        facts: What is known of their columns; see ``column_facts``.
        declared: Tables whose primary key is declared, and stays.
        ctx: Limits and progress.

    Raises:
        InputError: A source can't be read.
    """
    known = table_facts(tables, facts)
    singles = single_candidates(known)
    counts = count_inclusions([single.reference for single in singles], sources, ctx)
    certain = certain_singles(singles, counts)
    settled = settle(known, certain, sources, declared=declared, ctx=ctx)
    composites = composite_candidates(known, settled.primary, certain)
    counts |= count_inclusions([composite.reference for composite in composites], sources, ctx)
    sure = certain_composites(composites, counts)
    keys = [
        _found(counts, single.reference, names_agree=True, is_certain=True)
        for single in without_implied(certain, sure, counts)
    ]
    keys += [_found(counts, c.reference, names_agree=True, is_certain=True) for c in sure]
    keys += [
        _found(counts, c.reference, names_agree=c.names_agree(), is_certain=False)
        for c in hinted_composites(composites, sure, counts)
    ]
    keys += [
        _found(
            counts,
            single.reference,
            names_agree=single.agreement is not Agreement.NONE,
            is_certain=False,
        )
        for single in hinted_singles(singles, certain, counts)
    ]
    return FoundKeys(_best_first(keys, list(tables)), settled.primary, settled.repeating)


def _best_first(keys: list[FoundKey], tables: list[str]) -> list[FoundKey]:
    return sorted(
        keys,
        key=lambda found: (
            not found.is_certain,
            -(found.share == 1.0 and found.names_agree),
            -found.share,
            not found.names_agree,
            tables.index(found.table),
            found.key.columns,
            found.key.parent,
        ),
    )


def _found(
    counts: Mapping[Reference, Inclusion],
    reference: Reference,
    *,
    names_agree: bool,
    is_certain: bool,
) -> FoundKey:
    found = counts[reference]
    evidence = f"{_rows_contained(found)} {_places(reference.parent, reference.parent_columns)}"
    evidence += f" ({_uniqueness(found)}); names {'' if names_agree else 'do not '}agree"
    key = ForeignKey(
        columns=list(reference.columns),
        parent=reference.parent,
        parent_columns=list(reference.parent_columns),
        evidence=evidence,
    )
    return FoundKey(reference.table, key, found.share, names_agree, is_certain)


def _rows_contained(found: Inclusion) -> str:
    if found.is_whole:
        return f"every value of {found.rows:,} {'row' if found.rows == 1 else 'rows'} is in"
    missing = found.rows - found.contained
    return f"all but {missing:,} of {found.rows:,} values ({_percent(found)}) are in"


def _percent(found: Inclusion) -> str:
    """Return the share contained, cut rather than rounded: part is never all."""
    return f"{int(found.share * 1000) / 10:.1f} %"


def _uniqueness(found: Inclusion) -> str:
    return "unique" if found.is_key else f"where {found.keys - found.distinct:,} values repeat"


def _places(table: str, columns: Collection[str]) -> str:
    names = ", ".join(columns)
    return f"{table}.{names}" if len(columns) == 1 else f"{table}.({names})"
