"""Charts of several columns at once: heat maps of pairs, and the projection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simulacra.pipeline.reports.chart_style import DIVERGING, SEQUENCE, SIDES, altair, styled

_MAP_WIDTH = 250
_LARGEST_CELL, _LEAST_CELL = 34, 9
_LABELLED = 22
"""With more columns than that, names stand in small type."""
_DIFFERENCES = (0.02, 0.05, 0.1, 0.15, 0.2)
"""Where the colour of a difference changes, either way."""
_PLANE = 230


def pairs_chart(picture: Mapping[str, Any]) -> Any:
    """Return how strongly each two columns go together: real, synthetic, and the difference.

    Args:
        picture: What :func:`~simulacra.pipeline.pictures.pairs.associations` gives.

    Raises:
        UsageError: Altair isn't there.
    """
    alt = altair()
    names = picture["columns"]
    real, synthetic = picture["real"], picture["synthetic"]
    cells = [
        {
            "one": names[j],
            "other": names[i],
            "real": real[i][j],
            "synthetic": synthetic[i][j],
            "difference": round(synthetic[i][j] - real[i][j], 4),
            "told": f"{names[j]} and {names[i]}: real {real[i][j]:.2f}, "
            f"synthetic {synthetic[i][j]:.2f}, difference {synthetic[i][j] - real[i][j]:+.2f}",
        }
        for i in range(len(names))
        for j in range(i)
    ]
    side = min(max(_MAP_WIDTH // max(len(names) - 1, 1), _LEAST_CELL), _LARGEST_CELL)
    size = 11 if len(names) <= _LABELLED else 8
    panels = []
    for field, title in (
        ("real", "Real"),
        ("synthetic", "Synthetic"),
        ("difference", "Synthetic less real"),
    ):
        scale = _difference(alt) if field == "difference" else _strength(alt)
        panels.append(
            alt.Chart(alt.NamedData("cells"), title=title)
            .mark_rect()
            .encode(
                x=alt.X(
                    "one:N",
                    sort=names,
                    title=None,
                    scale=alt.Scale(paddingInner=0.06),
                    axis=alt.Axis(
                        labelAngle=-90,
                        labelFontSize=size,
                        labelLimit=110,
                        ticks=False,
                        domain=False,
                    ),
                ),
                y=alt.Y(
                    "other:N",
                    sort=names,
                    title=None,
                    scale=alt.Scale(paddingInner=0.06),
                    axis=alt.Axis(
                        labelFontSize=size,
                        labelLimit=110,
                        ticks=False,
                        domain=False,
                        labels=field == "real",
                    ),
                ),
                color=alt.Color(f"{field}:Q", scale=scale, legend=_legend(alt, field)),
                tooltip="told:N",
                description="told:N",
            )
            .properties(width=side * (len(names) - 1), height=side * (len(names) - 1))
        )
    chart = alt.hconcat(*panels, spacing=18).resolve_scale(color="independent")
    return styled(chart, {"cells": cells})


def _strength(alt: Any) -> Any:
    cuts = [round(i / len(SEQUENCE), 3) for i in range(1, len(SEQUENCE))]
    return alt.Scale(type="threshold", domain=cuts, range=list(SEQUENCE))


def _difference(alt: Any) -> Any:
    cuts = [*(-cut for cut in reversed(_DIFFERENCES)), *_DIFFERENCES]
    return alt.Scale(type="threshold", domain=cuts, range=list(DIVERGING))


def _legend(alt: Any, field: str) -> Any:
    if field == "synthetic":
        return None
    return alt.Legend(
        title="strength, 0 to 1" if field == "real" else "difference",
        orient="bottom",
        direction="horizontal",
        type="gradient",
        gradientLength=170,
        gradientThickness=8,
        format="+.2f" if field == "difference" else ".1f",
        labelOverlap="greedy",
        titleOrient="top",
    )


def projection_chart(picture: Mapping[str, Any]) -> Any:
    """Return all columns at once, as a density over two axes: a panel a side.

    Args:
        picture: What :func:`~simulacra.pipeline.pictures.projection.projection` gives.

    Raises:
        UsageError: Altair isn't there.
    """
    alt = altair()
    cells = picture["cells"]
    most = max((share for _, _, share in picture["sides"]["real"]), default=1.0) or 1.0
    titles = [
        f"{word} axis ({share:.0%} of the variance)"
        for word, share in zip(("first", "second"), picture["explained"], strict=True)
    ]
    shown = [side for side in SIDES if side in picture["sides"]]
    panels = [
        _plane(alt, side, cells, titles if place == 0 else [titles[0], None])
        for place, side in enumerate(shown)
    ]
    data = {side: _cells(SIDES[side], picture["sides"][side], most) for side in shown}
    return styled(alt.hconcat(*panels, spacing=18), data)


def _cells(name: str, found: Sequence[Sequence[float]], most: float) -> list[dict[str, Any]]:
    return [
        {
            "x": x,
            "x2": x + 1,
            "y": y,
            "y2": y + 1,
            "density": share / most,
            "told": f"{share:.2%} of the {name} rows",
        }
        for x, y, share in found
    ]


def _plane(alt: Any, side: str, cells: int, titles: Sequence[str | None]) -> Any:
    scale = alt.Scale(domain=[0, cells], nice=False, zero=False)
    plain = alt.Axis(labels=False, ticks=False, grid=False)
    # Square roots spread what is sparse over more colours.
    cuts = [round((i / len(SEQUENCE)) ** 2, 4) for i in range(1, len(SEQUENCE))]
    return (
        alt.Chart(alt.NamedData(side), title=SIDES[side].capitalize())
        .mark_rect()
        .encode(
            x=alt.X("x:Q", scale=scale, title=titles[0], axis=plain),
            x2="x2",
            y=alt.Y("y:Q", scale=scale, title=titles[1], axis=plain),
            y2="y2",
            color=alt.Color(
                "density:Q",
                scale=alt.Scale(type="threshold", domain=cuts, range=list(SEQUENCE)),
                legend=None,
            ),
            tooltip="told:N",
            description="told:N",
        )
        .properties(width=_PLANE, height=_PLANE)
    )
