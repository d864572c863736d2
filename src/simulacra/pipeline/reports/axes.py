"""Axes of numbers and times: what stands at them, and what bins are called."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from simulacra.pipeline.pictures.scales import Unit

_DAY = 86_400.0
_TITLES = {Unit.LENGTH: "length", Unit.CLOCK: "hour of the day", Unit.DURATION: "seconds"}
_MOMENTS = (Unit.DATE, Unit.MOMENT)


@dataclass(frozen=True, slots=True)
class Places:
    """The edges of bins as places on an axis.

    Attributes:
        edges: Rising; seconds since 1970 of times, hours of times of day.
        unit: What they are.
    """

    edges: list[float]
    unit: Unit

    @property
    def kind(self) -> str:
        """Vega-Lite's name for the kind of axis."""
        return "T" if self.unit in _MOMENTS else "Q"

    @property
    def title(self) -> str | None:
        """What stands below the axis."""
        return _TITLES.get(self.unit)

    def axis(self, alt: Any) -> Any:
        """Return the axis for Altair."""
        return alt.Axis(grid=False, tickCount=6, labelOverlap="greedy", labelFlush=False)

    def shown(self, edge: float) -> Any:
        """Return an edge as chart data have it: a number, or milliseconds since 1970."""
        return edge * 1e3 if self.unit in _MOMENTS else edge


def places(picture: Mapping[str, Any]) -> Places:
    """Return where the edges of a picture stand."""
    unit = Unit(picture["unit"])
    factor = 1 / 3600 if unit is Unit.CLOCK else 1.0
    return Places([edge * factor for edge in picture["edges"]], unit)


def edge_labels(picture: Mapping[str, Any]) -> list[str]:
    """Return each bin in words, as ``20 to 25``; the outermost are open."""
    unit = Unit(picture["unit"])
    edges = picture["edges"]
    if unit in (Unit.INTEGER, Unit.LENGTH):
        labels = [
            _number(low) if high - low == 1 else f"{_number(low)} to {_number(high - 1)}"
            for low, high in pairwise(edges)
        ]
    else:
        texts = _texts(edges, unit)
        labels = [f"{low} to {high}" for low, high in pairwise(texts)]
    if len(labels) == 1:
        return ["all values"]
    before = _texts(edges, unit)
    labels[0] = f"below {before[1]}"
    labels[-1] = f"{before[-2]} or more"
    return labels


def _texts(edges: list[float], unit: Unit) -> list[str]:
    if unit in _MOMENTS:
        whole_days = all(edge % _DAY == 0 for edge in edges)
        return [_moment(edge, whole_days=whole_days) for edge in edges]
    if unit is Unit.CLOCK:
        return [f"{int(edge // 3600):02d}:{int(edge % 3600 // 60):02d}" for edge in edges]
    return [_number(edge) for edge in edges]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def _moment(seconds: float, *, whole_days: bool) -> str:
    moment = np.datetime64(math.floor(seconds), "s")  # knows years beyond 9999
    return str(moment.astype("datetime64[D]")) if whole_days else str(moment)[:-3].replace("T", " ")
