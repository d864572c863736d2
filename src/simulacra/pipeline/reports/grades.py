"""A report in few figures: an index for each thing that matters, and what to mend first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from simulacra.core.scores import Group, Measure, Score
from simulacra.pipeline.reports.scores import number, remark

_GOOD = 0.05
"""A shortfall up to this is hardly to be seen in use."""
_FAIR = 0.2


class Level(StrEnum):
    """How far something falls short of a second real sample."""

    GOOD = "good"
    """By no more than chance, or than 0.05 of the way from ideal to worst."""
    FAIR = "fair"
    """By no more than 0.2."""
    POOR = "poor"
    UNKNOWN = "unknown"
    """Nothing was measured."""


class Index(StrEnum):
    """What a report is summed up in; each is from 0, the worst, to 1, a perfect copy."""

    QUALITY = "quality"
    """The mean over the measures of fidelity and relations."""
    VALIDITY = "validity"
    """The mean over the measures of validity."""
    UTILITY = "utility"
    """The mean over the measures of utility."""
    PRIVACY = "privacy"
    """The least over the measures of privacy: one open door is enough."""


_GROUPS = {
    Index.QUALITY: (Group.FIDELITY, Group.RELATIONS),
    Index.VALIDITY: (Group.VALIDITY,),
    Index.UTILITY: (Group.UTILITY,),
    Index.PRIVACY: (Group.PRIVACY,),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The overall score of one measure on one table (or on all, for keys), judged.

    Attributes:
        table: The table; empty for what is about all of them.
        measure: What was measured.
        score: The overall score.
        goodness: The score on a scale from 0, the worst, to 1, ideal; None without a value.
        floor: The goodness of the floor; None without one.
        level: How far it falls short.
        interval: The goodness of the ends of the score's interval; None without one.
    """

    table: str
    measure: Measure
    score: Score
    goodness: float | None
    floor: float | None
    level: Level
    interval: tuple[float, float] | None = None

    @classmethod
    def of(cls, table: str, measure: Measure, score: Score) -> Finding:
        """Judge a score."""
        found = goodness(measure, score.value, score.floor)
        floor = goodness(measure, score.floor, score.floor)
        level = _level(found, floor, measure, score)
        return cls(table, measure, score, found, floor, level, _interval(measure, score))

    @property
    def shortfall(self) -> float:
        """By how much its goodness falls short of the floor's, or of 1 without one."""
        return _shortfall(self.goodness, self.floor)

    @property
    def text(self) -> str:
        """The score in words: the verdict that the metric gives, or what stands out."""
        if verdict := self.score.details.get("verdict"):
            return str(verdict)
        where = f"{self.table}: " if self.table else ""
        beside = "" if self.score.floor is None else f", floor {number(self.score.floor)}"
        what = remark(self.score)
        tail = f" ({what})" if what else ""
        return f"{where}{self.measure.title} {number(self.score.value)}{beside}{tail}"


@dataclass(frozen=True, slots=True)
class Grade:
    """One index of a report.

    Attributes:
        index: Which.
        value: From 0, the worst, to 1; None where nothing was measured.
        floor: What a second real sample gets; None without floors.
        level: How far the value falls short of the floor.
        findings: What it is made of, the worst first.
        interval: What the value is if all scores are at the worse, or at the better, end of their
            intervals; None where none of them has one.
    """

    index: Index
    value: float | None
    floor: float | None
    level: Level
    findings: tuple[Finding, ...]
    interval: tuple[float, float] | None = None

    @property
    def verdict(self) -> str:
        """The grade in one sentence."""
        return _VERDICTS[self.index][self.level]


_VERDICTS = {
    Index.QUALITY: {
        Level.GOOD: "The synthetic data are distributed nearly as a second real sample would be.",
        Level.FAIR: "Most of the structure is kept; some of it can be told from real data.",
        Level.POOR: "The synthetic data can easily be told from real data.",
        Level.UNKNOWN: "Fidelity was not measured.",
    },
    Index.VALIDITY: {
        Level.GOOD: "Values, keys and rules are as valid as the real ones.",
        Level.FAIR: "Some values, keys or rules don't hold.",
        Level.POOR: "Many values, keys or rules don't hold.",
        Level.UNKNOWN: "Validity was not measured.",
    },
    Index.UTILITY: {
        Level.GOOD: "Models and queries give nearly what they give on real data.",
        Level.FAIR: "Models or queries lose some of what real data would give.",
        Level.POOR: "Models or queries give clearly less than on real data.",
        Level.UNKNOWN: "Utility was not measured.",
    },
    Index.PRIVACY: {
        Level.GOOD: "No attack that was tried learned more of the people in the real data than of "
        "others.",
        Level.FAIR: "An attack learned a little more of the people in the real data than of "
        "others.",
        Level.POOR: "An attack learned clearly more of the people in the real data than of others.",
        Level.UNKNOWN: "Privacy was not measured.",
    },
}


def goodness(measure: Measure, value: float | None, floor: float | None) -> float | None:
    """Return a value on a scale from 0, the worst, to 1, ideal.

    - A share, higher is better: its part of the ideal.
    - Lower is better: its part of the way from 1 to the ideal; so an AUC of 0.75, whose ideal is
      0.5, is half good. Better than ideal is ideal.
    - Where only the floor tells: the part of the floor that is reached, or one minus the excess.
    """
    if value is None or (measure.ideal is None and floor is None):
        return None
    if measure.higher_is_better:
        return _part(value, floor if measure.ideal is None else measure.ideal)
    if measure.ideal is None:
        return _clip(1.0 - max(value - (floor or 0.0), 0.0))
    way = 1.0 - measure.ideal
    return _clip((1.0 - value) / way) if way > 0.0 else float(value <= measure.ideal)


def _interval(measure: Measure, score: Score) -> tuple[float, float] | None:
    """Return the goodness of both ends of a score's interval, the worse one first."""
    if score.interval is None:
        return None
    ends = [goodness(measure, end, score.floor) for end in score.interval]
    known = sorted(end for end in ends if end is not None)
    return (known[0], known[1]) if len(known) == len(ends) else None


def _part(value: float, whole: float | None) -> float:
    if not whole or whole < 0.0:
        return 1.0 if value >= (whole or 0.0) else 0.0
    return _clip(value / whole)


def _clip(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _shortfall(found: float | None, floor: float | None) -> float:
    if found is None:
        return 0.0
    return max((1.0 if floor is None else floor) - found, 0.0)


def _level(found: float | None, floor: float | None, measure: Measure, score: Score) -> Level:
    if found is None:
        return Level.UNKNOWN
    shortfall = _shortfall(found, floor)
    if shortfall <= _GOOD or _is_chance(measure, score):
        return Level.GOOD
    return Level.FAIR if shortfall <= _FAIR else Level.POOR


def _is_chance(measure: Measure, score: Score) -> bool:
    """Say whether the interval of a score reaches its floor, or the ideal without one."""
    aim = measure.ideal if score.floor is None else score.floor
    if score.interval is None or aim is None:
        return False
    low, high = score.interval
    return high >= aim if measure.higher_is_better else low <= aim


def findings(
    parts: Iterable[tuple[str, Mapping[str, Measure], Mapping[str, Score]]],
) -> list[Finding]:
    """Judge overall scores, the worst first.

    Args:
        parts: Tables (empty for what is about all) with their measures and overall scores.
    """
    found = [
        Finding.of(table, measures[name], score)
        for table, measures, overall in parts
        for name, score in overall.items()
    ]
    return sorted(found, key=lambda finding: -finding.shortfall)


def grades(found: Sequence[Finding]) -> dict[Index, Grade]:
    """Sum findings up."""
    return {index: _grade(index, list(_of(found, groups))) for index, groups in _GROUPS.items()}


def _of(found: Sequence[Finding], groups: tuple[Group, ...]) -> Iterator[Finding]:
    for finding in found:
        if finding.measure.group in groups and finding.goodness is not None:
            yield finding


def _grade(index: Index, found: list[Finding]) -> Grade:
    value = _summed_up(index, [(f.measure.name, f.goodness) for f in found])
    floors = [f.floor for f in found]
    floor = None
    if None not in floors:
        floor = _summed_up(index, [(f.measure.name, f.floor) for f in found])
    if index is Index.PRIVACY and value is not None:
        level = _worst(f.level for f in found)
    else:
        level = _level_of_index(value, floor)
    return Grade(index, value, floor, level, tuple(found), _interval_of_index(index, found))


def _interval_of_index(index: Index, found: Sequence[Finding]) -> tuple[float, float] | None:
    """Return an index of the lower and of the upper ends of what it is made of.

    Scores of the same rows err together, how much so isn't known. If they did wholly, their mean
    would be as unsure as this; in no case is it more (the triangle inequality of errors). Scores
    without an interval count as if they were certain.
    """
    if all(finding.interval is None for finding in found):
        return None
    ends = [
        _summed_up(
            index,
            [(f.measure.name, f.interval[end] if f.interval else f.goodness) for f in found],
        )
        for end in (0, 1)
    ]
    low, high = ends
    return None if low is None or high is None else (low, high)


def _summed_up(index: Index, named: Sequence[tuple[str, float | None]]) -> float | None:
    """Return the least, or the mean over measures of their means over the tables."""
    by_measure: dict[str, list[float]] = {}
    for name, value in named:
        if value is not None:
            by_measure.setdefault(name, []).append(value)
    if not by_measure:
        return None
    if index is Index.PRIVACY:
        return min(min(values) for values in by_measure.values())
    means = [math.fsum(values) / len(values) for values in by_measure.values()]
    return math.fsum(means) / len(means)


def _level_of_index(value: float | None, floor: float | None) -> Level:
    if value is None:
        return Level.UNKNOWN
    shortfall = _shortfall(value, floor)
    if shortfall <= _GOOD:
        return Level.GOOD
    return Level.FAIR if shortfall <= _FAIR else Level.POOR


def _worst(levels: Iterable[Level]) -> Level:
    order = (Level.POOR, Level.FAIR, Level.GOOD, Level.UNKNOWN)
    return min(levels, key=order.index)
