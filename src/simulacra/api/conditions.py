"""What users want of the rows that are drawn, as conditions of tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from simulacra.connectors.frames import FrameKind, from_frame
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.random import RngKey
from simulacra.pipeline.conditions.wanted import Condition

if TYPE_CHECKING:
    from simulacra.pipeline.dataset import FittedDataset

Given = Mapping[str, Any] | Any
"""Columns with what is wanted of them, or a frame of rows known in part; of several tables, such by
table."""

_PILOT = 20_000
"""Rows drawn to see in which proportions values go."""
_ROUNDING = 1e-9


def conditions_of(given: Given, fitted: FittedDataset) -> dict[str, Condition]:
    """Return the condition of each table that something is wanted of.

    Args:
        given: What the user gave: by table, or of the only one.
        fitted: The tables.

    Raises:
        SpecError: There is no such table or column, or a value is not of its type.
        UsageError: It is neither columns nor rows.
    """
    if given is None:
        return {}
    if len(fitted.tables) == 1 and not (
        isinstance(given, Mapping) and {*given} == {*fitted.tables}
    ):
        given = {next(iter(fitted.tables)): given}
    if not isinstance(given, Mapping):
        raise UsageError(
            "what is given doesn't say of which table",
            mend=f"Give it by table: {', '.join(fitted.tables)}",
        )
    found = {}
    for name, wanted in given.items():
        if name not in fitted.tables:
            raise UsageError(
                f"there is no table {name!r} to give values of",
                mend=f"There are: {', '.join(fitted.tables)}",
            )
        columns = wanted if isinstance(wanted, Mapping) else table_of(wanted)
        found[name] = Condition.of(columns, fitted.tables[name].schema, name)
    return found


def rows_of(
    rows: int | Mapping[str, int] | None, conditions: Mapping[str, Condition]
) -> int | Mapping[str, int] | None:
    """Return how many rows are wanted: as many as there are given ones, if rows are given.

    Raises:
        UsageError: Another number is asked for.
    """
    given = {name: c.rows.num_rows for name, c in conditions.items() if c.rows is not None}
    if not given:
        return rows
    if rows is None:
        return given
    asked = rows if isinstance(rows, Mapping) else dict.fromkeys(given, rows)
    for name, count in given.items():
        if asked.get(name, count) != count:
            raise UsageError(
                f"{asked[name]:,} rows asked of {name}, {count:,} given",
                mend="Leave rows= out: as many are drawn as are given",
            )
    return {**asked, **given}


def known_in_part(data: Any, fitted: FittedDataset) -> tuple[tuple[str, Condition], FrameKind]:
    """Return the rows of a frame as a condition of the only table, and what it came as.

    Raises:
        SpecError: A column is not one that was learned, or of another type.
        UsageError: There are several tables.
    """
    if len(fitted.tables) > 1:
        raise UsageError(
            "rows of several tables can't be filled together",
            mend="Learn the table that has nulls by itself",
        )
    ((name, table),) = fitted.tables.items()
    condition = Condition.of(table_of(data), table.schema, name)
    return (name, replace(condition, strict=False, complete=True)), from_frame(data)[1]


def balanced(
    shares: Mapping[str, Mapping[Any, float]],
    conditions: Mapping[str, Condition],
    fitted: FittedDataset,
    wanted: Mapping[str, int],
    *,
    seed: int,
    ctx: RunContext,
) -> dict[str, Condition]:
    """Return conditions that give every row a value of the columns to balance.

    Args:
        shares: By column the shares that some values should have; others keep their proportions.
        conditions: What else is wanted.
        fitted: The only table.
        wanted: How many rows.
        seed: Orders the values.
        ctx: Limits and progress.

    Raises:
        SpecError: There is no such column.
        UsageError: Shares are negative or exceed 1, there are several tables, or rows are given.
    """
    if len(wanted) > 1 or any(c.rows is not None for c in conditions.values()):
        raise UsageError(
            "balance= is about one table, and doesn't go with given rows",
            mend="Give the balanced column among the rows",
        )
    ((name, rows),) = wanted.items()
    schema = fitted.tables[name].schema
    before = conditions.get(name, Condition({}, {}))
    asked = Condition.of({column: list(some) for column, some in shares.items()}, schema, name)
    typed = {
        column: some.to_pylist()
        for column, some in asked.sets.items()
        if isinstance(some, pa.Array)
    }
    pilot = fitted.draw_all({name: _PILOT}, seed=seed, ctx=ctx)
    learned = next(pa.Table.from_batches(batches, schema) for _, batches in pilot)
    rng = RngKey(seed, ("balance",))
    values = {
        column: _spread(
            column,
            dict(zip(typed[column], some.values(), strict=True)),
            rows,
            learned,
            rng.child(column).generator(),
        )
        for column, some in shares.items()
    }
    given = Condition.of(pa.table(values), schema, name)
    return {name: replace(before, rows=given.rows)}


def _spread(
    column: str,
    wanted: Mapping[Any, float],
    rows: int,
    learned: pa.Table,
    generator: np.random.Generator,
) -> list[Any]:
    """Return the value of each row, so that each value has its share."""
    total = sum(wanted.values())
    if min(wanted.values(), default=0) < 0 or total > 1 + _ROUNDING:
        raise UsageError(f"the shares of {column} sum to {total:g}", mend="Give shares from 0 to 1")
    *counts, rest = _apportioned([*wanted.values(), max(0.0, 1.0 - total)], rows)
    values = [value for value, n in zip(wanted, counts, strict=True) for _ in range(n)]
    others = [v for v in learned.column(column).to_pylist() if v is not None and v not in wanted]
    if rest and not others:
        raise UsageError(
            f"there is no other value of {column} to give the rest", mend="Let the shares sum to 1"
        )
    values += [others[place] for place in generator.integers(0, max(len(others), 1), rest)]
    return [values[place] for place in generator.permutation(rows)]


def _apportioned(shares: list[float], rows: int) -> list[int]:
    """Return whole numbers that sum to ``rows`` and are as near to the shares as can be.

    By largest remainders (Hamilton's method).
    """
    exact = np.array(shares) / sum(shares) * rows
    counts = np.floor(exact).astype(int)
    for place in np.argsort(counts - exact, kind="stable")[: rows - counts.sum()]:
        counts[place] += 1
    return [int(count) for count in counts]


def table_of(frame: Any) -> pa.Table:
    """Return the rows of a frame.

    Raises:
        UsageError: It is no frame.
    """
    source, _ = from_frame(frame)
    return pa.Table.from_batches(source.batches(), source.schema)
