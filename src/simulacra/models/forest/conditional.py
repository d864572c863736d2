"""The distribution of one feature given earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.features import Codes, FeatureKind
from simulacra.core.tempering import Tempering

if TYPE_CHECKING:
    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
    from simulacra.models.forest.likelihood import Occurrences
    from simulacra.models.forest.lookup import Lookup
    from simulacra.models.forest.tree import Tree
    from simulacra.models.forest.unseen import Shares


@dataclass(frozen=True, slots=True)
class Conditional:
    """The distribution of one feature given earlier ones.

    Attributes:
        feature: Its number.
        tree: Its trees.
        roots: Their roots.
        bag: Codes that the trees' ranges hold.
        trust: See :func:`~simulacra.models.forest.draw.trust_in_nodes`.
        key: The feature it is looked up by, or None.
        lookup: The look-up, if there is a key.
        shares: Codes that the learned rows lack, or None.
    """

    feature: int
    tree: Tree
    roots: NDArray[np.uint32]
    bag: NDArray[np.unsignedinteger]
    trust: NDArray[np.float32]
    key: int | None
    lookup: Lookup | None
    shares: Shares | None

    def draw(
        self,
        seen: NDArray[np.uint16],
        nominal: NDArray[np.bool_],
        drawn: Sequence[Codes | None],
        words: NDArray[np.uint64],
        how: Tempering,
    ) -> NDArray[np.uint32]:
        """Draw codes of many rows.

        Args:
            seen: What earlier features are, shape ``(rows, features)``.
            nominal: Whether a feature is nominal.
            drawn: The codes of earlier features.
            words: One random word a row.
            how: How boldly.
        """
        if not how.is_plain:
            return self._draw_tempered(seen, nominal, drawn, words, how)
        from simulacra.models.forest.draw import draw
        from simulacra.models.forest.lookup import draw_by_key
        from simulacra.models.forest.unseen import share_draws

        codes = np.empty(len(words), np.uint32)
        draw(seen, nominal, self.tree, self.roots, self.bag, self.trust, words, codes)
        if self.lookup is not None and self.key is not None:
            ordinal = not bool(nominal[self.feature])
            draw_by_key(self.lookup, self._key_codes(drawn), words, ordinal, codes)
        if self.shares is not None:
            share_draws(self.shares, words, codes)
        return codes

    def _draw_tempered(
        self,
        seen: NDArray[np.uint16],
        nominal: NDArray[np.bool_],
        drawn: Sequence[Codes | None],
        words: NDArray[np.uint64],
        how: Tempering,
    ) -> NDArray[np.uint32]:
        from simulacra.models.forest.tempered import (
            draw_by_key_tempered,
            draw_tempered,
            share_draws_tempered,
        )
        from simulacra.models.tempering import Way

        kind = FeatureKind.NOMINAL if nominal[self.feature] else FeatureKind.ORDINAL
        way = Way.of(how, kind)
        codes = draw_tempered(
            seen, nominal, self.tree, self.roots, self.bag, self.trust, words, way
        )
        if self.lookup is not None and self.key is not None:
            draw_by_key_tempered(self.lookup, self._key_codes(drawn), words, way, codes)
        if self.shares is not None:
            share_draws_tempered(self.shares, words, way, codes)
        return codes

    def _key_codes(self, drawn: Sequence[Codes | None]) -> NDArray[np.uint32]:
        """Return the codes of the feature that this one is looked up by."""
        key = None if self.key is None else drawn[self.key]
        assert key is not None  # noqa: S101 - the plan puts a key before what it determines
        return key.astype(np.uint32)

    def likelihoods(
        self,
        seen: NDArray[np.uint16],
        nominal: NDArray[np.bool_],
        drawn: Sequence[Codes | None],
        codes: Codes,
        found: Occurrences,
    ) -> NDArray[np.float64]:
        """Return the probability with which each row would draw its code, shape ``(rows,)``.

        Args:
            seen: What earlier features are, shape ``(rows, features)``.
            nominal: Whether a feature is nominal.
            drawn: The codes of earlier features.
            codes: The code of each row.
            found: Where each code stands in the bag.
        """
        from simulacra.models.forest.likelihood import likelihoods, looked_up

        shares, wanted = np.empty(len(codes)), codes.astype(np.uint32)
        likelihoods(seen, nominal, self.tree, self.roots, found, self.trust, wanted, shares)
        if self.lookup is not None and self.key is not None:
            key = self._key_codes(drawn)
            looked_up(self.lookup.begin, self.lookup.bag, key, wanted, shares)
        return shares

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        out.json("links", {"feature": self.feature, "key": self.key})
        out.arrays("tree", self.tree._asdict())
        out.arrays("bags", {"roots": self.roots, "bag": self.bag, "trust": self.trust})
        if self.lookup is not None:
            out.arrays("lookup", self.lookup._asdict())
        if self.shares is not None:
            out.arrays("shares", self.shares._asdict())

    @classmethod
    def load(cls, src: ArtifactReader) -> Conditional:
        """Read what ``save`` wrote."""
        from simulacra.models.forest.lookup import Lookup
        from simulacra.models.forest.tree import Tree
        from simulacra.models.forest.unseen import Shares

        links: dict[str, Any] = src.json("links")
        return cls(
            feature=links["feature"],
            tree=Tree(**src.arrays("tree")),
            key=links["key"],
            lookup=Lookup(**src.arrays("lookup")) if src.has("lookup") else None,
            shares=Shares(**src.arrays("shares")) if src.has("shares") else None,
            **src.arrays("bags"),
        )
