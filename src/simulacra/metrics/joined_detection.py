"""Joined detection: can a classifier tell synthetic rows by what they have of their parents?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.protocols import Score
from simulacra.core.random import RngKey
from simulacra.core.references import DatasetView, JoinedRows, Reference, references_of
from simulacra.core.schema import DatasetSpec
from simulacra.metrics.boosting import side_by_side
from simulacra.metrics.detection import Detection
from simulacra.metrics.encode import as_labels
from simulacra.metrics.joined import Join, about, qualified, unjoined
from simulacra.metrics.sides import thread_budget

_GROUPS = "parent"


class JoinedDetection:
    """One score a foreign key: the AUC of telling synthetic rows joined with their parents.

    As ``detection``, on rows drawn uniformly and joined exactly with the row that the foreign key
    names (null without one): the row's columns and the parent's, keys left out. 0.5: they can't be
    told apart. Rows of one parent are never both learned from and judged, lest the classifier know
    parents by heart; those of kept tables, which are the same on both sides, may be.

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
            rows = [view.joined((reference,)) for view in views]
            if spec.tables[reference.parent].keep:
                rows = [replace(side, places=None) for side in rows]
            return join, rows

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
        tables, grouped = _grouped(join, rows)
        (found,) = Detection().compute(
            tables[0],
            tables[1],
            holdout=tables[2] if len(tables) > 2 else None,
            table=join.table,
            options=alone | grouped,
            rng=rng.child(reference.label),
        )
        details = dict(found.details) | about(reference)
        return Score(metric, found.value, qualified([reference]), found.floor, details)

    if not references:
        return []
    return side_by_side(score, references, thread_budget(options))


def _grouped(join: Join, rows: Sequence[JoinedRows]) -> tuple[list[pa.Table], dict[str, Any]]:
    """Return the joined tables, and the option that names the column of groups if they have one."""
    tables = [join.merged(side.rows, side.others, side.applies) for side in rows]
    if any(side.places is None for side in rows) or not join.names[1]:
        return tables, {}
    name = _GROUPS
    while name in join.table.columns:
        name += "'"
    groups = _parents(rows, list(join.names[1]))
    for i, side in enumerate(rows):
        applying = groups[i] if side.applies is None else groups[i][side.applies]
        tables[i] = tables[i].append_column(name, pa.array(applying))
    return tables, {"groups": name}


def _parents(rows: Sequence[JoinedRows], columns: Sequence[str]) -> list[NDArray[np.int64]]:
    """Number parents by their values, over all sides: equal ones are one wherever they stand."""
    ends = np.cumsum([side.others.num_rows for side in rows])
    labels = np.zeros(int(ends[-1]), np.int64)
    for column in columns:
        found = np.concatenate(as_labels([side.others.column(column) for side in rows]))
        labels = np.unique(labels * (len(labels) + 1) + found, return_inverse=True)[1]
    # Each row without a parent is a group of its own.
    alone = np.concatenate([np.asarray(side.places) < 0 for side in rows])
    labels[alone] = len(labels) + np.flatnonzero(alone)
    return np.split(labels, ends[:-1])
