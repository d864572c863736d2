"""Charts of ``results/peers.json``, as SVG files for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import vl_convert

from peers.contenders import CONTENDERS
from peers.results import Cell, Results

ASSETS = Path(__file__).resolve().parents[2] / "docs" / "assets"
SIZE = {"width": 330, "height": 230}
FAMILIES = ("lineitem", "flights")
COMPARED = ("adult", "default", "flights-10k", "lineitem-100k")
_COLOURS = {
    "Simulacra": "#3949ab",
    "SDV GaussianCopula": "#e65100",
    "SDV CTGAN": "#f9a825",
    "SDV TVAE": "#ad1457",
    "sdgx GaussianCopula": "#2e7d32",
    "sdgx CTGAN": "#9ccc65",
    "MOSTLY AI engine": "#00838f",
    "ARF (arfpy)": "#6d4c41",
}
"""The same colour for a contender in all charts; shapes tell them apart without colours."""
_SHAPES = (
    "circle",
    "square",
    "triangle-up",
    "triangle-down",
    "diamond",
    "cross",
    "triangle-left",
    "triangle-right",
)


def draw(results: Results) -> list[Path]:
    """Write all charts into ``docs/assets``; returns their paths."""
    ASSETS.mkdir(exist_ok=True)
    charts = {
        "peers-time": _by_rows(results, "seconds", "CPU seconds to learn and draw as many"),
        "peers-memory": _by_rows(results, "gigabytes", "peak memory, GB"),
        "peers-fidelity": _fidelity(results),
    }
    paths = []
    for name, chart in charts.items():
        path = ASSETS / f"{name}.svg"
        path.write_text(vl_convert.vegalite_to_svg(chart), encoding="utf-8")
        paths.append(path)
    return paths


def _figures(cell: Cell, results: Results) -> dict[str, Any]:
    dataset = results.datasets[cell.dataset]
    detection = cell.scores.get("detection", {}).get("value")
    return {
        "contender": CONTENDERS[cell.contender].title,
        "dataset": cell.dataset,
        "family": dataset["family"],
        "rows": dataset["rows"],
        # Of CPU: other work on the machine hardly alters it.
        "seconds": cell.cpu_learning_and_drawing,
        "gigabytes": None if cell.peak_bytes is None else cell.peak_bytes / 1e9,
        "auc": detection,
    }


def _by_rows(results: Results, what: str, title: str) -> dict[str, Any]:
    """Return a figure against rows, both logarithmic, a panel for each family of tables."""
    done = [_figures(cell, results) for cell in results.cells.values() if cell.outcome == "ok"]
    panels = []
    for family in FAMILIES:
        values = [figures for figures in done if figures["family"] == family]
        if not values:
            continue
        panels.append(
            {
                "title": family,
                **SIZE,
                "data": {"values": values},
                "mark": {"type": "line", "point": {"filled": True, "size": 70}, "strokeWidth": 2},
                "encoding": {
                    "x": _axis("rows", "rows learned", "log"),
                    "y": _axis(what, title, "log"),
                    **_who(done),
                },
            }
        )
    return _chart(panels)


def _fidelity(results: Results) -> dict[str, Any]:
    """Return C2ST against time, a panel for each table."""
    done = [
        figures
        for cell in results.cells.values()
        if cell.outcome == "ok" and cell.dataset in COMPARED
        for figures in [_figures(cell, results)]
    ]
    panels = []
    for dataset in COMPARED:
        values = [figures for figures in done if figures["dataset"] == dataset]
        if values:
            points = {
                "data": {"values": values},
                "mark": {"type": "point", "filled": True, "size": 130, "opacity": 0.9},
                "encoding": {
                    "x": _axis("seconds", "CPU seconds to learn and draw", "log"),
                    "y": _axis("auc", "C2ST, AUC (0.5: can't be told)", "linear", [0.5, 1]),
                    **_who(done),
                },
            }
            panels.append({"title": dataset, **SIZE, **points})
    return _chart(panels)


def _axis(field: str, title: str, scale: str, domain: Sequence[float] = ()) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {"type": scale, "zero": False, **({"domain": list(domain)} if domain else {})},
    }
    if scale == "log":
        axis["scale"]["nice"] = True
        axis["axis"] = {"format": "~s", "labelOverlap": True}
    return axis


def _who(figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    present = {one["contender"] for one in figures}
    names = [name for name in _COLOURS if name in present]
    colours = [_COLOURS[name] for name in names]
    shapes = [_SHAPES[list(_COLOURS).index(name)] for name in names]
    legend = {"title": None, "orient": "bottom", "columns": 4, "symbolSize": 90}
    return {
        "color": {
            "field": "contender",
            "type": "nominal",
            "scale": {"domain": names, "range": colours},
            "legend": legend,
        },
        "shape": {
            "field": "contender",
            "type": "nominal",
            "scale": {"domain": names, "range": shapes},
            "legend": legend,
        },
    }


def _chart(panels: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "padding": 12,
        "concat": panels,
        "columns": 2,
        "config": {
            "font": "system-ui, sans-serif",
            "axis": {"gridColor": "#eee", "labelFontSize": 11, "titleFontWeight": "normal"},
            "view": {"stroke": "#ccc"},
        },
    }
