"""The model: what to grow, and what was grown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.core.errors import UsageError
from simulacra.core.features import Features, TrainingData
from simulacra.core.protocols import Config, ModelTraits
from simulacra.models.forest.conditional import Conditional
from simulacra.models.forest.config import ForestConfig
from simulacra.models.forest.fitted import FittedForest
from simulacra.models.forest.view import View

if TYPE_CHECKING:
    from simulacra.core.artifacts import ArtifactReader
    from simulacra.core.context import RunContext
    from simulacra.core.random import RngKey
    from simulacra.models.forest.plan import Step
    from simulacra.models.forest.tree import Limits, Table, Tree


_STRONG = 1.5
"""Nats that one feature tells about another where nearly every split worth trying is real."""
_DISCOUNT = 0.7
"""Share of the penalty that splits of a feature so strongly dependent are spared."""


class Forest:
    """The model: a few trees for each feature, given all those drawn before it."""

    name: ClassVar[str] = "forest"
    config: ClassVar[type[Config]] = ForestConfig
    traits: ClassVar[ModelTraits] = ModelTraits(context=True, conditional=True, tempered=True)

    def fit(
        self, data: TrainingData, config: ForestConfig, *, rng: RngKey, ctx: RunContext
    ) -> FittedForest:
        """Plan the order, then grow every tree of every feature, side by side.

        Raises:
            UsageError: There are features but no rows.
        """
        from simulacra.models.forest.plan import make_plan

        specs = data.features.specs
        if specs and data.features.rows == 0:
            raise UsageError("there are no rows to learn from", mend="Give at least one row")
        features = _budgeted(data.features, config, rng)
        if features.rows < data.features.rows:
            ctx.progress.note(
                f"forest: trees from {features.rows:,} of these {data.features.rows:,} rows, "
                "by its options rows and cells"
            )
        plan = make_plan(features, config, rng.child("plan").generator(), ctx)
        view = View.of(specs, plan.groups)
        grower = _Grower(features, view, config, rng.child("trees"))
        conditionals = []
        with ctx.progress.task("Growing trees", len(plan.steps), "features") as task:
            grown = ctx.map(grower.grow, grower.tasks(plan.steps))
            for step in plan.steps:
                trees = [next(grown) for _ in range(grower.trees_of(step))]
                conditionals.append(grower.finish(step, trees, data.counts[step.feature]))
                task.advance()
        return FittedForest(specs, view, conditionals)

    def load(self, src: ArtifactReader) -> FittedForest:
        """Read what ``save`` wrote."""
        return FittedForest.load(src)


def _budgeted(features: Features, config: ForestConfig, rng: RngKey) -> Features:
    """Return the rows in random order, no more than the budgets allow."""
    most = min(config.rows, max(1000, config.cells // max(1, len(features.specs))))
    order = rng.child("rows").generator().permutation(features.rows)
    return features.take(order[:most])


class _Task(NamedTuple):
    step: Step
    tree: int


class _Grower:
    """Grows trees on one set of rows.

    Args:
        features: The rows.
        view: How trees see them.
        config: The options.
        rng: The key below which each tree has its own.
    """

    def __init__(self, features: Features, view: View, config: ForestConfig, rng: RngKey) -> None:
        from simulacra.models.forest.gain import log_tables

        self._features = features
        self._config = config
        self._rng = rng
        self._table: Table = view.table(features)
        self._logs = log_tables(features.rows)

    def trees_of(self, step: Step) -> int:
        """Return how many trees a step takes: without anything given, they would be all alike."""
        return self._config.trees if step.given else 1

    def tasks(self, steps: Sequence[Step]) -> Iterator[_Task]:
        """Yield every tree to grow."""
        return (_Task(step, tree) for step in steps for tree in range(self.trees_of(step)))

    def grow(self, task: _Task) -> tuple[Tree, NDArray[np.unsignedinteger]]:
        """Grow one tree; returns it and its bag of codes."""
        from simulacra.models.forest.grow import grow
        from simulacra.models.forest.tree import Target

        step = task.step
        spec = self._features.specs[step.feature]
        generator = self._rng.child(spec.name, task.tree).generator()
        rows = generator.permutation(self._features.rows).astype(np.int32)
        tree = grow(
            self._table,
            Target(self._table.coarse[step.feature], not self._table.nominal[step.feature]),
            np.array(step.given, np.int64),
            rows,
            self._limits(step),
            self._logs,
            generator.integers(2**63, dtype=np.uint64),
        )
        return tree, _bag(tree, self._features.codes[step.feature][rows], spec.cardinality)

    def _limits(self, step: Step) -> Limits:
        from simulacra.models.forest.tree import Limits

        config = self._config
        return Limits(
            min_leaf=config.min_leaf,
            max_depth=config.max_depth,
            tries=math.ceil(config.feature_share * len(step.given)),
            penalty=config.penalty * (1.0 - _DISCOUNT * min(1.0, step.strength / _STRONG)),
            split_rows=config.split_rows,
        )

    def finish(
        self,
        step: Step,
        grown: list[tuple[Tree, NDArray[np.unsignedinteger]]],
        counts: NDArray[np.int64],
    ) -> Conditional:
        """Put a feature's trees together with what else its drawing needs."""
        from simulacra.models.forest.draw import trust_in_nodes
        from simulacra.models.forest.lookup import lookup
        from simulacra.models.forest.tree import plant
        from simulacra.models.forest.unseen import shares

        features, number = self._features, step.feature
        spec, codes = features.specs[number], features.codes[number]
        tree, roots = plant([tree for tree, _ in grown], self._table.nominal)
        bag = np.concatenate([bag for _, bag in grown])
        return Conditional(
            feature=number,
            tree=tree,
            roots=roots,
            bag=bag,
            trust=trust_in_nodes(tree, bag, spec.cardinality, self._config.shrinkage),
            key=step.key,
            lookup=None
            if step.key is None
            else lookup(features.codes[step.key], codes, features.specs[step.key].cardinality),
            shares=shares(
                spec.kind,
                counts,
                np.bincount(codes, minlength=spec.cardinality),
                self._rng.child(spec.name, "unseen").generator(),
            ),
        )


def _bag(
    tree: Tree, codes: NDArray[np.unsignedinteger], cardinality: int
) -> NDArray[np.unsignedinteger]:
    """Sort the codes of each leaf: a draw is the same, the order of rows is gone, and runs pack.

    Args:
        tree: The tree.
        codes: Codes in the order of its ranges, shape ``(rows,)``.
        cardinality: How many codes there are.
    """
    from simulacra.models.forest.tree import LEAF

    leaves = np.flatnonzero(tree.feature == LEAF)
    leaves = leaves[np.argsort(tree.start[leaves])]
    place = np.repeat(np.arange(len(leaves), dtype=np.uint64), tree.size[leaves])
    keys = (place << np.uint64(32)) | codes
    keys.sort()
    # The cast keeps the low bits, which are the code.
    return keys.astype(np.uint32 if cardinality > 1 << 16 else np.uint16)
