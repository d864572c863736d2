"""Coarse groups of fine codes: what splits are found by, at most 256 a feature."""

# mypy: disable-error-code="arg-type,misc,no-any-return"
# numba's decorators are untyped, and in kernels Python's and numpy's numbers are one

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulacra.core.compiled import kernel
from simulacra.core.features import Codes, FeatureKind, FeatureSpec
from simulacra.models.forest.association import determination
from simulacra.models.forest.tree import GROUPS

_HELPERS = 3
"""Features by which the values of a large nominal feature are told apart."""


def coarse_groups(
    specs: Sequence[FeatureSpec], codes: Sequence[Codes], partners: Sequence[Sequence[int]]
) -> list[NDArray[np.uint8]]:
    """Return the coarse group of each fine code, shape ``(cardinality,)`` a feature.

    Features of up to 256 codes keep them. Ordinal ones are cut into runs of equal mass. The codes
    of nominal ones are first ordered by what they go along with (a tail number by its carrier,
    then by its places), so that a group holds values that are alike.

    Args:
        specs: The features.
        codes: Their codes in a sample of rows.
        partners: For each feature those it is most associated with, strongest first.
    """
    groups: list[NDArray[np.uint8]] = []
    for number, spec in enumerate(specs):
        if spec.cardinality <= GROUPS:
            groups.append(np.arange(spec.cardinality, dtype=np.uint8))
            continue
        counts = np.bincount(codes[number], minlength=spec.cardinality)
        if spec.kind is FeatureKind.ORDINAL:
            groups.append(equal_mass(counts, GROUPS))
            continue
        helpers = [
            other
            for other in partners[number]
            if specs[other].cardinality <= GROUPS or specs[other].kind is FeatureKind.ORDINAL
        ]
        order = _by_company(number, helpers, specs, codes)
        found = np.empty(spec.cardinality, np.uint8)
        found[order] = equal_mass(counts[order], GROUPS)
        groups.append(found)
    return groups


@kernel
def equal_mass(counts: NDArray[np.int64], most: int) -> NDArray[np.uint8]:
    """Return for each code the run of codes it belongs to: at most ``most`` of about equal mass.

    A code heavier than a run's share is a run by itself, and leaves the others to share the rest.
    """
    runs = np.zeros(len(counts), np.uint8)
    run, mass, rest = 0, 0.0, float(counts.sum())
    for code in range(len(counts)):
        count = counts[code]
        if mass > 0.0 and run < most - 1 and mass + 0.5 * count > (rest + mass) / (most - run):
            run += 1
            mass = 0.0
        runs[code] = run
        mass += count
        rest -= count
    return runs


def _by_company(
    number: int,
    helpers: Sequence[int],
    specs: Sequence[FeatureSpec],
    codes: Sequence[Codes],
) -> NDArray[np.intp]:
    """Order a nominal feature's codes by the values of other features they mostly go with."""
    own, cardinality = codes[number], specs[number].cardinality
    counts = np.bincount(own, minlength=cardinality)
    strengths = {
        other: determination(own, codes[other], specs[other].cardinality) for other in helpers
    }
    ranked = sorted(helpers, key=lambda other: -strengths[other])[:_HELPERS]
    keys: list[NDArray[np.float64]] = []
    for other in ranked:
        if specs[other].kind is FeatureKind.ORDINAL:
            sums = np.bincount(own, weights=codes[other].astype(np.float64), minlength=cardinality)
            keys.append(np.round(sums / np.maximum(counts, 1)))
        else:
            keys.append(_most_frequent(own, codes[other], cardinality))
    # lexsort takes the least important key first; codes break ties.
    return np.lexsort([np.arange(cardinality), *reversed(keys)])


def _most_frequent(own: Codes, other: Codes, cardinality: int) -> NDArray[np.float64]:
    """Return the code of ``other`` most often seen with each code of ``own``; -1 if none."""
    width = int(other.max(initial=0)) + 1
    pairs, counts = np.unique(own.astype(np.int64) * width + other, return_counts=True)
    modes = np.full(cardinality, -1.0)
    rising = np.argsort(counts, kind="stable")
    modes[pairs[rising] // width] = pairs[rising] % width  # the last, most frequent one stays
    return modes
