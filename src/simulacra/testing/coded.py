"""Coded rows to learn from: what the checks of models are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.core.features import FeatureKind, Features, FeatureSpec, Role, TrainingData
from simulacra.core.random import RngKey

ROWS = 3_000
CONTEXT = ("region", "size")
"""The context features of :func:`with_context`."""


def _training(specs: Sequence[FeatureSpec], codes: Sequence[NDArray[np.integer]]) -> TrainingData:
    features = Features.of(specs, [array.astype(np.uint32) for array in codes])
    counts = tuple(
        np.bincount(array, minlength=spec.cardinality).astype(np.int64)
        for spec, array in zip(features.specs, features.codes, strict=True)
    )
    return TrainingData(features, counts, features.rows)


def _feature(
    name: str, cardinality: int, kind: FeatureKind = FeatureKind.ORDINAL, *, column: str = ""
) -> FeatureSpec:
    return FeatureSpec(name, column or name, kind, cardinality)


def ordinary(rows: int = ROWS) -> TrainingData:
    """Return features of every kind that depend on each other; the last one is constant."""
    generator = RngKey(1, ("coded", rows)).generator()
    region = np.minimum(generator.geometric(0.4, rows) - 1, 5)
    size = np.clip(generator.poisson(2 + 2 * region), 0, 29)
    amount = np.clip((size * 9 + generator.normal(20, 12, rows)).astype(np.int64), 0, 299)
    paid = (generator.random(rows) < 0.1 + 0.8 * (amount > 80)).astype(np.int64)
    specs = [
        _feature("region", 6, FeatureKind.NOMINAL),
        _feature("size", 30),
        _feature("amount", 300),
        _feature("price.coarse", 30, column="price"),
        _feature("price.fine", 10, column="price"),
        _feature("paid", 2, FeatureKind.NOMINAL),
        _feature("version", 1),
    ]
    price = np.clip(amount + generator.integers(-3, 4, rows), 0, 299)
    codes = [region, size, amount, price // 10, price % 10, paid, np.zeros(rows, np.int64)]
    return _training(specs, codes)


def with_context(rows: int = ROWS) -> TrainingData:
    """Return :func:`ordinary` with the features :data:`CONTEXT` given."""
    data = ordinary(rows)
    specs = tuple(s.as_context() if s.name in CONTEXT else s for s in data.features.specs)
    features = Features(specs, data.features.codes, data.features.rows)
    return TrainingData(features, data.counts, data.total_rows)


def many_codes(cardinality: int = 70_000, rows: int = ROWS) -> TrainingData:
    """Return a feature of so many codes that most occur once or never, and one beside it."""
    generator = RngKey(2, ("coded", cardinality)).generator()
    names = generator.integers(0, cardinality, rows)
    names[0] = cardinality - 1
    specs = [_feature("name", cardinality, FeatureKind.NOMINAL), _feature("half", 2)]
    return _training(specs, [names, (names >= cardinality // 2).astype(np.int64)])


def constants(rows: int = ROWS) -> TrainingData:
    """Return features of which each holds but one code, of one, many and all that it could."""
    specs = [_feature("one", 1), _feature("low", 40), _feature("high", 40, FeatureKind.NOMINAL)]
    codes = [np.full(rows, code, np.int64) for code in (0, 0, 39)]
    return _training(specs, codes)


def targets_of(data: TrainingData) -> tuple[FeatureSpec, ...]:
    """Return the specifications of the features to draw, in order."""
    return tuple(spec for spec in data.features.specs if spec.role is Role.TARGET)


def context_of(data: TrainingData, rows: int) -> Features | None:
    """Return the context of the first rows, repeated as often as needed; None without any."""
    given = [n for n, spec in enumerate(data.features.specs) if spec.role is Role.CONTEXT]
    if not given:
        return None
    picked = data.features.take(np.arange(rows) % max(data.features.rows, 1))
    return Features(
        tuple(picked.specs[n] for n in given), tuple(picked.codes[n] for n in given), rows
    )
