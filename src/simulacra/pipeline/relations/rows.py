"""How many rows of each table are drawn: what is asked for, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulacra.core.errors import UsageError
from simulacra.pipeline.fitted_table import FittedTable


def plan_rows(
    tables: Mapping[str, FittedTable],
    order: tuple[str, ...],
    wanted: int | Mapping[str, int] | None,
    scale: float | None,
) -> dict[str, int]:
    """Return the rows to draw of each table.

    A number is for every table. Numbers by table say what they say, and the others follow: a table
    grows or shrinks as its owner does, an owner as what it owns, and all others as the largest
    table that was asked for. Kept tables stay as they are.

    Args:
        tables: The learned tables.
        order: Their names, owners first.
        wanted: Rows of every table, or by table; as many as learned when None.
        scale: Instead: a multiple of the rows learned.

    Raises:
        UsageError: Both are given, a table is unknown, or a number makes no sense.
    """
    if wanted is not None and scale is not None:
        raise UsageError("both rows and scale are given", mend="Give one of them")
    if scale is not None and (not np.isfinite(scale) or scale < 0):
        raise UsageError(f"a scale of {scale}", mend="Give a number from 0 up")
    if isinstance(wanted, int):
        wanted = dict.fromkeys((n for n, table in tables.items() if table.kept is None), wanted)
    asked = dict(wanted or {})
    for name, rows in asked.items():
        if name not in tables:
            raise UsageError(f"there is no table {name!r}", mend=f"There are: {', '.join(tables)}")
        if rows < 0:
            raise UsageError(f"{rows} rows", where=name, mend="Give 0 or more")
        if tables[name].kept is not None and rows != tables[name].rows:
            raise UsageError(
                f"{rows:,} rows of a table that is kept as it is",
                where=name,
                mend=f"Leave it out: it has {tables[name].rows:,} rows",
            )
    ratios = _ratios(tables, order, asked, 1.0 if scale is None else scale)
    return {
        name: asked.get(
            name, table.rows if table.kept is not None else round(ratios[name] * table.rows)
        )
        for name, table in tables.items()
    }


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
