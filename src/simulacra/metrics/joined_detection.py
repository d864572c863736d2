"""Joined detection: can a classifier tell synthetic rows by what they have of their parents?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from simulacra.core.protocols import Score
from simulacra.core.random import RngKey
from simulacra.core.references import DatasetView, JoinedRows, Reference, references_of
from simulacra.core.schema import DatasetSpec
from simulacra.metrics.boosting import side_by_side
from simulacra.metrics.detection import Detection
from simulacra.metrics.joined import Join, about, qualified, unjoined
from simulacra.metrics.sides import thread_budget


class JoinedDetection:
    """One score a foreign key: the AUC of telling synthetic rows joined with their parents.

    As ``detection``, on rows drawn uniformly and joined exactly with the row that the foreign key
    names (null without one): the row's columns and the parent's, keys left out. 0.5: they can't be
    told apart.

    Options and floor: as ``detection``.
    """

    name: ClassVar[str] = "joined_detection"
    scope: ClassVar[str] = "dataset"
    higher_is_better: ClassVar[bool] = False
    ideal: ClassVar[float] = 0.5

    def compute(
        self,
        real: DatasetView,
        synthetic: DatasetView,
        *,
        holdout: DatasetView | None,
        spec: DatasetSpec,
        options: Mapping[str, Any],
        rng: RngKey,
    ) -> list[Score]:
        """Return one score a foreign key."""
        views = [real, synthetic] if holdout is None else [real, synthetic, holdout]
        references = references_of(spec)
        for view in views:
            view.collect([(reference,) for reference in references])

        def joined(reference: Reference) -> tuple[Join, list[JoinedRows]]:
            join = Join.of_path(spec, (reference,))
            return join, [view.joined((reference,)) for view in views]

        return detect_each(self.name, references, joined, options, rng)


def detect_each(
    metric: str,
    references: Sequence[Reference],
    joined: Callable[[Reference], tuple[Join, list[JoinedRows]]],
    options: Mapping[str, Any],
    rng: RngKey,
) -> list[Score]:
    """Run the classifier two-sample test on joined rows, for several references side by side.

    Args:
        metric: The name of the scores.
        references: What the rows are joined by.
        joined: Returns the rows of each side (real, synthetic, and the hold-out if there is one),
            and how they become one table.
        options: As ``detection`` takes them.
        rng: The key of the metric.
    """
    alone = {**options, "threads": 1}

    def score(reference: Reference) -> Score:
        join, rows = joined(reference)
        if not join.table.columns:
            return unjoined(metric, [reference], "there is no column to compare")
        tables = [join.merged(side.rows, side.others, side.applies) for side in rows]
        (found,) = Detection().compute(
            tables[0],
            tables[1],
            holdout=tables[2] if len(tables) > 2 else None,
            table=join.table,
            options=alone,
            rng=rng.child(reference.label),
        )
        details = dict(found.details) | about(reference)
        return Score(metric, found.value, qualified([reference]), found.floor, details)

    if not references:
        return []
    return side_by_side(score, references, thread_budget(options))
