"""One target, learned from real and from synthetic rows, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from simulacra.core.random import RngKey
from simulacra.core.scores import Score
from simulacra.metrics.boosting import Matrices
from simulacra.metrics.columns import Leaf
from simulacra.metrics.importance import COLUMNS, FEWEST_COLUMNS, agreement, importances
from simulacra.metrics.importance import ROWS as ROWS_SHUFFLED
from simulacra.metrics.intervals import about
from simulacra.metrics.predicting import Effort, Floats, Part, Predictor, Target, standard_error
from simulacra.metrics.targets import without

UTILITY = "utility"
IMPORTANCE = "importance_agreement"
_ROWS = 20_000
"""The most rows that models learn from whose importances are compared."""
_TEST_SHARE = 0.3
_TEST = 2
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Samples:
    """The rows that models learn from and are judged by.

    Attributes:
        tables: Real rows to learn from, synthetic ones, and real ones to judge by, each in random
            order, so that any part of them is a sample.
        rows: How many rows the models of either side learn from.
        compared: How many those learn from whose importances are compared; the real table has
            twice as many.
        details: For ``Score.details``.
    """

    tables: list[pa.Table]
    rows: int
    compared: int
    details: dict[str, Any]

    @classmethod
    def draw(
        cls,
        real: pa.Table,
        synthetic: pa.Table,
        holdout: pa.Table | None,
        most: int,
        rng: RngKey,
    ) -> Samples:
        """Draw them; without a hold-out 30 % of the real rows are to judge by.

        Args:
            real: Real rows.
            synthetic: Synthetic rows.
            holdout: Real rows that were not learned from, or None.
            most: The most rows to learn from, and the most to judge by.
            rng: The key of the draws.
        """
        details = {}
        if holdout is None:
            mixed = _mixed(real, real.num_rows, rng.child("split"))
            held = round(_TEST_SHARE * real.num_rows)
            real, holdout = mixed.slice(held), mixed.slice(0, held)
            details["test_rows_from"] = "the real rows that the generator had learned from"
        rows = min(real.num_rows, synthetic.num_rows, most)
        compared = min(rows, real.num_rows // 2, _ROWS)
        tables = [
            # The same key: of real rows and their copies the same ones are drawn.
            _mixed(real, max(rows, 2 * compared), rng.child("learn")),
            _mixed(synthetic, rows, rng.child("learn")),
            _mixed(holdout, most, rng.child("test")),
        ]
        tests = tables[_TEST].num_rows
        return cls(tables, rows, compared, {"training_rows": rows, "test_rows": tests} | details)

    @property
    def tests(self) -> int:
        """Rows to judge by."""
        return int(self.tables[_TEST].num_rows)

    @property
    def sides(self) -> tuple[Part, Part]:
        """What the models learn from that are judged: real and synthetic rows."""
        return Part(0, 0, self.rows), Part(1, 0, self.rows)

    @property
    def comparisons(self) -> tuple[Part, Part, Part]:
        """What the models learn from whose importances are compared: real, synthetic, real."""
        count = self.compared
        return Part(0, 0, count), Part(1, 0, count), Part(0, count, 2 * count)

    @property
    def parts(self) -> list[Part]:
        """All that a model learns from, each once."""
        return list(dict.fromkeys([*self.sides, *self.comparisons]))


def _mixed(table: pa.Table, rows: int, rng: RngKey) -> pa.Table:
    """Return at most so many rows, in random order."""
    return table.take(pa.array(rng.generator().permutation(table.num_rows)[:rows]))


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One target, learned from several samples and judged."""

    leaf: Leaf
    target: Target
    features: Matrices
    samples: Samples
    effort: Effort
    rng: RngKey

    def learn(self, part: Part) -> Predictor | None:
        """Train on some rows."""
        seed = self.rng.child("train", self.leaf.name)
        return self.target.learn(without(self.features, self.leaf), part, self.effort, seed)

    def scores(self, learned: Mapping[Part, Predictor | None]) -> tuple[Score, Score]:
        """Return how good the models are, and how alike."""
        features = without(self.features, self.leaf)
        return self._utility(learned, features.tables[_TEST]), self._agreement(learned, features)

    @property
    def _details(self) -> dict[str, Any]:
        return {"target": self.leaf.name, **self.target.details} | {
            "what": f"{self.leaf.name} ({self.target.short})",
            "rounds": self.target.rounds(self.effort),
        }

    def _utility(self, learned: Mapping[Part, Predictor | None], matrix: Floats) -> Score:
        every = Part(_TEST, 0, len(matrix))
        floor, value = (
            None if model is None else self.target.judge(model.predict(matrix), every)
            for model in (learned[part] for part in self.samples.sides)
        )
        details, columns = self._details, (self.leaf.name,)
        if value is None or floor is None:
            known = None if floor is None else floor.value
            details = {"why": self.target.why, **details}
            return Score(UTILITY, None, columns, known, details)
        least = 0.0 if self.target.chance else -np.inf
        gap = value.value - floor.value
        error = standard_error(value.influence - floor.influence)
        details |= {
            "floor": "a model trained on as many real rows",
            "gap": gap,
            "gap_interval": list(about(gap, error, -np.inf, np.inf)),
        }
        interval = about(value.value, value.error, least)
        return Score(UTILITY, value.value, columns, floor.value, details, interval)

    def _agreement(self, learned: Mapping[Part, Predictor | None], features: Matrices) -> Score:
        columns, details = (self.leaf.name,), self._details
        details |= {"compared_rows": self.samples.compared}
        models = [learned[part] for part in self.samples.comparisons]
        present = [model for model in models if model is not None]
        if len(present) < len(models):
            details = {"why": self.target.why, **details}
            return Score(IMPORTANCE, None, columns, details=details)
        names = _most_used(present, features.columns)
        if len(names) < FEWEST_COLUMNS:
            details = {"why": f"there are fewer than {FEWEST_COLUMNS} other columns", **details}
            return Score(IMPORTANCE, None, columns, details=details)
        matrix = features.tables[_TEST][:ROWS_SHUFFLED]
        places = [[i for i, c in enumerate(features.columns) if c == name] for name in names]
        real, synthetic, other = (self._importances(m, matrix, places) for m in present)
        details |= {"columns_compared": len(names), "rows_shuffled": len(matrix)}
        resamples = self.rng.child("resample", self.leaf.name)
        found = agreement(real, synthetic, resamples)
        alike = agreement(real, other, resamples)
        if found is None or alike is None:
            details = {"why": "a model leans on all columns alike", **details}
            return Score(IMPORTANCE, None, columns, details=details)
        details |= {
            "floor": "models trained on different real rows",
            "most_important": {
                "real": _leading(names, real),
                "synthetic": _leading(names, synthetic),
            },
        }
        return Score(IMPORTANCE, found[0], columns, alike[0], details, found[1])

    def _importances(self, model: Predictor, matrix: Floats, columns: list[list[int]]) -> Floats:
        part = Part(_TEST, 0, len(matrix))
        return importances(
            lambda rows: self.target.losses(model.predict(rows), part),
            matrix,
            columns,
            self.rng.child("shuffle", self.leaf.name),
        )


def _most_used(models: list[Predictor], columns: list[str]) -> list[str]:
    """Return the columns that brought models the most gain, in the order of the table."""
    gains = dict.fromkeys(columns, 0.0)
    for model in models:
        for column, share in model.trained.gains(columns).items():
            gains[column] += share
    most = sorted(gains, key=lambda column: -gains[column])[:COLUMNS]
    return [column for column in gains if column in set(most)]


def _leading(names: list[str], found: Floats) -> list[str]:
    """Return the columns that matter most."""
    order = np.argsort(-found.mean(axis=1), kind="stable")[:_SHOWN]
    return [names[place] for place in order]
