"""Temperature and top-p: what they make of the probabilities of codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.test_forest import NOMINAL, ORDINAL, features_of, fit
from models.test_independent import assert_shares, draw, training_data
from models.test_independent import fit as fit_independent
from models.test_independent import spec as ordinal
from simulacra.core.errors import UsageError
from simulacra.core.features import Features
from simulacra.core.random import RngKey
from simulacra.core.tempering import Tempering
from simulacra.models.tempering import Way, tempered_upto

ROWS = 20_000


def softened(numbers, temperature, top_p):
    """Return probabilities by the textbook: a softmax of log-counts, and the nucleus of it."""
    with np.errstate(divide="ignore"):
        logits = np.log(np.asarray(numbers, float)) / temperature
    shares = np.exp(logits - logits.max())
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")
    kept = order[: 1 + np.searchsorted(np.cumsum(shares[order]), top_p - 1e-12)]
    nucleus = np.zeros_like(shares)
    nucleus[kept] = shares[kept]
    return nucleus / nucleus.sum()


@given(
    st.lists(st.integers(0, 10**6), min_size=1, max_size=30).filter(any),
    st.floats(0.05, 20.0),
    st.floats(0.01, 1.0),
)
def test_probabilities_are_those_of_a_softmax_and_its_nucleus(numbers, temperature, top_p):
    upto = tempered_upto(np.array(numbers), Way(temperature, top_p, ordinal=False))
    shares = np.diff(upto, prepend=0.0)
    np.testing.assert_allclose(shares, softened(numbers, temperature, top_p), atol=1e-9)
    assert upto[-1] == 1.0
    assert (shares[np.array(numbers) == 0] == 0.0).all()


def test_of_equally_likely_ordered_codes_the_outermost_are_given_up():
    upto = tempered_upto(np.ones(10, np.int64), Way(1.0, 0.8, ordinal=True))
    np.testing.assert_array_equal(np.flatnonzero(np.diff(upto, prepend=0.0) > 0), np.arange(1, 9))


@pytest.mark.parametrize(
    ("temperature", "top_p"), [(0.0, 1.0), (-1, 1.0), (np.inf, 1.0), (1, 0.0), (1, 1.1)]
)
def test_what_makes_no_sense_is_refused(temperature, top_p):
    with pytest.raises(UsageError, match=r"a temperature of|a top-p of"):
        Tempering(temperature, top_p)


@pytest.mark.parametrize("how", [(0.5, 1.0), (2.0, 1.0), (1.0, 0.9), (0.7, 0.8)])
def test_independent_columns_have_tempered_marginals(how):
    counts = [100, 0, 500, 3_000, 900, 400]
    fitted = fit_independent(training_data([ordinal("a", 6)], [[0, 2, 3]], [counts]))
    assert_shares(draw(fitted.tempered(Tempering(*how)))["a"], softened(counts, *how))


def test_later_features_of_a_column_are_tempered_given_the_earlier():
    generator = np.random.default_rng(0)
    coarse = generator.choice(3, 5_000, p=[0.6, 0.3, 0.1])
    fine = (coarse + generator.choice(4, 5_000, p=[0.5, 0.3, 0.15, 0.05])) % 4
    data = training_data([ordinal("c", 3, "x"), ordinal("f", 4, "x")], [coarse, fine])
    drawn = draw(fit_independent(data).tempered(Tempering(0.5, 0.97)))
    assert drawn["c"].max() == 1  # 0.6² and 0.3² are more than 0.97 of the sum
    for code in range(2):
        counts = np.bincount(fine[coarse == code], minlength=4)
        assert_shares(drawn["f"][drawn["c"] == code], softened(counts, 0.5, 0.97))


@pytest.fixture(scope="module")
def columns():
    """A nominal column, and an ordinal one of which each code has its own distribution."""
    rng = np.random.default_rng(0)
    a = rng.choice(3, ROWS, p=[0.5, 0.3, 0.2])
    b = (a + rng.choice(4, ROWS, p=[0.55, 0.25, 0.15, 0.05])) % 5
    return {"a": (NOMINAL, a), "b": (ORDINAL, b)}


@pytest.mark.parametrize("how", [(0.5, 1.0), (2.0, 1.0), (1.0, 0.9)])
def test_the_forest_tempers_each_conditional(columns, how):
    forest = fit(columns, min_leaf=20).tempered(Tempering(*how))
    drawn = forest.sample(ROWS, context=None, fixed=None, rng=RngKey(1))
    a, b = (codes for _, codes in columns.values())
    pairs = [(a, drawn["a"], softened(np.bincount(a), *how))]
    pairs += [
        (b[a == n], drawn["b"][drawn["a"] == n], softened(np.bincount(b[a == n]), *how))
        for n in range(3)
    ]
    for learned, codes, wanted in pairs:
        share = np.bincount(codes, minlength=len(wanted))[: len(wanted)] / len(codes)
        # Drawn rows are stratified; what was learned is itself a sample, and leaves are smoothed.
        error = np.sqrt(wanted * (1 - wanted) * (1 / len(learned) + 1 / len(codes)))
        assert np.abs(share - wanted).max() <= (4.5 * error + 0.02).max()


def test_what_the_forest_is_given_stays_and_tells_what_it_told(columns):
    forest = fit(columns, min_leaf=20)
    specs = [spec for spec in features_of(columns).specs if spec.name == "b"]
    fixed = Features.of(specs, [np.full(4_000, 4)], rows=4_000)
    cold = forest.tempered(Tempering(0.5)).sample(4_000, context=None, fixed=fixed, rng=RngKey(1))
    assert (cold["b"] == 4).all()
    a, b = (codes for _, codes in columns.values())
    # Each code of a: as often as drawn so, times how likely it makes what is given.
    wanted = softened(np.bincount(a), 0.5, 1.0) * [np.mean(b[a == n] == 4) for n in range(3)]
    wanted /= wanted.sum()
    share = np.bincount(cold["a"], minlength=3) / 4_000
    assert np.abs(share - wanted).max() < 0.05


def test_ones_change_nothing(columns):
    forest = fit(columns)
    plain, told = (
        some.sample(1_000, context=None, fixed=None, rng=RngKey(1))
        for some in (forest, forest.tempered(Tempering(1.0, 1.0)))
    )
    for one, other in zip(plain.codes, told.codes, strict=True):
        np.testing.assert_array_equal(one, other)
