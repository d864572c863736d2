"""A report as text: tables for people."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simulacra.core.scores import Score
from simulacra.pipeline.reports.grades import Finding, Grade, Index, Level
from simulacra.pipeline.reports.relations import RelationsReport
from simulacra.pipeline.reports.scores import ideal, interval, number, remark

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from simulacra.pipeline.reports.report import Report, TableReport

MENDED = 5
"""How many things to mend are named at most."""

SIDES = {"real": "real", "synthetic": "synthetic", "holdout": "held-out"}
_OF_TABLES = {
    "column_shapes": "shapes",
    "pair_trends": "trends",
    "detection": "C2ST",
    "validity": "validity",
}
_OF_REFERENCES = {
    "cardinality": "children\nKS",
    "key_validity": "valid\nshare",
    "hop_trends_1": "trends\n1 hop",
    "hop_trends_2": "trends\n2 hops",
    "hop_trends_3": "trends\n3 hops",
    "joined_detection": "C2ST\njoined",
    "aggregate_detection": "C2ST\ntotals",
}


def summary_text(report: Report, *, details: bool, width: int, color: bool) -> str:
    """Return a report as tables of text: its grades, what to mend first, then the scores.

    Args:
        report: What was measured.
        details: Whether to show each table by itself where there are several.
        width: Columns of characters.
        color: Whether to colour it, for terminals.
    """
    from rich.console import Console

    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=color, highlight=False)
    relations = report.relations
    if relations is not None:
        _print(console, _tables_overview(report.tables))
        if relations.references:
            _print(console, _references_overview(relations))
        _print(console, _scores_table("All tables together", relations))
        _notes(console, relations.notes)
    if details or relations is None:
        for table in report.tables.values():
            rows = ", ".join(f"{count:,} {SIDES[side]}" for side, count in table.rows.items())
            _print(console, _scores_table(f"{table.table}: {rows} rows", table))
            _notes(console, table.notes)
    _print(console, _grades_table(report.grades))
    for finding in to_mend(report):
        console.print(f"- {finding.text}", markup=False)
    return text.getvalue()


def to_mend(report: Report, most: int = MENDED) -> list[Finding]:
    """Return what falls short of a second real sample, the worst first."""
    return [f for f in report.findings if f.level in (Level.POOR, Level.FAIR)][:most]


def _grades_table(grades: Mapping[Index, Grade]) -> Table:
    from rich.table import Table

    table = Table(title="In short", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("score", "95 %", "floor"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for index, grade in grades.items():
        if grade.level is not Level.UNKNOWN:
            figures = number(grade.value), interval(grade.interval), number(grade.floor)
            table.add_row(index, *figures, grade.verdict)
    return table


def _print(console: Console, table: Table) -> None:
    console.print(table, markup=False)


def _notes(console: Console, notes: Sequence[str]) -> None:
    for note in notes:
        console.print(note, markup=False)


def _scores_table(title: str, report: TableReport | RelationsReport) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("measure", no_wrap=True)
    for heading in ("score", "floor", "ideal"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("what stands out", overflow="fold")
    for name, score in report.overall.items():
        measure = report.measures[name]
        figures = number(score.value), number(score.floor), ideal(measure)
        table.add_row(measure.title, *figures, remark(score))
    return table


def _tables_overview(tables: Mapping[str, TableReport]) -> Table:
    measured = {m for report in tables.values() for m in report.overall}
    sides = list(dict.fromkeys(side for report in tables.values() for side in report.rows))

    def cells(name: str) -> list[str]:
        rows = tables[name].rows
        return [f"{rows[side]:,}" if side in rows else "-" for side in sides]

    return _overview(
        "table",
        list(tables),
        [SIDES[side] for side in sides],
        cells,
        {metric: title for metric, title in _OF_TABLES.items() if metric in measured},
        lambda name, metric: tables[name].overall.get(metric),
    )


def _references_overview(relations: RelationsReport) -> Table:
    by_label = {reference.label: reference for reference in relations.references}
    return _overview(
        "foreign key",
        list(by_label),
        [],
        lambda _: [],
        {metric: title for metric, title in _OF_REFERENCES.items() if metric in relations.overall},
        lambda label, metric: relations.of_reference(metric, by_label[label]),
    )


def _overview(
    what: str,
    names: Sequence[str],
    counts: Sequence[str],
    cells: Callable[[str], list[str]],
    metrics: Mapping[str, str],
    score: Callable[[str, str], Score | None],
) -> Table:
    """Return a table with a line a name: each score, its floor below it if there is one."""
    from rich.table import Table

    found = {name: [score(name, metric) for metric in metrics] for name in names}
    floors = any(s is not None and s.floor is not None for row in found.values() for s in row)
    table = Table(caption="below each score: its floor" if floors else None, caption_justify="left")
    table.add_column(what, overflow="fold")
    for heading in (*counts, *metrics.values()):
        table.add_column(heading, justify="right")
    for name, row in found.items():
        table.add_row(_text(name), *cells(name), *(_cell(each) for each in row))
    return table


def _cell(score: Score | None) -> str:
    if score is None:
        return ""
    floor = "" if score.floor is None else f"\n{number(score.floor)}"
    return f"{number(score.value)}{floor}"


def _text(text: str) -> Any:
    from rich.text import Text

    return Text(text)
