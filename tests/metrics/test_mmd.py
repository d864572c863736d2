import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics.pairwise import euclidean_distances, rbf_kernel

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.metrics.columns import leaves
from simulacra.metrics.embedding import embed
from simulacra.metrics.mmd import Mmd

MMD = Mmd()


def one(*tables, **options):
    (score,) = measure(MMD, *tables, **options)
    return score


def by_sklearn(x, y, bandwidth):
    gamma, n = 0.5 / bandwidth**2, len(x)
    within = [(rbf_kernel(side, gamma=gamma).sum() - n) / (n * (n - 1)) for side in (x, y)]
    return sum(within) - 2 * rbf_kernel(x, y, gamma=gamma).mean()


def test_values_floors_and_bandwidth_are_those_of_sklearn():
    real, holdout = halves(shipped("weather"), rows=800)
    other = drawn_apart(real)
    score = one(real, other, holdout=holdout)
    x, y, z = embed(leaves(spec_of(real), real), [holdout, other, real], settled_by=(0, 2)).tables
    bandwidth = np.median(euclidean_distances(x)[np.triu_indices(800, 1)])
    assert score.details["bandwidth"] == pytest.approx(bandwidth, abs=1e-9)
    assert score.value == pytest.approx(by_sklearn(x, y, bandwidth), abs=1e-9)
    assert score.floor == pytest.approx(by_sklearn(x, z, bandwidth), abs=1e-9)
    assert score.interval[0] > score.floor


@pytest.mark.parametrize("shift", [0.0, 0.3])
def test_intervals_hold_and_equal_distributions_give_zero(shift):
    values, errors = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        real, other, holdout = (
            pa.table({"a": rng.normal(m, 1, 300), "b": rng.normal(0, 1, 300)})
            for m in (0, shift, 0)
        )
        score = one(real, other, holdout=holdout)
        values.append(score.value)
        errors.append((score.interval[1] - score.interval[0]) / 2 / 1.96)
    spread = np.std(values, ddof=1)
    # A standard deviation of 30 values is itself right to 13 %.
    assert 0.6 < np.mean(errors) / spread < 1.6
    if not shift:
        assert abs(np.mean(values)) < 4 * spread / np.sqrt(30)
    else:
        assert np.mean(values) > 4 * spread / np.sqrt(30)


def test_more_error_scores_higher():
    rng = np.random.default_rng(0)
    real, holdout = (pa.table({"x": rng.normal(size=1_000)}) for _ in range(2))
    scores = [
        one(real, pa.table({"x": rng.normal(size=1_000) + shift}), holdout=holdout).value
        for shift in (0, 0.3, 1, 3)
    ]
    assert scores == sorted(scores)


def test_what_can_not_be_compared_and_what_is_all_alike():
    few = pa.table({"x": [1.0] * 12})
    assert one(few, few).details["why"] == "fewer than 10 rows to compare on one side"
    key = one(few, few, table=spec_of(few, x="identifier"))
    assert key.details["why"] == "no column can be compared"
    many = pa.table({"x": [1.0] * 40})
    assert (one(many, many).value, one(many, many).floor) == (0.0, 0.0)
    other = pa.table({"x": [2.0] * 40})
    # Every kernel within is 1, and the distance 1.5 (half a rank, and one width beyond).
    expected = 2 - 2 * np.exp(-(1.5**2) / 2)
    assert one(many, other).value == pytest.approx(expected)
