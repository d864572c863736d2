"""Rows in which a target doesn't depend on a sensitive column: demographic parity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError, UsageError
from simulacra.core.random import RngKey
from simulacra.pipeline.conditions.wanted import Condition

if TYPE_CHECKING:
    from simulacra.pipeline.dataset import FittedDataset

_PILOT = 20_000
"""Rows drawn to see how often each value comes up."""


@dataclass(frozen=True, slots=True)
class Fair:
    """What is to be independent of what.

    Attributes:
        target: The column that something is decided by.
        sensitive: Columns that it must not depend on.
    """

    target: str
    sensitive: tuple[str, ...]

    @classmethod
    def of(cls, fair: Mapping[str, Any]) -> Fair:
        """Read what a user gave.

        Raises:
            UsageError: It doesn't name a target and sensitive columns, and only those.
        """
        sensitive = fair.get("sensitive")
        names = (sensitive,) if isinstance(sensitive, str) else tuple(sensitive or ())
        target = fair.get("target")
        if set(fair) != {"target", "sensitive"} or not isinstance(target, str) or not names:
            raise UsageError(
                f"fair={dict(fair)!r} doesn't say what is to be independent of what",
                mend='Write fair={"target": "income", "sensitive": "sex"}',
            )
        if target in names:
            raise UsageError(f"{target} can't be independent of itself", mend="Name another column")
        return cls(target, names)


def independent(
    fair: Fair,
    conditions: Mapping[str, Condition],
    fitted: FittedDataset,
    wanted: Mapping[str, int],
    *,
    seed: int,
    ctx: RunContext,
) -> dict[str, Condition]:
    """Return conditions that give each row a target and sensitive values, drawn independently.

    Each keeps the distribution that was learned, given what else is wanted. Within each group of
    sensitive values targets are as frequent as in all, to the row.

    Args:
        fair: What is to be independent of what.
        conditions: What else is wanted.
        fitted: The only table.
        wanted: How many rows.
        seed: Orders the values.
        ctx: Limits and progress.

    Raises:
        SpecError: There is no such column.
        UsageError: There are several tables, rows are given, or a column is null throughout.
    """
    if len(wanted) > 1 or any(c.rows is not None for c in conditions.values()):
        raise UsageError(
            "fair= is about one table, and goes neither with given rows nor with balance=",
            mend="Draw without the one or the other",
        )
    ((name, rows),) = wanted.items()
    schema = fitted.tables[name].schema
    for column in (fair.target, *fair.sensitive):
        if column not in schema.names:
            raise SpecError(
                "there is no such column",
                where=f"{name}.{column}",
                mend=f"Choose from {', '.join(schema.names)}",
            )
    pilot = fitted.draw_all({name: _PILOT}, seed=seed, ctx=ctx, given=conditions)
    learned = next(pa.Table.from_batches(batches, schema) for _, batches in pilot)
    rng = RngKey(seed, ("fair",))
    generator = rng.generator()
    targets = _sorted(learned, [fair.target], name)
    groups = _sorted(learned, fair.sensitive, name)
    chosen = groups.take(pa.array(_evenly(rows, groups.num_rows, generator)))
    drawn = np.empty(rows, np.int64)
    for places in _alike(chosen):
        drawn[places] = _evenly(len(places), targets.num_rows, generator)
    values = targets.take(pa.array(drawn))
    for column in fair.sensitive:
        values = values.append_column(column, chosen[column])
    before = conditions.get(name, Condition({}, {}))
    given = Condition.of(values.take(pa.array(generator.permutation(rows))), schema, name)
    return {**conditions, name: replace(before, rows=given.rows)}


def _sorted(table: pa.Table, columns: Sequence[str], where: str) -> pa.Table:
    """Return the rows in which no column is null, in order."""
    known = pa.table({column: _decoded(table.column(column)) for column in columns}).drop_null()
    if not known.num_rows:
        raise UsageError(
            "null in every row, so there is nothing to be fair about",
            where=f"{where}.{', '.join(columns)}",
        )
    return known.take(pc.sort_indices(known, [(column, "ascending") for column in columns]))


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values that can be sorted and grouped, of a dictionary its values."""
    kind = column.type
    return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column


def _evenly(rows: int, among: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return places that are spread evenly, so that each value has its share to the row.

    Systematic sampling (Madow and Madow, "On the theory of systematic sampling", Annals of
    Mathematical Statistics 1944).
    """
    places = (np.arange(rows) + generator.random()) / max(rows, 1) * among
    chosen: NDArray[np.int64] = np.minimum(places.astype(np.int64), among - 1)
    return chosen


def _alike(rows: pa.Table) -> list[NDArray[np.int64]]:
    """Return the places of the rows of each group, of rows in order."""
    last = max(rows.num_rows - 1, 0)
    begins = np.zeros(last, dtype=bool)
    for column in rows.columns:
        other = pc.not_equal(column.slice(1), column.slice(0, last))
        begins |= other.to_numpy()
    return np.split(np.arange(rows.num_rows), np.flatnonzero(begins) + 1)
