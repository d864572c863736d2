"""What a user wants drawn, and what that comes to for what was learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulacra.api.conditions import Given, balanced, conditions_of, rows_of
from simulacra.api.fairness import Fair, independent
from simulacra.core.context import RunContext
from simulacra.core.tempering import PLAIN, Tempering

if TYPE_CHECKING:
    import pyarrow as pa

    from simulacra.pipeline.conditions.wanted import Condition
    from simulacra.pipeline.dataset import FittedDataset
    from simulacra.pipeline.journal import Journal


@dataclass(frozen=True, slots=True)
class Draws:
    """What is drawn.

    Attributes:
        fitted: What it is drawn from, as boldly as wanted.
        rows: How many rows of each table.
        given: What is wanted of the rows, by table.
        seed: Decides everything random.
        tempering: How boldly; part of what a run is.
    """

    fitted: FittedDataset
    rows: dict[str, int]
    given: dict[str, Condition]
    seed: int
    tempering: Tempering

    def all(
        self, ctx: RunContext, journal: Journal | None = None
    ) -> Iterator[tuple[str, Iterator[pa.RecordBatch]]]:
        """Draw it; see :meth:`simulacra.pipeline.dataset.FittedDataset.draw_all`."""
        return self.fitted.draw_all(
            self.rows, seed=self.seed, ctx=ctx, journal=journal, given=self.given
        )


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user wants drawn; see :meth:`simulacra.Synthesizer.sample` for each.

    Attributes:
        rows: How many rows.
        scale: How many, as a multiple of those learned.
        given: What is wanted of the rows.
        balance: Shares that values should have.
        fair: What is to be independent of what.
        tempering: How boldly.
    """

    rows: int | Mapping[str, int] | None = None
    scale: float | None = None
    given: Given = None
    balance: Mapping[str, Mapping[Any, float]] | None = None
    fair: Mapping[str, Any] | None = None
    tempering: Tempering = PLAIN

    @property
    def has_conditions(self) -> bool:
        """Whether anything is wanted of the rows."""
        return not (self.given is None and self.balance is None and self.fair is None)

    def of(self, fitted: FittedDataset, *, seed: int, ctx: RunContext) -> Draws:
        """Return what is to be drawn.

        Args:
            fitted: What was learned.
            seed: Decides everything random.
            ctx: Limits and progress.

        Raises:
            SpecError: A column is not there, or a value is not of its type.
            UsageError: The wishes make no sense, or the model can't grant them.
        """
        from simulacra.pipeline.tempering import tempered

        conditions = conditions_of(self.given, fitted)
        rows = fitted.plan(rows_of(self.rows, conditions), self.scale)
        if self.balance is not None:
            conditions = balanced(self.balance, conditions, fitted, rows, seed=seed, ctx=ctx)
        if self.fair is not None:
            fair = Fair.of(self.fair)
            conditions = independent(fair, conditions, fitted, rows, seed=seed, ctx=ctx)
        return Draws(tempered(fitted, self.tempering), rows, conditions, seed, self.tempering)
