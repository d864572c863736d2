"""How many rows of each table are drawn: what is asked for, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from simulacra.core.errors import UsageError
from simulacra.pipeline.fitted_table import FittedTable
from simulacra.pipeline.relations.graph import Role

_BOUNDLESS = 2**62
_GROWTH = 1.2
_MOST_GROWTHS = 100


def plan_rows(
    tables: Mapping[str, FittedTable],
    order: tuple[str, ...],
    wanted: int | Mapping[str, int] | None,
    scale: float | None,
) -> dict[str, int]:
    """Return the rows to draw of each table.

    A number is for every table. Numbers by table say what they say, and the others follow: a table
    grows or shrinks as its owner does, an owner as what it owns, and all others as the largest
    table that was asked for. Kept tables stay as they are. A table that follows has at least one
    row, and no more than its keys have room for: so many pairs, or children that are one each;
    parents that follow grow until there is room for what was asked for.

    Args:
        tables: The learned tables.
        order: Their names, owners first.
        wanted: Rows of every table, or by table; as many as learned when None.
        scale: Instead: a multiple of the rows learned.

    Raises:
        UsageError: Both are given, a table is unknown, a number makes no sense, or rows are asked
            for whose parents are not.
    """
    if wanted is not None and scale is not None:
        raise UsageError("both rows and scale are given", mend="Give one of them")
    if scale is not None and (not np.isfinite(scale) or scale < 0):
        raise UsageError(f"a scale of {scale}", mend="Give a number from 0 up")
    asked = _asked(tables, wanted)
    ratios = _ratios(tables, order, asked, 1.0 if scale is None else scale)
    planned = _follow(tables, order, asked, ratios)
    for _ in range(_MOST_GROWTHS):
        tight = [name for name in asked if planned[name] > room(tables[name], planned)]
        grown = {p for name in tight for p in _parents(tables[name]) if tables[p].kept is None}
        grown -= asked.keys()
        if not grown:
            break
        ratios |= {name: _GROWTH * ratios[name] for name in grown}
        planned = _follow(tables, order, asked, ratios)
    for name, table in tables.items():
        _need_parents(name, table, planned)
    return {name: planned[name] for name in tables}


def _follow(
    tables: Mapping[str, FittedTable],
    order: tuple[str, ...],
    asked: Mapping[str, int],
    ratios: Mapping[str, float],
) -> dict[str, int]:
    """Return the rows of all tables: those asked for, and of others what follows."""
    planned: dict[str, int] = {}
    # What is left of those that there is no room for: tables below shrink along.
    shares: dict[str, float] = {}
    for name in [*order, *(name for name in tables if name not in order)]:
        planned[name] = asked.get(name, tables[name].rows)
        if tables[name].kept is None and name not in asked:
            share = shares.get(_owner(tables[name]) or "", 1.0)
            follows = ratios[name] * share * tables[name].rows
            # Rounding leaves no table without rows.
            whole = max(round(follows), 1) if follows > 0 else 0
            planned[name] = min(whole, room(tables[name], planned))
            shares[name] = share * planned[name] / max(whole, 1)
    return planned


def _parents(table: FittedTable) -> list[str]:
    return [relation.parent for relation in table.family.relations] if table.family else []


def _asked(
    tables: Mapping[str, FittedTable], wanted: int | Mapping[str, int] | None
) -> dict[str, int]:
    """Return the numbers asked for by table, once they make sense."""
    if isinstance(wanted, int):
        wanted = dict.fromkeys((n for n, table in tables.items() if table.kept is None), wanted)
    asked = dict(wanted or {})
    for name, rows in asked.items():
        if name not in tables:
            raise UsageError(f"there is no table {name!r}", mend=f"There are: {', '.join(tables)}")
        if rows < 0:
            raise UsageError(f"{rows} rows", where=name, mend="Give 0 or more")
        if tables[name].kept is not None and rows != tables[name].rows:
            learned = tables[name].rows
            raise UsageError(
                f"{rows:,} rows of a table that "
                f"{'is kept as it is' if learned else 'had none to learn from'}",
                where=name,
                mend=f"Leave it out: it has {learned:,} rows",
            )
    return asked


def room(table: FittedTable, rows: Mapping[str, int]) -> int:
    """Return how many rows a table can have, by what its keys allow.

    Args:
        table: The table.
        rows: The rows of the tables before it.
    """
    most = _BOUNDLESS
    if table.family is None:
        return most
    relations = table.family.relations
    for relation in relations:
        if relation.is_single and relation.parent in rows and relation.role is not Role.SELF:
            share = max(1.0 - relation.nulls - relation.orphan_share, 1e-9)
            found = min(int(rows[relation.parent] / share) + 1, _BOUNDLESS)
            while found and relation.with_parents(found) > rows[relation.parent]:
                found -= 1
            most = min(most, found)
    for key in table.family.distinct:
        parents = [relations[place] for place in key.relations]
        if len(key.columns) > 1 or any(r.nulls or r.parent not in rows for r in parents):
            continue
        if all(key.choices):
            choices = math.prod(len(values) for values in key.choices)
            most = min(most, choices * math.prod(rows[r.parent] for r in parents))
    return most


def _need_parents(name: str, table: FittedTable, planned: Mapping[str, int]) -> None:
    """Refuse rows whose parents are not drawn.

    Raises:
        UsageError: A parent that every row must have is asked for without rows.
    """
    for relation in table.family.relations if table.family is not None else ():
        key = relation.key
        needed = any(not table.spec.columns[column].nullable for column in key.columns)
        if planned[name] and needed and not relation.nulls and not planned[key.parent]:
            raise UsageError(
                f"{planned[name]:,} rows need a row of {key.parent}, and none is drawn",
                where=f"{name}.{','.join(key.columns)}",
                mend=f"Ask for at least one row of {key.parent}, or none of {name}",
            )


def _ratios(
    tables: Mapping[str, FittedTable], order: tuple[str, ...], asked: Mapping[str, int], base: float
) -> dict[str, float]:
    known = {
        n: rows / max(tables[n].rows, 1) for n, rows in asked.items() if tables[n].kept is None
    }
    if known:
        base = known[max(known, key=lambda name: tables[name].rows)]
    owners = {name: _owner(tables[name]) for name in tables}
    for name in reversed(order):
        owner = owners[name]
        if name in known and owner is not None and tables[owner].kept is None:
            known.setdefault(owner, known[name])
    for name in order:
        owner = owners[name]
        if owner is not None and owner in known:
            known.setdefault(name, known[owner])
    return {name: known.get(name, base) for name in tables}


def _owner(table: FittedTable) -> str | None:
    family = table.family
    if family is None or family.owner is None:
        return None
    return family.relations[family.owner].parent
