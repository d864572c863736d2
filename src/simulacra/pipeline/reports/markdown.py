"""A report as Markdown, for pull requests and wikis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from simulacra.pipeline.diagram import mermaid
from simulacra.pipeline.reports.grades import Level
from simulacra.pipeline.reports.scores import ideal, interval, number, remark
from simulacra.pipeline.reports.text import SIDES, to_mend

if TYPE_CHECKING:
    from simulacra.pipeline.reports.relations import RelationsReport
    from simulacra.pipeline.reports.report import Report, TableReport

_NUMBERS = "---:"


def markdown(report: Report) -> str:
    """Return a report's grades, what to mend, and all overall scores."""
    parts = ["# Synthetic data report", _grades(report)]
    if wrong := to_mend(report):
        parts.append("## What to mend first")
        parts.append("\n".join(f"- {_escaped(finding.text)}" for finding in wrong))
    if report.relations is not None:
        parts += ["## All tables together", _scores(report.relations)]
        if report.spec is not None:
            parts.append(f"```mermaid\n{mermaid(report.spec).rstrip()}\n```")
        parts += _notes(report.relations.notes)
    for name, table in report.tables.items():
        parts.append(f"## {_escaped(name)}")
        parts.append(", ".join(f"{rows:,} {SIDES[side]}" for side, rows in table.rows.items()))
        parts += [_scores(table)] if table.overall else []
        parts += _notes(table.notes)
    parts.append("## How this was made")
    parts.append("\n".join(f"- {key}: {_escaped(str(v))}" for key, v in report.about.items()))
    return "\n\n".join(parts) + "\n"


def _grades(report: Report) -> str:
    rows = [
        [
            grade.index,
            number(grade.value),
            interval(grade.interval),
            number(grade.floor),
            grade.level,
            grade.verdict,
        ]
        for grade in report.grades.values()
        if grade.level is not Level.UNKNOWN
    ]
    return table(
        ["", "score", "95 %", "floor", "level", ""],
        ["---", _NUMBERS, _NUMBERS, _NUMBERS, "---", "---"],
        rows,
    )


def _scores(part: TableReport | RelationsReport) -> str:
    rows = []
    for name, score in part.overall.items():
        measure = part.measures[name]
        value, floor = number(score.value), number(score.floor)
        figures = [value, interval(score.interval), floor, ideal(measure)]
        rows.append([measure.title, measure.group, *figures, remark(score)])
    headings = ["measure", "of", "score", "95 %", "floor", "ideal", "what stands out"]
    return table(headings, ["---", "---", *[_NUMBERS] * 4, "---"], rows)


def table(headings: Sequence[str], alignments: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [headings, alignments, *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _notes(notes: Sequence[str]) -> list[str]:
    return ["\n".join(f"> {_escaped(note)}" for note in notes)] if notes else []


def _escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, in one line."""
    flat = " ".join(text.split())
    for mark in ("\\", "|", "`", "*", "_", "<", "[", "#"):
        flat = flat.replace(mark, f"\\{mark}")
    return flat
