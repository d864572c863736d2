"""The figures that ``docs/motivation.md`` shows, from ``results/peers.json``."""

from __future__ import annotations

from peers.page import where
from peers.results import Cell, Results

OURS = "simulacra"
COMPARED = (
    ("sdv-gaussian", "adult"),
    ("sdv-gaussian", "lineitem-100k"),
    ("sdv-gaussian", "lineitem-1m"),
    ("sdv-tvae", "adult"),
    ("sdv-ctgan", "adult"),
    ("sdv-hma", "nycflights-5k"),
    ("sdv-par", "weather-days"),
)
NAMES = {
    "sdv-gaussian": "GaussianCopula",
    "sdv-tvae": "TVAE",
    "sdv-ctgan": "CTGAN",
    "sdv-hma": "HMA",
    "sdv-par": "PAR",
}


def figures(results: Results) -> str:
    """Return a table of SDV beside Simulacra: time, memory, and how well copies are told."""
    lines = [
        "| learned | SDV's | its time | ours | its memory | ours | its C2ST | ours |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for peer, dataset in COMPARED:
        theirs, ours = (results.cells.get((who, dataset)) for who in (peer, OURS))
        if theirs is None or ours is None:
            continue
        what = f"{dataset}, {results.datasets[dataset]['rows']:,} rows"
        pairs = (
            (_time(theirs), _time(ours)),
            (_memory(theirs), _memory(ours)),
            (_told(theirs), _told(ours)),
        )
        lines.append(
            f"| {what} | {NAMES[peer]} | "
            + " | ".join(one for pair in pairs for one in pair)
            + " |"
        )
    note = (
        "Time to learn and to draw as many rows; the most memory of all its processes; C2ST is "
        "the AUC with which a classifier tells the copy from rows that nobody learned: 0.5 is "
        f"ideal. Measured on {where(results)}."
    )
    return "\n".join([*lines, "", note])


def _time(cell: Cell) -> str:
    took, at_work = cell.learning_and_drawing, cell.cpu_learning_and_drawing
    if took is not None:
        return f"{took:,.1f} s, {at_work:,.1f} of CPU"
    return f"{cell.outcome}" + ("" if cell.seconds is None else f" ({cell.seconds:,.0f} s)")


def _memory(cell: Cell) -> str:
    return "" if cell.peak_bytes is None else f"{cell.peak_bytes / 1e9:.2f} GB"


def _told(cell: Cell) -> str:
    value = cell.scores.get("detection", {}).get("value")
    return "" if value is None else f"{value:.3f}"
