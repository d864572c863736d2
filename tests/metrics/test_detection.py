import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.core.schema import ColumnSpec
from simulacra.metrics.columns import leaves
from simulacra.metrics.detection import Detection
from simulacra.metrics.telling import given_away_by

DETECTION = Detection()


def auc(*tables, **options):
    (score,) = measure(DETECTION, *tables, **options)
    return score


@pytest.fixture(scope="module")
def weather():
    return halves(shipped("weather"), rows=3_000)


def test_another_real_sample_can_not_be_told_apart(weather):
    real, holdout = weather
    score = auc(real, real, holdout=holdout)
    # 900 rows of each side are judged; the AUC of a guess has this standard error.
    assert abs(score.value - 0.5) < 4 * np.sqrt((2 * 900 + 1) / (12 * 900 * 900))
    assert score.floor == score.value


def test_lost_structure_is_detected_and_told(weather):
    real, holdout = weather
    broken = real.set_column(6, "dewp", drawn_apart(real)["dewp"])
    score = auc(real, broken, holdout=holdout)
    assert score.value > 0.9
    assert abs(score.floor - 0.5) < 0.06
    told = [item["column"] for item in score.details["given_away_by"]]
    # Temperature and dew point settle humidity; no other column has lost anything.
    assert set(told[:3]) == {"temp", "dewp", "humid"}
    assert sum(item["share"] for item in score.details["given_away_by"][:3]) > 0.95


@pytest.mark.parametrize(
    ("real", "synthetic", "expected"),
    [
        (np.arange(500.0), np.arange(1_000.0, 1_500.0), 1),
        (["a", "b"] * 250, ["c", "d"] * 250, 1),
        # Half of both sides is "b", which ties: 3/4 + 1/4 · 1/2.
        (["a", "b"] * 250, [None, "b"] * 250, 7 / 8),
        # Half of the real rows are 1, as all synthetic ones: 1/2 + 1/2 · 1/2.
        ([1, None] * 250, [1, 1] * 250, 3 / 4),
    ],
    ids=["numbers", "categories", "null category", "null number"],
)
def test_what_the_other_side_lacks_gives_away(real, synthetic, expected):
    score = auc(pa.table({"x": real}), pa.table({"x": synthetic}))
    # The shares in the 150 rows judged of each side vary.
    assert score.value == pytest.approx(expected, abs=0 if expected == 1 else 0.06)
    (told,) = score.details["given_away_by"]
    assert (told["column"], told["share"]) == ("x", 1.0)


def test_texts_and_lists_are_told_by_their_lengths():
    real = pa.table({"note": ["two words"] * 100, "list": pa.array([[1]] * 100)})
    longer = pa.table({"note": ["now three words"] * 100, "list": pa.array([[1]] * 100)})
    assert auc(real, longer, table=spec_of(real.select(["note"]), note="text")).value == 1.0


def test_a_key_gives_nothing_away():
    rng = np.random.default_rng(0)
    real, synthetic = (
        pa.table({"id": np.arange(300) + start, "x": rng.normal(size=300)}) for start in (0, 9_000)
    )
    score = auc(real, synthetic, table=spec_of(real, primary_key=["id"]))
    assert score.value < 0.7
    assert score.details["left_out"] == {"id": "the primary key carries no statistics"}


def test_threads_change_nothing_and_columns_may_have_any_name(weather):
    real, holdout = weather
    names = [f'{name} {{"[:],}}é' for name in real.column_names]
    real, holdout = (table.rename_columns(names).slice(0, 600) for table in (real, holdout))
    one, two = (auc(real, drawn_apart(real), holdout=holdout, threads=n) for n in (1, 2))
    assert one == two


def test_a_category_of_very_many_values_is_no_obstacle():
    rng = np.random.default_rng(0)
    real, other = (
        pa.table({"x": [f"v{i}" for i in rng.integers(0, 50_000, 9_000)]}) for _ in range(2)
    )
    assert abs(auc(real, other).value - 0.5) < 0.05


def test_too_little_to_judge_has_a_reason():
    few = pa.table({"x": [1, 2, 3]})
    assert auc(few, few).details["why"] == "fewer than 10 rows on one side"
    many = pa.table({"x": np.arange(50)})
    alone = auc(many, many, table=spec_of(many, x="identifier"))
    assert (alone.value, alone.details["why"]) == (None, "no column can be compared")
    constant = pa.table({"x": [1.0] * 50, "y": pa.array([None] * 50, pa.float64())})
    assert auc(constant, constant).value == 0.5
    infinite = pa.table({"x": [np.inf, -np.inf, np.nan, 2.0, None] * 20})
    assert auc(infinite, infinite).value is not None


def how(real, synthetic, column="x", **options):
    """Return how a column gives rows away; tables, or values of one column."""
    sides = [
        side if isinstance(side, pa.Table) else pa.table({"x": side}) for side in (real, synthetic)
    ]
    told = auc(*sides, **options).details["given_away_by"]
    return next(item["how"] for item in told if item["column"] == column)


def spread(low, high, rows=3_000):
    return np.linspace(low, high, rows)


def days(numbers):
    return pa.array(np.asarray(numbers, dtype="int32"), pa.date32())


NEW = "values that no real row has"
ABOVE = "values above those of all real rows"
NONE = "hardly a real one"
OF_REAL = " of the real ones"


@pytest.mark.parametrize(
    ("real", "synthetic", "expected"),
    [
        (
            ["a"] * 600 + ["b"] * 400,
            ["a"] * 200 + ["b"] * 800,
            {
                "too rarely “a”: 20.0% of the synthetic rows, 60.0% of the real ones",
                "too often “b”: 80.0% of the synthetic rows, 40.0% of the real ones",
            },
        ),
        (
            [0] * 900 + list(range(1, 101)),
            [0] * 500 + list(range(1, 101)) * 5,
            {
                "too rarely 0: 50.0% of the synthetic rows, 90.0% of the real ones",
                "too often any value (but for frequent values): 50.0% of the synthetic rows, 10.0%"
                + OF_REAL,
            },
        ),
        (
            [1.0, None] * 500,
            [1.0, 1.0, 1.0, None] * 250,
            {
                "too rarely null: 25.0% of the synthetic rows, 50.0% of the real ones",
                "too often 1: 75.0% of the synthetic rows, 50.0% of the real ones",
            },
        ),
        (
            [5, 10, 15, 20, 25] * 200,
            [5, 10, 15, 20, 25] * 160 + [7] * 200,
            {f"too often {NEW}: 20.0% of the synthetic rows, {NONE}"},
        ),
        (
            ["a", "b"] * 500,
            ["a", "b"] * 300 + ["c", "d"] * 200,
            {
                f"too often {NEW}: 40.0% of the synthetic rows, {NONE}",
                "too rarely “a”: 30.0% of the synthetic rows, 50.0% of the real ones",
                "too rarely “b”: 30.0% of the synthetic rows, 50.0% of the real ones",
            },
        ),
        (
            spread(0, 100),
            spread(60, 160),
            {
                f"too often {ABOVE}: 60.0% of the synthetic rows, {NONE}",
                "too rarely below 60: 0.0% of the synthetic rows, 60.0% of the real ones",
            },
        ),
        (
            [True] * 700 + [False] * 300,
            [True] * 300 + [False] * 700,
            {
                "too rarely True: 30.0% of the synthetic rows, 70.0% of the real ones",
                "too often False: 70.0% of the synthetic rows, 30.0% of the real ones",
            },
        ),
        (
            # Ranges of 150 rows each; neighbours of which there are too few are told as one.
            spread(0, 100),
            np.concatenate([spread(25, 50, 2_700), spread(75, 100, 300)]),
            {
                "too rarely below 25: 0.0% of the synthetic rows, 25.0% of the real ones",
                "too often 25 to below 50: 90.0% of the synthetic rows, 25.0% of the real ones",
                "too rarely 50 or more: 10.0% of the synthetic rows, 50.0% of the real ones",
            },
        ),
    ],
    ids=["category", "spike", "nulls", "new number", "new name", "beyond", "flag", "ranges"],
)
def test_hints_say_what_there_is_too_much_or_too_little_of(real, synthetic, expected):
    assert set(how(real, synthetic).split("; ")) == expected


def test_ranges_of_the_greatest_floats_are_told():
    rng = np.random.default_rng(5)
    real = pa.table(
        {"x": np.where(rng.random(400) < 0.5, -1, 1) * rng.uniform(1.5e308, 1.7e308, 400)}
    )
    other = pa.table({"x": np.abs(real["x"].to_numpy())})
    (item,) = given_away_by(leaves(spec_of(real), real), real, other, {"x": 1.0}, by_chance=False)
    assert "too rarely below" in item["how"]
    assert "0.0% of the synthetic rows" in item["how"]


@pytest.mark.parametrize(
    ("real", "synthetic", "spec", "expected"),
    [
        (
            days(range(19_723, 19_723 + 1_000)),
            days(list(range(19_723 + 500, 19_723 + 1_000)) * 2),
            None,
            ["too rarely below 2025-05-14: 0.0%", "too often 2025-05-14 or more: 100.0%"],
        ),
        (
            pa.array([dt.datetime(2024, 1, 1, 8) + dt.timedelta(hours=h) for h in range(1_000)]),
            pa.array([dt.datetime(2024, 2, 1, 8) + dt.timedelta(hours=h) for h in range(1_000)]),
            None,
            ["values above those of all real rows"],
        ),
        (
            pa.array([dt.time(m // 60, m % 60) for m in range(1_400)]),
            pa.array([dt.time(m // 120, m % 60) for m in range(1_400)]),
            None,
            ["too often below 12:00: 100.0%", "too rarely 12:00 or more: 0.0%"],
        ),
        (
            pa.array(np.arange(1_000), pa.duration("ms")),
            pa.array(np.arange(1_000) // 2, pa.duration("ms")),
            None,
            ["too often below 0.5 s: 100.0%", "too rarely 0.5 s or more: 0.0%"],
        ),
        (
            ["a", "bb"] * 500,
            ["a", "eeeee"] * 500,
            ColumnSpec(type="text", arrow="string"),
            ["too rarely 2 characters: 0.0%"],
        ),
        (
            ["one", "and two"] * 500,
            ["one", "and 2 2"] * 500,
            ColumnSpec(type="text", arrow="string"),
            ["too rarely 2 words: 0.0%", "50.0% of the real ones"],
        ),
        (
            ["2024-01-01", "2024-03-01"] * 500,
            ["2024-01-01", "2024-03-01", "2024-03-01", "2024-03-01"] * 250,
            ColumnSpec(type="date", arrow="string"),
            ["too rarely 2024-01-01: 25.0%", "too often 2024-03-01: 75.0%"],
        ),
        (
            ["09:30", "10:15"] * 500,
            ["09:30", "10:15", "10:15", "10:15"] * 250,
            ColumnSpec(type="time", arrow="string", options={"format": "%H:%M"}),
            ["too rarely 09:30: 25.0%", "too often 10:15: 75.0%"],
        ),
    ],
    ids=["date", "moment", "time", "duration", "length", "words", "text date", "text time"],
)
def test_hints_speak_of_dates_times_and_lengths(real, synthetic, spec, expected):
    real, synthetic = (pa.table({"x": side}) for side in (real, synthetic))
    table = spec and spec_of(real, x=spec)
    told = how(real, synthetic, table=table)
    for part in expected:
        assert part in told, told


def test_edges_of_ranges_are_round():
    rng = np.random.default_rng(0)
    for real in (rng.normal(40, 12, 3_000), rng.lognormal(9, 2, 3_000), rng.normal(0, 1e-6, 3_000)):
        told = how(real, real[real > np.median(real)])
        numbers = [word.strip(":;").replace(",", "") for word in told.split()]
        edges = [
            n for n in numbers if n.replace(".", "").replace("-", "").replace("e", "").isdigit()
        ]
        assert edges
        # Twenty ranges need no more than two or three digits.
        assert all(len(n.split("e")[0].replace(".", "").strip("-0")) <= 3 for n in edges), told


def test_a_column_that_looks_right_alone_is_crossed_with_another():
    rng = np.random.default_rng(1)

    def table(*, together):
        kind = rng.choice(["cat", "dog"], 4_000)
        size = np.where((kind == "cat") == (rng.random(4_000) < 0.9), "small", "large")
        other = size if together else rng.permutation(size)
        return pa.table({"kind": kind, "size": other, "noise": rng.normal(size=4_000)})

    real, holdout, broken = table(together=True), table(together=True), table(together=False)
    told = how(real, broken, "size", holdout=holdout)
    assert told.startswith("looks right alone, but not with kind: ")
    assert "too rarely “small” where kind is “cat”: 2" in told
    assert "too often “small” where kind is “dog”: 2" in told


def test_hints_of_chance_and_of_many_columns_say_so(weather):
    real, holdout = weather
    for item in auc(real, real, holdout=holdout).details["given_away_by"]:
        assert item["how"].startswith("perhaps by chance")
    rng = np.random.default_rng(2)

    def odd(*, three):
        a, b = rng.integers(0, 2, (2, 4_000))
        return pa.table({"a": a, "b": b, "c": a ^ b if three else rng.integers(0, 2, 4_000)})

    score = auc(odd(three=True), odd(three=False), holdout=odd(three=True))
    assert score.value > 0.7
    for item in score.details["given_away_by"]:
        assert item["how"].endswith("it tells together with several")


def test_nothing_that_few_real_rows_hold_is_named():
    rng = np.random.default_rng(3)
    rare = [f"secret{i}" for i in range(60)]
    names = ["a"] * 1_000 + ["b"] * 1_000 + [name for name in rare for _ in range(9)]
    real = pa.table({"name": names, "pay": np.arange(len(names)) * 1.0 + 0.123})
    # A generator that repeats the rare ones, and one person's pay.
    repeated = pa.table(
        {
            "name": ["a"] * 900 + rng.choice(rare, 1_640).tolist(),
            "pay": [777.123] * 1_000 + (np.arange(1_540) + 0.123).tolist(),
        }
    )
    for holdout in (None, real):
        score = auc(real, repeated, holdout=holdout)
        text = json.dumps(dict(score.details), ensure_ascii=False)
        assert score.value > 0.8
        assert "“b”" in text
        assert "secret" not in text
        assert "777.123" not in text
    low, high = (pc.min(real["pay"]).as_py(), pc.max(real["pay"]).as_py())
    assert str(low) not in text
    assert str(high) not in text


def test_what_looks_right_is_not_blamed(weather):
    rng = np.random.default_rng(4)
    # Names of which the most frequent are so by chance, and amounts of which many are new.
    names = [
        pa.table(
            {
                "name": [f"v{i}" for i in rng.integers(0, 5_000, 20_000)],
                "pay": np.round(rng.lognormal(3, 1, 20_000), 1),
            }
        )
        for _ in range(2)
    ]
    for real, other in (names, weather):
        found = leaves(spec_of(real), real)
        shares = {leaf.name: 1 / len(found) for leaf in found}
        for item in given_away_by(found, real, other, shares, by_chance=False):
            assert item["how"].startswith("looks right alone and with each other column"), item
