"""A report as one HTML page: no network, no script needed, light and dark, to be printed."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from simulacra.core.errors import UsageError
from simulacra.core.scores import Group
from simulacra.pipeline.reports import html_view as view
from simulacra.pipeline.reports.chart_maps import pairs_chart, projection_chart
from simulacra.pipeline.reports.chart_style import SIDES, altair
from simulacra.pipeline.reports.charts import children_chart, column_chart
from simulacra.pipeline.reports.grades import Level
from simulacra.pipeline.reports.page_style import VARIABLES, style
from simulacra.pipeline.reports.schema_picture import schema_svg
from simulacra.pipeline.reports.text import to_mend

if TYPE_CHECKING:
    from simulacra.pipeline.reports.relations import RelationsReport
    from simulacra.pipeline.reports.report import Report, TableReport

DRAWN = 60
"""The most columns of a table that get a chart: those that differ most."""

_MENDED = 8
_FIDELITY = (Group.FIDELITY, Group.VALIDITY)
_FRAME_HEIGHT = 720
_COLOUR = re.compile("|".join(VARIABLES))
_SIZE = re.compile(r'^<svg([^>]*?) width="([\d.]+)" height="([\d.]+)"')
_FONT = re.compile(r' font-family="[^"]*"')


def page(report: Report) -> str:
    """Return the report as an HTML page.

    Raises:
        UsageError: Altair, vl-convert or Jinja2 isn't installed.
    """
    altair()
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["without"] = str.removeprefix
    tables = [_table(report, table) for table in report.tables.values()]
    relations = _relations(report, report.relations) if report.relations else None
    template = environment.get_template("report.html")
    return template.render(
        report=report,
        css=style(),
        script=(files(__package__) / "templates" / "report.js").read_text("utf-8"),
        title=view.title(report),
        counted=view.counted(report),
        heading="h3" if len(tables) > 1 else "h2",
        prefix=f"{tables[0]['name']}: " if len(tables) == 1 else "",
        grades=[grade for grade in report.grades.values() if grade.level is not Level.UNKNOWN],
        unmeasured=[grade for grade in report.grades.values() if grade.level is Level.UNKNOWN],
        mend=to_mend(report, _MENDED),
        tables=tables,
        relations=relations,
        sides=SIDES,
        has_holdout=any("holdout" in table.rows for table in report.tables.values()),
        sheet=view.sheet(report),
    )


def framed(report: Report) -> str:
    """Return the page in a frame of its own, for notebooks; text where charts can't be drawn."""
    try:
        text = page(report)
    except UsageError:
        return f"<pre>{escape(report.summary())}</pre>"
    return (
        f'<iframe srcdoc="{escape(text)}" title="Report" '
        f'style="width:100%;height:{_FRAME_HEIGHT}px;border:0"></iframe>'
    )


def _table(report: Report, table: TableReport) -> dict[str, Any]:
    pictures = table.pictures
    found = report.findings
    pairs, projection = pictures.get("pairs"), pictures.get("projection")
    return {
        "name": table.table,
        "id": f"table-{list(report.tables).index(table.table)}",
        "rows": table.rows,
        "notes": table.notes,
        "fewest": pictures.get("fewest"),
        "columns": _columns(table),
        "pairs": pairs,
        "pairs_svg": None if pairs is None else svg(pairs_chart(pairs), "Heat maps of pairs"),
        "worst_pairs": view.worst_pairs(table),
        "projection": projection,
        "projection_svg": None
        if projection is None
        else svg(projection_chart(projection), "Densities of all columns at once"),
        "clues": view.clues(table),
        "fidelity": view.lines(found, table.table, _FIDELITY),
        "utility": view.lines(found, table.table, (Group.UTILITY,)),
        "privacy": view.lines(found, table.table, (Group.PRIVACY,)),
        "specification": view.specification(report.spec, table.table),
    }


def _columns(table: TableReport) -> list[dict[str, Any]]:
    scores, ranks = view.column_scores(table), view.column_rank(table)
    pictures = table.pictures.get("columns", ())
    by_rank = sorted(pictures, key=lambda p: -ranks.get(p["column"], -1.0))
    drawn = {p["column"] for p in [p for p in by_rank if "shares" in p][:DRAWN]}
    return [
        {
            "name": picture["column"],
            "facts": view.column_facts(picture["type"], picture["nulls"]),
            "why": picture.get("why", ""),
            "lines": scores.get(picture["column"], []),
            "rank": ranks.get(picture["column"], -1.0),
            "svg": svg(column_chart(picture), view.described(picture))
            if picture["column"] in drawn
            else None,
            "beside": view.table_beside(picture),
        }
        for picture in pictures
    ]


def _relations(report: Report, relations: RelationsReport) -> dict[str, Any]:
    edges = []
    for place, picture in enumerate(relations.pictures):
        shown = "shares" in picture
        edges.append(
            {
                "id": f"key-{place}",
                "label": picture["reference"],
                "svg": svg(children_chart(picture), f"Children per parent: {picture['reference']}")
                if shown
                else None,
                "why": picture.get("why", ""),
                "beside": view.table_beside(picture),
                "lines": _lines_of(relations, picture["reference"]),
            }
        )
    schema = None
    if report.spec is not None:
        schema = schema_svg(report.spec, relations.references, relations.rows)
    return {
        "schema": schema,
        "edges": edges,
        "lines": view.lines(report.findings, "", tuple(Group)),
        "notes": relations.notes,
    }


def _lines_of(relations: RelationsReport, label: str) -> list[view.Line]:
    return [
        view.Line.of(relations.measures[score.metric], score)
        for score in relations.scores
        if score.details.get("references") == [label] and score.value is not None
    ]


def svg(chart: Any, label: str) -> str:
    """Return a chart as SVG whose colours are the page's.

    Args:
        chart: An Altair chart.
        label: What it shows, for those who don't see it.
    """
    from vl_convert import vegalite_to_svg

    version = ".".join(altair().SCHEMA_VERSION.lstrip("v").split(".")[:2])
    drawn = vegalite_to_svg(chart.to_dict(validate=False), vl_version=version)
    drawn = _FONT.sub("", _COLOUR.sub(lambda found: VARIABLES[found[0]], drawn))
    return _SIZE.sub(
        lambda found: (
            f'<svg{found[1]} role="group" aria-label="{escape(label)}" '
            f'style="--own:{found[2]}px;width:100%;max-width:var(--own);height:auto"'
        ),
        drawn,
        count=1,
    )
