"""What was measured of one column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulacra.core.scores import Score
from simulacra.pipeline.reports.scores import number


@dataclass(frozen=True, repr=False, slots=True)
class ColumnReport:
    """What was measured of one column alone.

    Attributes:
        name: Its name.
        scores: Its scores.
        picture: What its chart shows, JSON-able; see
            :func:`~simulacra.pipeline.pictures.columns.overlay`.
    """

    name: str
    scores: tuple[Score, ...]
    picture: Mapping[str, Any]

    def plot(self) -> Any:
        """Return how the column is distributed on each side, as an Altair chart.

        Its ``save("age.svg")`` (or ``.png``, ``.html``, ``.json``) writes a file.

        Raises:
            UsageError: Nothing may be shown of the column, or Altair isn't installed
                (``simulacra[charts]``).
        """
        from simulacra.pipeline.reports.charts import column_chart

        return column_chart(self.picture)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        """Return the chart for notebooks, or nothing where nothing may be shown."""
        del include, exclude
        return self.plot()._repr_mimebundle_() if "shares" in self.picture else {}

    def __repr__(self) -> str:
        scores = [f"{score.metric} {number(score.value)}" for score in self.scores]
        return f"ColumnReport({self.name}: {', '.join(scores)})"
