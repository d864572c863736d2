"""Chooses what rows are drawn given: of all that is known before, what tells something of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulacra.core.features import Codes, Features
from simulacra.core.random import RngKey
from simulacra.pipeline.relations.context import (
    AncestorFeature,
    Ancestors,
    Given,
    joined,
    place_feature,
)

_MOST_PLACES = 31
"""Rows of a parent beyond this one are not told apart by their place."""
_MOST_FEATURES = 40
"""Features that a row is drawn given, at most: those that tell most."""
_ROWS = 20_000
_DEGREES = 15 * 15
"""Degrees of freedom of two features in 16 bins each: see ``mutual_information``."""
_STANDARD_ERRORS = 5.0


@dataclass(frozen=True, slots=True)
class KnownBefore:
    """What is known of a sample of rows before something is drawn.

    Attributes:
        ancestors: Their ancestors.
        places: The place of each row among those of its owner, shape ``(rows,)``.
    """

    ancestors: Ancestors
    places: NDArray[np.int32]

    def choose(
        self,
        offered: Sequence[AncestorFeature],
        targets: Sequence[Codes],
        *,
        early: Features | None = None,
        rng: RngKey,
    ) -> tuple[Given, Features | None]:
        """Choose what targets are drawn given, and return it with its codes.

        Args:
            offered: Columns of ancestors.
            targets: Codes of the features that are drawn.
            early: Features that were drawn before.
            rng: The key of this step.
        """
        last_place = int(min(self.places.max(initial=0), _MOST_PLACES))
        specs = [feature.spec for feature in offered]
        codes = [self.ancestors.codes(feature) for feature in offered]
        before = len(specs)
        if early is not None:
            specs += early.specs
            codes += early.codes
        after = len(specs)
        if last_place:
            specs.append(place_feature(last_place))
            codes.append(np.minimum(self.places, last_place))
        kept = telling(codes, targets, rng.child("telling").generator())
        given = Given(
            ancestors=tuple(offered[place] for place in kept if place < before),
            early=tuple(specs[place].name for place in kept if before <= place < after),
            last_place=last_place if last_place and after in kept else None,
        )
        kept_specs, kept_codes = [specs[place] for place in kept], [codes[place] for place in kept]
        return given, joined(kept_specs, kept_codes, len(self.places))


def telling(
    candidates: Sequence[Codes], targets: Sequence[Codes], generator: np.random.Generator
) -> list[int]:
    """Return which candidates tell something of a target, in their order.

    A candidate stays if its mutual information with some target is beyond what chance gives: five
    standard errors of the estimate (whose sum of squares is chi-squared under independence).

    Args:
        candidates: Codes of the features that could be given, shape ``(rows,)`` each.
        targets: Codes of the features that are drawn.
        generator: Chooses the rows looked at.
    """
    from simulacra.models.forest.association import mutual_information

    if not candidates or not targets or len(targets[0]) == 0:
        return []
    rows = generator.permutation(len(targets[0]))[:_ROWS]
    whole = [codes[rows] for codes in (*candidates, *targets)]
    shared = mutual_information(whole)[: len(candidates), len(candidates) :].max(axis=1)
    chance = _STANDARD_ERRORS * np.sqrt(2.0 * _DEGREES) / (2.0 * len(rows))
    most: NDArray[np.intp] = np.argsort(-shared, kind="stable")[:_MOST_FEATURES]
    return sorted(int(place) for place in most if shared[place] > chance)
