import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from metrics.samples import halves, measure, shipped, spec_of
from simulacra.metrics.coverage import Coverage

METRIC = Coverage()


def one(real, synthetic, *, holdout=None, **columns):
    real, synthetic = pa.table({"x": real}), pa.table({"x": synthetic})
    table = spec_of(real, **columns)
    (score,) = measure(METRIC, real, synthetic, holdout=holdout, table=table)
    return score


def test_ranges_and_categories_of_real_data_agree_with_pandas():
    flights = shipped("flights")
    real, other = flights.slice(0, 20_000), flights.slice(20_000, 1_000)
    kinds = dict.fromkeys(("carrier", "tailnum", "dest", "origin"), "category")
    scores = {s.columns[0]: s for s in measure(METRIC, real, other, table=spec_of(real, **kinds))}
    for name in ("dep_delay", "air_time", "distance", "time_hour"):
        a, b = (side[name].to_pandas().dropna() for side in (real, other))
        width = a.max() - a.min()
        gaps = (b.min() - a.min()) / width, (a.max() - b.max()) / width
        assert scores[name].value == pytest.approx(1 - sum(max(gap, 0) for gap in gaps)), name
    for name in kinds:
        a, b = (set(side[name].drop_null().to_pylist()) for side in (real, other))
        assert scores[name].value == pytest.approx(len(a & b) / len(a)), name
        exact = stats.binomtest(len(a & b), len(a)).proportion_ci(method="wilson")
        assert scores[name].interval == pytest.approx((exact.low, exact.high), abs=1e-12)


@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=30, unique=True),
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=30),
)
def test_any_range_is_covered_as_far_as_it_is_reached(real, synthetic):
    score = one(real, synthetic)
    below = max(min(synthetic) - min(real), 0)
    above = max(max(real) - max(synthetic), 0)
    expected = max(1 - (below + above) / (max(real) - min(real)), 0)
    assert score.value == pytest.approx(expected, abs=1e-12)
    assert score.interval[0] <= score.value <= score.interval[1]


def test_values_beyond_the_range_and_new_categories_gain_nothing():
    assert one([0, 10], [-5, 99]).value == 1.0
    assert one([0, 10], [20, 30]).value == 0.0
    assert one(["a", "b"], ["a", "c", "d"]).value == 0.5
    assert one([dt.date(2024, 1, 1), dt.date(2024, 1, 11)], [dt.date(2024, 1, 3)] * 2).value == 0.0
    assert one([-1e308, 1e308], [0.0, 1e308]).value == pytest.approx(0.5)


def test_nulls_and_infinities_cover_nothing():
    assert one(["a", "b", None], ["a", None]).value == 0.5
    assert one([0.0, 4.0, float("inf")], [1.0, None, float("-inf"), 4.0]).value == 0.75
    assert "no range" in one([3, 3], [3]).details["why"]
    assert "no synthetic value" in one([3.0, 4.0], [float("nan")]).details["why"]
    nulls = pa.array([None, None], pa.string())
    assert "no reference value" in one(nulls, ["a"]).details["why"]


def test_no_single_value_is_told():
    score = one([0.125, 7777.5, 3.0], [1.0, 5432.1])
    assert "7777" not in str(score.details)
    assert "5432" not in str(score.details)


def test_the_jackknife_finds_about_how_much_the_range_varies():
    rng = np.random.default_rng(0)
    reference = np.linspace(0, 1, 20_000)
    scores = [one(reference, rng.uniform(size=50)) for _ in range(300)]
    spread = np.std([score.value for score in scores])
    half = np.mean([score.interval[1] - score.value for score in scores])
    # Of uniform values, the expected square of the outermost gap is twice the variance of the
    # outermost value; the interval is cut at 1.
    assert spread < half < 2 * 1.96 * spread


def test_floors_are_what_real_rows_cover():
    real, holdout = halves(shipped("flights", ["dep_delay", "tailnum"]), rows=20_000)
    table = spec_of(real, tailnum="category")
    for given_holdout in (None, holdout):
        for score in measure(METRIC, real, real.slice(0, 500), holdout=given_holdout, table=table):
            assert 0 < score.floor < 1
