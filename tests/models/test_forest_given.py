"""The forest given some of its features: what it must keep of conditional distributions."""

import numpy as np
import pytest
from scipy import stats

from models.test_forest import NOMINAL, ORDINAL, features_of, fit
from simulacra.core.errors import UsageError
from simulacra.core.features import Features
from simulacra.core.random import RngKey

ROWS = 40_000
DRAWN = 6_000


def chain(seed=0):
    """Return columns of which each depends on the one before: a on nothing, c on b, b on a."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 4, ROWS)
    b = (a + rng.choice([0, 1, 2], ROWS, p=[0.7, 0.2, 0.1])) % 5
    c = (2 * b + rng.choice([0, 1], ROWS, p=[0.8, 0.2])) % 6
    return {"a": (NOMINAL, a), "b": (ORDINAL, b), "c": (NOMINAL, c)}


@pytest.fixture(scope="module")
def columns():
    return chain()


@pytest.fixture(scope="module")
def forest(columns):
    return fit(columns, min_leaf=20)


def given(forest, columns, rows=DRAWN, seed=1, **codes):
    """Draw with some features fixed to a code, or to one for each row."""
    every = features_of(columns)
    specs = [spec for spec in every.specs if spec.name in codes]
    arrays = [np.broadcast_to(codes[spec.name], rows).astype(np.int64) for spec in specs]
    fixed = Features.of(specs, arrays, rows=rows)
    return forest.sample(rows, context=None, fixed=fixed, rng=RngKey(seed))


@pytest.mark.parametrize(
    "codes", [{"a": 2}, {"b": 3}, {"c": 5}, {"a": 1, "c": 3}, {"b": 0, "c": 1}, {"a": 0, "b": 1}]
)
def test_the_rest_follows_the_true_conditional(forest, columns, codes):
    drawn = given(forest, columns, **codes)
    like = np.logical_and.reduce([columns[name][1] == code for name, code in codes.items()])
    for name, (_, values) in columns.items():
        if name in codes:
            assert (drawn[name] == codes[name]).all()
            continue
        expected = np.bincount(values[like], minlength=6) / like.sum()
        share = np.bincount(drawn[name], minlength=6) / DRAWN
        # Two samples: at most 4.5 standard errors in each code, and what smoothing moves.
        error = np.sqrt(expected * (1 - expected) * (1 / DRAWN + 1 / like.sum()))
        assert np.abs(share - expected).max() <= (4.5 * error + 0.02).max(), name


def test_every_row_may_be_given_other_codes(forest, columns):
    wanted = np.arange(DRAWN) % 6
    drawn = given(forest, columns, c=wanted)
    assert (drawn["c"] == wanted).all()
    table = stats.contingency.crosstab(drawn["b"], drawn["c"], levels=(range(5), range(6))).count
    real = stats.contingency.crosstab(
        columns["b"][1], columns["c"][1], levels=(range(5), range(6))
    ).count
    shares, expected = table / table.sum(axis=0), real / real.sum(axis=0)
    assert np.abs(shares - expected).max() < 0.06


def test_nothing_to_draw_gives_back_what_is_given(forest, columns):
    some = {name: values[:100] for name, (_, values) in columns.items()}
    drawn = given(forest, columns, rows=100, **some)
    for name, values in some.items():
        assert (drawn[name] == values).all()


def test_the_seed_decides(forest, columns):
    once, again, other = (given(forest, columns, c=1, seed=s) for s in (1, 1, 2))
    assert (once["a"] == again["a"]).all()
    assert (once["a"] != other["a"]).any()


def test_what_never_goes_together_is_still_as_given(forest, columns):
    values = columns["a"][1], columns["b"][1]
    assert not ((values[0] == 0) & (values[1] == 4)).any()
    drawn = given(forest, columns, rows=50, a=0, b=4)
    assert (drawn["a"] == 0).all()
    assert (drawn["b"] == 4).all()


def test_no_rows_are_no_rows(forest, columns):
    assert given(forest, columns, rows=0, c=1).rows == 0


def test_probabilities_of_all_rows_sum_to_one_and_match_shares(forest, columns):
    grid = np.stack(np.meshgrid(range(4), range(5), range(6), indexing="ij")).reshape(3, -1)
    every = features_of(columns)
    cells = Features.of(every.specs, list(grid))
    shares = np.exp(forest.log_prob(cells, context=None))
    assert shares.sum() == pytest.approx(1.0, abs=1e-9)
    real = np.zeros((4, 5, 6))
    np.add.at(real, tuple(values for _, values in columns.values()), 1 / ROWS)
    assert np.abs(shares - real.reshape(-1)).max() < 0.01


def test_features_that_were_not_learned_are_refused(forest):
    other = features_of({"z": (NOMINAL, np.zeros(5, np.int64))})
    with pytest.raises(UsageError, match="no feature 'z'"):
        forest.sample(5, context=None, fixed=other, rng=RngKey(0))
    few = Features.of(other.specs[:0], [], rows=5)
    with pytest.raises(UsageError, match="is missing"):
        forest.log_prob(few, context=None)
