"""Rare values and extremes: where they go, and what stays."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datatypes.columns import decode, draw, encode, fit
from simulacra.datatypes.protection import clipped, without_rare
from simulacra.datatypes.summary import Histogram

COUNTS = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def histogram(counts):
    values = np.cumsum(np.arange(1, len(counts) + 1)).astype(np.int64)
    return Histogram(values, np.array(counts, np.int64))


@given(COUNTS, st.integers(1, 15))
def test_clipping_leaves_no_end_that_few_rows_reach(counts, least):
    before = histogram(counts)
    after = clipped(before, least)
    if before.rows < 2 * least:
        assert after is before
        return
    rows = np.repeat(before.values, before.counts)
    assert after.values[0] == rows[least - 1]
    assert after.values[-1] == rows[-least]
    inside = (before.values >= after.values[0]) & (before.values <= after.values[-1])
    assert (after.values == before.values[inside]).all()


@given(COUNTS, st.integers(1, 15))
def test_rows_beyond_the_ends_count_where_the_next_ones_are(counts, least):
    before = histogram(counts)
    after = clipped(before, least)
    assert after.rows == before.rows
    rows = np.repeat(before.values, before.counts)
    inside = rows[(rows >= after.values[0]) & (rows <= after.values[-1])]
    below, above = (rows < after.values[0]).sum(), (rows > after.values[-1]).sum()
    twice = np.concatenate([inside, inside[:below], inside[len(inside) - above :]])
    assert (np.sort(twice) == np.repeat(after.values, after.counts)).all()


@given(COUNTS, st.integers(1, 15))
def test_rare_values_go_to_the_nearest_frequent_one(counts, least):
    before = histogram(counts)
    after = without_rare(before, least)
    assert after.rows == before.rows
    frequent = before.values[before.counts >= least]
    if before.counts[before.counts >= least].sum() < 0.9 * before.rows:
        assert after is before
        return
    assert set(after.values) <= set(frequent)
    nearest = [frequent[np.abs(frequent - value).argmin()] for value in before.values]
    distance = np.abs(
        np.repeat(after.values, after.counts) - np.repeat(before.values, before.counts)
    )
    best = np.abs(np.array(nearest) - before.values)
    assert distance.sum() == (best * before.counts).sum()


def test_categories_of_few_rows_are_replaced_in_large_columns_only():
    names = ["Rome"] * 700 + ["Oslo"] * 400 + ["Ada Lovelace"] * 9
    fitted = fit("category", pa.array(names))
    assert sorted(fitted.codec.kept_values()) == ["Oslo", "Rome"]
    assert set(draw(fitted, 20_000).to_pylist()) == {"Oslo", "Rome"}
    assert set(decode(fitted.codec, encode(fitted.codec, pa.array(names))).to_pylist()) == {
        "Oslo",
        "Rome",
    }
    small = fit("category", pa.array(names[500:]))
    assert "Ada Lovelace" in set(small.codec.kept_values())
    kept = fit("category", pa.array(names), {"min_count": 1})
    assert "Ada Lovelace" in set(kept.codec.kept_values())


@pytest.mark.parametrize(("kind", "unit"), [("date", "date32"), ("datetime", "timestamp")])
def test_extreme_moments_are_not_kept(kind, unit):
    rng = np.random.default_rng(0)
    days = np.concatenate([rng.integers(10_000, 12_000, 20_000), [3, 4, 40_000]])
    column = pa.array(days.astype(np.int32)).cast(pa.date32())
    if unit == "timestamp":
        seconds = pa.array(days * 86_400 + rng.integers(0, 86_400, len(days)))
        column = seconds.cast(pa.timestamp("s"))
    fitted = fit(kind, column)
    drawn = draw(fitted, 50_000).cast(pa.timestamp("s")).cast(pa.int64()).to_numpy() // 86_400
    assert drawn.min() >= 10_000
    assert drawn.max() < 12_000
    assert not any(
        value.startswith(("1970-01-04", "1970-01-05", "2079"))
        for value in fitted.codec.kept_values()
    )


@pytest.mark.parametrize("decimals", [2, 15])
def test_counts_are_those_of_the_codes_of_all_rows(decimals):
    values = pa.array(np.random.default_rng(2).lognormal(3, 2, 5_000).round(decimals))
    fitted = fit("float", values)
    (codes,) = encode(fitted.codec, values)
    assert (np.bincount(codes, minlength=len(fitted.counts[0])) == fitted.counts[0]).all()


def test_no_end_of_a_column_comes_back_more_often_than_its_neighbours():
    values = np.random.default_rng(2).normal(0, 1, 5_000)
    drawn = draw(fit("float", pa.array(values)), 50_000).to_numpy()
    assert not np.isin(drawn, values).any()
    assert drawn.max() <= np.sort(values)[-10]
    assert drawn.min() >= np.sort(values)[9]
