"""What the measures and scores of every metric must be."""

from __future__ import annotations

import json
import math

from simulacra.core.protocols import DatasetMetric, Metric
from simulacra.core.scores import Group, Score
from simulacra.testing.check import require


def require_declared(metric: Metric | DatasetMetric) -> None:
    """Require that a metric says what its scores are."""
    require(isinstance(metric.optional, bool), "optional is no bool")
    require(metric.measures, "it declares no measure")
    names = [measure.name for measure in metric.measures]
    require(len(set(names)) == len(names), f"it declares a measure twice: {names}")
    for measure in metric.measures:
        require(measure.title, f"{measure.name} has no title")
        require(isinstance(measure.group, Group), f"{measure.name}: {measure.group!r} is no group")
        require(isinstance(measure.higher_is_better, bool), "higher_is_better is no bool")
        ideal = measure.ideal
        require(ideal is None or math.isfinite(ideal), f"{measure.name}: its ideal is not finite")


def require_sound(metric: Metric | DatasetMetric, score: Score) -> None:
    """Require that a score is finite and JSON-able, and says why if it has no value."""
    declared = {measure.name for measure in metric.measures}
    require(score.metric in declared, f"{score.metric!r} is none of its measures: {declared}")
    if score.value is None:
        require(score.details.get("why"), f"{score} has no value and doesn't say why")
    else:
        require(math.isfinite(score.value), f"{score} is not finite")
    require(score.floor is None or math.isfinite(score.floor), f"{score}: floor not finite")
    if score.interval is not None and score.value is not None:
        low, high = score.interval
        require(math.isfinite(low) and math.isfinite(high), f"{score}: interval not finite")
        require(low <= score.value <= high, f"{score}: the value lies outside its interval")
    json.dumps(dict(score.details), allow_nan=False)
