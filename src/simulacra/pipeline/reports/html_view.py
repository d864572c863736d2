"""What the HTML report says, put together for its template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulacra.core.schema import ColumnSpec, DatasetSpec
from simulacra.core.scores import Group, Measure, Score
from simulacra.pipeline.reports.axes import edge_labels
from simulacra.pipeline.reports.chart_style import SIDES
from simulacra.pipeline.reports.charts import bin_labels
from simulacra.pipeline.reports.grades import Finding
from simulacra.pipeline.reports.scores import ideal, interval, number, remark

if TYPE_CHECKING:
    from simulacra.pipeline.reports.report import Report, TableReport

PAIRS = 10
"""How many of the worst pairs are listed."""


@dataclass(frozen=True, slots=True)
class Line:
    """A score as a line of a table.

    Attributes:
        title: What was measured.
        value: Its value, for people.
        floor: The floor.
        ideal: What a perfect copy scores.
        interval: The 95 % confidence interval, for people; empty without one.
        remark: What stands out, or why there is no value.
        verdict: The metric's own verdict; empty without one.
        does_not_show: What the metric says it can't tell; empty if it says nothing.
        marks: Where value, floor and interval stand, in percent of the way from 0 to 1.
        level: How far it falls short, as :class:`~.grades.Level`; empty if that isn't judged.
    """

    title: str
    value: str
    floor: str
    ideal: str
    interval: str
    remark: str
    verdict: str
    does_not_show: str
    marks: Mapping[str, float]
    level: str

    @classmethod
    def of(cls, measure: Measure, score: Score, *, title: str = "", level: str = "") -> Line:
        """Return the line of a score."""
        return cls(
            title or measure.title,
            number(score.value),
            number(score.floor),
            ideal(measure),
            interval(score.interval),
            "" if "verdict" in score.details else remark(score),
            str(score.details.get("verdict", "")),
            str(score.details.get("does_not_show", "")),
            _marks(score),
            level,
        )


def _marks(score: Score) -> dict[str, float]:
    found: dict[str, float] = {}
    if score.value is not None:
        found["value"] = _percent(score.value)
    if score.floor is not None:
        found["floor"] = _percent(score.floor)
    if score.interval is not None and score.value is not None:
        low, high = (_percent(bound) for bound in score.interval)
        found |= {"low": low, "width": round(high - low, 2)}
    return found


def _percent(value: float) -> float:
    return round(100 * min(max(value, 0.0), 1.0), 2)


def lines(findings: Iterable[Finding], table: str, groups: Sequence[Group]) -> list[Line]:
    """Return the overall scores of a table (empty for all together) of some groups."""
    order = {group: place for place, group in enumerate(groups)}
    found = [f for f in findings if f.table == table and f.measure.group in order]
    found.sort(key=lambda finding: order[finding.measure.group])
    return [Line.of(f.measure, f.score, level=f.level.value) for f in found]


def column_scores(report: TableReport) -> dict[str, list[Line]]:
    """Return by column every score that is about it alone and has a value."""
    found: dict[str, list[Line]] = {}
    for score in report.scores:
        if len(score.columns) == 1 and score.value is not None:
            line = Line.of(report.measures[score.metric], score)
            found.setdefault(score.columns[0], []).append(line)
    return found


def column_rank(report: TableReport) -> dict[str, float]:
    """Return by column by how much its shape falls short of the floor, or of 1 without one."""
    return {
        score.columns[0]: (1.0 if score.floor is None else score.floor) - score.value
        for score in report.scores
        if score.metric == "column_shapes" and score.value is not None
    }


def worst_pairs(report: TableReport) -> list[Line]:
    """Return the pairs of columns whose scores fall shortest."""
    found = [
        score
        for score in report.scores
        if score.metric == "pair_trends" and score.value is not None and len(score.columns) == 2
    ]
    found.sort(key=_above_floor)
    return [
        Line.of(report.measures[score.metric], score, title=" × ".join(score.columns))
        for score in found[:PAIRS]
    ]


def _above_floor(score: Score) -> float:
    return (score.value or 0.0) - (1.0 if score.floor is None else score.floor)


def clues(report: TableReport) -> list[dict[str, Any]]:
    """Return what gave synthetic rows away to each classifier, the most telling first."""
    found = []
    for score in report.scores:
        told = score.details.get("given_away_by")
        if told:
            line = Line.of(report.measures[score.metric], score)
            found.append({"line": line, "told": list(told)})
    return found


def table_beside(picture: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the figures behind a column's or key's chart, for a table; None if there is none."""
    if "shares" not in picture:
        return None
    sides = [side for side in SIDES if side in picture["shares"]]
    columns = [list(picture["shares"][side]) for side in sides]
    if "names" in picture:
        labels = [*picture["names"], "(rarer values)"]
        columns = [
            [*column, picture["rarer"][side]] for side, column in zip(sides, columns, strict=True)
        ]
    elif "bins" in picture:
        labels = bin_labels(picture["bins"])
    else:
        labels = edge_labels(picture)
    rows = [[label, *(f"{column[i]:.2%}" for column in columns)] for i, label in enumerate(labels)]
    if any(picture.get("nulls", {}).values()):
        rows.append(["(null)", *(f"{picture['nulls'][side]:.2%}" for side in sides)])
    return {"headings": [SIDES[side] for side in sides], "rows": rows}


def described(picture: Mapping[str, Any]) -> str:
    """Return in one sentence what a column's chart shows, for those who don't see it."""
    name = picture["column"]
    if "names" in picture:
        first = picture["names"][0]
        shares = _shares({side: each[0] for side, each in picture["shares"].items()})
        return f"Bars: how often each value of {name} occurs. The most frequent, {first}: {shares}."
    fullest = max(range(len(picture["shares"]["real"])), key=picture["shares"]["real"].__getitem__)
    shares = _shares({side: each[fullest] for side, each in picture["shares"].items()})
    label = edge_labels(picture)[fullest]
    return f"Histogram of {name}. The fullest bin of real rows, {label}: {shares}."


def _shares(found: Mapping[str, float]) -> str:
    return ", ".join(f"{SIDES[side]} {found[side]:.1%}" for side in SIDES if side in found)


def column_facts(spec_type: str, nulls: Mapping[str, float]) -> str:
    """Return a column's type, and its nulls if there are any, in words."""
    if not any(nulls.values()):
        return spec_type
    told = ", ".join(f"{SIDES[side]} {nulls[side]:.2%}" for side in SIDES if side in nulls)
    return f"{spec_type}; null: {told}"


def sheet(report: Report) -> list[tuple[str, str]]:
    """Return what the data sheet says, name by name."""
    found = {"seed": report.seed, **report.about}
    if report.spec is not None:
        tables = report.spec.tables.values()
        found["specification"] = ", ".join(
            f"{count:,} {what}{'' if count == 1 else 's'}"
            for what, count in (
                ("table", len(report.spec.tables)),
                ("column", sum(len(table.columns) for table in tables)),
                ("foreign key", sum(len(table.foreign_keys) for table in tables)),
                ("rule", sum(len(table.rules) for table in tables)),
            )
        )
    return [(name, _said(value)) for name, value in found.items()]


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_said(each) for each in value)
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def specification(spec: DatasetSpec | None, table: str) -> list[tuple[str, str, str, str]]:
    """Return for each column of a table its name, datatype, Arrow type and properties.

    Options of datatypes are left out: they may hold values.
    """
    if spec is None or table not in spec.tables:
        return []
    found = spec.tables[table]
    referring = {column for key in found.foreign_keys for column in key.columns}
    rows = []
    for name, column in found.columns.items():
        properties = [
            *(["primary key"] if name in found.primary_key else []),
            *(["foreign key"] if name in referring else []),
            *(["unique"] if column.unique else []),
            *(["nulls"] if column.nullable else []),
        ]
        rows.append((name, column.type, _arrow(column), ", ".join(properties)))
    return rows


def _arrow(column: ColumnSpec) -> str:
    return str(column.arrow_type()) if column.fields is None else f"{len(column.fields)} fields"


def title(report: Report) -> str:
    """Return the page's title."""
    if len(report.tables) > 1:
        return f"Synthetic data report: {len(report.tables)} tables"
    return "Synthetic data report"


def counted(report: Report) -> str:
    """Return how many rows each side has in all, in a sentence."""
    rows = {
        side: sum(table.rows.get(side, 0) for table in report.tables.values())
        for side in SIDES
        if any(side in table.rows for table in report.tables.values())
    }
    return f"{', '.join(f'{count:,} {SIDES[side]}' for side, count in rows.items())} rows."
