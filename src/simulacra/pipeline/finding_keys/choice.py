"""From what was counted to keys: one a column, none that follows from others, hints apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from simulacra.core.references import Reference
from simulacra.pipeline.finding_keys.agreement import Agreement
from simulacra.pipeline.finding_keys.composites import Composite
from simulacra.pipeline.finding_keys.facts import KeyKind
from simulacra.pipeline.finding_keys.singles import Single
from simulacra.pipeline.inclusion import Inclusion

Counts = Mapping[Reference, Inclusion]
Place = tuple[str, str]

_LEAST_SHARE_NAMED = 0.5
"""Rows contained from which a key that names agree on is worth a hint."""
_LEAST_SHARE = 0.9
"""Rows contained from which one that only values tell of is."""


def certain_singles(singles: Iterable[Single], counts: Counts) -> list[Single]:
    """Return for each column the key that it refers to beyond doubt, if there is one."""
    ranked = sorted(singles, key=lambda single: single.rank)
    primary = {_parent(single) for single in ranked if single.parent.key is KeyKind.PRIMARY}
    chosen: dict[Place, Single] = {}
    while True:
        for single in ranked:
            child, parent = (single.child.table, single.child.name), _parent(single)
            # Of two columns with the same values in two tables, the likelier one is the key.
            turned = parent in chosen and _parent(chosen[parent]) == child
            if child in chosen or turned:
                continue
            if single.is_certain(counts[single.reference], is_primary=parent in primary):
                chosen[child] = single
        made = {_parent(single) for single in chosen.values() if single.makes_primary}
        if made <= primary:
            return list(chosen.values())
        # What some refer to by the table's name is its key: others may call it otherwise.
        primary |= made


def _parent(single: Single) -> Place:
    return single.parent.table, single.parent.name


def hinted_singles(
    singles: Iterable[Single], certain: Sequence[Single], counts: Counts
) -> list[Single]:
    """Return what may be a key, of the columns that refer to none beyond doubt."""
    settled = {(single.child.table, single.child.name) for single in certain}
    hints: dict[Place, list[Single]] = {}
    for single in singles:
        place = (single.child.table, single.child.name)
        found = counts[single.reference]
        if single.agreement is Agreement.NONE:
            is_hint = found.share >= _LEAST_SHARE and found.is_key
        else:
            is_hint = found.share >= _LEAST_SHARE_NAMED and single.names_agree(found)
        if is_hint and place not in settled:
            hints.setdefault(place, []).append(single)
    return [single for some in hints.values() for single in _best(some, counts)]


def _best(hints: list[Single], counts: Counts) -> list[Single]:
    def worth(single: Single) -> tuple[Agreement, float]:
        return single.agreement, counts[single.reference].share

    most = max(map(worth, hints))
    return [single for single in hints if worth(single) == most]


def certain_composites(composites: Iterable[Composite], counts: Counts) -> list[Composite]:
    """Return the keys of several columns that hold beyond doubt."""
    chosen: dict[tuple[str, tuple[str, ...]], Composite] = {}
    for composite in sorted(composites, key=lambda composite: composite.rank):
        reference = composite.reference
        child = (reference.table, tuple(sorted(reference.columns)))
        parent = (reference.parent, tuple(sorted(reference.parent_columns)))
        turned = parent in chosen and chosen[parent].reference.parent == reference.table
        if child not in chosen and not turned and composite.is_certain(counts[reference]):
            chosen[child] = composite
    return list(chosen.values())


def hinted_composites(
    composites: Iterable[Composite], certain: Sequence[Composite], counts: Counts
) -> list[Composite]:
    """Return the keys of several columns that most rows keep to, where none is certain."""
    settled = {(c.reference.table, frozenset(c.reference.columns)) for c in certain}
    return [
        composite
        for composite in composites
        if (composite.reference.table, frozenset(composite.reference.columns)) not in settled
        and not composite.is_accident
        and counts[composite.reference].share >= _LEAST_SHARE_NAMED
    ]


def without_implied(
    singles: Sequence[Single], composites: Sequence[Composite], counts: Counts
) -> list[Single]:
    """Leave out keys that follow from one of several columns and its parent's own keys.

    The columns of ``lineitem (l_partkey, l_suppkey)`` are a row of ``partsupp``, whose
    ``ps_partkey`` is one of ``part``: that ``l_partkey`` is one too needs no saying.
    """
    leads = {(s.child.table, s.child.name): _parent(s) for s in singles}

    def follows(single: Single) -> bool:
        place = (single.child.table, single.child.name)
        for composite in composites:
            reference = composite.reference
            if reference.table != place[0] or place[1] not in reference.columns:
                continue
            own = reference.parent_columns[reference.columns.index(place[1])]
            same_rows = counts[reference].rows == single.child.filled
            if same_rows and leads.get((reference.parent, own)) == _parent(single):
                return True
        return False

    return [single for single in singles if not follows(single)]
