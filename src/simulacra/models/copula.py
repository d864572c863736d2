"""A Gaussian copula over codes: each column as it was, and how columns go together in pairs.

Every feature has a hidden standard normal number; its code is the stretch of the marginal
distribution that the number falls into (Nelsen 2006; Xue-Kun Song 2000). Nulls and frequent single
values are codes, so they need no care of their own. The hidden numbers' correlations are learned
from the codes of a sample, the marginals from all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy.linalg import cho_factor, cho_solve, cholesky
from scipy.special import ndtr, ndtri

from simulacra.core.errors import UsageError
from simulacra.core.features import Codes, Features, FeatureSpec, Role, TrainingData
from simulacra.core.protocols import Config, ModelTraits
from simulacra.models.columns import (
    Column,
    columns_of,
    given_columns,
    in_order,
    learn_column,
    load_columns,
    save_columns,
)
from simulacra.models.correlation import Matrix
from simulacra.models.measure import FeatureScores, correlation_of, feature_scores
from simulacra.models.normal_scores import draw_between
from simulacra.models.ordering import orders_of

if TYPE_CHECKING:
    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
    from simulacra.core.context import RunContext
    from simulacra.core.random import RngKey

_CHUNK_NUMBERS = 1 << 21
"""Hidden numbers drawn at a time: bounds the memory of a block, 16 MiB an array."""

_BAND = 128
"""Rows of the Cholesky factor multiplied at a time."""

_SWEEPS = 4
_FAR_OUT = 8.0
"""Gibbs sweeps over the given features' hidden numbers."""


class CopulaConfig(Config):
    """Options of the Gaussian copula."""

    structure_rows: int = Field(
        default=100_000,
        ge=1,
        description="Most rows the correlations are learned from (marginals use all rows)",
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to draw when certain features are given.

    Attributes:
        given: Their places in the correlation matrix.
        drawn: The others' places.
        precision: The inverse of the given ones' correlation matrix.
        weights: What a drawn number's mean takes of each given one, shape ``(given, drawn)``.
        factor: Lower Cholesky factor of what is left of the drawn ones' correlation.
    """

    given: NDArray[np.int64]
    drawn: NDArray[np.int64]
    precision: Matrix
    weights: NDArray[np.float64]
    factor: Matrix


class FittedCopula:
    """The learned columns and the correlations of their features' hidden numbers.

    Args:
        targets: The features to return, in order.
        columns: The columns, those of the context first.
        context_columns: How many columns are context.
        correlation: Of all columns' features, in the order of ``columns``.
    """

    def __init__(
        self,
        targets: Sequence[FeatureSpec],
        columns: Sequence[Column],
        context_columns: int,
        correlation: Matrix,
    ) -> None:
        self._targets = tuple(targets)
        self._context = tuple(columns[:context_columns])
        self._columns = tuple(columns[context_columns:])
        self._correlation = correlation
        sizes = [len(column.specs) for column in columns]
        self._begins = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._plan = lru_cache(maxsize=16)(self._make_plan)

    def sample(
        self, rows: int, *, context: Features | None, fixed: Features | None, rng: RngKey
    ) -> Features:
        """Draw hidden numbers and look their codes up.

        Raises:
            UsageError: Context features are missing, or ``fixed`` names unknown features or a part
                of a column.
        """
        given = self._given(context, fixed)
        plan = self._plan(tuple(given))
        generator = rng.generator()
        chunk = max(_CHUNK_NUMBERS // max(len(self._correlation), 1), 1)
        parts = [
            self._draw(
                min(chunk, rows - begin),
                plan,
                {n: [codes[begin : begin + chunk] for codes in c] for n, c in given.items()},
                generator,
            )
            for begin in range(0, max(rows, 1), chunk)
        ]
        codes = [
            [np.concatenate(arrays) for arrays in zip(*found, strict=True)]
            for found in zip(*parts, strict=True)
        ]
        return in_order(self._targets, self._columns, codes, rows)

    def _given(self, context: Features | None, fixed: Features | None) -> dict[int, list[Codes]]:
        """Return the given columns' codes by the columns' numbers, context first."""
        given = given_columns(self._context, context)
        for number, column in enumerate(self._context):
            if number not in given:
                raise UsageError(
                    "this context feature is not given",
                    where=column.specs[0].name,
                    mend="Give every context feature that the model was learned with",
                )
        first = len(self._context)
        return given | {first + n: c for n, c in given_columns(self._columns, fixed).items()}

    def _draw(
        self,
        rows: int,
        plan: _Plan,
        given: dict[int, list[Codes]],
        generator: np.random.Generator,
    ) -> list[list[Codes]]:
        """Return the codes of each target column."""
        hidden = np.empty((len(self._correlation), rows))
        numbers = _times_lower(plan.factor, generator.standard_normal((len(plan.drawn), rows)))
        if len(plan.given):
            known = self._hidden_of(plan, given, rows, generator)
            numbers += plan.weights.T @ known
        hidden[plan.drawn] = ndtr(numbers)
        first = len(self._context)
        return [
            given[number]
            if number in given
            else column.codes(list(hidden[self._begins[number] : self._begins[number + 1]]))
            for number, column in enumerate(self._columns, first)
        ]

    def _hidden_of(
        self,
        plan: _Plan,
        given: dict[int, list[Codes]],
        rows: int,
        generator: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Draw the given features' hidden numbers, which lie in their codes' intervals.

        A truncated multivariate normal, by Gibbs sampling (Geweke, "Efficient simulation from the
        multivariate normal and Student-t distributions subject to linear constraints", 1991).
        """
        columns = (*self._context, *self._columns)
        stretches = [s for n, codes in given.items() for s in columns[n].stretches(codes)]
        low, high = (ndtri(np.stack(ends)) for ends in zip(*stretches, strict=True))
        # A code that nobody had, before the first or after the last, lies as far out as may be.
        low, high = np.minimum(low, _FAR_OUT), np.maximum(high, -_FAR_OUT)
        numbers = np.stack(
            [draw_between(*ends, generator.random(rows)) for ends in zip(low, high, strict=True)]
        )
        if len(numbers) == 1:
            return numbers
        for _ in range(_SWEEPS):
            for at, row in enumerate(plan.precision):
                spread = 1.0 / np.sqrt(row[at])
                mean = numbers[at] - (row @ numbers) / row[at]
                numbers[at] = mean + spread * draw_between(
                    (low[at] - mean) / spread, (high[at] - mean) / spread, generator.random(rows)
                )
        return numbers

    def _make_plan(self, columns: tuple[int, ...]) -> _Plan:
        places = [np.arange(self._begins[n], self._begins[n + 1]) for n in columns]
        given = np.concatenate([np.empty(0, np.int64), *places])
        drawn = np.setdiff1d(np.arange(len(self._correlation)), given)
        across = self._correlation[np.ix_(given, drawn)]
        inner = self._correlation[np.ix_(given, given)]
        left = self._correlation[np.ix_(drawn, drawn)]
        if not len(given):
            return _Plan(given, drawn, inner, across, cholesky(left, lower=True))
        solver = cho_factor(inner, lower=True)
        weights = cho_solve(solver, across)
        precision = cho_solve(solver, np.eye(len(given)))
        rest = left - across.T @ weights
        factor = cholesky(rest, lower=True) if len(drawn) else rest
        return _Plan(given, drawn, precision, weights, factor)

    def save(self, out: ArtifactWriter) -> None:
        """Write the columns and the correlations."""
        out.json(
            "copula",
            {
                "targets": [spec.to_json() for spec in self._targets],
                "context_columns": len(self._context),
            },
        )
        save_columns(out, "columns", (*self._context, *self._columns))
        out.arrays("correlation", {"correlation": self._correlation})


class Copula:
    """The model: a Gaussian copula, estimated in pairs."""

    name: ClassVar[str] = "copula"
    config: ClassVar[type[Config]] = CopulaConfig
    traits: ClassVar[ModelTraits] = ModelTraits(context=True, conditional=True)

    def fit(
        self, data: TrainingData, config: CopulaConfig, *, rng: RngKey, ctx: RunContext
    ) -> FittedCopula:
        """Learn the columns' distributions and the correlations of their hidden numbers."""
        specs = data.features.specs
        rows = _structure_rows(data.features.rows, config.structure_rows, rng)
        context = columns_of(specs, Role.CONTEXT)
        positions = context + columns_of(specs, Role.TARGET)
        ctx.progress.note(f"Correlations from {len(rows):,} of {data.total_rows:,} rows")
        firsts = [column[0] for column in positions]
        # Codes are ordered by other rows than those that correlations come from: an order fits the
        # noise of the rows it was made from, and would show correlations that are not there.
        halves = rows[::2], rows[1::2]
        orders = orders_of(
            [specs[first] for first in firsts],
            [data.features.codes[first][halves[0]] for first in firsts],
            [data.counts[first] for first in firsts],
        )
        measured = data.features.take(rows if all(o is None for o in orders) else halves[1])
        columns: list[Column] = []
        scores: list[FeatureScores] = []
        with ctx.progress.task("Learning columns", len(positions), "columns") as task:
            for column_positions, order in zip(positions, orders, strict=True):
                column = learn_column(data, column_positions, order)
                columns.append(column)
                codes = [measured.codes[position] for position in column_positions]
                scores += feature_scores(column, codes)
                task.advance()
        correlation = correlation_of(scores, measured.rows)
        targets = [spec for spec in specs if spec.role is Role.TARGET]
        return FittedCopula(targets, columns, len(context), correlation)

    def load(self, src: ArtifactReader) -> FittedCopula:
        """Read what ``save`` wrote."""
        copula = src.json("copula")
        return FittedCopula(
            [FeatureSpec.from_json(entry) for entry in copula["targets"]],
            load_columns(src, "columns"),
            copula["context_columns"],
            src.arrays("correlation")["correlation"],
        )


def _times_lower(factor: Matrix, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the product with a lower triangular matrix, passing over most of its zeros."""
    product = np.empty_like(numbers)
    for begin in range(0, len(factor), _BAND):
        end = min(begin + _BAND, len(factor))
        product[begin:end] = factor[begin:end, :end] @ numbers[:end]
    return product


def _structure_rows(rows: int, most: int, rng: RngKey) -> NDArray[np.int64]:
    """Return which rows to learn correlations from, in a random order."""
    return rng.child("rows").generator().permutation(rows)[:most]
