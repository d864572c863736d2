"""Databases of any schema, for property tests with Hypothesis: import only where that is there."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import strategies as st

from simulacra.core.random import RngKey
from simulacra.core.schema import ForeignKey, Orphans
from simulacra.testing.small_database import NO_PARENT, Database, Maker, to

_DAY = date(2024, 1, 1)
_NOON = datetime(2024, 1, 1, 12)  # noqa: DTZ001 - a type without zone
_NUMBERED = "parent and number"
_SPECIAL = ("parent", _NUMBERED, "pair")
_KEYS = ("int32", "int64", "pattern", "uuid", "date", "mixed")
_OWN = ("amount", "word", "flag", "moment", "code", "list")
_NAMES = ("plain", "with space", 'with "quotes"', "with.dot", "with,comma", "größe", "ORDER", "#a")
_TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key to be.

    Attributes:
        parent: The number of the table it leads to; later ones, and the table itself, too.
        nulls: The share of rows without a parent.
        once: Whether no two rows share a parent.
        strays: Whether some keys name no row.
    """

    parent: int
    nulls: float
    once: bool = False
    strays: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A table to be.

    Attributes:
        name: Its name.
        rows: How many rows it has at most.
        key: The kind of its key; ``"parent"`` for that of its first link, ``"pair"`` for those of
            its first two, ``"parent and number"`` for that of the first and a number; empty for
            none.
        links: Its foreign keys.
        own: The kinds of its other columns.
        keep: Whether it is to be written as it is, if its parents are.
    """

    name: str
    rows: int
    key: str
    links: tuple[Link, ...]
    own: tuple[str, ...]
    keep: bool


@st.composite
def databases(draw: st.DrawFn, *, most_tables: int = 5, most_rows: int = 60) -> Database:
    """Return a strategy for databases: any tables, keys of any kind between any of them.

    Args:
        draw: Given by Hypothesis.
        most_tables: The most tables.
        most_rows: The most rows of one.
    """
    count = draw(st.integers(1, most_tables))
    plans = [draw(_plans(number, count, most_rows)) for number in range(count)]
    tenants = draw(st.sampled_from([0, 0, 3]))
    return build(plans, tenants=tenants, seed=draw(st.integers(0, 2**16)))


@st.composite
def _plans(draw: st.DrawFn, number: int, count: int, most_rows: int) -> Plan:
    links = []
    for _ in range(draw(st.integers(0, 3))):
        parent = draw(st.integers(0, min(number + 1, count - 1)))
        # Whoever leads to himself, or to what comes later, must do without at first.
        nulls = draw(st.sampled_from([0.0, 0.0, 0.3] if parent < number else [0.4]))
        once = draw(st.booleans()) and draw(st.booleans()) and parent != number
        strays = parent < number and draw(st.integers(0, 9)) == 9
        links.append(Link(parent, nulls, once, strays))
    key = draw(st.sampled_from([*_KEYS, ""]))
    firm = [link for link in links if link.parent < number and not link.nulls and not link.strays]
    if firm:
        special = ["parent", _NUMBERED] + (["pair"] if len(firm) > 1 else [])
        key = draw(st.sampled_from([key, *special]))
        links.sort(key=lambda link: link not in firm)
    name = f"{draw(st.sampled_from(_NAMES))} {number}"
    rows = draw(st.integers(1, most_rows) | st.sampled_from([0, 1, 2]))
    if number == 0:
        rows = max(rows, 1)
    own = draw(st.lists(st.sampled_from(_OWN), max_size=3, unique=True))
    return Plan(name, rows, key, tuple(links), tuple(own), keep=draw(st.integers(0, 5)) == 5)


def build(plans: Sequence[Plan], *, tenants: int, seed: int) -> Database:
    """Return the database of some plans.

    Args:
        plans: Its tables. A table has fewer rows than planned where its parents have no room.
        tenants: How many share the tables (whose a row is, is part of every key); 0 for none.
        seed: Decides the rows.
    """
    generator = RngKey(seed, ("random",)).generator()
    tables: list[_Table] = []
    for number, plan in enumerate(plans):
        tables.append(_Table(number, plan, tenants, generator))
        tables[number].fill(tables)
    for table in tables:
        table.lead_on(tables)
    maker = Maker(generator)
    kept: list[str] = []
    for plan, table in zip(plans, tables, strict=True):
        maker.add(
            plan.name, table.columns, key=table.key, unique=table.uniques, refers=table.refers
        )
        if plan.keep and all(key.parent in kept for key in table.refers):
            kept.append(plan.name)
    return maker.made(keep=tuple(kept))


class _Table:
    """A table on its way."""

    def __init__(
        self, number: int, plan: Plan, tenants: int, generator: np.random.Generator
    ) -> None:
        self._number = number
        self._plan = plan
        self._tenants = tenants
        self._generator = generator
        self.columns: dict[str, pa.Array] = {}
        self.key: list[str] = []
        self.uniques: list[list[str]] = []
        self.refers: list[ForeignKey] = []
        self.tenant: list[int] = []

    @property
    def name(self) -> str:
        """Its name."""
        return self._plan.name

    def fill(self, tables: Sequence[_Table]) -> None:
        """Make its rows, but for keys to tables made later."""
        links = {
            place: link
            for place, link in enumerate(self._plan.links)
            if link.parent < self._number and tables[link.parent].key
        }
        special = self._plan.key if self._plan.key in _SPECIAL else ""
        firm = [place for place, link in links.items() if not link.nulls and not link.strays]
        inside = firm[: 2 if special == "pair" else 1]
        if len(inside) < (2 if special == "pair" else 1):
            special = ""
        alone = inside if special in {"pair", "parent"} else []
        chosen = self._rows(links, tables, alone)
        if self._tenants:
            self.columns[_TENANT] = pa.array([f"T{n}" for n in self.tenant], pa.string())
        for place, link in links.items():
            self._refer(place, link, tables[link.parent], chosen[place])
        for kind in self._plan.own:
            self._add_own(kind)
        self._add_key(special, {p: tables[links[p].parent] for p in inside}, chosen)
        if not self.columns:
            self._add_own("amount")
        for place, link in enumerate(self._plan.links):
            if link.parent == self._number and self.key:
                self._refer(place, link, self, self._earlier(link.nulls))

    def lead_on(self, tables: Sequence[_Table]) -> None:
        """Add keys to tables made later."""
        for place, link in enumerate(self._plan.links):
            if link.parent > self._number and tables[link.parent].key:
                used: set[int] = set()
                rows = [self._choose(tables[link.parent], n, link, used) for n in self.tenant]
                self._refer(place, link, tables[link.parent], [n or 0 for n in rows])

    # --- rows ------------------------------------------------------------------------------

    def _rows(
        self, links: Mapping[int, Link], tables: Sequence[_Table], alone: Sequence[int]
    ) -> dict[int, list[int]]:
        """Choose the parents of as many rows as there is room for, and whose they are."""
        chosen: dict[int, list[int]] = {place: [] for place in links}
        used: dict[int, set[int]] = {place: set() for place in links}
        known: set[tuple[int, ...]] = set()
        for _ in range(self._plan.rows):
            tenant = int(self._generator.integers(0, max(self._tenants, 1)))
            row = {
                place: self._choose(tables[link.parent], tenant, link, used[place])
                for place, link in links.items()
            }
            mine = {place: parent for place, parent in row.items() if parent is not None}
            key = tuple(mine[place] for place in alone if place in mine)
            if len(mine) < len(links) or (alone and key in known):
                continue
            known.add(key)
            self.tenant.append(tenant)
            for place, parent in mine.items():
                chosen[place].append(parent)
                used[place].add(parent)
        return chosen

    def _choose(self, parent: _Table, tenant: int, link: Link, used: set[int]) -> int | None:
        """Choose a parent for a row of a tenant: NO_PARENT for none, None if all are gone."""
        if self._generator.random() < link.nulls:
            return NO_PARENT
        able = [
            row
            for row, whose in enumerate(parent.tenant)
            if whose == tenant and not (link.once and row in used)
        ]
        if not able:
            return NO_PARENT if link.nulls else None
        # Early rows have far more children than late ones.
        found = able[int(self._generator.random() ** 2 * len(able))]
        used.add(found)
        return found

    def _earlier(self, nulls: float) -> list[int]:
        """Choose for each row an earlier one of the same tenant, or none."""
        found = []
        for row, tenant in enumerate(self.tenant):
            able = [n for n in range(row) if self.tenant[n] == tenant]
            alone = not able or self._generator.random() < nulls
            found.append(NO_PARENT if alone else int(self._generator.choice(able)))
        return found

    # --- columns ---------------------------------------------------------------------------

    def _refer(self, place: int, link: Link, parent: _Table, rows: Sequence[int]) -> None:
        """Add the columns of a foreign key."""
        numbers = np.array(rows, np.int64)
        names: dict[str, str] = {}
        for column in parent.key:
            values = parent.columns[column]
            if column == _TENANT:
                names[_TENANT] = _TENANT
                continue
            names[f"{place} {column}"] = column
            taken = values.take(pa.array(np.maximum(numbers, 0), mask=numbers < 0))
            self.columns[f"{place} {column}"] = taken
        policy = None
        last = next(reversed(names))
        if link.strays and len(numbers) and pa.types.is_integer(self.columns[last].type):
            away = pa.array(self._generator.random(len(numbers)) < 0.2)
            moved = pc.add(self.columns[last], pa.scalar(10_000, self.columns[last].type))
            self.columns[last] = pc.if_else(away, moved, self.columns[last])
            # Where no null is taken, an orphan can't become one.
            policy = Orphans.NULL if link.nulls else Orphans.DROP
        self.refers.append(to(parent.name, names, orphans=policy))
        if link.once and not link.strays:
            self.uniques.append(list(names))

    def _add_key(
        self,
        special: str,
        inside: Mapping[int, _Table],
        chosen: Mapping[int, Sequence[int]],
    ) -> None:
        whose = [_TENANT] if self._tenants else []
        if special:
            columns = [
                f"{place} {column}"
                for place, parent in inside.items()
                for column in parent.key
                if column != _TENANT
            ]
            if special == _NUMBERED:
                parents = chosen[next(iter(inside))]
                self.columns["number"] = pa.array(
                    [parents[: row + 1].count(parent) for row, parent in enumerate(parents)],
                    pa.int32(),
                )
                columns.append("number")
            self.key = [*whose, *columns]
            return
        made = _key_columns(self._plan.key, len(self.tenant), self._generator)
        self.columns |= made
        self.key = [*whose, *made] if made else []

    def _add_own(self, kind: str) -> None:
        rows, generator = len(self.tenant), self._generator
        if kind == "amount":
            self.columns[kind] = pa.array(np.round(generator.normal(0, 9, rows), 2))
        elif kind == "word":
            words = [("red", "green", None)[n] for n in generator.integers(0, 3, rows)]
            self.columns[kind] = pa.array(words, pa.string())
        elif kind == "flag":
            self.columns[kind] = pa.array(generator.random(rows) < 0.3)
        elif kind == "moment":
            hours = [_NOON + timedelta(hours=int(n)) for n in generator.integers(0, 9999, rows)]
            self.columns[kind] = pa.array(hours, pa.timestamp("us"))
        elif kind == "code":
            codes = [f"{n}-{'abc'[n % 3]}" for n in generator.permutation(2 * rows)[:rows]]
            self.columns[kind] = pa.array(codes, pa.string())
            self.uniques.append([kind])
        else:
            lists = [list(range(n)) for n in generator.integers(0, 4, rows)]
            self.columns[kind] = pa.array(lists, pa.list_(pa.int64()))


def _key_columns(kind: str, rows: int, generator: np.random.Generator) -> dict[str, pa.Array]:
    """Return the columns of a key of some kind."""
    order = generator.permutation(rows)
    if kind in {"int32", "int64"}:
        return {"id": pa.array(order * 3 + 7, pa.int32() if kind == "int32" else pa.int64())}
    if kind == "pattern":
        return {"id": pa.array([f"K-{n:04d}" for n in order], pa.string())}
    if kind == "uuid":
        ids = [str(uuid.UUID(bytes=generator.bytes(16), version=4)) for _ in range(rows)]
        return {"id": pa.array(ids, pa.string())}
    if kind == "date":
        return {"id": pa.array([_DAY + timedelta(days=int(n)) for n in order], pa.date32())}
    if kind == "mixed":
        days = pa.array([_DAY + timedelta(days=int(n) % 5) for n in order], pa.date32())
        return {"day": days, "shift": pa.array(order // 5, pa.int16())}
    return {}
