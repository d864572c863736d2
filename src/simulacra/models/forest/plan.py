"""Deciding, before any tree grows, in which order features are drawn and on what each depends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.core.context import RunContext
from simulacra.core.features import Codes, Features, FeatureSpec, Role
from simulacra.models.forest.association import determination, drawing_order, mutual_information
from simulacra.models.forest.coarse import coarse_groups
from simulacra.models.forest.config import ForestConfig

_ROWS = 30_000
"""Rows that associations are measured on; they are in random order."""
_DETERMINED = 0.97
"""Share of its information that makes a feature determined by another."""
_KEY_CODES = 32
"""A key of fewer codes needs no look-up: trees tell them apart."""
_ALL_PAIRS = 64
"""Features up to which every pair is tested for determination, else the best partners."""
_TESTED_PARTNERS = 16
_RANDOM_SHARE = 0.25
"""Share of the partners that are taken at random, where there are too many."""


@dataclass(frozen=True, slots=True)
class Step:
    """How one feature is drawn.

    Attributes:
        feature: Its number.
        given: The features it may depend on, numbers ascending.
        key: A feature that determines it, or None.
        strength: The most that one of ``given`` tells about it, in nats.
    """

    feature: int
    given: tuple[int, ...]
    key: int | None
    strength: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps in order, and each feature's coarse groups (one array over its codes each)."""

    steps: tuple[Step, ...]
    groups: tuple[NDArray[np.uint8], ...]


def make_plan(
    features: Features, config: ForestConfig, generator: np.random.Generator, ctx: RunContext
) -> Plan:
    """Plan the drawing.

    Args:
        features: The rows, in random order.
        config: The forest's options.
        generator: Chooses some of the partners in wide tables.
        ctx: Threads.
    """
    specs = features.specs
    codes = [column[:_ROWS] for column in features.codes]
    information = mutual_information(codes)
    partners = [
        [int(other) for other in np.argsort(-row, kind="stable") if other != number]
        for number, row in enumerate(information)
    ]
    groups = coarse_groups(specs, codes, [some[:_TESTED_PARTNERS] for some in partners])
    keys = _determinants(specs, codes, partners, ctx)
    given = [n for n, spec in enumerate(specs) if spec.role is Role.CONTEXT]
    order = drawing_order(specs, information, given, keys)
    steps, before = [], list(given)
    for number in order:
        key = next((key for key in keys[number] if key in before), None)
        chosen = _partners(information[number], before, config.partners, generator)
        strength = float(information[number, list(chosen)].max(initial=0.0))
        steps.append(Step(number, chosen, key, strength))
        before.append(number)
    return Plan(tuple(steps), tuple(groups))


def _determinants(
    specs: Sequence[FeatureSpec],
    codes: Sequence[Codes],
    partners: Sequence[Sequence[int]],
    ctx: RunContext,
) -> list[list[int]]:
    """Return for each target feature those that determine it, the surest first."""

    def of(number: int) -> list[int]:
        spec = specs[number]
        if spec.role is Role.CONTEXT or spec.cardinality < 2:
            return []
        tested = (
            partners[number] if len(specs) <= _ALL_PAIRS else partners[number][:_TESTED_PARTNERS]
        )
        found = {
            key: determination(codes[key], codes[number], spec.cardinality)
            for key in tested
            if specs[key].cardinality > max(_KEY_CODES, spec.cardinality)
        }
        return sorted(
            (key for key, share in found.items() if share >= _DETERMINED),
            key=lambda key: (-found[key], key),
        )

    return list(ctx.map(of, range(len(specs))))


def _partners(
    information: NDArray[np.float64],
    before: Sequence[int],
    most: int,
    generator: np.random.Generator,
) -> tuple[int, ...]:
    """Return the features to depend on: the strongest, and some at random for what they miss."""
    if len(before) <= most:
        return tuple(sorted(before))
    ranked = sorted(before, key=lambda other: (-information[other], other))
    strongest = most - int(_RANDOM_SHARE * most)
    rest = generator.permutation(ranked[strongest:])[: most - strongest]
    return tuple(sorted([*ranked[:strongest], *(int(other) for other in rest)]))
