"""A tree of pairwise dependences: each feature is drawn given one other.

Chow and Liu, "Approximating discrete probability distributions with dependence trees", IEEE
Transactions on Information Theory 14 (1968): of all trees, the one whose edges have the greatest
total mutual information is the nearest to the data. Context features are one root together, since
they are given; so every target hangs on a context feature or on a target drawn before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulacra.core.artifacts import ArtifactReader, ArtifactWriter
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.features import Codes, Features, FeatureSpec, Role, TrainingData
from simulacra.core.protocols import Config, ModelTraits
from simulacra.core.random import RngKey


class ChowLiuConfig(Config):
    """Options of the Chow-Liu tree."""

    smoothing: float = Field(
        default=5.0,
        ge=0.0,
        description="Rows of the feature's overall distribution mixed into each conditional one",
    )


@dataclass(frozen=True, slots=True)
class Marginal:
    """One feature's distribution over all rows.

    Attributes:
        cumulative: Running totals of the rows per code, shape ``(cardinality,)``, dtype int64.
    """

    cumulative: NDArray[np.int64]

    @classmethod
    def of(cls, counts: NDArray[np.int64]) -> Marginal:
        """Build it from rows per code; without any row, every code is as likely."""
        return cls(np.cumsum(counts if counts.any() else np.ones_like(counts)))

    def draw(self, uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """Turn uniform numbers in [0, 1) into codes."""
        rows = uniform * self.cumulative[-1]
        codes: NDArray[np.int64] = np.searchsorted(self.cumulative, rows, side="right")
        return codes


@dataclass(frozen=True, slots=True)
class Conditional:
    """One feature's distribution given another's code; holds only pairs that occur.

    Attributes:
        start: Where each parent code's pairs begin, shape ``(parents + 1,)``, dtype int64.
        codes: The child's code of each pair, ordered by parent, shape ``(pairs,)``.
        cumulative: Rows in all pairs before each one and in total, shape ``(pairs + 1,)``.
    """

    start: NDArray[np.int64]
    codes: NDArray[np.int64]
    cumulative: NDArray[np.int64]

    @classmethod
    def of(cls, parent: Codes, child: Codes, *, parents: int, children: int) -> Conditional:
        """Count the pairs of two features, ``parents`` and ``children`` being cardinalities."""
        pairs, counts = _count_pairs(parent, child, children)
        start = np.searchsorted(pairs, np.arange(parents + 1, dtype=np.int64) * children)
        return cls(start, pairs % children, np.concatenate([[0], np.cumsum(counts)]))

    def draw(
        self,
        parent: Codes,
        marginal: Marginal,
        smoothing: float,
        generator: np.random.Generator,
    ) -> NDArray[np.int64]:
        """Draw a child code for each parent code, shape ``(rows,)``."""
        before = self.cumulative[self.start[parent]]
        rows = self.cumulative[self.start[parent.astype(np.int64) + 1]] - before
        uniform = generator.random(len(parent))
        choice = generator.random(len(parent)) * (rows + smoothing)
        drawn = marginal.draw(uniform)
        known = choice < rows  # never for a parent code that has no rows
        # A row of those with this parent code; the pair that it belongs to is the one drawn.
        row = before[known] + choice[known].astype(np.int64)
        place = np.searchsorted(self.cumulative, row, side="right") - 1
        drawn[known] = self.codes[place]
        return drawn


@dataclass(frozen=True, slots=True)
class Branch:
    """One target feature in the tree.

    Attributes:
        spec: The feature.
        marginal: Its distribution over all rows.
        parent: The name of the feature that it hangs on, None for a root.
        conditional: Its distribution given the parent, None for a root.
    """

    spec: FeatureSpec
    marginal: Marginal
    parent: str | None = None
    conditional: Conditional | None = None


class FittedChowLiu:
    """A learned tree.

    Args:
        branches: The targets, parents before their children.
        targets: The names of the targets, in the order to return them.
        smoothing: See :class:`ChowLiuConfig`.
    """

    def __init__(
        self, branches: tuple[Branch, ...], targets: tuple[str, ...], smoothing: float
    ) -> None:
        self._branches = branches
        self._targets = targets
        self._smoothing = smoothing

    def sample(
        self, rows: int, *, context: Features | None, fixed: Features | None, rng: RngKey
    ) -> Features:
        """Draw each feature given its parent, from the root outwards.

        Raises:
            UsageError: There are fixed features, which the model's traits don't promise.
        """
        if fixed is not None:
            raise UsageError("chow_liu can't hold features fixed", mend="Use the model forest")
        codes: dict[str, Codes] = {}
        if context is not None:
            codes.update(zip((s.name for s in context.specs), context.codes, strict=True))
        for branch in self._branches:
            generator = rng.child(branch.spec.name).generator()
            if branch.parent is None or branch.conditional is None:
                drawn = branch.marginal.draw(generator.random(rows))
            else:
                drawn = branch.conditional.draw(
                    codes[branch.parent], branch.marginal, self._smoothing, generator
                )
            codes[branch.spec.name] = drawn.astype(np.uint32)
        specs = {branch.spec.name: branch.spec for branch in self._branches}
        return Features.of(
            [specs[name] for name in self._targets],
            [codes[name] for name in self._targets],
            rows=rows,
        )

    def save(self, out: ArtifactWriter) -> None:
        """Write the tree: JSON for its shape, arrays for its distributions."""
        branches = []
        for number, branch in enumerate(self._branches):
            arrays = {"marginal": branch.marginal.cumulative}
            if branch.conditional is not None:
                arrays["start"] = branch.conditional.start
                arrays["codes"] = branch.conditional.codes
                arrays["cumulative"] = branch.conditional.cumulative
            out.arrays(f"branch{number}", arrays)
            branches.append({"spec": branch.spec.to_json(), "parent": branch.parent})
        out.json(
            "tree",
            {"branches": branches, "targets": self._targets, "smoothing": self._smoothing},
        )


class ChowLiu:
    """The model: learns in one pass over all pairs of features."""

    name: ClassVar[str] = "chow_liu"
    config: ClassVar[type[Config]] = ChowLiuConfig
    traits: ClassVar[ModelTraits] = ModelTraits(context=True)

    def fit(
        self, data: TrainingData, config: ChowLiuConfig, *, rng: RngKey, ctx: RunContext
    ) -> FittedChowLiu:
        """Choose the tree and count the pairs along its edges; ``rng`` is not needed."""
        del rng
        specs, codes = data.features.specs, data.features.codes
        context = [i for i, spec in enumerate(specs) if spec.role is Role.CONTEXT]
        branches = []
        with ctx.progress.task("Learning a Chow-Liu tree", len(specs), "features") as task:
            for child, parent in _tree(data.features, context):
                spec, marginal = specs[child], Marginal.of(data.counts[child])
                if parent is None:
                    branches.append(Branch(spec, marginal))
                else:
                    conditional = Conditional.of(
                        codes[parent],
                        codes[child],
                        parents=specs[parent].cardinality,
                        children=spec.cardinality,
                    )
                    branches.append(Branch(spec, marginal, specs[parent].name, conditional))
                task.advance()
        targets = tuple(spec.name for spec in specs if spec.role is Role.TARGET)
        return FittedChowLiu(tuple(branches), targets, config.smoothing)

    def load(self, src: ArtifactReader) -> FittedChowLiu:
        """Read a tree that ``save`` wrote."""
        tree = src.json("tree")
        branches = []
        for number, entry in enumerate(tree["branches"]):
            arrays = src.arrays(f"branch{number}")
            conditional = None
            if entry["parent"] is not None:
                conditional = Conditional(arrays["start"], arrays["codes"], arrays["cumulative"])
            spec = FeatureSpec.from_json(entry["spec"])
            branches.append(
                Branch(spec, Marginal(arrays["marginal"]), entry["parent"], conditional)
            )
        return FittedChowLiu(tuple(branches), tuple(tree["targets"]), tree["smoothing"])


def _tree(features: Features, context: list[int]) -> list[tuple[int, int | None]]:
    """Return each target with its parent, parents first: Prim's algorithm from the context.

    Without context the first target is the root, with no parent.
    """
    count = len(features.specs)
    outside = set(range(count)) - set(context)
    best = dict.fromkeys(outside, -np.inf)
    parent: dict[int, int | None] = dict.fromkeys(outside, None)
    edges: list[tuple[int, int | None]] = []
    added = list(context)
    while outside:
        for new in added:
            for feature in outside:
                information = mutual_information(features, new, feature)
                if information > best[feature]:
                    best[feature], parent[feature] = information, new
        # Ties go to the first feature: the result may not depend on the order of a set.
        chosen = max(sorted(outside), key=best.__getitem__)
        outside.remove(chosen)
        edges.append((chosen, parent[chosen]))
        added = [chosen]
    return edges


def mutual_information(features: Features, first: int, second: int) -> float:
    """Return the mutual information of two features in nats.

    Less Miller's bias, (pairs seen - codes seen - codes seen + 1) / 2n, without which the
    features with the most codes would always win (Miller, "Note on the bias of information
    estimates", 1955).
    """
    rows = features.rows
    if not rows:
        return 0.0
    children = features.specs[second].cardinality
    _, joint = _count_pairs(features.codes[first], features.codes[second], children)
    one = np.unique(features.codes[first], return_counts=True)[1]
    other = np.unique(features.codes[second], return_counts=True)[1]
    plug_in = _entropy(one, rows) + _entropy(other, rows) - _entropy(joint, rows)
    return plug_in - (len(joint) - len(one) - len(other) + 1) / (2 * rows)


def _entropy(counts: NDArray[np.int64], rows: int) -> float:
    shares = counts / rows
    return float(-(shares * np.log(shares)).sum())


def _count_pairs(
    parent: Codes, child: Codes, children: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs that occur, as ``parent * children + child``, sorted, and their rows."""
    pairs, counts = np.unique(parent.astype(np.int64) * children + child, return_counts=True)
    return pairs, counts.astype(np.int64)
