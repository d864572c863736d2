import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulacra.metrics.distances import kolmogorov_smirnov, total_variation
from simulacra.metrics.encode import Numbers
from simulacra.metrics.intervals import alike_shares, variance_of_mean, wilson
from simulacra.metrics.trends import Correlation

LEAST_HELD = 176
"""Of 200 intervals of 95 %, fewer hold the true value less than once in ten thousand times."""


def numbers(values):
    values = np.asarray(values)
    return Numbers(values, np.zeros(len(values), bool))


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_is_that_of_scipy(hits, more):
    rows = hits + more
    expected = stats.binomtest(hits, rows).proportion_ci(method="wilson")
    assert wilson(hits / rows, rows) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_shares_apart_agree_with_the_published_table():
    # Newcombe 1998, table II, method 10: differences of proportions and their intervals.
    for (a, m, b, n), (low, high) in {
        (56, 70, 48, 80): (0.0524, 0.3339),
        (9, 10, 3, 10): (0.1705, 0.8090),
        (6, 7, 2, 7): (0.0582, 0.8062),
    }.items():
        value, interval = alike_shares(a / m, m, b / n, n)
        assert value == pytest.approx(1 - (a / m - b / n))
        assert interval == pytest.approx((1 - high, 1 - low), abs=1e-4)
    # Where the difference may be none, the greatest likeness is 1.
    assert alike_shares(0.5, 100, 0.52, 100)[1][1] == 1.0


def test_intervals_of_total_variation_hold_that_of_the_populations():
    rng = np.random.default_rng(0)
    one, other = np.array([0.5, 0.2, 0.2, 0.1]), np.array([0.3, 0.2, 0.35, 0.15])
    true, held = np.abs(one - other).sum() / 2, 0
    for _ in range(200):
        low, high = total_variation(
            rng.multinomial(800, one), rng.multinomial(500, other)
        ).interval()
        held += low <= true <= high
    assert held >= LEAST_HELD


def test_the_error_of_total_variation_is_exact_for_two_categories():
    for ours, (a, b) in ((0.5, (500, 500)), (0.99, (990, 10))):
        found = total_variation(np.array([a, b]), np.array([a, b]))
        assert found.value == 0
        assert found.error == pytest.approx(np.sqrt(2 * ours * (1 - ours) / 1_000))
    assert total_variation(np.array([7]), np.array([9])).error == 0


def test_intervals_of_kolmogorov_smirnov_hold_that_of_the_populations():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        found = kolmogorov_smirnov(
            numbers(rng.normal(size=600)), numbers(rng.normal(0.5, size=400))
        )
        low, high = found.interval()
        held += low <= 2 * stats.norm.cdf(0.25) - 1 <= high
    assert held >= LEAST_HELD


def test_the_variance_of_a_correlation_is_that_of_its_samples():
    rng = np.random.default_rng(0)
    for rho in (0.0, 0.7):
        cov = [[1, rho], [rho, 1]]
        # Exponentials: their correlations vary more than those of normal numbers.
        found = [
            Correlation.of(*np.exp(rng.multivariate_normal([0, 0], cov, 2_000) / 3).T)
            for _ in range(300)
        ]
        spread = np.var([r.value for r in found])
        # The variance of 300 values is itself right to some 8 %, thrice that here.
        assert np.mean([r.variance() for r in found]) == pytest.approx(spread, rel=0.25)


def test_rows_of_one_cluster_count_as_one():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(400), 10)
    alike = np.repeat(rng.normal(size=400), 10)
    alike -= alike.mean()
    assert variance_of_mean(alike) == pytest.approx(1 / 4_000, rel=0.3)
    assert variance_of_mean(alike, [clusters]) == pytest.approx(10 * variance_of_mean(alike))
    # Of 40 clusters, nothing can be told of others.
    assert variance_of_mean(alike, [clusters % 40]) == variance_of_mean(alike)
