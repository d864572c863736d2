"""What an evaluation found: for people, for programs, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from simulacra.core.errors import UsageError
from simulacra.core.schema import DatasetSpec
from simulacra.core.scores import Measure, Score
from simulacra.core.storage import atomic_file
from simulacra.pipeline.diagram import mermaid
from simulacra.pipeline.reports.column import ColumnReport
from simulacra.pipeline.reports.grades import Finding, Grade, Index, findings, grades
from simulacra.pipeline.reports.markdown import markdown
from simulacra.pipeline.reports.relations import RelationsReport
from simulacra.pipeline.reports.schema import GradeDict, ReportDict, TableDict, json_schema
from simulacra.pipeline.reports.scores import by_metric, measure_dict, number, overall, score_dict
from simulacra.pipeline.reports.text import summary_text, to_mend

FORMAT_VERSION = 1


@dataclass(frozen=True, repr=False)
class TableReport:
    """What was measured of one table.

    Attributes:
        table: Its name.
        rows: Rows read on each side: ``real``, ``synthetic``, and ``holdout`` if there is one.
        scores: Every single score, in the order of the metrics.
        measures: What the scores are, by their names.
        seed: The seed of all samples and classifiers.
        notes: What the reader should know: columns ignored, samples taken.
        pictures: What the charts show, JSON-able; see
            :func:`~simulacra.pipeline.pictures.table.table_pictures`.
    """

    table: str
    rows: Mapping[str, int]
    scores: tuple[Score, ...]
    measures: Mapping[str, Measure]
    seed: int
    notes: tuple[str, ...] = ()
    pictures: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def overall(self) -> dict[str, Score]:
        """One score a metric: its only one, or the mean of those that have a value.

        The floor of a mean is the mean over the same columns or pairs.
        """
        return {
            name: overall(self.measures[name], group)
            for name, group in by_metric(self.scores).items()
        }

    def score(self, metric: str) -> Score:
        """Return the overall score of a metric, as ``score("detection")``.

        Raises:
            UsageError: The metric was not measured.
        """
        if metric not in self.overall:
            raise UsageError(
                f"{metric!r} was not measured on {self.table}",
                mend=f"Choose from {', '.join(self.overall)}",
            )
        return self.overall[metric]

    def column(self, name: str) -> ColumnReport:
        """Return what was measured of one column, a field of a struct being ``column.field``.

        Raises:
            UsageError: Nothing was measured of such a column.
        """
        pictures = {picture["column"]: picture for picture in self.pictures.get("columns", ())}
        if name not in pictures:
            raise UsageError(
                f"{self.table} has no column {name!r}", mend=f"Choose from {', '.join(pictures)}"
            )
        scores = [score for score in self.scores if score.columns == (name,)]
        return ColumnReport(name, tuple(scores), pictures[name])

    def plot_pairs(self) -> Any:
        """Return how strongly each two columns go together on either side, as an Altair chart.

        Raises:
            UsageError: There are too few rows or columns, or Altair isn't there.
        """
        from simulacra.pipeline.reports.chart_maps import pairs_chart

        return pairs_chart(self._picture("pairs"))

    def plot_projection(self) -> Any:
        """Return all columns at once, as a density over two axes, as an Altair chart.

        Raises:
            UsageError: There are too few rows or columns, or Altair isn't there.
        """
        from simulacra.pipeline.reports.chart_maps import projection_chart

        return projection_chart(self._picture("projection"))

    def _picture(self, name: str) -> Mapping[str, Any]:
        picture: Mapping[str, Any] | None = self.pictures.get(name)
        if picture is None:
            raise UsageError(f"{self.table} has too few rows or columns for {name}")
        return picture

    def to_dict(self) -> TableDict:
        """Return everything as JSON-able values; see :meth:`Report.to_dict`."""
        return TableDict(
            rows=dict(self.rows),
            notes=list(self.notes),
            overall={name: score_dict(score) for name, score in self.overall.items()},
            scores=[score_dict(score) for score in self.scores],
            pictures=dict(self.pictures),
        )

    def __repr__(self) -> str:
        scores = [f"{name} {number(score.value)}" for name, score in self.overall.items()]
        return f"TableReport({self.table}: {', '.join(scores)})"


@dataclass(frozen=True, repr=False)
class Report:
    """What was measured of a dataset.

    Attributes:
        tables: For each table what was measured of it.
        seed: The seed of all samples and classifiers.
        relations: What was measured of keys and of tables joined by them; None where there are no
            foreign keys.
        spec: What was measured: tables, columns and keys; None if it isn't known.
        about: Where the data came from and what measured them, by name, JSON-able.
    """

    tables: Mapping[str, TableReport]
    seed: int
    relations: RelationsReport | None = None
    spec: DatasetSpec | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def score(self, metric: str, table: str | None = None) -> Score:
        """Return the overall score of a metric on one table, or the mean over all.

        Args:
            metric: The metric's name, as ``detection`` or ``cardinality``. ``hop_trends`` has
                several: ``hop_trends_1``, ``_2``, ``_3`` (hops) and ``_parents``.
            table: The table's name, for foreign keys that which has them; all tables when None.

        Raises:
            UsageError: There is no such table, or the metric was not measured.
        """
        if table is not None and table not in self.tables:
            raise UsageError(
                f"there is no table {table!r}", mend=f"Choose from {', '.join(self.tables)}"
            )
        if self.relations is not None and metric in self.relations.overall:
            return self.relations.score(metric, table)
        if table is not None:
            return self.tables[table].score(metric)
        if len(self.tables) == 1:
            return next(iter(self.tables.values())).score(metric)
        measured = [t for t in self.tables.values() if metric in t.overall]
        if not measured:
            raise UsageError(f"{metric!r} was not measured")
        return overall(measured[0].measures[metric], [t.overall[metric] for t in measured])

    @cached_property
    def measures(self) -> dict[str, Measure]:
        """What the scores are, by their names, over all tables and keys."""
        found: dict[str, Measure] = {}
        for table in self.tables.values():
            found |= table.measures
        return found if self.relations is None else found | dict(self.relations.measures)

    @cached_property
    def findings(self) -> list[Finding]:
        """The overall score of each measure on each table, judged; the worst first."""
        parts = [(name, t.measures, t.overall) for name, t in self.tables.items()]
        if self.relations is not None:
            parts.append(("", self.relations.measures, self.relations.overall))
        return findings(parts)

    @cached_property
    def grades(self) -> dict[Index, Grade]:
        """The report in few figures: quality, validity, utility and privacy."""
        return grades(self.findings)

    def to_dict(self) -> ReportDict:
        """Return everything as JSON-able values, in the form of :meth:`json_schema`."""
        found = ReportDict(
            format=FORMAT_VERSION,
            about=dict(self.about),
            seed=self.seed,
            measures={name: measure_dict(m) for name, m in self.measures.items()},
            grades={
                index.value: GradeDict(
                    value=grade.value,
                    interval=grade.interval,
                    floor=grade.floor,
                    level=grade.level.value,
                    verdict=grade.verdict,
                )
                for index, grade in self.grades.items()
            },
            to_mend=[finding.text for finding in to_mend(self)],
            tables={name: table.to_dict() for name, table in self.tables.items()},
        )
        if self.relations is not None:
            found["relations"] = self.relations.to_dict()
        return found

    @staticmethod
    def json_schema() -> dict[str, Any]:
        """Return the JSON Schema of :meth:`to_dict`."""
        return json_schema()

    def to_json(self, path: str | Path | None = None) -> str:
        """Return :meth:`to_dict` as JSON text, and write it to ``path`` if one is given.

        Raises:
            OutputError: The file can't be written.
        """
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        if path is not None:
            with atomic_file(Path(path)) as temporary:
                temporary.write_text(text + "\n", encoding="utf-8")
        return text

    def summary(self, *, width: int = 100, color: bool = False, details: bool = False) -> str:
        """Return the report as tables of text: overall scores beside floor and ideal, and grades.

        Tables that refer to each other have a line each, and so has every foreign key.

        Args:
            width: Columns of characters.
            color: Whether to colour it, for terminals.
            details: Whether to show what stands out in each table as well; a report without
                foreign keys always does.
        """
        return summary_text(self, details=details, width=width, color=color)

    def to_markdown(self, path: str | Path | None = None) -> str:
        """Return the report as Markdown, and write it to ``path`` if one is given.

        Raises:
            OutputError: The file can't be written.
        """
        text = markdown(self)
        if path is not None:
            with atomic_file(Path(path)) as temporary:
                temporary.write_text(text, encoding="utf-8")
        return text

    def to_html(self, path: str | Path | None = None) -> str:
        """Return the report as one HTML page that needs no network, and write it to ``path``.

        Every real value in it is an aggregate over ten rows at least.

        Raises:
            UsageError: What draws the charts isn't installed (``simulacra[charts]``).
            OutputError: The file can't be written.
        """
        from simulacra.pipeline.reports.html import page

        text = page(self)
        if path is not None:
            with atomic_file(Path(path)) as temporary:
                temporary.write_text(text, encoding="utf-8")
        return text

    def _repr_html_(self) -> str:
        """Return the report for notebooks: the page in a frame, or text without charts."""
        from simulacra.pipeline.reports.html import framed

        return framed(self)

    def column(self, name: str) -> ColumnReport:
        """Return what was measured of one column, as ``column("age")`` or ``"people.age"``.

        Raises:
            UsageError: There is no such column, or it is not clear of which table.
        """
        found = {
            f"{table.table}.{picture['column']}": (table, picture["column"])
            for table in self.tables.values()
            for picture in table.pictures.get("columns", ())
        }
        meant = [n for n, (_, column) in found.items() if name in (n, column)]
        if len(meant) != 1:
            raise UsageError(
                f"{'no' if not meant else 'more than one'} column is meant by {name!r}",
                mend=f"Choose from {', '.join(meant or found)}",
            )
        table, column = found[meant[0]]
        return table.column(column)

    def diagram(self) -> str:
        """Return the tables and their keys as a Mermaid entity-relationship diagram.

        Raises:
            UsageError: The report knows of no specification.
        """
        if self.spec is None:
            raise UsageError("a report without a specification has no diagram")
        return mermaid(self.spec)

    def __repr__(self) -> str:
        return f"Report({', '.join(self.tables)}); its summary() is for people"
