import math

import pytest

from simulacra.core.errors import UsageError
from simulacra.core.scores import Group, Measure, Score
from simulacra.pipeline.reports.grades import Finding, Index, Level, goodness
from simulacra.pipeline.reports.relations import RelationsReport
from simulacra.pipeline.reports.report import Report, TableReport
from simulacra.pipeline.reports.text import to_mend
from simulacra.pipeline.reports.thresholds import Threshold, failures

SHARE = Measure("share", "Share", Group.FIDELITY)
AUC = Measure("auc", "AUC", Group.FIDELITY, higher_is_better=False, ideal=0.5)
KS = Measure("ks", "KS", Group.RELATIONS, higher_is_better=False, ideal=0.0)
GAIN = Measure("gain", "Gain", Group.UTILITY, ideal=None)
COPIES = Measure("copies", "Copies", Group.PRIVACY, higher_is_better=False, ideal=None)
ATTACK = Measure("attack", "Attack", Group.PRIVACY, higher_is_better=False, ideal=0.0)


@pytest.mark.parametrize(
    ("measure", "value", "floor", "expected"),
    [
        (SHARE, 0.9, None, 0.9),
        (SHARE, 1.2, None, 1.0),
        (AUC, 0.5, None, 1.0),
        (AUC, 0.75, None, 0.5),
        (AUC, 1.0, None, 0.0),
        (AUC, 0.4, None, 1.0),
        (KS, 0.3, None, 0.7),
        (GAIN, 0.45, 0.9, 0.5),
        (GAIN, 0.9, 0.9, 1.0),
        (GAIN, -0.2, 0.9, 0.0),
        (GAIN, -0.2, -0.1, 0.0),
        (COPIES, 0.3, 0.1, 0.8),
        (COPIES, 0.1, 0.3, 1.0),
        (GAIN, 0.9, None, None),
        (SHARE, None, 0.9, None),
    ],
)
def test_goodness_is_a_part_of_the_way_from_worst_to_ideal(measure, value, floor, expected):
    found = goodness(measure, value, floor)
    assert found == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("measure", "score", "level"),
    [
        (SHARE, Score("share", 0.96, floor=0.99), Level.GOOD),
        (SHARE, Score("share", 0.85, floor=0.99), Level.FAIR),
        (SHARE, Score("share", 0.5, floor=0.99), Level.POOR),
        (SHARE, Score("share", 0.85), Level.FAIR),
        (SHARE, Score("share", None, details={"why": "nothing"}), Level.UNKNOWN),
        # A hundredth of a share too few, but no more than chance.
        (SHARE, Score("share", 0.7, floor=0.99, interval=(0.3, 0.995)), Level.GOOD),
        (AUC, Score("auc", 0.6, floor=0.5, interval=(0.48, 0.72)), Level.GOOD),
        (AUC, Score("auc", 0.6, floor=0.5, interval=(0.58, 0.62)), Level.FAIR),
        (ATTACK, Score("attack", 0.3, interval=(0.25, 0.35)), Level.POOR),
    ],
)
def test_levels_compare_with_the_floor_and_leave_chance_out(measure, score, level):
    assert Finding.of("t", measure, score).level is level


def report(*, attack=0.0, value=0.9, auc=0.6):
    scores = (
        Score("share", value, ("a",), 0.99),
        Score("share", 1.0, ("b",), 0.99),
        Score("auc", auc, floor=0.5, details={"given_away_by": [{"column": "a", "share": 0.7}]}),
        Score("gain", 0.8, ("a",), 0.8),
        Score("copies", 0.0, floor=0.0),
        Score("attack", attack, details={"verdict": "The attack found people."}),
    )
    measures = {m.name: m for m in (SHARE, AUC, GAIN, COPIES, ATTACK)}
    table = TableReport("people", {"real": 10, "synthetic": 10}, scores, measures, seed=0)
    relations = RelationsReport((), {}, (Score("ks", 0.2, ("people.a",), 0.0),), {"ks": KS})
    return Report({"people": table}, 0, relations)


def test_quality_is_the_mean_over_measures_and_privacy_the_weakest_link():
    grades = report(attack=0.4).grades
    # share 0.95, AUC 0.8, KS 0.8; floors 0.99, 1, 1
    assert grades[Index.QUALITY].value == pytest.approx((0.95 + 0.8 + 0.8) / 3)
    assert grades[Index.QUALITY].floor == pytest.approx((0.99 + 1 + 1) / 3)
    assert grades[Index.QUALITY].level is Level.FAIR
    assert grades[Index.UTILITY].value == 1.0
    assert grades[Index.PRIVACY].value == pytest.approx(0.6)
    assert grades[Index.PRIVACY].level is Level.POOR
    assert grades[Index.VALIDITY].value is None
    assert grades[Index.VALIDITY].level is Level.UNKNOWN
    assert all(grade.verdict for grade in grades.values())


def test_intervals_are_those_of_scores_that_err_together():
    scores = (
        Score("share", 0.9, ("a",), 0.99, interval=(0.8, 0.94)),
        Score("share", 1.0, ("b",), 0.99, interval=(0.96, 1.0)),
        Score("auc", 0.6, floor=0.5, interval=(0.55, 0.65)),
        Score("copies", 0.0, floor=0.0, interval=(0.0, 0.02)),
        Score("attack", 0.3, interval=(0.1, 0.5)),
        Score("gain", 0.8, ("a",), 0.8),
    )
    measures = {m.name: m for m in (SHARE, AUC, GAIN, COPIES, ATTACK)}
    table = TableReport("people", {"real": 10, "synthetic": 10}, scores, measures, seed=0)
    assert table.overall["share"].interval == pytest.approx((0.88, 0.97))
    found = Report({"people": table}, 0)
    # Of an AUC the goodness is (1 - AUC) / 0.5; of the two measures of quality the mean.
    quality = found.grades[Index.QUALITY]
    assert quality.interval == pytest.approx(((0.88 + 0.7) / 2, (0.97 + 0.9) / 2))
    assert quality.interval[0] < quality.value < quality.interval[1]
    # Of privacy the least of the lower ends, and of the upper ones.
    assert found.grades[Index.PRIVACY].interval == pytest.approx((0.5, 0.9))
    assert found.grades[Index.UTILITY].interval is None
    assert "0.7900 to 0.9350" in found.summary()
    assert "0.7900 to 0.9350" in found.to_markdown()
    assert found.to_dict()["grades"]["quality"]["interval"] == quality.interval


def test_what_to_mend_is_named_worst_first_with_what_stands_out():
    texts = [finding.text for finding in to_mend(report(attack=0.4))]
    assert texts[0] == "The attack found people."
    assert "people: AUC 0.6000, floor 0.5000 (a 70%)" in texts
    assert to_mend(report(value=0.99, auc=0.5), most=1)[0].measure is KS


def test_thresholds_hold_against_indices_and_measures():
    found = report(attack=0.4)

    def failed(*pairs):
        return failures(found, [Threshold(name, value) for name, value in pairs])

    assert failed(("quality", 0.8), ("auc", 0.6), ("share", 0.95), ("ks", 0.2)) == []
    assert failed(("quality", 0.9), ("privacy", 0.7), ("auc", 0.55), ("share", 0.96)) == [
        "quality is 0.8500, under 0.9",
        "privacy is 0.6000, under 0.7",
        "auc is 0.6000, over 0.55",
        "share is 0.9500, under 0.96",
    ]
    with pytest.raises(UsageError, match="validity has no value"):
        failed(("validity", 0.9))


@pytest.mark.parametrize("text", ["quality", "quality=", "=0.5", "quality=high", "quality=nan"])
def test_a_threshold_is_a_name_and_a_number(text):
    with pytest.raises(UsageError, match="is no threshold"):
        Threshold.parse(text)


def test_a_threshold_is_about_something_that_there_is():
    assert Threshold.parse("detection=0.6") == Threshold("detection", 0.6)
    assert Threshold.parse(" quality=0.9") == Threshold("quality", 0.9)
    with pytest.raises(UsageError, match=r"nothing called 'beauty'.*quality.*detection"):
        Threshold.parse("beauty=1")


def test_the_text_is_finite_whatever_is_missing():
    empty = Report({"t": TableReport("t", {"real": 0}, (), {}, 0)}, 0)
    assert all(grade.level is Level.UNKNOWN for grade in empty.grades.values())
    assert "In short" in empty.summary()
    assert not any(math.isnan(g.value) for g in report().grades.values() if g.value is not None)
