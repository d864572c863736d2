"""Utility: is a model trained on synthetic rows as good on real ones, and for the same reasons?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pyarrow as pa

from simulacra.core.errors import SpecError
from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.boosting import matrices, side_by_side
from simulacra.metrics.columns import Kind, Leaf, leaves
from simulacra.metrics.predicting import FEWEST_ROWS, Effort
from simulacra.metrics.sides import row_budget, thread_budget
from simulacra.metrics.target_kinds import target_of
from simulacra.metrics.targets import find_targets, without
from simulacra.metrics.trials import IMPORTANCE, UTILITY, Samples, Trial

_ONE = Effort(rounds=150, trees=600)
_MANY = Effort(rounds=75, trees=200)
_ROWS_OF_MANY = 20_000
"""Rows to learn from and to judge by when the targets are found by the metric itself."""
_CELLS_OF_MANY = 4_000_000


class Utility:
    """Train on synthetic, test on real (TSTR; Esteban et al., arXiv:1706.02633), for each target.

    The value is the AUC of LightGBM that learned a target column from synthetic rows and is judged
    on real ones: one class against the rest, the mean over the classes of at least 1 % of the test
    rows, of which up to 20 are told apart, and all rarer ones are one. For a target that is an
    amount it is R². The floor is the same trained on as many real rows (TRTR), and
    ``details["gap"]`` the value minus the floor, with its interval. Test rows are the hold-out;
    or, without one, 30 % of the real rows, which whoever made the synthetic rows had learned from
    too. Intervals are about the test rows: another training might differ by as much again.

    Without a named target, up to eight are found (:func:`simulacra.metrics.targets.find_targets`)
    and learned from up to 20,000 rows with 75 rounds of boosting; a named one gets 150 rounds on
    up to ``rows`` rows. Several classes take a tree each a round: fewer rounds, then, so that there
    are some 200 trees in all, or 600; ``details["rounds"]`` says how many.

    A second score of each target, ``importance_agreement``, is whether both models lean on the
    same columns: the rank correlation (as Krishna et al. compare explanations, "The disagreement
    problem in explainable machine learning", TMLR 2024) of their permutation importances in up to
    1,000 test rows, of the 30 columns that bring most. Its floor is that of two models trained on
    different real rows, as many each: 20,000 at most, or half of the real rows. Columns that
    hardly matter to either are as one.

    Neither shows that other models, or other questions, come out alike.

    Options: ``target``, the name of the column; ``rows``, the most rows to learn from and to judge
    by (50,000); ``threads``.
    """

    name: ClassVar[str] = "utility"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(UTILITY, "Utility (TSTR)", Group.UTILITY, ideal=None),
        Measure(IMPORTANCE, "Importance agreement", Group.UTILITY),
    )
    optional: ClassVar[bool] = False

    def compute(
        self,
        real: pa.Table,
        synthetic: pa.Table,
        *,
        holdout: pa.Table | None,
        table: TableSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Return two scores a target.

        Raises:
            SpecError: The target named is not a column that can be predicted.
        """
        found = leaves(table, real)
        name, threads = options.get("target"), thread_budget(options)
        targets = [_named(found, name)] if name else []
        effort, most = (_ONE if targets else _MANY), row_budget(options, real.num_columns)
        if not targets:
            wide = _CELLS_OF_MANY // max(1, real.num_columns)
            most = min(most, _ROWS_OF_MANY, max(FEWEST_ROWS, wide))
        samples = Samples.draw(real, synthetic, holdout, most, rng)
        details = samples.details | ({"target": targets[0].name} if targets else {})
        if min(samples.rows, samples.tests) < FEWEST_ROWS:
            why = f"fewer than {FEWEST_ROWS} rows to learn from or to judge by"
            return self._none({"why": why, **details}, targets)
        features = matrices([leaf for leaf in found if leaf.kind is not None], samples.tables)
        if not targets:
            search = find_targets(found, samples.tables[0], features, threads, rng.child("search"))
            targets, details = search.targets, details | {"search": search.details}
        if not targets:
            return self._none({"why": "no column can be foretold from the others", **details}, [])
        if not without(features, targets[0]).columns:
            return self._none({"why": "there is no other column", **details}, targets)
        trials = [
            Trial(leaf, target_of(leaf, samples.tables), features, samples, effort, rng)
            for leaf in targets
        ]
        jobs = [(trial, part) for trial in trials for part in samples.parts]
        models = side_by_side(lambda job: job[0].learn(job[1]), jobs, threads)
        learned = dict(zip(jobs, models, strict=True))
        pairs = side_by_side(
            lambda trial: trial.scores({part: learned[trial, part] for part in samples.parts}),
            trials,
            threads,
        )
        scores = [*(utility for utility, _ in pairs), *(alike for _, alike in pairs)]
        return [replace(score, details={**score.details, **details}) for score in scores]

    def _none(self, details: dict[str, Any], targets: list[Leaf]) -> list[Score]:
        columns = tuple(leaf.name for leaf in targets)
        return [Score(measure.name, None, columns, details=details) for measure in self.measures]


def _named(found: list[Leaf], name: object) -> Leaf:
    for leaf in found:
        if leaf.name == name:
            if leaf.kind in (Kind.NUMBER, Kind.CATEGORY):
                return leaf
            why = leaf.why or "text, binary values and lists can't be predicted"
            raise SpecError("the target can't be predicted", where=str(name), why=why)
    raise SpecError(
        "there is no such column to predict",
        where=str(name),
        mend=f"Choose from {', '.join(leaf.name for leaf in found)}",
    )
