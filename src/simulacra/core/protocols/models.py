"""Contracts of models: the joint distribution of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from simulacra.core.protocols.config import Config

if TYPE_CHECKING:
    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
    from simulacra.core.context import RunContext
    from simulacra.core.features import Features, TrainingData
    from simulacra.core.random import RngKey


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """What a model promises; the conformance kit checks it.

    Attributes:
        context: It can draw target features given context features.
        conditional: It can hold some target features fixed (``fixed=``).
        deterministic: The same key gives the same codes.
        private: It gives a formal privacy guarantee.
        tempered: It can draw more or less boldly; see
            :class:`~simulacra.core.tempering.Temperable`.
    """

    context: bool = True
    conditional: bool = False
    deterministic: bool = True
    private: bool = False
    tempered: bool = False


class FittedModel(Protocol):
    """A learned joint distribution of features."""

    def sample(
        self, rows: int, *, context: Features | None, fixed: Features | None, rng: RngKey
    ) -> Features:
        """Draw ``rows`` rows of the target features; called from several threads at once.

        Args:
            rows: How many.
            context: The context features of those rows, or None if the model has none.
            fixed: Target features that are given (traits ``conditional``), or None.
            rng: The key of this block.

        Returns:
            The target features, in the order of the training data.
        """
        ...

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        ...


class Model(Protocol):
    """An algorithm that learns the joint distribution of features."""

    name: ClassVar[str]
    config: ClassVar[type[Config]]
    traits: ClassVar[ModelTraits]

    def fit(self, data: TrainingData, config: Any, *, rng: RngKey, ctx: RunContext) -> FittedModel:
        """Learn from coded rows.

        Raises:
            UsageError: An option makes no sense for this data.
        """
        ...

    def load(self, src: ArtifactReader) -> FittedModel:
        """Read a model that ``save`` wrote."""
        ...
