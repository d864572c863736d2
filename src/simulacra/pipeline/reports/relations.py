"""What was measured of a dataset beyond its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simulacra.core.errors import UsageError
from simulacra.core.references import Reference
from simulacra.core.scores import Measure, Score
from simulacra.pipeline.reports.schema import RelationsDict
from simulacra.pipeline.reports.scores import by_metric, overall, score_dict


@dataclass(frozen=True, repr=False)
class RelationsReport:
    """What was measured of a dataset's keys, and of tables joined by them.

    Attributes:
        references: The foreign keys.
        rows: For each table its rows on each side: ``real``, ``synthetic``, and ``holdout`` if
            there is one.
        scores: Every single score, in the order of the metrics.
        measures: What the scores are, by their names.
        notes: What the reader should know.
        pictures: What the chart of each foreign key shows, JSON-able; see
            :func:`~simulacra.pipeline.pictures.children.children_per_parent`.
    """

    references: tuple[Reference, ...]
    rows: Mapping[str, Mapping[str, int]]
    scores: tuple[Score, ...]
    measures: Mapping[str, Measure]
    notes: tuple[str, ...] = ()
    pictures: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def overall(self) -> dict[str, Score]:
        """One score a metric: its only one, or the mean of those that have a value."""
        return {
            name: overall(self.measures[name], group)
            for name, group in by_metric(self.scores).items()
        }

    def score(self, metric: str, table: str | None = None) -> Score:
        """Return the overall score of a metric, of all tables or of the keys of one.

        Raises:
            UsageError: The metric was not measured.
        """
        found = [
            score
            for score in self.scores
            if score.metric == metric and table in (None, score.details.get("table"))
        ]
        if not found:
            on = "" if table is None else f" on {table}"
            raise UsageError(
                f"{metric!r} was not measured{on}", mend=f"Choose from {', '.join(self.overall)}"
            )
        return overall(self.measures[metric], found)

    def of_reference(self, metric: str, reference: Reference) -> Score | None:
        """Return the overall score of a metric of all that begins with a foreign key."""
        found = [
            score
            for score in self.scores
            if score.metric == metric
            and score.details.get("references", [None])[0] == reference.label
        ]
        if not found:
            return None
        return overall(self.measures[metric], found)

    def plot(self, reference: str) -> Any:
        """Return how many children parents have by a foreign key, as an Altair chart.

        Args:
            reference: The key's label, as ``orders(customer_id) → customers``, or the table that
                has it where that has no other.

        Raises:
            UsageError: There is no such key, nothing may be shown of it, or Altair isn't there.
        """
        from simulacra.pipeline.reports.charts import children_chart

        found = [p for p in self.pictures if reference in (p["reference"], p["table"])]
        if len(found) != 1:
            raise UsageError(
                f"{'no' if not found else 'more than one'} foreign key is meant by {reference!r}",
                mend=f"Choose from {'; '.join(p['reference'] for p in self.pictures) or 'none'}",
            )
        return children_chart(found[0])

    def to_dict(self) -> RelationsDict:
        """Return everything as JSON-able values; see :meth:`Report.to_dict`."""
        return RelationsDict(
            foreign_keys=[reference.label for reference in self.references],
            rows={name: dict(rows) for name, rows in self.rows.items()},
            notes=list(self.notes),
            overall={name: score_dict(score) for name, score in self.overall.items()},
            scores=[score_dict(score) for score in self.scores],
            pictures=[dict(picture) for picture in self.pictures],
        )

    def __repr__(self) -> str:
        return f"RelationsReport({len(self.references)} foreign keys: {', '.join(self.overall)})"
