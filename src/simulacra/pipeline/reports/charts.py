"""Charts of what a report holds, as Altair charts: save them, show them, change them.

Vega-Lite draws them (Satyanarayan et al., "Vega-Lite: a grammar of interactive graphics", IEEE
TVCG 2017). Every mark has a description in words, for screen readers and for tooltips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulacra.core.errors import UsageError
from simulacra.pipeline.reports.axes import edge_labels, places
from simulacra.pipeline.reports.chart_style import COLOURS, SIDES, altair, styled

WIDTH = 420
"""Of a column's chart, in pixels."""

_HEIGHT = 150
_STEP = 17
_STEEP = 12.0
"""Where the tallest bin is so many times the median one, the scale of shares is a root's."""


def column_chart(picture: Mapping[str, Any], *, width: int = WIDTH) -> Any:
    """Return how a column is distributed on each side.

    Args:
        picture: What :func:`~simulacra.pipeline.pictures.columns.overlay` gives.
        width: Of the plot, in pixels.

    Returns:
        An ``altair`` chart: steps of numbers and times, bars of categories.

    Raises:
        UsageError: Nothing may be shown of the column; or Altair isn't there.
    """
    if "shares" not in picture:
        raise UsageError(
            "there is nothing to show of this column", where=picture["column"], why=picture["why"]
        )
    if "names" in picture:
        return styled(_bars(picture, width))
    return styled(_steps(picture, width))


def children_chart(picture: Mapping[str, Any], *, width: int = WIDTH) -> Any:
    """Return how many children parents have on each side.

    Args:
        picture: What :func:`~simulacra.pipeline.pictures.children.children_per_parent` gives.
        width: Of the plot, in pixels.

    Raises:
        UsageError: Nothing may be shown of the key; or Altair isn't there.
    """
    alt = altair()
    if "shares" not in picture:
        raise UsageError(
            "there is nothing to show of this key", where=picture["reference"], why=picture["why"]
        )
    labels = bin_labels(picture["bins"])
    rows = _rows(picture["shares"], labels, "children")
    x = alt.X(
        "label:N",
        sort=None,
        title="children of a parent",
        axis=alt.Axis(labelAngle=0, labelOverlap="greedy"),
    )
    y = alt.Y("share:Q", title="share of parents", axis=alt.Axis(format="%", tickCount=4))
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y)
    layers = [
        base.transform_filter("datum.side == 'real'").mark_bar(
            color=COLOURS["real"], width={"band": 0.86}, aria=False
        ),
        base.transform_filter("datum.side == 'synthetic'").mark_bar(
            color=COLOURS["synthetic"], width={"band": 0.34}, aria=False
        ),
    ]
    if "holdout" in picture["shares"]:
        layers.append(
            base.transform_filter("datum.side == 'holdout'").mark_tick(
                color=COLOURS["holdout"], thickness=2, width={"band": 0.86}, aria=False
            )
        )
    layers.append(_hover(alt, rows).encode(x=x))
    return styled(alt.layer(*layers).properties(width=width, height=_HEIGHT))


def bin_labels(bins: Sequence[Sequence[int | None]]) -> list[str]:
    """Return ranges of whole numbers in words; the last is open."""
    return [
        f"{low}+" if high is None else (f"{low}" if low == high else f"{low}-{high}")
        for low, high in bins
    ]


def _rows(
    found: Mapping[str, Sequence[float]], labels: Sequence[str], what: str = ""
) -> list[dict[str, Any]]:
    """Return one row a bin and side, with what is told of the bin in words."""
    rows = []
    for i, label in enumerate(labels):
        told = ", ".join(f"{SIDES[side]} {found[side][i]:.2%}" for side in SIDES if side in found)
        name = f"{label} {what}".strip()
        rows += [
            {"label": label, "side": side, "share": found[side][i], "told": f"{name}: {told}"}
            for side in found
        ]
    return rows


def _hover(alt: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return bands that nobody sees but whoever points at them, or listens."""
    data = alt.Data(values=[row for row in rows if row["side"] == "real"])
    return (
        alt.Chart(data)
        .mark_bar(opacity=0, width={"band": 1})
        .encode(y=alt.value(0), y2=alt.value("height"), tooltip="told:N", description="told:N")
    )


def _bars(picture: Mapping[str, Any], width: int) -> Any:
    alt = altair()
    found = {side: [*shares, picture["rarer"][side]] for side, shares in picture["shares"].items()}
    labels = [*picture["names"], "(rarer values)"]
    if any(picture["nulls"].values()):
        labels.append("(null)")
        found = {side: [*shares, picture["nulls"][side]] for side, shares in found.items()}
    if not any(picture["rarer"].values()):
        place = len(picture["names"])
        labels.pop(place)
        found = {
            side: [s for i, s in enumerate(all_) if i != place] for side, all_ in found.items()
        }
    rows = _rows(found, labels)
    y = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))
    x = alt.X("share:Q", title="share of rows", axis=alt.Axis(format="%", tickCount=5))
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, x=x)
    layers = [
        base.transform_filter("datum.side == 'real'").mark_bar(
            color=COLOURS["real"], height={"band": 0.82}, aria=False
        ),
        base.transform_filter("datum.side == 'synthetic'").mark_bar(
            color=COLOURS["synthetic"], height={"band": 0.3}, aria=False
        ),
    ]
    if "holdout" in found:
        layers.append(
            base.transform_filter("datum.side == 'holdout'").mark_tick(
                color=COLOURS["holdout"], thickness=2, height={"band": 0.82}, aria=False
            )
        )
    hover = (
        alt.Chart(alt.Data(values=[row for row in rows if row["side"] == "real"]))
        .mark_bar(opacity=0, height={"band": 1})
        .encode(y=y, x=alt.value(0), x2=alt.value("width"), tooltip="told:N", description="told:N")
    )
    return alt.layer(*layers, hover).properties(width=width, height=alt.Step(_STEP))


def _steps(picture: Mapping[str, Any], width: int) -> Any:
    alt = altair()
    axis = places(picture)
    widths = [high - low for low, high in zip(axis.edges, axis.edges[1:], strict=False)]
    usual = sorted(widths)[len(widths) // 2]
    heights = {
        side: [share * usual / bin_width for share, bin_width in zip(shares, widths, strict=True)]
        for side, shares in picture["shares"].items()
    }
    highest = sorted(heights["real"])
    steep = highest[-1] > _STEEP * max(highest[len(highest) // 2], 1e-12)
    scale = alt.Scale(type="sqrt" if steep else "linear", zero=True, padding=0)
    title = "share of rows (root scale)" if steep else "share of rows"
    x = alt.X(
        f"low:{axis.kind}",
        title=axis.title,
        scale=alt.Scale(nice=False, zero=False, padding=0),
        axis=axis.axis(alt),
    )
    y = alt.Y("height:Q", title=title, scale=scale, axis=alt.Axis(format="%", tickCount=4))
    told = _rows(picture["shares"], edge_labels(picture))
    labels = {row["label"]: row["told"] for row in told}
    bins = [
        {"low": axis.shown(low), "high": axis.shown(high), "height": height, "told": labels[label]}
        for low, high, height, label in zip(
            axis.edges, axis.edges[1:], heights["real"], edge_labels(picture), strict=False
        )
    ]
    area = alt.Chart(alt.Data(values=bins))
    layers = [
        area.mark_bar(color=COLOURS["real"], binSpacing=0, aria=False).encode(x=x, x2="high", y=y)
    ]
    for side, dash in (("holdout", [3, 2]), ("synthetic", [1, 0])):
        if side not in heights:
            continue
        outline = [0.0, *heights[side], 0.0]
        at = [axis.edges[0], *axis.edges]
        points = [
            {"low": axis.shown(place), "height": height, "order": i}
            for i, (place, height) in enumerate(zip(at, outline, strict=True))
        ]
        line = alt.Chart(alt.Data(values=points)).mark_line(
            color=COLOURS[side],
            strokeWidth=1.6,
            strokeDash=dash,
            interpolate="step-after",
            aria=False,
        )
        layers.append(line.encode(x=x, y=y, order="order:Q"))
    hover = area.mark_rect(opacity=0).encode(
        x=x,
        x2="high",
        y=alt.value(0),
        y2=alt.value(_HEIGHT),
        tooltip="told:N",
        description="told:N",
    )
    return alt.layer(*layers, hover).properties(width=width, height=_HEIGHT)
