"""Scores put together and put into words, for all parts of a report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from simulacra.core.protocols import DatasetMetric, Metric
from simulacra.core.scores import Measure, Score
from simulacra.pipeline.reports.schema import MeasureDict, ScoreDict

_LOWEST = 5
"""How many of the worst single scores an overall score names."""
_SHOWN = 3
_ALL_BUT_ONE = 0.99995  # what would be shown as 1.0000 doesn't stand out


def measures_of(metrics: Iterable[Metric | DatasetMetric]) -> dict[str, Measure]:
    """Return what the scores of metrics are, by their names."""
    return {measure.name: measure for metric in metrics for measure in metric.measures}


def ideal(measure: Measure) -> str:
    """Return what a perfect copy scores, for people."""
    return "floor" if measure.ideal is None else f"{measure.ideal:g}"


def by_metric(scores: Iterable[Score]) -> dict[str, list[Score]]:
    """Return the scores of each metric, in the order in which metrics come first."""
    groups: dict[str, list[Score]] = {}
    for score in scores:
        groups.setdefault(score.metric, []).append(score)
    return groups


def overall(measure: Measure, scores: Sequence[Score]) -> Score:
    """Return the only score, or the mean of those that have a value.

    The floor of a mean is the mean over the same scores. So are both ends of its interval, if all
    have one: scores of the same rows err together, and their mean is never less sure than that.
    ``details["lowest"]`` (``"highest"``,
    where higher is worse) lists the worst.
    """
    if len(scores) == 1:
        return scores[0]
    measured = [(score.value, score) for score in scores if score.value is not None]
    if not measured:
        return Score(measure.name, None, details={"why": "none of its scores has a value"})
    value = math.fsum(value for value, _ in measured) / len(measured)
    floors = [score.floor for _, score in measured]
    floor = None
    if None not in floors:
        floor = math.fsum(f for f in floors if f is not None) / len(floors)
    intervals = [score.interval for _, score in measured if score.interval is not None]
    bounds = None
    if len(intervals) == len(measured):
        low, high = (math.fsum(ends) / len(ends) for ends in zip(*intervals, strict=True))
        bounds = low, high
    higher = measure.higher_is_better
    worst = sorted(measured, key=lambda pair: pair[0], reverse=not higher)[:_LOWEST]
    details = {
        "measured": len(measured),
        "not_measured": len(scores) - len(measured),
        "lowest" if higher else "highest": [
            {"columns": list(score.columns), "value": value, **_what(score)}
            for value, score in worst
        ],
    }
    return Score(measure.name, value, floor=floor, details=details, interval=bounds)


def _what(score: Score) -> dict[str, Any]:
    """Return what a score is about, where columns alone don't tell."""
    return {"what": score.details["what"]} if "what" in score.details else {}


def score_dict(score: Score) -> ScoreDict:
    """Return a score as JSON-able values."""
    return ScoreDict(
        metric=score.metric,
        columns=list(score.columns),
        value=score.value,
        floor=score.floor,
        interval=score.interval,
        details=dict(score.details),
    )


def measure_dict(measure: Measure) -> MeasureDict:
    """Return a measure as JSON-able values."""
    return MeasureDict(
        title=measure.title,
        group=measure.group.value,
        higher_is_better=measure.higher_is_better,
        ideal=measure.ideal,
    )


def number(value: float | None) -> str:
    """Return a value as people read it."""
    return "-" if value is None else f"{value:.4f}"


def interval(of: Sequence[float] | None) -> str:
    """Return a confidence interval as people read it; empty without one."""
    return "" if of is None else " to ".join(number(end) for end in of)


def remark(score: Score) -> str:
    """Return what stands out in a score."""
    details = score.details
    if score.value is None:
        return str(details.get("why", ""))
    if "given_away_by" in details:
        told = details["given_away_by"][:_SHOWN]
        return ", ".join(f"{item['column']} {item['share']:.0%}" for item in told)
    if "lowest" in details:
        return _named(item for item in details["lowest"] if item["value"] < _ALL_BUT_ONE)
    if "highest" in details:
        return _named(item for item in details["highest"] if item["value"] > 1 - _ALL_BUT_ONE)
    if "gap" in details:
        return f"{details['target']}: {details['measure']}, gap {details['gap']:+.4f}"
    return ""


def _named(items: Iterable[dict[str, Any]]) -> str:
    shown = list(items)[:_SHOWN]
    names = [item.get("what") or " × ".join(item["columns"]) for item in shown]
    return ", ".join(f"{n} {item['value']:.4f}" for n, item in zip(names, shown, strict=True))
