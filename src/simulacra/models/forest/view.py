"""How trees see features: each code as a number of at most 16 bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulacra.core.features import Codes, FeatureKind, Features, FeatureSpec

if TYPE_CHECKING:
    from simulacra.models.forest.tree import Table


@dataclass(frozen=True, slots=True)
class View:
    """How trees see features: each code as a number of at most 16 bits.

    Attributes:
        groups: The coarse group of each code, one array a feature, dtype uint8.
        nominal: Whether a feature is nominal, shape ``(features,)``.
        shift: Bits dropped from ordinal codes that need more than 16; else 0.
    """

    groups: tuple[NDArray[np.uint8], ...]
    nominal: NDArray[np.bool_]
    shift: tuple[int, ...]

    @classmethod
    def of(cls, specs: Sequence[FeatureSpec], groups: Sequence[NDArray[np.uint8]]) -> View:
        """Describe features by their specs and coarse groups."""
        nominal = np.array([spec.kind is FeatureKind.NOMINAL for spec in specs], np.bool_)
        shift = (max(0, (spec.cardinality - 1).bit_length() - 16) for spec in specs)
        return cls(tuple(groups), nominal, tuple(shift))

    def seen(self, feature: int, codes: Codes) -> NDArray[np.unsignedinteger]:
        """Return what nodes compare: coarse groups of nominal codes, ordinal codes themselves."""
        if self.nominal[feature]:
            return self.groups[feature][codes]
        return np.right_shift(codes, self.shift[feature]).astype(np.uint16)

    def table(self, features: Features) -> Table:
        """Return rows as the growing of trees takes them."""
        from simulacra.models.forest.tree import Table

        shape = (len(features.specs), features.rows)
        split, coarse = np.empty(shape, np.uint16), np.empty(shape, np.uint8)
        for number, codes in enumerate(features.codes):
            split[number] = self.seen(number, codes)
            coarse[number] = self.groups[number][codes]
        small = np.array([spec.cardinality <= 256 for spec in features.specs], np.bool_)
        return Table(split, coarse, self.nominal, small | self.nominal)
