"""How charts look: colours that the colour-blind can tell apart, and type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simulacra.core.errors import UsageError

if TYPE_CHECKING:
    from types import ModuleType

INSTALL = "pip install 'simulacra[charts]'"

SIDES = {"real": "real", "synthetic": "synthetic", "holdout": "held-out"}
"""What the sides are called, in the order in which they are shown."""

# Okabe and Ito's blue and vermilion, and a grey between the two in lightness.
COLOURS = {"real": "#6aa3cb", "synthetic": "#b54400", "holdout": "#5b6472"}

INK, MUTED, LINE = "#2b3440", "#5c6672", "#d9dee5"

SEQUENCE = (
    "#f4f7fa", "#dfe9f2", "#c5d9ea", "#a5c5df", "#80add1", "#5b93c1", "#3a78ad", "#1f5d93",
    "#0b4374",
)  # fmt: skip
"""From nothing to much."""

DIVERGING = (
    "#8c3206", "#bb5a1c", "#dd8a52", "#efbd99", "#f8e4d6", "#f5f6f7", "#dbe8f3", "#aecbe3",
    "#77a6cd", "#427fb2", "#174f86",
)  # fmt: skip
"""From less in the synthetic data, by way of as much, to more."""

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


_TEXT = {"labelColor": MUTED, "titleColor": MUTED, "labelFontSize": 11, "titleFontSize": 11}
_CONFIG = {
    "font": FONT,
    "background": "transparent",
    "view": {"strokeWidth": 0},
    "axis": {
        **_TEXT,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": LINE,
        "tickColor": LINE,
        "labelLimit": 170,
    },
    "legend": {**_TEXT, "titleFontWeight": "normal", "symbolType": "square", "labelLimit": 200},
    "title": {"color": INK, "fontSize": 12, "fontWeight": 600, "anchor": "start", "offset": 8},
}


def altair() -> ModuleType:
    """Return Altair, when it and what turns its charts into pictures are there.

    Raises:
        UsageError: They are not installed; says how to mend it.
    """
    try:
        import altair as alt
        import vl_convert  # noqa: F401 - only asked for
    except ModuleNotFoundError as error:
        raise UsageError(
            "charts need Altair and vl-convert",
            why=f"there is no module {error.name!r}",
            mend=f"Install them: {INSTALL}",
        ) from error
    return alt


def styled(chart: Any, data: Mapping[str, Sequence[Any]]) -> Any:
    """Return a chart in the report's type and colours, with its data by name.

    Altair copies whatever a chart is made of again and again, so the data come last.
    """
    made = chart.properties(config=_CONFIG, padding={"left": 6, "right": 6, "top": 4, "bottom": 4})
    made.datasets = data
    return made
