"""``results/peers.json``: what is known of each contender on each data set."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _common import RESULTS, machine

PATH = RESULTS / "peers.json"
WORK = ("fit", "sample")


@dataclass(slots=True)
class Cell:
    """One contender on one data set.

    Attributes:
        contender: Its name.
        dataset: Its name.
        outcome: ``ok``, ``crash``, ``time-out``, ``out of memory``, ``not installed``, or ``left
            out``: not run since the contender failed on less of the same data.
        message: Why it is not ``ok``.
        seconds: Of the whole process, by the clock.
        cpu_seconds: Of the whole process.
        peak_bytes: The most memory that its processes had together.
        stages: Seconds by stage, as far as the run came; ``begun`` is the stage it stopped in.
        cpu_stages: CPU seconds by stage; ``both`` where only the sum of learning and drawing is
            known.
        versions: Of the packages that do the work.
        rows: How many rows were made.
        unreadable: The share of values that are not of the column's type, by column.
        scores: By metric ``value`` and ``floor``.
        note: What a reader must know to judge the figures.
        date: When it was run.
    """

    contender: str
    dataset: str
    outcome: str
    message: str = ""
    seconds: float | None = None
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    stages: dict[str, float] = field(default_factory=dict)
    cpu_stages: dict[str, float] = field(default_factory=dict)
    begun: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    rows: int | None = None
    unreadable: dict[str, float] = field(default_factory=dict)
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    note: str = ""
    date: str = field(default_factory=lambda: datetime.now(UTC).date().isoformat())

    @property
    def learning_and_drawing(self) -> float | None:
        """Seconds of both; None when it did not come so far."""
        if self.outcome != "ok":
            return None
        return sum(self.stages[stage] for stage in WORK)

    @property
    def cpu_learning_and_drawing(self) -> float | None:
        """CPU seconds of both; None when it did not come so far."""
        if self.outcome != "ok":
            return None
        both = self.cpu_stages.get("both")
        return sum(self.cpu_stages[stage] for stage in WORK) if both is None else both


@dataclass(slots=True)
class Results:
    """All cells, in the order in which they were measured.

    Attributes:
        cells: By contender and data set.
        limits: What every cell may take, in words.
        datasets: By name what a reader must know of each: ``kind``, ``rows``, ``columns``, ….
        machine: Where the last cell was measured.
    """

    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    datasets: dict[str, dict[str, Any]] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=machine)

    @classmethod
    def read(cls, path: Path = PATH) -> Results:
        """Return what was measured so far."""
        if not path.exists():
            return cls()
        kept = json.loads(path.read_text(encoding="utf-8"))
        cells = [Cell(**cell) for cell in kept["cells"]]
        return cls(
            {(cell.contender, cell.dataset): cell for cell in cells},
            kept["limits"],
            kept["datasets"],
            kept["machine"],
        )

    def write(self, path: Path = PATH) -> None:
        """Write all, so that a run which is stopped can go on."""
        kept = {
            "name": "peers",
            "title": "Beside the peers",
            "machine": machine(),
            "limits": self.limits,
            "datasets": self.datasets,
            "cells": [_rounded(asdict(cell)) for cell in self.cells.values()],
        }
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(
            json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        unfinished.replace(path)


def _rounded(kept: Any) -> Any:
    """Return figures to a precision that means something."""
    if isinstance(kept, float):
        return round(kept, 5)
    if isinstance(kept, dict):
        return {key: _rounded(value) for key, value in kept.items()}
    return kept
