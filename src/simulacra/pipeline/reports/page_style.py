"""The page's style sheet: its colours, light and dark, and those that charts take from it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from simulacra.pipeline.reports.chart_style import COLOURS, DIVERGING, INK, LINE, MUTED, SEQUENCE

_CHARTS = {
    **COLOURS,
    **{f"seq-{place}": colour for place, colour in enumerate(SEQUENCE)},
    **{f"div-{place}": colour for place, colour in enumerate(DIVERGING)},
    "ink": INK,
    "muted": MUTED,
    "line": LINE,
}
VARIABLES = {colour: f"var(--{name})" for name, colour in _CHARTS.items()}
"""What stands in the page for each colour of a chart."""

_LIGHT = {
    **_CHARTS,
    "page": "#f6f7f9",
    "card": "#ffffff",
    "soft": "#eceff3",
    "accent": "#1f5d93",
    "good": "#17693f",
    "fair": "#7d5200",
    "poor": "#a8201a",
    "unknown": "#55606c",
    "good-soft": "#e2f2e8",
    "fair-soft": "#fbf0d9",
    "poor-soft": "#fbe6e4",
    "unknown-soft": "#eceff3",
}
_DARK_SEQUENCE = (
    "#1f2831", "#20364a", "#254863", "#2b5c82", "#3874a2", "#538fbd", "#78add4", "#a4cae5",
    "#d4e7f5",
)  # fmt: skip
_DARK_DIVERGING = (
    "#ffb27a", "#e0864a", "#b3622d", "#7d4a2a", "#48352a", "#242c34", "#22394e", "#2b5578",
    "#3d78a8", "#69a3d0", "#a3cdec",
)  # fmt: skip
_DARK = {
    "real": "#3c6f98",
    "synthetic": "#ff9a57",
    "holdout": "#c3cad3",
    **{f"seq-{place}": colour for place, colour in enumerate(_DARK_SEQUENCE)},
    **{f"div-{place}": colour for place, colour in enumerate(_DARK_DIVERGING)},
    "ink": "#e6eaef",
    "muted": "#a2adb9",
    "line": "#343d48",
    "page": "#11151a",
    "card": "#191f26",
    "soft": "#2a323b",
    "accent": "#7db5e3",
    "good": "#72d29e",
    "fair": "#efc063",
    "poor": "#ff9d94",
    "unknown": "#a2adb9",
    "good-soft": "#1b3427",
    "fair-soft": "#392e16",
    "poor-soft": "#45221f",
    "unknown-soft": "#2a323b",
}


def style() -> str:
    """Return the style sheet."""
    text = (files(__package__) / "templates" / "report.css").read_text("utf-8")
    text = text.replace("/* light */", _declared("light", _LIGHT))
    return text.replace("/* dark */", _declared("dark", _DARK))


def _declared(scheme: str, colours: Mapping[str, str]) -> str:
    variables = "".join(f" --{name}: {colour};" for name, colour in colours.items())
    return f"color-scheme: {scheme};{variables}"
