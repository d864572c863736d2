"""A column that ascends among the rows of one parent: order dates, readings of a meter.

Values are drawn row by row and then change places among the rows of their parent, so that what a
parent's rows have together stays as it was drawn.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.arrow_types import type_from_text, type_to_text
from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.errors import LimitError, SpecError
from simulacra.core.protocols import Config, FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules import ticks
from simulacra.rules.columns import Names, column_of, replace
from simulacra.rules.relatives import Siblings
from simulacra.rules.values import plain

Numbers = NDArray[np.int64] | NDArray[np.float64]


class AscendingConfig(Config):
    """Options of the rule ``ascending``."""

    column: Annotated[str, Field(description="The column that ascends")]
    within: Annotated[
        Names, Field(min_length=1, description="The foreign key that rows of one parent share")
    ]
    by: Annotated[
        str, Field(description="The column in whose order it ascends; else the order of the rows")
    ] = ""
    strict: Annotated[bool, Field(description="Whether no two values may be equal")] = False


class Ascending:
    """Puts the values of a column in order among the rows of one parent."""

    name: ClassVar[str] = "ascending"
    config: ClassVar[type[Config]] = AscendingConfig

    def siblings(self, config: Config) -> Siblings:
        """Return which rows are put in order."""
        options = cast("AscendingConfig", config)
        return Siblings(options.within, options.column, options.by)

    def fit(self, sample: pa.Table, config: Config, *, table: TableSpec) -> FittedRule:
        """Check that it holds, and learn the grid of the values.

        Args:
            sample: Rows in their order, with the columns of the key.
            config: The column, the key and the order.
            table: The table's specification; unused.

        Raises:
            SpecError: A column is missing or neither number nor time, or rows break the rule.
        """
        del table
        options = cast("AscendingConfig", config)
        column = column_of(sample, options.column)
        for name in filter(None, (options.column, options.by)):
            _numbers(column_of(sample, name), name)
        if options.by == options.column:
            raise SpecError("it can't ascend in its own order", where=options.column)
        decimals = ticks.decimals_of(column) if pa.types.is_floating(column.type) else 0
        if options.strict and decimals is None:
            raise SpecError(
                "equal values can't be told apart",
                where=options.column,
                why="the numbers have too many decimals to be counted",
                mend="Leave out strict",
            )
        fitted = FittedAscending(options, column.type, decimals or 0, (0, 0, 1))
        if options.strict:
            grid = fitted.grid_of(column)
            fitted = FittedAscending(options, column.type, decimals or 0, grid)
        names = list(fitted.columns)
        batch = pa.RecordBatch.from_pydict({name: column_of(sample, name) for name in names})
        broken = int(pc.sum(fitted.violations(batch)).as_py() or 0)
        if broken:
            raise SpecError(
                f"{broken:,} of {len(column):,} rows are not above those before them",
                where=options.column,
                mend="Remove the rule ascending, or name another order",
            )
        return fitted

    def load(self, src: ArtifactReader) -> FittedRule:
        """Read a rule that ``save`` wrote."""
        saved = src.json("ascending")
        least, most, step = saved["grid"]
        return FittedAscending(
            AscendingConfig(**saved["options"]),
            type_from_text(saved["type"]),
            saved["decimals"],
            (least, most, step),
        )


class FittedAscending:
    """The rule ``ascending`` of a known column. Batches hold all rows of a parent.

    Rows without a parent, and those null or NaN in one of the columns, keep their values and are
    not asked. Rows that are equal in the order's column may be equal or either way round.

    Args:
        options: The column, the key and the order.
        kind: The column's type.
        decimals: The decimals that a float column has.
        grid: The least and the greatest value, and the step between them, in ticks.
    """

    def __init__(
        self,
        options: AscendingConfig,
        kind: pa.DataType,
        decimals: int,
        grid: tuple[int, int, int],
    ) -> None:
        by = [options.by] if options.by else []
        self.columns: tuple[str, ...] = tuple(dict.fromkeys([options.column, *options.within, *by]))
        self._options = options
        self._kind = kind
        self._decimals = decimals
        self._grid = grid

    def encode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Leave the rows as they are."""
        return batch

    def decode(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Let values change places within each parent; where strict, move equal ones apart.

        Raises:
            LimitError: A parent has more rows than there are different values.
        """
        name = self._options.column
        rows, group, order, values = self._asked(batch)
        wanted = rows[np.lexsort((values, order, group))]
        given = rows[np.lexsort((values, group))]
        taken = np.arange(batch.num_rows)
        taken[wanted] = given
        column = batch[name].take(pa.array(taken))
        if self._options.strict and len(rows):
            column = self._apart(column, wanted, np.sort(group))
        return replace(batch, name, column)

    def violations(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        """Say which rows are less than one before them, or equal to it where that is too much."""
        rows, group, order, values = self._asked(batch)
        broken = np.zeros(batch.num_rows, np.bool_)
        if len(rows):
            at = np.lexsort((order, group))
            group, order = group[at], order[at]
            _, ranks = np.unique(values[at], return_inverse=True)
            width = int(ranks.max()) + 1
            best = np.maximum.accumulate(group * width + ranks)
            first = np.ones(len(at), np.bool_)
            first[1:] = (group[1:] != group[:-1]) | (order[1:] != order[:-1])
            start = np.maximum.accumulate(np.where(first, np.arange(len(at)), 0))
            before = np.where(start > 0, best[start - 1], -1)
            behind = before - group * width
            wrong = behind >= ranks if self._options.strict else behind > ranks
            broken[rows[at]] = wrong & (behind >= 0)
        return pa.array(broken)

    def save(self, out: ArtifactWriter) -> None:
        """Write the options and what was learned."""
        out.json(
            "ascending",
            {
                "options": self._options.model_dump(mode="json"),
                "type": type_to_text(self._kind),
                "decimals": self._decimals,
                "grid": list(self._grid),
            },
        )

    def grid_of(self, column: pa.Array) -> tuple[int, int, int]:
        """Return the least and the greatest of a column's values, and the step, in ticks."""
        counted = ticks.read(column, self._unit())
        counts = np.unique(counted.count[counted.known])
        if not len(counts):
            return 0, 0, 1
        step = int(np.gcd.reduce(np.diff(counts))) if len(counts) > 1 else 1
        return int(counts[0]), int(counts[-1]), max(step, 1)

    def _asked(
        self, batch: pa.RecordBatch
    ) -> tuple[NDArray[np.intp], NDArray[np.int64], Numbers, Numbers]:
        """Return the rows that are asked; their parents, places in the order, and values."""
        values, known = _numbers(batch[self._options.column], self._options.column)
        order: Numbers = np.arange(batch.num_rows)
        if self._options.by:
            order, ordered = _numbers(batch[self._options.by], self._options.by)
            known = known & ordered
        group = np.zeros(batch.num_rows, np.int64)
        for name in self._options.within:
            codes = pc.dictionary_encode(plain(batch[name])).indices
            known = known & codes.is_valid().to_numpy(zero_copy_only=False)
            own = codes.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
            _, group = np.unique(group * (own.max(initial=0) + 1) + own, return_inverse=True)
        rows = np.flatnonzero(known)
        return rows, group.astype(np.int64)[rows], order[rows], values[rows]

    def _apart(
        self, column: pa.Array, rows: NDArray[np.intp], group: NDArray[np.int64]
    ) -> pa.Array:
        """Return the column with equal values moved apart on the grid.

        Args:
            column: The values, in order among the rows of each parent.
            rows: The rows that are asked, those of one parent together and in order.
            group: The parent of each of those.
        """
        least, most, step = self._grid
        counted = ticks.read(column, self._unit())
        counts = np.clip(counted.count[rows], least, most)
        first = np.concatenate([[True], group[1:] != group[:-1]])
        starts = np.flatnonzero(first)
        sizes = np.diff([*starts, len(rows)])
        if sizes.max() > (most - least) // step + 1:
            raise LimitError(
                f"a parent has {sizes.max():,} rows",
                where=self._options.column,
                why=f"there are {(most - least) // step + 1:,} different values for them",
                mend="Ask for fewer rows, or leave out strict",
            )
        place = np.arange(len(rows)) - np.repeat(starts, sizes)
        room = most - (np.repeat(sizes, sizes) - 1 - place) * step
        steps, ranks = np.unique(counts - place * step, return_inverse=True)
        number = np.repeat(np.arange(len(starts)), sizes)
        highest = np.maximum.accumulate(number * len(steps) + ranks) - number * len(steps)
        counts = np.minimum(steps[highest] + place * step, room)
        moved = counted.count.copy()
        moved[rows] = counts
        made = ticks.write(counted.moved(moved), column.type, self._unit())
        same = pa.array(moved == counted.count)
        return pc.if_else(same, column, made)

    def _unit(self) -> ticks.Unit:
        unit = ticks.unit_of(self._kind, self._decimals)
        assert unit is not None  # noqa: S101 - only numbers and times are fitted
        return unit


def _numbers(values: pa.Array, name: str) -> tuple[Numbers, NDArray[np.bool_]]:
    """Return values as numbers in their order, and which are known.

    Raises:
        SpecError: They are neither numbers nor times.
    """
    if pa.types.is_floating(values.type):
        floats = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        known = ~np.isnan(floats)
        return np.where(known, floats, 0.0), known
    unit = ticks.unit_of(values.type)
    if unit is None:
        raise SpecError(
            f"values of {values.type} have no order here",
            where=name,
            mend="Name a column of numbers, dates or times",
        )
    counted = ticks.read(values, unit)
    return counted.count, counted.known
