"""Linear detection: can a weighted sum of columns tell synthetic rows from real ones?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.schema import TableSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.boosting import shares, side_by_side
from simulacra.metrics.columns import Leaf, leaves
from simulacra.metrics.embedding import embed, most_points
from simulacra.metrics.intervals import Interval
from simulacra.metrics.sides import Floor, Sides, thread_budget
from simulacra.metrics.splitting import CHANCE, Matrix, groups_of, impossible, judged_auc, real_pair
from simulacra.metrics.telling import given_away_by

_ITERATIONS = 2_000
"""Far more than are needed where no row is given away for sure; some tens are usual."""
ROWS = 20_000
"""The most rows of a side: a linear classifier of some hundred weights learns no more of more."""


class LinearDetection:
    """The classifier two-sample test with a weak classifier: the AUC of logistic regression.

    0.5: it can't tell synthetic rows from real ones; 1: every row is given away (Lopez-Paz and
    Oquab, "Revisiting classifier two-sample tests", ICLR 2017). It sees wrong means, wrong shares
    of categories and of nulls, but no wrong spreads, correlations or rules; ``detection`` sees
    those too. A value far from 0.5 is thus the first thing to mend. As detectors in other programs
    are often of this kind, it also says what those would.

    Columns are those of ``simulacra.metrics.embedding`` (numbers as ranks, categories one-hot with
    rare ones together, nulls flagged), each brought to variance 1; the regression has an L2
    penalty (scikit-learn's, ``C=1``). It learns from 70 % of at most 20,000 rows a side and is
    judged on the rest. ``details["given_away_by"]`` lists the five columns whose part of the sum
    varies most, with their share of that, and how, as in ``detection``.

    Options, groups and floor: as ``detection``.
    """

    name: ClassVar[str] = "linear_detection"
    scope: ClassVar[str] = "table"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "linear_detection",
            "Linear detection (C2ST AUC)",
            Group.FIDELITY,
            higher_is_better=False,
            ideal=0.5,
        ),
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
        """Return one score for the table."""
        most = min(ROWS, most_points(real.num_columns), int(options.get("rows", ROWS)))
        fewer = {**options, "rows": most}
        sides = Sides.of(real, synthetic, holdout, fewer, rng)
        found = leaves(table, real)
        rows = min(side.num_rows for side in sides.tables)
        details: dict[str, Any] = {"rows": rows}
        if why := impossible(rows, found):
            return [Score(self.name, None, details={"why": why, **details})]
        groups = options.get("groups")
        pairs = [(sides.reference, sides.synthetic), real_pair(sides, rng)]
        (value, interval, parts), (floor, _, _) = side_by_side(
            lambda pair: _auc(found, *pair, groups, rng), pairs, thread_budget(options)
        )
        details["floor"] = (Floor.HALVES if holdout is None else Floor.HOLDOUT).value
        details["given_away_by"] = given_away_by(
            found, *pairs[0], parts, by_chance=interval[0] <= CHANCE
        )
        return [Score(self.name, value, floor=floor, details=details, interval=interval)]


@dataclass(frozen=True, slots=True)
class _Sum:
    """A weighted sum of features.

    Attributes:
        middle: The mean of each feature, shape ``(features,)``.
        weights: The weight of each, likewise.
    """

    middle: Matrix
    weights: Matrix

    @classmethod
    def learned(cls, matrix: Matrix, target: Matrix) -> _Sum:
        from sklearn.linear_model import LogisticRegression

        middle, spread = matrix.mean(axis=0), matrix.std(axis=0)
        spread[spread == 0] = 1.0
        scaled = (matrix - middle) / spread
        model = LogisticRegression(max_iter=_ITERATIONS).fit(scaled, target)
        return cls(middle, model.coef_[0] / spread)

    def predict(self, matrix: Matrix) -> Matrix:
        found: Matrix = (matrix - self.middle) @ self.weights
        return found

    def parts(self, matrix: Matrix, columns: Sequence[str]) -> dict[str, float]:
        """Return the share that each column has in the variation of the sum, greatest first."""
        weighted = (matrix - self.middle) * self.weights
        names = np.asarray(columns)
        parts = {
            name: float(weighted[:, names == name].sum(axis=1).std())
            for name in dict.fromkeys(columns)
        }
        return shares(parts)


def _auc(
    found: Sequence[Leaf],
    reference: pa.Table,
    other: pa.Table,
    groups: str | None,
    rng: RngKey,
) -> tuple[float, Interval, dict[str, float]]:
    features = embed(found, [reference, other], settled_by=(0, 1))
    named = [groups_of(side, groups) for side in (reference, other)]
    value, interval, trained = judged_auc(features.tables, named, rng, _Sum.learned)
    return value, interval, trained.parts(np.concatenate(features.tables), features.columns)
