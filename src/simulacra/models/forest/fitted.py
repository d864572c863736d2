"""What was grown: drawing from it, and keeping it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import UsageError
from simulacra.core.features import Codes, FeatureKind, Features, FeatureSpec, Role, code_dtype

if TYPE_CHECKING:
    from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
    from simulacra.core.random import RngKey
    from simulacra.models.forest.lookup import Lookup
    from simulacra.models.forest.tree import Table, Tree
    from simulacra.models.forest.unseen import Shares


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
    ) -> NDArray[np.uint32]:
        """Draw codes of many rows.

        Args:
            seen: What earlier features are, shape ``(rows, features)``.
            nominal: Whether a feature is nominal.
            drawn: The codes of earlier features.
            words: One random word a row.
        """
        from simulacra.models.forest.draw import draw
        from simulacra.models.forest.lookup import draw_by_key
        from simulacra.models.forest.unseen import share_draws

        codes = np.empty(len(words), np.uint32)
        draw(seen, nominal, self.tree, self.roots, self.bag, self.trust, words, codes)
        if self.lookup is not None and self.key is not None:
            key = drawn[self.key]
            assert key is not None  # noqa: S101 - the plan puts a key before what it determines
            ordinal = not bool(nominal[self.feature])
            draw_by_key(self.lookup, key.astype(np.uint32), words, ordinal, codes)
        if self.shares is not None:
            share_draws(self.shares, words, codes)
        return codes

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


class FittedForest:
    """A learned joint distribution.

    Args:
        specs: The features: context, then targets.
        view: How trees see them.
        conditionals: The targets' distributions, in the order of drawing.
    """

    def __init__(
        self, specs: Sequence[FeatureSpec], view: View, conditionals: Sequence[Conditional]
    ) -> None:
        self._specs = tuple(specs)
        self._view = view
        self._conditionals = tuple(conditionals)

    def sample(
        self, rows: int, *, context: Features | None, fixed: Features | None, rng: RngKey
    ) -> Features:
        """Draw rows, one feature after the other.

        Raises:
            UsageError: The context is not the one learned, or something is to be held fixed.
        """
        if fixed is not None and fixed.specs:
            raise UsageError("the forest can't hold features fixed", mend="Leave out fixed=")
        drawn: list[Codes | None] = [None] * len(self._specs)
        seen = np.zeros((rows, len(self._specs)), np.uint16)
        for number, codes in self._context(rows, context):
            drawn[number] = codes
            seen[:, number] = self._view.seen(number, codes)
        for conditional in self._conditionals:
            number = conditional.feature
            words = rng.child(self._specs[number].name).words(rows)
            new = conditional.draw(seen, self._view.nominal, drawn, words)
            drawn[number] = new.astype(code_dtype(self._specs[number].cardinality))
            seen[:, number] = self._view.seen(number, new)
        targets = [n for n, spec in enumerate(self._specs) if spec.role is Role.TARGET]
        return Features.of(
            [self._specs[n] for n in targets],
            [made for n in targets if (made := drawn[n]) is not None],
            rows=rows,
        )

    def _context(self, rows: int, context: Features | None) -> list[tuple[int, Codes]]:
        wanted = {spec.name: n for n, spec in enumerate(self._specs) if spec.role is Role.CONTEXT}
        given = context.specs if context is not None else ()
        learned = {spec.name: spec.cardinality for spec in self._specs}
        if wanted.keys() != {spec.name for spec in given} or any(
            learned[spec.name] != spec.cardinality for spec in given
        ):
            raise UsageError(
                f"context features {[spec.name for spec in given]} given",
                why=f"learned were {list(wanted)}",
            )
        if context is None:
            return []
        if context.rows != rows:
            raise UsageError(f"context of {context.rows} rows for {rows} rows to draw")
        return [(wanted[s.name], c) for s, c in zip(context.specs, context.codes, strict=True)]

    def save(self, out: ArtifactWriter) -> None:
        """Write everything ``load`` needs."""
        out.json(
            "forest",
            {
                "specs": [spec.to_json() for spec in self._specs],
                "conditionals": len(self._conditionals),
            },
        )
        out.arrays("groups", {str(n): groups for n, groups in enumerate(self._view.groups)})
        for place, conditional in enumerate(self._conditionals):
            conditional.save(out.child(place))

    @classmethod
    def load(cls, src: ArtifactReader) -> FittedForest:
        """Read what ``save`` wrote.

        Raises:
            ValueError: Indices lead outside of what they index.
        """
        from simulacra.models.forest.checks import check

        facts: dict[str, Any] = src.json("forest")
        specs = [FeatureSpec.from_json(entry) for entry in facts["specs"]]
        groups = src.arrays("groups")
        view = View.of(specs, [groups[str(n)] for n in range(len(specs))])
        conditionals = [Conditional.load(src.child(n)) for n in range(facts["conditionals"])]
        for conditional in conditionals:
            check(conditional, specs, view.nominal)
        return cls(specs, view, conditionals)
