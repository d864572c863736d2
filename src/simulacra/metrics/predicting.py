"""Predicting one column from the others, and judging how well: the parts of utility."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.metrics.boosting import Matrices, Trained

FEWEST_ROWS = 10
_FEWEST_ROUNDS = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of one of several tables.

    Attributes:
        table: Which of the tables.
        start: The first row.
        stop: The row after the last.
    """

    table: int
    start: int
    stop: int

    def of(self, tables: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Return the rows, out of an array a table."""
        return tables[self.table][self.start : self.stop]


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to train.

    Attributes:
        rounds: Rounds of boosting.
        trees: The most trees in all; several classes take a tree each a round.
        rate: The learning rate.
    """

    rounds: int
    trees: int
    rate: float = 0.1

    def rounds_of(self, classes: int) -> int:
        """Return the rounds for so many trees a round."""
        return min(self.rounds, max(_FEWEST_ROUNDS, self.trees // classes))


@dataclass(frozen=True, slots=True)
class Judged:
    """How good predictions are.

    Attributes:
        value: AUC or R².
        influence: How much each judged row moves the value, shape ``(rows,)``, mean 0: its
            empirical influence function, whose spread gives the value's standard error (the
            infinitesimal jackknife, which a bootstrap over the rows comes to: Efron,
            "Nonparametric estimates of standard error", Biometrika 1981).
    """

    value: float
    influence: Floats

    @property
    def error(self) -> float:
        """The standard error."""
        return standard_error(self.influence)


def standard_error(influence: Floats) -> float:
    """Return the standard error of a value whose rows have this influence, shape ``(rows,)``."""
    if len(influence) < 2:
        return 0.0
    return float(influence.std(ddof=1)) / math.sqrt(len(influence))


class Predictor(Protocol):
    """What learned a target."""

    @property
    def trained(self) -> Trained:
        """The booster."""
        ...

    def predict(self, matrix: Floats) -> Floats:
        """Return predictions, one a row."""
        ...


class Target(Protocol):
    """A column to predict, with its values in several tables."""

    measure: ClassVar[str]
    """What its predictions are judged by."""
    short: ClassVar[str]
    """The same in a word."""
    chance: ClassVar[float]
    """What guessing scores."""
    why: ClassVar[str]
    """Why it can't be learned or judged, when it can't."""

    @property
    def details(self) -> dict[str, Any]:
        """What is worth keeping, for ``Score.details``."""
        ...

    def rounds(self, effort: Effort) -> int:
        """Return the rounds of boosting that an effort allows it."""
        ...

    def learn(
        self, features: Matrices, part: Part, effort: Effort, rng: RngKey
    ) -> Predictor | None:
        """Train on some rows; None where they teach nothing."""
        ...

    def judge(self, predicted: Floats, part: Part) -> Judged | None:
        """Judge predictions of some rows; None where these can't tell good from bad."""
        ...

    def losses(self, predicted: Floats, part: Part) -> Floats:
        """Return the loss of each prediction, shape ``(rows,)``; 0 where there is no truth."""
        ...

    def unsuitable(self, part: Part) -> str:
        """Say why the column is no target worth trying, by some rows; empty if it is."""
        ...
