from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simulacra.core.random import RngKey

parts = st.one_of(st.text(max_size=5), st.integers(-(2**70), 2**70))


@given(st.integers(-(2**64), 2**64), st.lists(parts, max_size=4))
def test_equal_paths_give_equal_streams(seed, path):
    one, two = RngKey(seed).child(*path), RngKey(seed, tuple(path))
    assert np.array_equal(one.words(8), two.words(8))
    assert one.generator().random() == two.generator().random()


@given(st.lists(parts, max_size=3), st.lists(parts, max_size=3))
def test_different_paths_give_different_streams(path, other):
    if path != other:
        assert not np.array_equal(RngKey(0).child(*path).words(4), RngKey(0).child(*other).words(4))


def test_parts_are_not_joined():
    assert not np.array_equal(RngKey(0, ("ab",)).words(4), RngKey(0, ("a", "b")).words(4))
    assert not np.array_equal(RngKey(0, (1,)).words(4), RngKey(0, ("1",)).words(4))


def test_streams_of_neighbouring_blocks_are_uniform_and_uncorrelated():
    draws = [RngKey(3, ("block", i)).generator().random(2_000) for i in range(20)]
    assert stats.kstest(np.concatenate(draws), "uniform").pvalue > 1e-4
    correlations = np.corrcoef(draws)[np.triu_indices(20, 1)]
    # Each is about normal with deviation 1/sqrt(2000); the largest of 190 stays below 5 of them.
    assert np.abs(correlations).max() < 5 / np.sqrt(2_000)


def test_integer_has_at_most_the_bits_asked_for():
    assert all(0 <= RngKey(0, (i,)).integer(31) < 2**31 for i in range(100))
