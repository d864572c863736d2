"""What an evaluation found: for people, for programs, and as JSON."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.core.errors import UsageError
from simulacra.core.protocols import Score
from simulacra.core.storage import atomic_file

if TYPE_CHECKING:
    from rich.console import Console

FORMAT_VERSION = 1

_LOWEST = 5
"""How many of the lowest single scores an overall score names."""

_SHOWN = 3
_ALL_BUT_ONE = 0.99995  # what would be shown as 1.0000 doesn't stand out

_TITLES = {
    "column_shapes": ("Column shapes", "1"),
    "pair_trends": ("Pair trends", "1"),
    "detection": ("Detection (C2ST AUC)", "0.5"),
    "utility": ("Utility (TSTR)", "floor"),
    "validity": ("Validity", "1"),
    "closest_records": ("Closest records (DCR share)", "0.5"),
    "exact_copies": ("Exact copies", "floor"),
}


@dataclass(frozen=True, repr=False)
class TableReport:
    """What was measured of one table.

    Attributes:
        table: Its name.
        rows: Rows read on each side: ``real``, ``synthetic``, and ``holdout`` if there is one.
        scores: Every single score, in the order of the metrics.
        seed: The seed of all samples and classifiers.
        notes: What the reader should know: columns ignored, samples taken.
    """

    table: str
    rows: Mapping[str, int]
    scores: tuple[Score, ...]
    seed: int
    notes: tuple[str, ...] = ()

    @cached_property
    def overall(self) -> dict[str, Score]:
        """One score a metric: its only one, or the mean of those that have a value.

        The floor of a mean is the mean over the same columns or pairs.
        """
        groups: dict[str, list[Score]] = {}
        for score in self.scores:
            groups.setdefault(score.metric, []).append(score)
        return {name: _overall(name, group) for name, group in groups.items()}

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

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values; see :meth:`Report.to_dict`."""
        return {
            "rows": dict(self.rows),
            "notes": list(self.notes),
            "overall": {name: _score_dict(score) for name, score in self.overall.items()},
            "scores": [_score_dict(score) for score in self.scores],
        }

    def __repr__(self) -> str:
        scores = [f"{name} {_number(score.value)}" for name, score in self.overall.items()]
        return f"TableReport({self.table}: {', '.join(scores)})"


@dataclass(frozen=True, repr=False)
class Report:
    """What was measured of a dataset.

    Attributes:
        tables: For each table what was measured of it.
        seed: The seed of all samples and classifiers.
    """

    tables: Mapping[str, TableReport]
    seed: int

    def score(self, metric: str, table: str | None = None) -> Score:
        """Return the overall score of a metric on one table, or the mean over all.

        Args:
            metric: The metric's name, as ``detection``.
            table: The table's name; all tables when None.

        Raises:
            UsageError: There is no such table, or the metric was not measured.
        """
        if table is not None:
            if table not in self.tables:
                raise UsageError(
                    f"there is no table {table!r}", mend=f"Choose from {', '.join(self.tables)}"
                )
            return self.tables[table].score(metric)
        if len(self.tables) == 1:
            return next(iter(self.tables.values())).score(metric)
        scores = [t.overall[metric] for t in self.tables.values() if metric in t.overall]
        if not scores:
            raise UsageError(f"{metric!r} was not measured")
        return _overall(metric, scores)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values.

        ``{"format": 1, "seed": int, "tables": {name: table}}``, where a table is
        ``{"rows": {"real": int, "synthetic": int, "holdout": int}, "notes": [str],
        "overall": {metric: score}, "scores": [score]}`` and a score is
        ``{"metric": str, "columns": [str], "value": float | null, "floor": float | null,
        "details": {…}}``. ``details["why"]`` says why a value is null.
        """
        return {
            "format": FORMAT_VERSION,
            "seed": self.seed,
            "tables": {name: table.to_dict() for name, table in self.tables.items()},
        }

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

    def summary(self, *, width: int = 100, color: bool = False) -> str:
        """Return the overall scores as a table of text, each beside its floor and its ideal.

        Args:
            width: Columns of characters.
            color: Whether to colour it, for terminals.
        """
        from rich.console import Console

        text = io.StringIO()
        console = Console(file=text, width=width, force_terminal=color, highlight=False)
        for table in self.tables.values():
            _print_table(console, table)
        return text.getvalue()

    def __repr__(self) -> str:
        return f"Report({', '.join(self.tables)}); its summary() is for people"


def _overall(metric: str, scores: Sequence[Score]) -> Score:
    if len(scores) == 1:
        return scores[0]
    measured = [(score.value, score) for score in scores if score.value is not None]
    if not measured:
        return Score(metric, None, details={"why": "none of its scores has a value"})
    value = math.fsum(value for value, _ in measured) / len(measured)
    floors = [score.floor for _, score in measured]
    floor = None
    if None not in floors:
        floor = math.fsum(f for f in floors if f is not None) / len(floors)
    lowest = sorted(measured, key=lambda pair: pair[0])[:_LOWEST]
    details = {
        "measured": len(measured),
        "not_measured": len(scores) - len(measured),
        "lowest": [{"columns": list(score.columns), "value": value} for value, score in lowest],
    }
    return Score(metric, value, floor=floor, details=details)


def _score_dict(score: Score) -> dict[str, Any]:
    return asdict(score) | {"columns": list(score.columns), "details": dict(score.details)}


def _print_table(console: Console, report: TableReport) -> None:
    from rich.table import Table

    names = {"real": "real", "synthetic": "synthetic", "holdout": "held-out"}
    rows = ", ".join(f"{count:,} {names[side]}" for side, count in report.rows.items())
    table = Table(title=f"{report.table}: {rows} rows", title_justify="left")
    table.add_column("measure", no_wrap=True)
    for heading in ("score", "floor", "ideal"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("what stands out", overflow="fold")
    for name, score in report.overall.items():
        title, ideal = _TITLES.get(name, (name, ""))
        table.add_row(title, _number(score.value), _number(score.floor), ideal, _remark(score))
    console.print(table, markup=False)
    for note in report.notes:
        console.print(note, markup=False)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _remark(score: Score) -> str:
    details = score.details
    if score.value is None:
        return str(details.get("why", ""))
    if "given_away_by" in details:
        told = details["given_away_by"][:_SHOWN]
        return ", ".join(f"{item['column']} {item['share']:.0%}" for item in told)
    if "lowest" in details:
        lowest = [item for item in details["lowest"] if item["value"] < _ALL_BUT_ONE][:_SHOWN]
        return ", ".join(f"{' × '.join(item['columns'])} {item['value']:.4f}" for item in lowest)
    if "gap" in details:
        return f"{details['target']}: {details['measure']}, gap {details['gap']:+.4f}"
    return ""
