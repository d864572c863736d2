import datetime as dt
import time
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datatypes.columns import (
    assert_same_codec,
    decode,
    encode,
    feature,
    fit,
    reloaded,
    round_trip,
    winner,
)
from simulacra.core.errors import InputError, SpecError
from simulacra.core.features import FeatureKind

DAY = dt.date(2020, 2, 29)
COLUMNS = [
    pa.array(["b", None, "a", "", "é 漢", "b"]),
    pa.array(["b", None, "a"], pa.large_string()),
    pa.array(["b", None, "a"], pa.string_view()),
    pa.array([b"b", None, b"\x00\xff"], pa.binary()),
    pa.array([b"b", None, b"\x00\xff"], pa.binary_view()),
    pa.array([b"ab", None, b"\x00\xff"], pa.binary(2)),
    pa.array([2, None, -1], pa.int8()),
    pa.array([2, None, 2**64 - 1], pa.uint64()),
    pa.array([1.5, None, -0.25], pa.float16()),
    pa.array([1.5, None, np.inf], pa.float64()),
    pa.array([True, None, False]),
    pa.array([Decimal("1.50"), None], pa.decimal32(5, 2)),
    pa.array([Decimal("1.50"), None], pa.decimal256(70, 2)),
    pa.array([DAY, None], pa.date32()),
    pa.array([DAY, None], pa.date64()),
    pa.array([1, None], pa.timestamp("ns", "Asia/Tokyo")),
    pa.array([1, None], pa.time64("us")),
    pa.array([1, None], pa.duration("s")),
    pa.nulls(3),
    pa.nulls(3, pa.string()),
    pa.array([], pa.string()),
    pa.array(["x", None, "y"]).dictionary_encode(),
    pa.array([], pa.dictionary(pa.int16(), pa.large_string())),
]


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: str(column.type))
def test_every_type_comes_back_exactly(column):
    column = pa.concat_arrays([column] * 3)
    assert round_trip("category", column).equals(column)
    codec = fit("category", column).codec
    assert_same_codec(codec, reloaded("category", codec), encode(codec, column))


@given(st.lists(st.none() | st.text(max_size=4), max_size=80))
def test_texts_come_back_exactly(values):
    column = pa.array(values, pa.string())
    assert round_trip("category", column).equals(column)


@given(st.lists(st.none() | st.sampled_from("abcd"), min_size=1, max_size=60), st.randoms())
def test_codes_go_by_frequency_whatever_the_order_of_rows(values, random):
    fitted = fit("category", pa.array(values, pa.string()), batch_rows=7)
    counts = fitted.counts[0]
    assert (np.diff(counts) <= 0).all()
    assert feature(fitted.codec).kind is FeatureKind.NOMINAL
    shuffled = list(values)
    random.shuffle(shuffled)
    again = fit("category", pa.array(shuffled, pa.string())).codec
    assert_same_codec(fitted.codec, again, encode(again, pa.array(values, pa.string())))


def test_pandas_categoricals_keep_order_and_unused_categories():
    frame = pd.Categorical(
        ["low", None, "high", "low"], categories=["low", "mid", "high"], ordered=True
    )
    column = pa.array(frame)
    assert column.type.ordered
    assert winner("grade", column) == ("category", {"ordered": True})
    fitted = fit("category", column, {"ordered": True})
    out = decode(fitted.codec, encode(fitted.codec, column))
    assert out.equals(column)
    assert out.dictionary.to_pylist() == ["low", "mid", "high"]
    assert feature(fitted.codec).kind is FeatureKind.ORDINAL
    assert encode(fitted.codec, column)[0].tolist() == [0, 2, 1, 0]  # low, high, null


def test_dictionaries_that_differ_between_batches():
    batches = [pa.array(v).dictionary_encode() for v in (["a", "b", None], ["c", "b"], ["b"])]
    codec = fit("category", batches[0]).codec
    assert list(codec.kept_values()) == ["a", "b"]
    whole = pa.chunked_array(batches).unify_dictionaries()
    column = pa.concat_arrays(whole.chunks)
    assert round_trip("category", column).to_pylist() == column.to_pylist()


def test_listed_categories_give_the_order():
    column = pa.array(["mid", "low", None, "high", "low"])
    options = {"ordered": True, "categories": ["low", "mid", "high", "top"]}
    codec = fit("category", column, options).codec
    assert encode(codec, column)[0].tolist() == [1, 0, 3, 2, 0]
    with pytest.raises(SpecError, match=r"t\.c: the value 'mid' is not among the categories"):
        fit("category", column, {"ordered": True, "categories": ["low", "high"]})


def test_rare_values_are_dropped_and_redrawn_from_the_kept_ones():
    values = ["a"] * 600 + ["b"] * 300 + [f"once {i}" for i in range(90)] + [None] * 110
    column = pa.array(values)
    fitted = fit("category", column, {"min_count": 5})
    assert sorted(fitted.codec.kept_values()) == ["a", "b"]
    out = decode(fitted.codec, encode(fitted.codec, column))
    assert out.null_count == 110
    assert set(out.to_pylist()) == {"a", "b", None}
    assert out.to_pylist()[:900] == values[:900]
    assert fitted.counts[0].tolist() == [660, 330, 110]
    with pytest.raises(SpecError, match=r"t\.c: no value is seen in 5 rows"):
        fit("category", pa.array(["x", "y"]), {"min_count": 5})


def test_three_hundred_thousand_categories_take_seconds():
    rng = np.random.default_rng(1)
    names = pc_names(rng.integers(0, 300_000, 600_000))
    begin = time.process_time()
    codec = fit("category", names).codec
    assert decode(codec, encode(codec, names)).equals(names)
    assert time.process_time() - begin < 20  # about 3 s; a Python loop a row takes minutes


def pc_names(numbers: np.ndarray) -> pa.Array:
    return pa.array(np.char.add("city of ", numbers.astype(str)))


def test_booleans():
    column = pa.array([True, None, False, True])
    assert round_trip("boolean", column).equals(column)
    assert winner("flag", column) == ("boolean", {})


@pytest.mark.parametrize(
    "column",
    [pa.array([7, 7, None, 7]), pa.array(["x"] * 3), pa.array([DAY] * 2)],
    ids=lambda column: str(column.type),
)
def test_constants(column):
    assert winner("c", column) == ("constant", {})
    assert round_trip("constant", column).equals(column)


@pytest.mark.parametrize(
    "arrow_type",
    [pa.null(), pa.string(), pa.int8(), pa.timestamp("us", "UTC"), pa.decimal256(50, 3)],
    ids=str,
)
def test_empty_columns(arrow_type):
    column = pa.nulls(5, arrow_type)
    assert winner("c", column) == ("empty", {})
    assert round_trip("empty", column).equals(column)
    codec = fit("empty", column).codec
    assert_same_codec(codec, reloaded("empty", codec), encode(codec, column))


def test_an_empty_column_with_a_value_is_an_error():
    with pytest.raises(InputError, match=r"t\.c: an empty column has values"):
        fit("empty", pa.array([None, 3]))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (["red", "green", "blue"] * 20, "category"),
        ([f"N{i % 4000}UA" for i in range(40_000)], "category"),
        ([f"the {i} quick brown fox of {i * i}" for i in range(2_000)], "text"),
        ([b"\x00\x01"] * 20 + [b"\x02"] * 5, "category"),
        ([bytes([i, 255 - i]) for i in range(200)], "binary"),
    ],
)
def test_who_claims_texts_and_bytes(values, wanted):
    assert winner("c", pa.array(values))[0] == wanted


@pytest.mark.parametrize(
    "column",
    [
        pa.array([b"", b"abc", None, b"\xff" * 40] * 5, pa.binary()),
        pa.array([b"abc", None] * 5, pa.large_binary()),
        pa.array([b"abc", None] * 5, pa.binary_view()),
        pa.array([b"abc", None, b"xyz"] * 5, pa.binary(3)),
        pa.array([], pa.binary()),
    ],
    ids=lambda column: str(column.type),
)
def test_bytes_keep_their_lengths_alone(column):
    out = round_trip("binary", column)
    lengths = [None if value is None else len(value) for value in column.to_pylist()]
    assert [None if value is None else len(value) for value in out.to_pylist()] == lengths
    codec = fit("binary", column).codec
    assert list(codec.kept_values()) == []
    assert_same_codec(codec, reloaded("binary", codec), encode(codec, column))
