from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from datatypes.columns import (
    assert_same_codec,
    decode,
    draw,
    encode,
    feature,
    fit,
    reloaded,
    round_trip,
    same,
)
from simulacra.core.errors import SpecError

INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
UNSIGNED = [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
REPEATS = 4  # rows a value from which every value gets its own code


def limits(arrow_type: pa.DataType) -> tuple[int, int]:
    info = np.iinfo(arrow_type.to_pandas_dtype())
    return int(info.min), int(info.max)


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_integers_that_repeat_come_back_exactly(data):
    arrow_type = data.draw(st.sampled_from(INTEGERS + UNSIGNED))
    low, high = limits(arrow_type)
    values = data.draw(st.lists(st.none() | st.integers(low, high), max_size=60))
    column = pa.array(values * REPEATS, arrow_type)
    assert round_trip("integer", column).equals(column)


@pytest.mark.parametrize("arrow_type", INTEGERS + UNSIGNED, ids=str)
def test_the_extremes_of_every_width_are_kept(arrow_type):
    low, high = limits(arrow_type)
    column = pa.array([low, high, None, 0] * REPEATS, arrow_type)
    assert round_trip("integer", column).equals(column)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_integers_that_hardly_repeat_stay_within_their_code(data):
    arrow_type = data.draw(st.sampled_from(INTEGERS + UNSIGNED))
    values = data.draw(st.lists(st.integers(*limits(arrow_type)), min_size=1, max_size=200))
    column = pa.array(values, arrow_type)
    codec = fit("integer", column).codec
    codes = encode(codec, column)
    out = decode(codec, codes)
    assert out.type == arrow_type
    assert min(values) <= pc.min(out).as_py()
    assert pc.max(out).as_py() <= max(values)
    np.testing.assert_array_equal(encode(codec, out)[0], codes[0])


def test_uint64_beyond_int64_is_exact():
    column = pa.array([2**63, 2**63 + 1, 2**64 - 1, 2**64 - 2, 7] * 10, pa.uint64())
    assert round_trip("integer", column).equals(column)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.none() | st.floats(), max_size=60))
def test_floats_that_repeat_come_back_exactly_nan_apart_from_null(values):
    column = pa.array(values * REPEATS, pa.float64())
    assert same(round_trip("float", column), column)


@pytest.mark.parametrize("arrow_type", [pa.float16(), pa.float32(), pa.float64()], ids=str)
def test_every_float_width_keeps_its_special_values(arrow_type):
    dtype = arrow_type.to_pandas_dtype()
    info = np.finfo(dtype)
    special = [np.nan, np.inf, -np.inf, info.max, info.min, info.tiny, 0.1, -0.1]
    column = pa.array(np.array(special * REPEATS, dtype), arrow_type)
    assert same(round_trip("float", column), column)


def test_infinities_are_the_ends_of_the_order():
    values = pa.array([-np.inf, 1.0, 2.0, np.inf, np.nan, None] * REPEATS)
    codec = fit("float", values).codec
    assert encode(codec, values[:6])[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_value_never_seen_gets_the_nearest_code():
    codec = fit("float", pa.array([1.0, 2.0, 10.0] * 5)).codec
    strange = pa.array([-np.inf, -5.0, 1.4, 1.6, 5.0, 7.0, 99.0, np.inf])
    assert encode(codec, strange)[0].tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    encode(codec, pa.array([None, np.nan], pa.float64()))


def test_widest_floats_do_not_overflow():
    values = np.array([-1.7e308, 1.7e308, 0.0, 5e-324, 1.0] * 3 + [1e300, -1e300])
    out = round_trip("float", pa.array(values)).to_numpy()
    assert np.isfinite(out).all()
    assert values.min() <= out.min()
    assert out.max() <= values.max()


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_decimals_that_repeat_come_back_exactly(data):
    make, most = data.draw(
        st.sampled_from(
            [(pa.decimal32, 9), (pa.decimal64, 18), (pa.decimal128, 38), (pa.decimal256, 76)]
        )
    )
    precision = data.draw(st.integers(1, most))
    scale = data.draw(st.integers(0, precision))
    top = 10**precision - 1
    whole = data.draw(st.lists(st.none() | st.integers(-top, top), max_size=30))
    values = [None if w is None else Decimal(f"{w}E-{scale}") for w in whole] * REPEATS
    column = pa.array(values, make(precision, scale))
    assert round_trip("decimal", column).equals(column)


def test_wide_decimals_that_do_not_repeat_stay_in_range():
    values = [Decimal(10**37 + i * 10**30 + i) for i in range(500)]
    column = pa.array(values, pa.decimal128(38, 0))
    out = round_trip("decimal", column)
    assert min(values) <= pc.min(out).as_py() <= pc.max(out).as_py() <= max(values)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("integer", pa.array([], pa.int32())),
        ("float", pa.array([], pa.float64())),
        ("integer", pa.array([None] * 5, pa.int16())),
        ("float", pa.array([np.nan] * 5)),
        ("float", pa.array([np.inf, None, -np.inf])),
        ("integer", pa.array([3])),
        ("decimal", pa.array([None], pa.decimal128(38, 2))),
    ],
)
def test_columns_of_next_to_nothing(name, column):
    assert same(round_trip(name, column), column)


def lognormal() -> np.ndarray:
    return np.round(np.random.default_rng(3).lognormal(6, 1.2, 60_000), 2)


def hours() -> np.ndarray:
    rng = np.random.default_rng(4)
    free = np.round(rng.gamma(9, 4.5, 60_000), 1)
    return np.where(rng.random(60_000) < 0.45, 40.0, free)


@pytest.mark.parametrize("make", [lognormal, hours, lambda: lognormal().astype(np.float32)])
def test_marginals_of_floats(make):
    values = make()
    fitted = fit("float", pa.array(values))
    drawn = draw(fitted, len(values)).to_numpy()
    # Both are samples of 60,000: the 0.1 % point of Kolmogorov's statistic is 1.95 / sqrt(30,000).
    # Within a code, of 1/4096 of the rows, the two may differ by one code more.
    assert stats.ks_2samp(values, drawn).statistic < 1.95 / np.sqrt(len(values) / 2) + 1 / 4096


def test_frequent_values_keep_their_exact_share():
    values = hours()
    fitted = fit("float", pa.array(values))
    code = int(encode(fitted.codec, pa.array([40.0]))[0][0])
    assert fitted.counts[0][code] == np.count_nonzero(values == 40.0)
    only = np.full(1000, code, np.uint16)
    assert set(decode(fitted.codec, [only]).to_pylist()) == {40.0}


@pytest.mark.parametrize("decimals", [0, 1, 2, 5])
def test_decimals_learned_are_kept(decimals):
    values = np.round(np.random.default_rng(5).normal(0, 100, 30_000), decimals)
    drawn = draw(fit("float", pa.array(values)), 30_000).to_numpy()
    np.testing.assert_array_equal(drawn, np.round(drawn, decimals))


def test_float32_values_are_float32_texts():
    values = np.round(np.random.default_rng(5).normal(0, 100, 30_000), 2).astype(np.float32)
    drawn = draw(fit("float", pa.array(values)), 30_000).to_numpy()
    np.testing.assert_array_equal(drawn, np.round(drawn.astype(float), 2).astype(np.float32))


def test_sums_that_are_a_few_units_off_count_as_decimals():
    cents = np.random.default_rng(6).integers(1, 100_000, 40_000) / 100
    values = cents + 0.1 + 0.2  # 0.30000000000000004
    assert (values != np.round(values, 2)).any()
    drawn = draw(fit("float", pa.array(values)), 10_000).to_numpy()
    np.testing.assert_array_equal(drawn, np.round(drawn, 2))


def test_spacing_is_kept():
    values = np.random.default_rng(7).integers(-(10**9), 10**9, 30_000) * 250 + 17
    drawn = draw(fit("integer", pa.array(values)), 30_000).to_numpy()
    assert ((drawn - 17) % 250 == 0).all()
    prices = np.random.default_rng(7).integers(1, 10**6, 30_000) / 20
    drawn = draw(fit("float", pa.array(prices)), 30_000).to_numpy()
    np.testing.assert_allclose(drawn * 20, np.rint(drawn * 20), rtol=1e-12)


def test_nearly_unique_values_are_not_memorised():
    values = np.random.default_rng(8).lognormal(12, 0.5, 32_000).astype(np.int64)
    distinct, rows = np.unique(values, return_counts=True)
    fitted = fit("integer", pa.array(values))
    often = set(distinct[rows >= 10].tolist())
    kept = {int(value) for value in fitted.codec.kept_values()}
    ends = np.sort(values)[[9, -10]]
    assert kept - often <= set(ends.tolist())
    drawn = draw(fitted, 32_000).to_numpy()
    # Draws are real by chance, where values lie dense. Bins hold about seven gaps and are narrow
    # where the sample happens to be dense: 1 / width is 7 / 6 of what it is for other samples.
    fresh = np.random.default_rng(9).lognormal(12, 0.5, 32_000).astype(np.int64)
    assert np.isin(drawn, distinct).mean() < 1.3 * np.isin(fresh, distinct).mean()


def test_values_of_rare_rows_are_kept_only_above_min_count():
    rng = np.random.default_rng(8)
    rare = rng.random(20_000) * 1e6
    values = np.concatenate([np.repeat([1234.5678, 777.25], 50), rare])
    kept = {float(v) for v in fit("float", pa.array(values)).codec.kept_values()}
    # Ten rows lie at or beyond each end.
    assert kept == {1234.5678, 777.25, *np.sort(values)[[9, -10]].tolist()}


@pytest.mark.parametrize("kind", ["integer", "float"])
def test_no_value_of_few_rows_is_kept_or_drawn(kind):
    rng = np.random.default_rng(8)
    ages = np.concatenate([rng.integers(20, 60, 5_000), [7, 61, 61, 104, 104, 104, 119]])
    column = pa.array(ages if kind == "integer" else ages / 2)
    fitted = fit(kind, column)
    frequent = set(range(20, 60)) if kind == "integer" else {a / 2 for a in range(20, 60)}
    assert {float(value) for value in fitted.codec.kept_values()} == frequent
    assert set(draw(fitted, 50_000).to_pylist()) == frequent
    # Their rows go to the nearest values.
    codes = encode(fitted.codec, column)[0]
    assert np.bincount(codes).tolist() == fitted.counts[0].tolist()
    everything = fit(kind, column, {"min_count": 1})
    assert set(draw(everything, 50_000).to_pylist()) == set(column.to_pylist())
    few = fit(kind, column[:900])
    assert set(draw(few, 20_000).to_pylist()) == set(column[:900].to_pylist())


def test_gaps_stay_empty():
    rng = np.random.default_rng(9)
    values = np.concatenate([rng.normal(0, 1, 20_000), rng.normal(10_000, 1, 20_000)])
    drawn = draw(fit("float", pa.array(values)), 40_000).to_numpy()
    assert not ((drawn > 10) & (drawn < 9_990)).any()


@pytest.mark.parametrize("batch_rows", [1_000, 77_777, 10**7])
@pytest.mark.parametrize("wide", [False, True])
def test_batches_make_no_difference(batch_rows, wide):
    rng = np.random.default_rng(10)
    size = 400_000
    values = rng.normal(size=size) if wide else rng.integers(0, 9_000, size)
    name = "float" if wide else "integer"
    column = pa.array(values, mask=rng.random(size) < 0.1)
    one, other = fit(name, column), fit(name, column, batch_rows=batch_rows)
    for a, b in zip(one.counts, other.counts, strict=True):
        np.testing.assert_array_equal(a, b)
    assert_same_codec(one.codec, other.codec, encode(one.codec, column[:5000]))


def test_more_distinct_values_than_are_counted(monkeypatch):
    monkeypatch.setattr("simulacra.datatypes.summary.MOST_DISTINCT", 30_000)
    monkeypatch.setattr("simulacra.datatypes.summary._POOLS", 15_000)
    monkeypatch.setattr("simulacra.datatypes.summary.CHUNK_ROWS", 20_000)
    rng = np.random.default_rng(11)
    values = rng.gamma(2, 1000, 400_000)
    spike = rng.random(len(values)) < 0.02
    values[spike] = 1500.0
    fitted = fit("float", pa.array(values))
    codes = encode(fitted.codec, pa.array(values))[0]
    exact = np.bincount(codes, minlength=len(fitted.counts[0]))
    # Twenty poolings, each of which moves a rank by half a pool of 1/15,000 of the rows at most.
    off = np.abs(np.cumsum(exact) - np.cumsum(fitted.counts[0])).max() / len(values)
    assert off < 20 / 2 / 15_000
    code = encode(fitted.codec, pa.array([1500.0]))[0][0]
    assert fitted.counts[0][code] == np.count_nonzero(values == 1500.0)
    kept = [float(v) for v in fitted.codec.kept_values()]
    # The ends are the middles of pools, of 27 rows at most, that ten rows reach.
    assert len(kept) == 3
    assert kept[1] == 1500.0
    ordered = np.sort(values)
    assert ordered[0] < kept[0] <= ordered[9 + 27]
    assert ordered[-10 - 27] <= kept[2] < ordered[-1]


def test_reloaded_codecs_decode_the_same():
    rng = np.random.default_rng(12)
    for name, column in [
        ("integer", pa.array(rng.integers(-(2**63), 2**63 - 1, 20_000))),
        ("integer", pa.array(rng.integers(0, 2**64 - 1, 20_000, dtype=np.uint64))),
        ("float", pa.array(rng.normal(size=20_000), mask=rng.random(20_000) < 0.1)),
        ("float", pa.array([1.5, np.nan, np.inf, None] * 10)),
        ("decimal", pa.array([Decimal(10**37), Decimal(-(10**37) + 1), Decimal(0)] * 9)),
        ("float", pa.array([], pa.float32())),
    ]:
        codec = fit(name, column).codec
        assert_same_codec(codec, reloaded(name, codec), encode(codec, column))


def test_draws_depend_on_the_key_alone():
    column = pa.array(np.random.default_rng(13).normal(size=20_000))
    codec = fit("float", column).codec
    codes = encode(codec, column)
    assert decode(codec, codes).equals(decode(codec, codes))
    assert not decode(codec, codes).equals(decode(codec, codes, seed=1))


def test_bins_are_an_option():
    column = pa.array(np.random.default_rng(14).normal(size=20_000))
    assert feature(fit("float", column, {"bins": 64}).codec).cardinality <= 64


@pytest.mark.parametrize("options", [{"bins": 1}, {"bin": 5}, {"min_count": 0}])
def test_wrong_options_name_the_place(options):
    with pytest.raises(SpecError, match=r"t\.c: the option 'b?m?in"):
        fit("integer", pa.array([1]), options)


def test_wrong_arrow_types_name_the_place():
    with pytest.raises(SpecError, match=r"t\.c: string can't be a column of type integer"):
        fit("integer", pa.array(["a"]))
