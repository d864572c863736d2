"""Aggregate detection: can a classifier tell synthetic parents by their children?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from simulacra.core.random import RngKey
from simulacra.core.references import DatasetView, Reference, references_of
from simulacra.core.schema import DatasetSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.metrics.joined import Join
from simulacra.metrics.joined_detection import Parents, Rows, detect_each


class AggregateDetection:
    """One score a foreign key: the AUC of telling synthetic parents with their children's totals.

    As ``detection``, on parents drawn uniformly: their own columns, how many children they have,
    and of the children's columns the mean (numbers, lengths of text), the least and the greatest
    (dates and times), how many different values (categories), and the share of nulls. Every child
    of those parents counts. 0.5: they can't be told apart.

    Options and floor: as ``detection``.
    """

    name: ClassVar[str] = "aggregate_detection"
    scope: ClassVar[str] = "dataset"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "aggregate_detection",
            "C2ST with children",
            Group.RELATIONS,
            higher_is_better=False,
            ideal=0.5,
        ),
    )
    optional: ClassVar[bool] = False

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
        found = {ref: [view.aggregated(ref) for view in views] for ref in references}

        def joined(reference: Reference) -> Rows:
            rows = found[reference]
            join = Join.of_children(spec, reference, rows[0].others.schema)
            return Rows(join, rows, [Parents(side.rows, None) for side in rows])

        return detect_each(self.name, references, joined, options, rng)
