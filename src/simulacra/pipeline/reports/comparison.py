"""Several synthetic copies of the same data, side by side."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulacra.core.errors import UsageError
from simulacra.core.scores import Measure, Score
from simulacra.core.storage import atomic_file
from simulacra.pipeline.reports.grades import Level, goodness
from simulacra.pipeline.reports.markdown import table as markdown_table
from simulacra.pipeline.reports.report import Report
from simulacra.pipeline.reports.scores import ideal, number

_BEST = "*"
_BEST_IN_MARKDOWN = "★"  # an asterisk would be an escape there
_EVERYWHERE = "all tables"


@dataclass(frozen=True, slots=True)
class _Line:
    """One figure of every copy.

    Attributes:
        table: The table; empty for grades and for what is about all tables.
        title: What was measured.
        values: By copy.
        floor: What a second real sample gets.
        ideal: What a perfect copy gets.
        best: The copies that are best.
    """

    table: str
    title: str
    values: Mapping[str, float | None]
    floor: float | None
    ideal: str
    best: frozenset[str]


@dataclass(frozen=True, repr=False)
class Comparison:
    """Reports of several copies of the same data, measured alike.

    Attributes:
        reports: The report of each copy, by its name.
    """

    reports: Mapping[str, Report]

    def __post_init__(self) -> None:
        """Refuse to compare nothing.

        Raises:
            UsageError: There is no report.
        """
        if not self.reports:
            raise UsageError("nothing to compare", mend="Name one synthetic copy or more")

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"format": 1, "copies": {name: report}}``; see :meth:`Report.to_dict`."""
        copies = {name: report.to_dict() for name, report in self.reports.items()}
        return {"format": 1, "copies": copies}

    def to_json(self, path: str | Path | None = None) -> str:
        """Return :meth:`to_dict` as JSON text, and write it to ``path`` if one is given.

        Raises:
            OutputError: The file can't be written.
        """
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        _write(path, text + "\n")
        return text

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Return the figures as a Markdown table, and write it to ``path`` if one is given.

        Raises:
            OutputError: The file can't be written.
        """
        headings = ["table", "measure", *self.reports, "floor", "ideal"]
        alignments = ["---", "---", *["---:"] * (len(self.reports) + 2)]
        rows = [_cells(line, _BEST_IN_MARKDOWN) for line in self._lines()]
        text = markdown_table(headings, alignments, rows) + "\n"
        _write(path, text)
        return text

    def summary(self, *, width: int = 100, color: bool = False) -> str:
        """Return the figures as a table of text; the best of each line is marked.

        Args:
            width: Columns of characters.
            color: Whether to colour it, for terminals.
        """
        from rich.console import Console
        from rich.table import Table

        table = Table(caption=f"{_BEST} best of the line", caption_justify="left")
        table.add_column("table", overflow="fold")
        table.add_column("measure", overflow="fold")
        for heading in (*self.reports, "floor", "ideal"):
            table.add_column(heading, justify="right", overflow="fold")
        for line in self._lines():
            table.add_row(*_cells(line, _BEST))
        text = io.StringIO()
        console = Console(file=text, width=width, force_terminal=color, highlight=False)
        console.print(table, markup=False)
        return text.getvalue()

    def _lines(self) -> Iterator[_Line]:
        first = next(iter(self.reports.values()))
        for index, grade in first.grades.items():
            if grade.level is not Level.UNKNOWN:
                graded = {name: report.grades[index] for name, report in self.reports.items()}
                values = {name: grade.value for name, grade in graded.items()}
                yield _Line("", index.value, values, grade.floor, "1", _best(values))
        for name, table in first.tables.items():
            for metric, measure in table.measures.items():
                if metric in table.overall:
                    scores = {
                        copy: report.tables[name].overall[metric]
                        for copy, report in self.reports.items()
                    }
                    yield _line(name, measure, scores)
        if first.relations is not None:
            for metric, measure in first.relations.measures.items():
                if metric in first.relations.overall:
                    scores = {copy: r.score(metric) for copy, r in self.reports.items()}
                    yield _line(_EVERYWHERE, measure, scores)

    def __repr__(self) -> str:
        return f"Comparison({', '.join(self.reports)}); its summary() is for people"


def _line(table: str, measure: Measure, scores: Mapping[str, Score]) -> _Line:
    found = {name: goodness(measure, s.value, s.floor) for name, s in scores.items()}
    values = {name: score.value for name, score in scores.items()}
    # Each copy has a floor of its own, where it has other numbers of rows.
    floors = [score.floor for score in scores.values()]
    return _Line(table, measure.title, values, floors[0], ideal(measure), _best(found))


def _best(found: Mapping[str, float | None]) -> frozenset[str]:
    known = {name: round(value, 4) for name, value in found.items() if value is not None}
    if len(set(known.values())) < 2:
        return frozenset()
    return frozenset(name for name, value in known.items() if value == max(known.values()))


def _cells(line: _Line, mark: str) -> list[str]:
    values = [
        f"{mark if name in line.best else ''}{number(value)}" for name, value in line.values.items()
    ]
    return [line.table, line.title, *values, number(line.floor), line.ideal]


def _write(path: str | Path | None, text: str) -> None:
    if path is not None:
        with atomic_file(Path(path)) as temporary:
            temporary.write_text(text, encoding="utf-8")
