"""The independent model, and the columns that it shares with the copula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.context import RunContext
from simulacra.core.errors import UsageError
from simulacra.core.features import FeatureKind, Features, FeatureSpec, TrainingData
from simulacra.core.random import RngKey
from simulacra.models.columns import Detail, Marginal, columns_of, learn_column
from simulacra.models.independent import Independent, IndependentConfig

ROWS = 20_000
UNLIKELY = 1e-6
"""A p-value that chance alone gives once in a million tests."""


def spec(name: str, cardinality: int, column: str = "") -> FeatureSpec:
    return FeatureSpec(name, column or name, FeatureKind.ORDINAL, cardinality)


def training_data(specs, codes, counts=None) -> TrainingData:
    features = Features.of(specs, [np.asarray(c, np.uint32) for c in codes])
    counts = counts or [
        np.bincount(c, minlength=s.cardinality) for s, c in zip(specs, features.codes, strict=True)
    ]
    return TrainingData(features, tuple(np.asarray(c, np.int64) for c in counts), features.rows)


def fit(data):
    return Independent().fit(data, IndependentConfig(), rng=RngKey(1), ctx=RunContext())


def draw(fitted, rows=ROWS, *, fixed=None, seed=2):
    return fitted.sample(rows, context=None, fixed=fixed, rng=RngKey(seed))


def assert_shares(codes, shares):
    """Refuse codes whose counts are not multinomial with these shares (chi-squared test)."""
    found = np.bincount(codes, minlength=len(shares))
    assert found[np.asarray(shares) == 0].sum() == 0
    used = np.asarray(shares) > 0
    expected = np.asarray(shares)[used] * len(codes)
    assert stats.chisquare(found[used], expected).pvalue > UNLIKELY


def test_shares_are_those_of_all_rows_not_of_the_sample():
    counts = [10, 0, 500, 3_000, 90, 400]
    data = training_data([spec("a", 6)], [[0, 2, 3]], [counts])
    assert_shares(draw(fit(data))["a"], np.array(counts) / sum(counts))


def test_features_of_a_column_keep_together_and_columns_do_not():
    generator = np.random.default_rng(0)
    coarse = generator.choice(5, 3_000, p=[0.5, 0.2, 0.1, 0.1, 0.1])
    fine = (coarse * 7 + generator.integers(0, 3, 3_000)) % 11
    finest = (fine + generator.integers(0, 2, 3_000)) % 4
    other = coarse.copy()
    # Features of one column need not be neighbours.
    specs = [spec("c.1", 5, "c"), spec("o", 5), spec("c.2", 11, "c"), spec("c.3", 4, "c")]
    drawn = draw(fit(training_data(specs, [coarse, other, fine, finest])))
    assert [s.name for s in drawn.specs] == ["c.1", "o", "c.2", "c.3"]
    joint = np.bincount((coarse * 11 + fine) * 4 + finest, minlength=5 * 11 * 4) / 3_000
    code = (drawn["c.1"].astype(int) * 11 + drawn["c.2"]) * 4 + drawn["c.3"]
    assert_shares(code, joint)
    table = np.histogram2d(drawn["c.1"], drawn["o"], bins=[5, 5])[0]
    assert stats.chi2_contingency(table).pvalue > UNLIKELY


def test_a_code_that_the_sample_lacks_takes_the_detail_of_its_neighbour():
    specs = [spec("a.1", 10, "a"), spec("a.2", 100, "a")]
    counts = [[1] * 10, np.ones(100)]
    drawn = draw(fit(training_data(specs, [[2, 2, 8], [20, 21, 80]], counts)))
    assert set(drawn["a.2"][drawn["a.1"] < 5]) == {20, 21}
    assert set(drawn["a.2"][drawn["a.1"] > 5]) == {80}


def test_without_rows_every_code_is_as_likely():
    specs = [spec("a", 4), spec("b.1", 3, "b"), spec("b.2", 3, "b")]
    drawn = draw(fit(training_data(specs, [[], [], []])))
    assert_shares(drawn["a"], [0.25] * 4)
    assert_shares(drawn["b.1"], [1 / 3] * 3)


def test_fixed_columns_are_kept_and_half_of_one_is_refused():
    specs = [spec("a", 4), spec("b.1", 3, "b"), spec("b.2", 3, "b")]
    fitted = fit(training_data(specs, [[0, 1], [1, 2], [2, 0]]))
    whole = Features.of(specs[1:], [np.array([2, 2, 1]), np.array([0, 0, 2])])
    drawn = draw(fitted, 3, fixed=whole)
    assert drawn["b.1"].tolist() == [2, 2, 1]
    assert drawn["b.2"].tolist() == [0, 0, 2]
    half = Features.of(specs[1:2], [np.array([2, 2, 1])])
    with pytest.raises(UsageError, match=r"b: only b\.1 of its features is given"):
        draw(fitted, 3, fixed=half)
    stranger = Features.of([spec("z", 2)], [np.array([0, 1, 0])])
    with pytest.raises(UsageError, match="no feature 'z' to give"):
        draw(fitted, 3, fixed=stranger)


def test_a_bundle_draws_the_same(tmp_path):
    specs = [spec("a", 70_000), spec("b.1", 3, "b"), spec("b.2", 300, "b")]
    fitted = fit(training_data(specs, [[69_999, 5, 5], [1, 2, 2], [299, 0, 7]]))
    with write_bundle(tmp_path / "m.sim") as out:
        fitted.save(out)
    with open_bundle(tmp_path / "m.sim") as (_, src):
        loaded = Independent().load(src)
    for one, other in zip(draw(fitted, 500).codes, draw(loaded, 500).codes, strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


counts_lists = st.lists(st.integers(0, 1_000), min_size=1, max_size=40)


@given(counts_lists, st.randoms(use_true_random=False), st.data())
def test_a_code_is_found_again_from_within_its_stretch(counts, shuffler, data):
    order = list(range(len(counts)))
    shuffler.shuffle(order)
    marginal = Marginal.of(np.array(counts, np.int64), np.array(order))
    low, high = marginal.bounds()
    rows = np.array(counts) if any(counts) else np.ones(len(counts))
    assert np.allclose(high - low, rows / rows.sum())
    share = data.draw(st.floats(0.001, 0.999))
    seen = np.flatnonzero(high > low)
    assert marginal.codes(low[seen] + share * (high - low)[seen]).tolist() == seen.tolist()
    # In the order wanted, stretches follow one another.
    assert (np.diff(low[order]) >= 0).all()


def test_the_ends_of_the_unit_interval_have_codes():
    marginal = Marginal.of(np.array([0, 3, 0, 5, 0], np.int64))
    assert marginal.codes(np.array([0.0, 1.0 - 2**-53, 1.0])).tolist() == [1, 3, 3]


rows_lists = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=60
)


@given(rows_lists)
def test_rows_are_found_again_from_within_their_stretches(rows):
    specs = [spec("c.1", 5, "c"), spec("c.2", 7, "c"), spec("c.3", 4, "c")]
    data = training_data(specs, list(np.array(rows).T))
    (positions,) = columns_of(specs, specs[0].role)
    column = learn_column(data, positions)
    stretches = column.stretches(data.features.codes)
    found = column.codes([(low + high) / 2 for low, high in stretches])
    for one, other in zip(found, data.features.codes, strict=True):
        assert np.array_equal(one, other)
    # A row's stretches together are as wide as its share of the rows.
    width = np.prod([high - low for low, high in stretches], axis=0)
    assert np.allclose(width, [rows.count(row) / len(rows) for row in rows])


def test_an_unseen_later_code_lies_at_the_nearest_row():
    detail = Detail.of(np.array([0, 0, 0]), [np.array([3, 3, 9])], 1)
    zeros = np.zeros(3, np.uint8)
    ((low, high),) = detail.stretches(zeros, [np.array([1, 5, 12])])
    assert np.allclose(low, [0, 2 / 3, 2 / 3])
    assert np.allclose(high, [2 / 3, 1, 1])
