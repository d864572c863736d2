import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from metrics.samples import halves, measure, shipped, spec_of
from simulacra.metrics.wasserstein import Wasserstein

METRIC = Wasserstein()
FLOATS = st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=40)


def one(real, synthetic, **options):
    (score,) = measure(METRIC, pa.table({"x": real}), pa.table({"x": synthetic}), **options)
    return score


def test_numbers_of_real_data_agree_with_scipy():
    real, other = halves(shipped("weather"), rows=5_000)
    table = spec_of(real, origin="category")
    scores = {s.columns[0]: s for s in measure(METRIC, real, other, table=table)}
    assert "nearer" in scores["origin"].details["why"]
    for name in ("temp", "wind_dir", "wind_gust", "pressure", "month", "time_hour"):
        a, b = (side[name].drop_null().to_numpy().astype(float) for side in (real, other))
        expected = stats.wasserstein_distance(a, b) / a.std()
        assert scores[name].value == pytest.approx(expected, abs=1e-9), name
        low, high = scores[name].interval
        assert 0 <= low < scores[name].value < high


@given(FLOATS.filter(lambda values: np.std(values) > 1e-3), FLOATS)
def test_any_floats_agree_with_scipy(a, b):
    expected = stats.wasserstein_distance(a, b) / np.std(a)
    assert one(a, b).value == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_a_shift_costs_its_part_of_the_spread():
    rng = np.random.default_rng(0)
    real = rng.normal(10, 4, 5_000)
    assert one(real, real).value == 0
    assert one(real, real + 1).value == pytest.approx(1 / real.std())
    # What KS cannot see: one row in a hundred that is very far off.
    wild = np.where(np.arange(5_000) % 100 == 0, real + 4_000, real)
    assert one(real, wild).value == pytest.approx(40 / real.std())


def test_huge_and_extreme_numbers_are_told_apart():
    a, b = [2**60, 2**60 + 2], [2**60 + 2, 2**60 + 4]
    assert one(a, b).value == pytest.approx(2.0)
    assert one([-(2**63), 2**63 - 1], [2**63 - 1] * 2).value == pytest.approx(1.0)
    assert one([1e308, -1e308], [1e308, 1e308]).value == pytest.approx(1.0)
    assert one([0.0, 1e-300], [1e-300] * 2).value == pytest.approx(1.0)
    assert "too far" in one([0.0, 1e-300], [1e308, 1e308]).details["why"]
    far = one([0.0, 1.0], [1e200, 3e200])
    assert (far.value, far.interval) == (pytest.approx(4e200), None)


def test_nulls_and_infinities_are_left_out_and_no_spread_is_said():
    inf = float("inf")
    assert one([1.0, 2.0, None, inf], [1.0, 2.0, None, -inf]).value == 0
    assert "no spread" in one([3, 3], [3, 4]).details["why"]
    assert "no synthetic value" in one([1.0, 2.0], [None, inf]).details["why"]
    assert "no reference value" in one(pa.array([None, None], pa.int8()), [1, 2]).details["why"]


def test_lengths_of_text_are_compared():
    real, other = pa.table({"x": ["a", "abc"]}), pa.table({"x": ["abc", "abcde"]})
    (score,) = measure(METRIC, real, other, table=spec_of(real, x="text"))
    assert score.value == pytest.approx(2.0)
    assert score.details["measure"].endswith("of lengths")


@pytest.mark.parametrize("shift", [0.3, 1.0])
def test_intervals_hold_the_distance_of_the_populations(shift):
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(200):
        low, high = one(rng.exponential(size=400), rng.exponential(size=300) + shift).interval
        # An exponential's standard deviation is 1, so the distance is the shift.
        held += low <= shift <= high
    # Of 200 intervals of 95 %, fewer than 176 hold it less than once in ten thousand times.
    assert held >= 176


def test_the_floor_is_that_of_a_second_sample():
    real, holdout = halves(shipped("weather", ["temp"]), rows=6_000)
    (score,) = measure(METRIC, real, real.slice(0, 2_000), holdout=holdout)
    (without,) = measure(METRIC, real, real.slice(0, 2_000))
    # The mean of ∫|F - G| is at most ∫ sqrt(2/π F(1-F) (1/n + 1/m)), some 0.6 deviations wide
    # for a uniform column: thrice that leaves chance out.
    bound = 3 * np.sqrt(2 / np.pi) * 1.4 * np.sqrt(1 / 2_000 + 1 / 6_000)
    assert 0 < score.floor < bound
    assert 0 < without.floor < bound
