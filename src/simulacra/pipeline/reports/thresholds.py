"""How good a copy must at least be: thresholds for indices and measures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulacra.core import registry
from simulacra.core.errors import UsageError
from simulacra.core.registry import Kind
from simulacra.core.scores import Measure
from simulacra.pipeline.reports.grades import Index
from simulacra.pipeline.reports.scores import measures_of, number

if TYPE_CHECKING:
    from simulacra.pipeline.reports.report import Report


@dataclass(frozen=True, slots=True)
class Threshold:
    """The worst value that passes.

    Attributes:
        name: An index (``quality``, ``validity``, ``utility``, ``privacy``) or a measure.
        value: The least value, or the greatest of a measure where lower is better.
    """

    name: str
    value: float

    @classmethod
    def parse(cls, text: str) -> Threshold:
        """Read ``NAME=VALUE``.

        Raises:
            UsageError: It is not of that form, or there is neither an index nor a measure of that
                name.
        """
        name, equals, value = text.partition("=")
        try:
            read = float(value)
        except ValueError:
            read = math.nan
        if not (name.strip() and equals and math.isfinite(read)):
            raise UsageError(f"{text!r} is no threshold", mend="Write NAME=VALUE, as quality=0.9")
        known = [*map(str, Index), *_measures()]
        if name.strip() not in known:
            raise UsageError(
                f"there is nothing called {name.strip()!r} to hold against {value}",
                mend=f"Choose from {', '.join(known)}",
            )
        return cls(name.strip(), read)

    def failure(self, report: Report) -> str:
        """Return in words why a report doesn't pass; empty if it does.

        Raises:
            UsageError: The report has neither an index nor a measure of that name, or no value
                for it.
        """
        if self.name in list(Index):
            value, higher = report.grades[Index(self.name)].value, True
        else:
            value = report.score(self.name).value
            higher = report.measures[self.name].higher_is_better
        if value is None:
            raise UsageError(
                f"{self.name} has no value to hold against {self.value:g}",
                why="nothing that it stands for was measured",
                mend="Give held-out rows (--holdout), or leave the threshold out",
            )
        if value >= self.value if higher else value <= self.value:
            return ""
        return f"{self.name} is {number(value)}, {'under' if higher else 'over'} {self.value:g}"


def _measures() -> dict[str, Measure]:
    return measures_of(registry.load(Kind.METRIC, name) for name in registry.names(Kind.METRIC))


def failures(report: Report, thresholds: Iterable[Threshold]) -> list[str]:
    """Return in words which thresholds a report doesn't reach."""
    found = [threshold.failure(report) for threshold in thresholds]
    return [text for text in found if text]
