import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.core.random import RngKey
from simulacra.core.schema import ColumnSpec, RuleSpec
from simulacra.metrics.intervals import wilson
from simulacra.metrics.rule_validity import RuleValidity
from simulacra.rules.discovery import discover

DAY = dt.timedelta(days=1)


def rules_of(*rules):
    return [RuleSpec(rule=name, options=options) for name, options in rules]


def judged(*tables, rules, holdout=None, **columns):
    table = spec_of(tables[0], **columns).model_copy(update={"rules": rules_of(*rules)})
    return measure(RuleValidity(), *tables, holdout=holdout, table=table)


def stays(count, nights, seed=1):
    rng = np.random.default_rng(seed)
    arrived = [dt.datetime(2024, 1, 1) + int(day) * DAY for day in rng.integers(0, 300, count)]
    left = [day + int(n) * DAY for day, n in zip(arrived, nights, strict=True)]
    return pa.table({"arrived": arrived, "left": left, "year": [day.year for day in arrived]})


ORDER = ("difference", {"column": "left", "minus": "arrived", "order": ">"})


def test_rows_that_break_an_order_are_counted_beside_those_of_the_holdout():
    rng = np.random.default_rng(2)
    real = stays(400, rng.integers(1, 9, 400))
    synthetic = stays(200, np.where(np.arange(200) < 30, 0, 3), seed=2)
    holdout = stays(100, np.where(np.arange(100) < 4, -1, 3), seed=3)
    (score,) = judged(real, synthetic, holdout=holdout, rules=[ORDER])
    assert score.columns == ("left", "arrived")
    assert (score.value, score.floor) == (0.85, 0.96)
    assert score.interval == wilson(0.85, 200)
    # Two random dates are in order about as often as not.
    assert 0.4 < score.details["by_chance"] < 0.6
    assert score.details["verdict"] == (
        "30 of 200 synthetic rows break the rule, and 4 of 100 held-out ones."
    )
    (alone,) = judged(real, synthetic, rules=[ORDER])
    assert (alone.value, alone.floor, alone.details["floor"]) == (0.85, 1.0, "real rows")


def test_rules_see_what_earlier_ones_leave_and_judge_what_can_still_be_judged():
    dates = [(2024, 1 + i % 12, 1 + i % 28) for i in range(600)]
    paid = [dt.date(*day) + DAY for day in dates]
    names = ["year", "month", "day"]
    real = pa.table(dict(zip(names, zip(*dates, strict=True), strict=True)) | {"paid": paid})
    calendar = ("calendar", {name: name for name in names})
    # The date is a column that the rule before makes.
    later = ("difference", {"column": "paid", "minus": "year-month-day", "order": ">"})
    synthetic = pa.table(
        {
            "year": [2023, 2024, 2023, 2024],
            "month": [2, 2, 5, 5],
            "day": [29, 29, 5, 5],
            "paid": [dt.date(2023, 3, 2), dt.date(2024, 3, 2), dt.date(2023, 5, 6), paid[0]],
        }
    )
    day, order = judged(real, synthetic, rules=[calendar, later])
    # 2023 had no 29 February. Of the other three, one is paid before its day.
    assert (day.value, day.details["broken"]) == (0.75, 1)
    assert order.columns == ("paid",)
    assert (order.details["rows"], order.details["broken"]) == (3, 1)
    assert order.value == pytest.approx(2 / 3)


def test_columns_that_a_rule_only_reads_stay_as_they_are():
    rng = np.random.default_rng(4)
    clock = rng.integers(0, 24, 500) * 100 + rng.integers(0, 60, 500)
    real = pa.table({"at": clock, "hour": clock // 100, "minute": clock % 100})
    rules = [
        ("part", {"column": "hour", "of": "at", "part": "quotient", "by": 100}),
        ("part", {"column": "minute", "of": "at", "part": "remainder", "by": 100}),
    ]
    synthetic = pa.table({"at": [1230, 1230, 1230], "hour": [1, 2, 3], "minute": [30, 30, 29]})
    hour, minute = judged(real, synthetic, rules=rules)
    assert hour.value == 0.0
    assert (minute.value, minute.details["rows"]) == (pytest.approx(2 / 3), 3)


def test_a_rule_that_every_row_breaks_leaves_nothing_to_ask():
    rng = np.random.default_rng(5)
    real = pa.table({"at": rng.integers(0, 24, 500) * 100})
    real = real.append_column("until", pa.array(real["at"].to_numpy() + rng.integers(1, 9, 500)))
    wrong = pa.table({"at": [1270, 2599], "until": [1280, 2600]})
    rules = [
        ("clock", {"column": "at"}),
        ("difference", {"column": "until", "minus": "at", "order": ">"}),
    ]
    clock, order = judged(real, wrong, rules=rules)
    assert clock.value == 0.0
    assert "by_chance" not in clock.details
    assert "earlier rule" in order.details["why"]


def test_rules_that_say_nothing_or_do_not_hold_have_no_score():
    rng = np.random.default_rng(6)
    real = stays(300, rng.integers(0, 9, 300))
    vague = ("difference", {"column": "left", "minus": "arrived"})
    (score,) = judged(real, real, rules=[vague])
    assert (score.value, score.details["by_chance"]) == (None, 1.0)
    assert "at random" in score.details["why"]
    scores = judged(
        real,
        real,
        rules=[
            ORDER,
            ("difference", {"column": "left", "minus": "^guest.born", "order": ">"}),
            ("unheard of", {"column": "left"}),
            ("part", {"column": "year"}),
            ("part", {"column": "year", "of": "arrived", "part": "year"}),
        ],
    )
    whys = [score.details.get("why", "") for score in scores]
    assert "rows aren't >" in whys[0]
    assert "no such column" in whys[1]
    assert "no rule called 'unheard of'" in whys[2]
    assert "part.of" in whys[3].replace("\n", ".") or "of" in whys[3]
    assert [score.value for score in scores] == [None] * 4 + [None]
    assert scores[4].details["by_chance"] == 1.0  # all arrive in one year


def test_rules_found_in_real_flights_hold_for_others_and_not_for_columns_drawn_apart():
    columns = ["year", "month", "day", "dep_time", "sched_dep_time", "hour", "minute", "time_hour"]
    real, holdout = halves(shipped("flights", columns), rows=3_000)
    spec = spec_of(real)
    rules = discover(real, spec, rng=RngKey(1))
    options = {"holdout": holdout, "table": spec, "rules": rules}
    found = {s.details["what"]: s for s in measure(RuleValidity(), real, holdout, **options)}
    assert len(found) == len(rules) > 3
    valued = {what: score for what, score in found.items() if score.value is not None}
    assert {score.value for score in valued.values()} == {1.0}
    assert any("part: column hour" in what for what in valued)
    apart = measure(RuleValidity(), real, drawn_apart(real), **options)
    for score in apart:
        chance = score.details.get("by_chance", 1.0)
        if score.value is not None and chance is not None:
            assert score.value == pytest.approx(chance, abs=0.05)
    assert min(score.value for score in apart if score.value is not None) < 0.2


def test_fields_of_structs_are_columns():
    kind = pa.struct([("low", pa.int64()), ("high", pa.int64())])
    rng = np.random.default_rng(7)
    low = rng.integers(0, 100, 300)
    rows = [{"low": int(x), "high": int(x) + 1} for x in low]
    real = pa.table({"range": pa.array(rows, kind)})
    leaf = {"type": "integer", "arrow": "int64"}
    struct = ColumnSpec.model_validate(
        {"type": "struct", "arrow": "struct", "fields": {"low": leaf, "high": leaf}}
    )
    rule = ("difference", {"column": "range.high", "minus": "range.low", "order": ">"})
    synthetic = pa.table({"range": pa.array([rows[0], {"low": 3, "high": 2}], kind)})
    (score,) = judged(real, synthetic, rules=[rule], range=struct)
    assert (score.value, score.columns) == (0.5, ("range.high", "range.low"))


def test_without_rules_or_rows_there_is_a_reason():
    real = pa.table({"x": [1, 2, 3]})
    (score,) = judged(real, real, rules=[])
    assert score.details["why"] == "the table has no rules"
    (score,) = judged(real, real.slice(0, 0), rules=[("clock", {"column": "x"})])
    assert "no synthetic rows" in score.details["why"]
