"""Charts of what a report holds, as Altair charts: save them, show them, change them.

Vega-Lite draws them (Satyanarayan et al., "Vega-Lite: a grammar of interactive graphics", IEEE
TVCG 2017). Every mark has a description in words, for screen readers and for tooltips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from simulacra.core.errors import UsageError
from simulacra.pipeline.reports.axes import Places, edge_labels, places
from simulacra.pipeline.reports.chart_style import COLOURS, SIDES, altair, styled

WIDTH = 420
"""Of a column's chart, in pixels."""

_HEIGHT = 150
_STEP = 17
_BANDS = {"real": 0.82, "synthetic": 0.3, "holdout": 0.82}
"""Which part of its band the bar or mark of a side fills."""
_DASHES = {"holdout": [3, 2], "synthetic": [1, 0]}
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
        return _bars(picture, width)
    return _steps(picture, width)


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
    rows, told = _rows(picture["shares"], labels), _told(picture["shares"], labels, " children")
    x = alt.X(
        "label:N",
        sort=None,
        title="children of a parent",
        axis=alt.Axis(labelAngle=0, labelOverlap="greedy"),
    )
    y = alt.Y("share:Q", title="share of parents", axis=alt.Axis(format="%", tickCount=4))
    hover = (
        alt.Chart(alt.NamedData("told"))
        .mark_bar(opacity=0, width={"band": 1})
        .encode(
            x=x,
            y=alt.value(0),
            y2=alt.value("height"),
            tooltip="told:N",
            description="told:N",
        )
    )
    layers = [*_sides(alt, rows, "width", x=x, y=y), hover]
    chart = alt.layer(*layers).properties(width=width, height=_HEIGHT)
    return styled(chart, {"rows": rows, "told": told})


def bin_labels(bins: Sequence[Sequence[int | None]]) -> list[str]:
    """Return ranges of whole numbers in words; the last is open."""
    return [
        f"{low}+" if high is None else (f"{low}" if low == high else f"{low}-{high}")
        for low, high in bins
    ]


def _rows(
    found: Mapping[str, Sequence[float]], labels: Sequence[str]
) -> list[dict[str, str | float]]:
    """Return one row a bin and side."""
    return [
        {"label": label, "side": side, "share": share}
        for side, shares in found.items()
        for label, share in zip(labels, shares, strict=True)
    ]


def _told(
    found: Mapping[str, Sequence[float]], labels: Sequence[str], what: str = ""
) -> list[dict[str, str]]:
    """Return what is told of each bin in words."""
    sides = [side for side in SIDES if side in found]
    return [
        {
            "label": label,
            "told": f"{label}{what}: "
            + ", ".join(f"{SIDES[side]} {found[side][place]:.2%}" for side in sides),
        }
        for place, label in enumerate(labels)
    ]


def _sides(alt: Any, rows: Sequence[Mapping[str, Any]], along: str, **encoded: Any) -> list[Any]:
    """Return a layer a side: real bars, synthetic ones within them, held-out shares as marks.

    Args:
        alt: Altair.
        rows: The data called ``rows``.
        along: Which extent of a bar is its thickness: ``width`` or ``height``.
        encoded: What stands on the axes.
    """
    base = alt.Chart(alt.NamedData("rows")).encode(**encoded)
    layers = []
    for side in SIDES:
        if not any(row["side"] == side for row in rows):
            continue
        chart = base.transform_filter(f"datum.side == '{side}'")
        look = {"color": COLOURS[side], "aria": False, along: {"band": _BANDS[side]}}
        layers.append(
            chart.mark_tick(thickness=2, **look) if side == "holdout" else chart.mark_bar(**look)
        )
    return layers


def _bars(picture: Mapping[str, Any], width: int) -> Any:
    alt = altair()
    found = {side: list(shares) for side, shares in picture["shares"].items()}
    labels = list(picture["names"])
    for label, others in (("(rarer values)", picture["rarer"]), ("(null)", picture["nulls"])):
        if any(others.values()):
            labels.append(label)
            found = {side: [*shares, others[side]] for side, shares in found.items()}
    rows, told = _rows(found, labels), _told(found, labels)
    y = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(ticks=False, domain=False))
    x = alt.X("share:Q", title="share of rows", axis=alt.Axis(format="%", tickCount=5))
    hover = (
        alt.Chart(alt.NamedData("told"))
        .mark_bar(opacity=0, height={"band": 1})
        .encode(y=y, x=alt.value(0), x2=alt.value("width"), tooltip="told:N", description="told:N")
    )
    layers = [*_sides(alt, rows, "height", x=x, y=y), hover]
    chart = alt.layer(*layers).properties(width=width, height=alt.Step(_STEP))
    return styled(chart, {"rows": rows, "told": told})


def _steps(picture: Mapping[str, Any], width: int) -> Any:
    alt = altair()
    axis = places(picture)
    bins = list(pairwise(axis.edges))
    usual = sorted(high - low for low, high in bins)[len(bins) // 2]
    heights = {
        side: [share * usual / (high - low) for share, (low, high) in zip(each, bins, strict=True)]
        for side, each in picture["shares"].items()
    }
    x = alt.X(
        f"low:{axis.kind}",
        title=axis.title,
        scale=alt.Scale(nice=False, zero=False, padding=0),
        axis=axis.axis(alt),
    )
    steep = _is_steep(heights["real"])
    y = alt.Y(
        "height:Q",
        title="share of rows (root scale)" if steep else "share of rows",
        scale=alt.Scale(type="sqrt" if steep else "linear", zero=True, padding=0),
        axis=alt.Axis(format="%", tickCount=4),
    )
    told = _told(picture["shares"], edge_labels(picture))
    data: dict[str, list[dict[str, Any]]] = {
        "bins": [
            {
                "low": axis.shown(low),
                "high": axis.shown(high),
                "height": height,
                "told": words["told"],
            }
            for (low, high), height, words in zip(bins, heights["real"], told, strict=True)
        ]
    }
    area = alt.Chart(alt.NamedData("bins")).encode(x=x, x2="high")
    layers = [area.mark_rect(color=COLOURS["real"], aria=False).encode(y=y, y2=alt.datum(0))]
    for side in ("holdout", "synthetic"):
        if side in heights:
            data[side] = _outline(axis, heights[side])
            line = alt.Chart(alt.NamedData(side)).mark_line(
                color=COLOURS[side],
                strokeWidth=1.6,
                strokeDash=_DASHES[side],
                interpolate="step-after",
                aria=False,
            )
            layers.append(line.encode(x=x, y=y, order="order:Q"))
    hover = area.mark_rect(opacity=0).encode(
        y=alt.value(0), y2=alt.value(_HEIGHT), tooltip="told:N", description="told:N"
    )
    return styled(alt.layer(*layers, hover).properties(width=width, height=_HEIGHT), data)


def _is_steep(heights: Sequence[float]) -> bool:
    return max(heights) > _STEEP * max(sorted(heights)[len(heights) // 2], 1e-12)


def _outline(axis: Places, heights: Sequence[float]) -> list[dict[str, Any]]:
    """Return the points of a line of steps, from the ground and back to it."""
    at = [axis.edges[0], *axis.edges]
    return [
        {"low": axis.shown(place), "height": height, "order": order}
        for order, (place, height) in enumerate(zip(at, [0.0, *heights, 0.0], strict=True))
    ]
