"""In which order tables are drawn, and what each of their foreign keys is for.

A table is drawn under one of its parents, its owner: so many rows a row of the owner. Every other
key is a link: the row it leads to is chosen among those that are there. A key that leads to a table
drawn later (in a cycle) is filled in afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from simulacra.core.schema import DatasetSpec, ForeignKey, TableSpec


class Role(StrEnum):
    """What a foreign key is for when rows are drawn."""

    OWNER = "owner"
    """Rows are drawn under the parent's rows."""
    LINK = "link"
    """A parent of a drawn kind is chosen."""
    KEPT = "kept"
    """The parent's rows are known beforehand: one of them is drawn like a category."""
    SELF = "self"
    """It leads to another row of the same table, one level up."""
    LATE = "late"
    """A link to a table that is drawn later."""


CHOSEN = (Role.LINK, Role.KEPT, Role.SELF, Role.LATE)
"""Roles of keys whose parents are chosen, not given."""
KNOWN_FIRST = (Role.OWNER, Role.LINK, Role.KEPT)
"""Roles of keys whose parents' rows are known, values and all, when a row's columns are drawn."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A foreign key and what it is for.

    Attributes:
        child: The table that has the key.
        key: The foreign key.
        role: What it is for.
    """

    child: str
    key: ForeignKey
    role: Role

    @property
    def name(self) -> str:
        """The key's columns, joined: unique within the table, unless ``when`` tells them apart."""
        when = "".join(f"[{value}]" for value in (self.key.when or {}).values())
        return ",".join(self.key.columns) + when

    @property
    def full_name(self) -> str:
        """The name with the table's, unique in the dataset."""
        return f"{self.child}.{self.name}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows tell of a foreign key.

    Attributes:
        nulls: Share of the child's rows without a parent.
        parents: Rows of the parent.
        most: The most children of one parent.
    """

    nulls: float
    parents: int
    most: int


@dataclass(frozen=True, slots=True)
class Graph:
    """The order of drawing, and every foreign key's role.

    Attributes:
        order: The tables: owners, and parents of links, before their children.
        relations: For each table its keys, those left out that others imply.
        places: For each relation the place of its key among the table's foreign keys.
    """

    order: tuple[str, ...]
    relations: Mapping[str, tuple[Relation, ...]]
    places: Mapping[str, tuple[int, ...]]

    def owner(self, table: str) -> Relation | None:
        """Return the relation under whose parent a table is drawn."""
        return next((r for r in self.relations[table] if r.role is Role.OWNER), None)

    def children(self, table: str) -> Iterator[Relation]:
        """Yield the relations that lead to a table, its own included."""
        for relations in self.relations.values():
            yield from (relation for relation in relations if relation.key.parent == table)


def make_graph(spec: DatasetSpec, facts: Mapping[str, Sequence[Facts]]) -> Graph:
    """Order the tables and give each foreign key its role.

    Args:
        spec: The tables.
        facts: For each table what is known of its foreign keys, in their order.
    """
    keys = {
        name: [
            (key, fact)
            for key, fact in zip(table.foreign_keys, facts[name], strict=True)
            if not _is_implied(key, table, facts[name], spec)
        ]
        for name, table in spec.tables.items()
    }
    order = _order(keys)
    place = {name: number for number, name in enumerate(order)}
    relations = {}
    for name, table in spec.tables.items():
        late = [key for key, _ in keys[name] if place[key.parent] > place[name]]
        owner = _owner(name, table, [(k, f) for k, f in keys[name] if k not in late], spec)
        relations[name] = tuple(
            Relation(name, key, _role(name, key, owner, late, spec)) for key, _ in keys[name]
        )
    places = {
        name: tuple(table.foreign_keys.index(key) for key, _ in keys[name])
        for name, table in spec.tables.items()
    }
    return Graph(tuple(order), relations, places)


def _role(
    table: str,
    key: ForeignKey,
    owner: ForeignKey | None,
    late: Collection[ForeignKey],
    spec: DatasetSpec,
) -> Role:
    if key is owner:
        return Role.OWNER
    if key.parent == table:
        return Role.SELF
    if key in late:
        return Role.LATE
    return Role.KEPT if spec.tables[key.parent].keep else Role.LINK


def _is_implied(
    key: ForeignKey, table: TableSpec, facts: Sequence[Facts], spec: DatasetSpec
) -> bool:
    """Say whether another key of every row leads to a row that leads to the same parent.

    As ``l_partkey`` → part, where (``l_partkey``, ``l_suppkey``) → partsupp → part.
    """
    for other, fact in zip(table.foreign_keys, facts, strict=True):
        covers = set(key.columns) < set(other.columns)
        if not covers or fact.nulls > 0 or key.when or other.when:
            continue
        there = dict(zip(other.columns, other.parent_columns, strict=True))
        mapped = {
            there[column]: parent
            for column, parent in zip(key.columns, key.parent_columns, strict=True)
        }
        for onward in spec.tables[other.parent].foreign_keys:
            leads = dict(zip(onward.columns, onward.parent_columns, strict=True))
            if onward.parent == key.parent and leads == mapped:
                return True
    return False


def _order(keys: Mapping[str, Sequence[tuple[ForeignKey, Facts]]]) -> list[str]:
    """Return the tables, parents first; cycles are cut where the fewest rows need the parent."""
    order: list[str] = []
    waiting = list(keys)

    def missing(table: str) -> list[tuple[str, float]]:
        return [
            (key.parent, fact.nulls)
            for key, fact in keys[table]
            if key.parent in waiting and key.parent != table
        ]

    while waiting:
        ready = [table for table in waiting if not missing(table)]
        if not ready:
            above = {table: _above(table, keys, waiting) for table in waiting}
            # Nothing but the cycle itself keeps these waiting.
            inner = [t for t in waiting if t in above[t] and all(t in above[a] for a in above[t])]
            ready = [max(inner, key=lambda t: min(nulls for _, nulls in missing(t)))]
        order.append(ready[0])
        waiting.remove(ready[0])
    return order


def _above(
    table: str, keys: Mapping[str, Sequence[tuple[ForeignKey, Facts]]], within: Collection[str]
) -> set[str]:
    """Return the tables that a table's keys lead to, over any number of others."""
    seen: set[str] = set()
    ahead = [table]
    while ahead:
        at = ahead.pop()
        further = {key.parent for key, _ in keys[at] if key.parent != at and key.parent in within}
        ahead += further - seen
        seen |= further
    return seen


def _owner(
    name: str,
    table: TableSpec,
    keys: Sequence[tuple[ForeignKey, Facts]],
    spec: DatasetSpec,
) -> ForeignKey | None:
    """Choose the key under whose parent rows are drawn.

    First a key that is the row's own key (one-to-one), then one that is a part of it (order lines),
    then one that no two rows share, then one whose parent the table is called after, then the one
    with most parents.
    """
    uniques = [table.primary_key, *table.unique]
    uniques += [[column] for column, about in table.columns.items() if about.unique]

    def rank(candidate: tuple[ForeignKey, Facts]) -> tuple[bool, bool, bool, bool, bool, int]:
        key, fact = candidate
        columns = set(key.columns)
        same = columns == set(table.primary_key)
        identifying = any(columns < set(unique) for unique in uniques)
        alone = fact.most <= 1 or any(columns == set(unique) for unique in uniques)
        called = begins_like(name, key.parent)
        return same, identifying, alone, called, fact.nulls < 0.5, fact.parents

    possible = [(k, f) for k, f in keys if k.parent != name and k.when is None]
    unkept = [
        (k, f) for k, f in possible if not spec.tables[k.parent].keep or any(rank((k, f))[:3])
    ]
    return max(unkept, key=rank)[0] if unkept else None


def begins_like(child: str, parent: str) -> bool:
    """Say whether a table is called after another: ``order_items`` after ``orders``."""
    stem = parent.lower().rstrip("s")
    return child.lower() != parent.lower() and child.lower().startswith(stem)
