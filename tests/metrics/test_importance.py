import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import spearmanr
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression

from metrics.samples import KEY, drawn_apart, measure
from simulacra.metrics.importance import agreement, importances
from simulacra.metrics.utility import Utility

WEIGHTS = np.array([3.0, 0.0, 1.0, 0.5])


def linear(rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, len(WEIGHTS)))
    return x, x @ WEIGHTS + rng.normal(scale=0.1, size=rows)


def test_importances_are_those_of_scikit_learn_and_of_theory():
    x, y = linear(4_000, 1)
    model = LinearRegression().fit(x, y)

    def losses(matrix):
        return (y - model.predict(matrix)) ** 2

    found = importances(losses, x, [[0], [1], [2], [3]], KEY).mean(axis=1)
    # A shuffled column of unit variance costs twice the square of its weight.
    assert found == pytest.approx(2 * WEIGHTS**2, rel=0.1, abs=0.01)
    theirs = permutation_importance(
        model, x, y, scoring="neg_mean_squared_error", n_repeats=10, random_state=0
    )
    assert found == pytest.approx(theirs.importances_mean, rel=0.1, abs=0.01)


def test_features_of_one_column_are_shuffled_together():
    x, _ = linear(500, 2)
    twin = np.column_stack([x[:, 0], x[:, 0]])
    found = importances(lambda m: (m[:, 0] - m[:, 1]) ** 2, twin, [[0, 1], [0]], KEY)
    assert found[0].max() == 0.0
    assert found[1].mean() == pytest.approx(2.0, rel=0.2)


def test_agreement_is_spearmans_coefficient():
    rng = np.random.default_rng(3)
    one, other = rng.normal(loc=np.arange(2, 8)[:, None], size=(2, 6, 300))
    other[3] -= 3.0
    value, (low, high) = agreement(one, other, KEY)
    assert value == pytest.approx(spearmanr(one.mean(axis=1), other.mean(axis=1))[0])
    assert -1.0 <= low <= value <= high <= 1.0
    assert agreement(one, one, KEY) == (1.0, (1.0, 1.0))
    assert agreement(one, one[::-1], KEY)[0] == pytest.approx(-1.0)
    assert agreement(one, np.zeros((6, 300)), KEY) is None


def test_columns_that_hardly_matter_have_no_rank():
    one = np.repeat([[5.0], [3.0], [0.04], [0.01], [-0.02]], 50, axis=1)
    other = np.repeat([[5.0], [3.0], [-0.01], [0.03], [0.04]], 50, axis=1)
    assert agreement(one, other, KEY)[0] == pytest.approx(1.0)
    assert spearmanr(one.mean(axis=1), other.mean(axis=1))[0] < 0.8


def judged(real, synthetic, **options):
    _, alike = measure(Utility(), real, synthetic, **options)
    assert alike.metric == "importance_agreement"
    return alike


def weighed(rows, seed, weights):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, len(weights)))
    y = x @ np.array(weights) + rng.normal(scale=0.2, size=rows)
    return pa.table({f"x{place}": column for place, column in enumerate(x.T)} | {"y": y})


def test_models_of_the_same_relation_agree_and_of_a_reversed_one_do_not():
    weights = [2.0, 1.4, 1.0, 0.7, 0.5]
    real, holdout = weighed(4_000, 1, weights), weighed(2_000, 2, weights)
    same = judged(real, weighed(4_000, 3, weights), holdout=holdout, target="y")
    assert same.value == same.floor == 1.0
    assert same.details["most_important"]["real"] == ["x0", "x1", "x2", "x3", "x4"]
    assert same.details["compared_rows"] == 2_000
    other = judged(real, weighed(4_000, 3, weights[::-1]), holdout=holdout, target="y")
    assert other.value < other.floor - 0.5
    assert other.interval[0] <= other.value <= other.interval[1]


def test_it_says_why_nothing_can_be_compared():
    few = weighed(400, 1, [1.0, 0.5])
    assert "fewer than 3" in judged(few, few, target="y").details["why"]
    constant = weighed(400, 1, [1.0, 0.5, 0.2]).set_column(3, "y", pa.array(["a"] * 400))
    assert "single class" in judged(constant, constant, target="y").details["why"]
    # What teaches nothing leans on whatever chance offers.
    wide = weighed(3_000, 1, [2.0, 1.4, 1.0, 0.7, 0.5, 0.3])
    assert judged(wide, drawn_apart(wide), target="y").value < 0.9
