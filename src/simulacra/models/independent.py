"""The baseline: every column as often as it was, none depending on another.

What it can't do shows what the other models learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from simulacra.core.features import Features, FeatureSpec, Role, TrainingData
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

if TYPE_CHECKING:
    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
    from simulacra.core.context import RunContext
    from simulacra.core.random import RngKey
    from simulacra.core.tempering import Tempering


class IndependentConfig(Config):
    """It has no options."""


class FittedIndependent:
    """The learned columns.

    Args:
        targets: The features to return, in order.
        columns: Their columns.
    """

    def __init__(self, targets: Sequence[FeatureSpec], columns: Sequence[Column]) -> None:
        self._targets = tuple(targets)
        self._columns = tuple(columns)

    def sample(
        self, rows: int, *, context: Features | None, fixed: Features | None, rng: RngKey
    ) -> Features:
        """Draw each column by itself.

        Raises:
            UsageError: ``fixed`` names unknown features, or a part of a column.
        """
        del context
        given = given_columns(self._columns, fixed)
        generator = rng.generator()
        drawn = [
            given[number]
            if number in given
            else column.codes([generator.random(rows) for _ in column.specs])
            for number, column in enumerate(self._columns)
        ]
        return in_order(self._targets, self._columns, drawn, rows)

    def tempered(self, how: Tempering) -> FittedIndependent:
        """Return the columns with other probabilities; what is given stays as it is."""
        return FittedIndependent(self._targets, [column.tempered(how) for column in self._columns])

    def save(self, out: ArtifactWriter) -> None:
        """Write the columns."""
        out.json("targets", [spec.to_json() for spec in self._targets])
        save_columns(out, "columns", self._columns)


class Independent:
    """The model: counts, and for columns of several features which codes go together."""

    name: ClassVar[str] = "independent"
    config: ClassVar[type[Config]] = IndependentConfig
    traits: ClassVar[ModelTraits] = ModelTraits(context=True, conditional=True, tempered=True)

    def fit(
        self, data: TrainingData, config: IndependentConfig, *, rng: RngKey, ctx: RunContext
    ) -> FittedIndependent:
        """Learn each target column; ``rng`` is not needed, context is not looked at."""
        del config, rng
        positions = columns_of(data.features.specs, Role.TARGET)
        columns = []
        with ctx.progress.task("Learning columns", len(positions), "columns") as task:
            for column in positions:
                columns.append(learn_column(data, column))
                task.advance()
        targets = [spec for spec in data.features.specs if spec.role is Role.TARGET]
        return FittedIndependent(targets, columns)

    def load(self, src: ArtifactReader) -> FittedIndependent:
        """Read what ``save`` wrote."""
        targets = [FeatureSpec.from_json(entry) for entry in src.json("targets")]
        return FittedIndependent(targets, load_columns(src, "columns"))
