"""Joined detection: can a classifier tell synthetic rows by what they have of their parents?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simulacra.core.random import RngKey
from simulacra.core.references import DatasetView, JoinedRows, Reference, references_of
from simulacra.core.schema import DatasetSpec
from simulacra.core.scores import Group, Measure, Score
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
    parents by heart; those of kept tables, which are the same on both sides, may be, and so may
    those of a few parents, which can't judge alone.

    Options and floor: as ``detection``.
    """

    name: ClassVar[str] = "joined_detection"
    scope: ClassVar[str] = "dataset"
    measures: ClassVar[tuple[Measure, ...]] = (
        Measure(
            "joined_detection",
            "C2ST with parent",
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
        for view in views:
            view.collect([(reference,) for reference in references])

        def joined(reference: Reference) -> Rows:
            join = Join.of_path(spec, (reference,))
            rows = [view.joined((reference,)) for view in views]
            if spec.tables[reference.parent].keep:
                return Rows(join, rows)
            return Rows(join, rows, [Parents(side.others, side.places) for side in rows])

        return detect_each(self.name, references, joined, options, rng)


def detect_each(
    metric: str,
    references: Sequence[Reference],
    joined: Callable[[Reference], Rows],
    options: Mapping[str, Any],
    rng: RngKey,
) -> list[Score]:
    """Run the classifier two-sample test on joined rows, for several references side by side.

    Args:
        metric: The name of the scores.
        references: What the rows are joined by.
        joined: Returns the rows to tell apart.
        options: As ``detection`` takes them.
        rng: The key of the metric.
    """
    alone = {**options, "threads": 1}

    def score(reference: Reference) -> Score:
        rows = joined(reference)
        if not rows.join.table.columns:
            return unjoined(metric, [reference], "there is no column to compare")
        tables, grouped = rows.tables()
        (found,) = Detection().compute(
            tables[0],
            tables[1],
            holdout=tables[2] if len(tables) > 2 else None,
            table=rows.join.table,
            options=alone | grouped,
            rng=rng.child(reference.label),
        )
        details = dict(found.details) | about(reference)
        columns = qualified([reference])
        return Score(metric, found.value, columns, found.floor, details, found.interval)

    if not references:
        return []
    return side_by_side(score, references, thread_budget(options))


@dataclass(frozen=True, slots=True)
class Parents:
    """The parent of each row.

    Attributes:
        values: Its values, a row for each row.
        places: Which it is, as ``JoinedRows.places``; None where each row has its own.
    """

    values: pa.Table
    places: NDArray[np.int64] | None

    @property
    def rows(self) -> int:
        """How many rows there are; a table without columns doesn't tell."""
        return self.values.num_rows if self.places is None else len(self.places)


@dataclass(frozen=True, slots=True)
class Rows:
    """The joined rows of each side: real, synthetic, and the hold-out if there is one.

    Attributes:
        join: How they become one table.
        sides: The rows.
        parents: By side, whose rows are never both learned from and judged; None if any may be.
    """

    join: Join
    sides: Sequence[JoinedRows]
    parents: Sequence[Parents] | None = None

    def tables(self) -> tuple[list[pa.Table], dict[str, Any]]:
        """Return the joined tables, and the option of ``detection`` that names their groups."""
        tables = [self.join.merged(side.rows, side.others, side.applies) for side in self.sides]
        if self.parents is None:
            return tables, {}
        name = _GROUPS
        while name in self.join.table.columns:
            name += "'"
        groups = _numbered(self.parents)
        for i, side in enumerate(self.sides):
            applying = groups[i] if side.applies is None else groups[i][side.applies]
            tables[i] = tables[i].append_column(name, pa.array(applying))
        return tables, {"groups": name}


def _numbered(sides: Sequence[Parents]) -> list[NDArray[np.int64]]:
    """Number parents over all sides, for each row.

    The k-th parent of some values has the same number on every side: where both sides have the same
    parents, as tables shared with a hold-out, one must not be learned from by its twin.
    """
    ends = np.cumsum([side.rows for side in sides])
    values = np.zeros(int(ends[-1]), np.int64)
    for column in sides[0].values.column_names:
        found = np.concatenate(as_labels([side.values.column(column) for side in sides]))
        values = np.unique(values * (len(values) + 1) + found, return_inverse=True)[1]
    numbers = []
    for side, own in zip(sides, np.split(values, ends[:-1]), strict=True):
        places = np.arange(len(own)) if side.places is None else side.places.copy()
        # Each row without a parent is a group of its own.
        alone = places < 0
        places[alone] = places.max(initial=0) + 1 + np.arange(np.count_nonzero(alone))
        _, first, inverse = np.unique(places, return_index=True, return_inverse=True)
        numbers.append((own[first] * (int(ends[-1]) + 1) + _rank(own[first]))[inverse])
    return numbers


def _rank(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many earlier ones have the same label."""
    order = np.argsort(labels, kind="stable")
    _, first, inverse = np.unique(labels[order], return_index=True, return_inverse=True)
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - first[inverse]
    return rank
