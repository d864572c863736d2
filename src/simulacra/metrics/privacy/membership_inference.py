"""Membership inference: do the synthetic rows tell who was learned from?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Measure, Score
from simulacra.metrics.boosting import matrices, train
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.privacy.membership import judged, measures, unmeasured
from simulacra.metrics.privacy.points import nearest, points
from simulacra.metrics.privacy.risk import FEWEST, NO_HOLDOUT
from simulacra.metrics.sides import at_most, halves, row_budget, thread_budget

PEOPLE = 5_000
"""The most people accused of each kind."""
TREES = 100
LEARNED_ROWS = 20_000
"""The most rows of each kind that the classifier learns from."""

_CLOSEST = 1e-3
"""Added to distances: a copy is nearer than anything else, but not infinitely."""
_DOES_NOT_SHOW = (
    "An attacker who knows the model, or could train others like it, may do better, above all on "
    "unusual people: see shadow_membership. It is no guarantee as differential privacy is one."
)


class MembershipInference:
    """How well the density of synthetic rows tells people learned from apart from others.

    After DOMIAS (van Breugel et al., "Membership inference attacks against synthetic data through
    overfitting detection", AISTATS 2023): where synthetic rows are denser than the population,
    someone was learned from. The attacker knows one half of the held-out rows as a sample of the
    population, and the synthetic rows; the other half of the held-out rows stand for people who
    were not learned from. The logarithm of the density ratio is estimated twice, and summed: by
    the distances to the nearest row of either kind (Gower's, as of ``closest_records``), which
    tells copies, and by LightGBM with 100 trees trained to tell synthetic rows from the
    population's, which tells overfitting that spreads wider.

    The first score is the AUC (0.5: no better than chance); two more are the shares of people
    learned from who are found while at most 1 % and 0.1 % of the others are wrongly accused
    (their floors are what chance finds). Up to 5,000 people of each kind are accused. Without a
    hold-out there is no value.

    What each part is worth (AUC, and hits at 1 % false alarms, on Adult with 4,000 rows learned
    and a copula's rows, of which 10 % were replaced by rows learned from): distances 0.602 and
    21 %, classifier 0.572 and 2 %, both 0.605 and 20 %; on default with the forest's rows:
    distances 0.529, classifier 0.558, both 0.560.

    Options: ``rows``, the most synthetic rows and rows of the population searched (50,000);
    ``threads``.
    """

    name: ClassVar[str] = "membership_inference"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = measures(
        "membership_inference", "Membership inference"
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
        """Return the AUC and the hits at few false alarms."""
        used = [leaf for leaf in leaves(table, real) if leaf.kind is not None]
        why = ""
        if holdout is None:
            why = NO_HOLDOUT
        elif not used:
            why = "no column can be compared"
        elif min(real.num_rows, synthetic.num_rows, holdout.num_rows // 2) < FEWEST:
            why = f"fewer than {FEWEST} rows on one side"
        if why or holdout is None:
            return unmeasured(self.name, why)
        budget = row_budget(options, real.num_columns)
        strangers, population = halves(holdout, rng.child("halves"))
        people = min(PEOPLE, real.num_rows, strangers.num_rows)
        members = at_most(real, people, rng.child("real"))
        strangers = at_most(strangers, people, rng.child("strangers"))
        population = at_most(population, budget, rng.child("population"))
        found = at_most(synthetic, budget, rng.child("synthetic"))
        accused = pa.concat_tables([members, strangers])
        ratio = _by_distance(used, accused, population, found, thread_budget(options))
        ratio += _by_classifier(used, accused, population, found, rng.child("classifier"))
        details = {
            "people_a_side": people,
            "population_rows": population.num_rows,
            "synthetic_rows": found.num_rows,
        }
        return judged(self.name, ratio[:people], ratio[people:], details, _DOES_NOT_SHOW)


def _by_distance(
    used: Sequence[Leaf],
    accused: pa.Table,
    population: pa.Table,
    synthetic: pa.Table,
    threads: int,
) -> NDArray[np.float64]:
    """Return how much nearer each is to synthetic rows than to the population's, as logarithms."""
    people, common, found = points(used, [accused, population], [synthetic])
    near, far = (
        nearest(people, side, threads=threads)[0][0].astype(np.float64) for side in (found, common)
    )
    nearer: NDArray[np.float64] = np.log(far + _CLOSEST) - np.log(near + _CLOSEST)
    return nearer


def _by_classifier(
    used: Sequence[Leaf], accused: pa.Table, population: pa.Table, synthetic: pa.Table, rng: RngKey
) -> NDArray[np.float64]:
    """Return the log odds that each is a synthetic row rather than one of the population."""
    rows = min(population.num_rows, synthetic.num_rows, LEARNED_ROWS)
    features = matrices(
        used,
        [
            at_most(synthetic, rows, rng.child("synthetic")),
            at_most(population, rows, rng.child("population")),
            accused,
        ],
    )
    trained = train(
        np.concatenate(features.tables[:2]),
        np.repeat([1.0, 0.0], rows),
        features.categorical,
        objective={"objective": "binary"},
        trees=TREES,
        rng=rng.child("train"),
    )
    odds: NDArray[np.float64] = np.clip(trained.predict(features.tables[2]), 1e-9, 1 - 1e-9)
    logits: NDArray[np.float64] = np.log(odds) - np.log1p(-odds)
    return logits
