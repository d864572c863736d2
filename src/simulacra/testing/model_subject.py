"""A model under examination, and what the checks of models do with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulacra.core.features import Features, TrainingData, code_dtype
from simulacra.core.protocols import Config, FittedModel, Model
from simulacra.core.random import RngKey
from simulacra.testing.check import require
from simulacra.testing.coded import context_of, targets_of
from simulacra.testing.guards import quiet

KEY = RngKey(7, ("fit",))
SEED = 11


@dataclass(frozen=True, slots=True)
class ModelSubject:
    """A model and the options it is checked with."""

    model: Model
    config: Config

    def fit(self, data: TrainingData, *, threads: int = 1) -> FittedModel:
        """Learn, always from the same key."""
        return self.model.fit(data, self.config, rng=KEY, ctx=quiet(threads))


Checks = list[Callable[[ModelSubject, Path], None]]
"""Checks of models, named as what must hold."""


def draw(fitted: FittedModel, data: TrainingData, rows: int = 500, seed: int = SEED) -> Features:
    """Draw rows, given the context of the first ones."""
    context = context_of(data, rows)
    return fitted.sample(rows, context=context, fixed=None, rng=RngKey(seed))


def require_sound(drawn: Features, data: TrainingData, rows: int) -> None:
    """Refuse a block that is not ``rows`` rows of the target features."""
    require(isinstance(drawn, Features), f"sample gave {type(drawn).__name__}, not Features")
    require(drawn.rows == rows, f"{drawn.rows} rows for the {rows} asked for")
    names = [spec.name for spec in drawn.specs]
    require(drawn.specs == targets_of(data), f"the features drawn, {names}, aren't the targets")
    for spec, codes in zip(drawn.specs, drawn.codes, strict=True):
        require(codes.shape == (rows,), f"{spec.name}: shape {codes.shape} for {rows} rows")
        dtype = code_dtype(spec.cardinality)
        require(codes.dtype == dtype, f"{spec.name}: codes are {codes.dtype}, not {dtype}")
        most = int(codes.max()) if rows else 0
        require(most < spec.cardinality, f"{spec.name}: code {most} of {spec.cardinality}")


def same(one: Features, other: Features) -> bool:
    """Say whether two blocks hold the same codes."""
    return all(np.array_equal(a, b) for a, b in zip(one.codes, other.codes, strict=True))
