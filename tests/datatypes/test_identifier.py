import uuid

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datatypes.columns import (
    assert_same_codec,
    decode,
    encode,
    fit,
    reloaded,
    specs_of,
    winner,
)
from simulacra.core.errors import LimitError
from simulacra.core.random import RngKey
from simulacra.datatypes.permutation import KEYS, permute


def made(codec, rows, *, start=0, seed=1):
    return decode(codec, [np.zeros(rows, np.uint8)], start=start, seed=seed)


@given(st.integers(1, 5_000), st.integers(0, 2**32))
def test_the_permutation_is_a_bijection(size, seed):
    numbers = np.arange(size + 100, dtype=np.uint64)
    out = np.empty_like(numbers)
    permute(numbers, size, RngKey(seed).words(KEYS), out)
    assert sorted(out[:size].tolist()) == list(range(size))
    assert ((out[size:] >= size) & (out[size:] < 2 * size) | (size < 100)).all()
    assert len(set(out.tolist())) == len(out)


def random_uuids(count):
    rng = np.random.default_rng(1)
    return [str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(count)]


def hashes(count):
    rng = np.random.default_rng(2)
    return [rng.bytes(20).hex() for _ in range(count)]


def plates(count):
    rng = np.random.default_rng(3)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    out = {
        f"{letters[a]}{letters[b]}-{n:04}-{letters[c]}"
        for a, b, c, n in zip(
            *rng.integers(0, 26, (3, count)), rng.integers(0, 10_000, count), strict=True
        )
    }
    return sorted(out)


CASES = {
    "uuid": (
        random_uuids(2_000),
        r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    ),
    "few uuids": (
        [text.upper() for text in random_uuids(20)],
        r"^[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$",
    ),
    "braces": (["{" + text + "}" for text in random_uuids(500)], r"^\{[0-9a-f-]{36}\}$"),
    "sha1": (hashes(2_000), r"^[0-9a-f]{40}$"),
    "plate": (plates(3_000), r"^[A-Z]{2}-[0-9]{4}-[A-Z]$"),
    "padded": ([f"CUST-{i:06}" for i in range(1, 3_000)], r"^CUST-[0-9]{6}$"),
    "growing": ([f"item {i}" for i in range(1, 3_000)], r"^item [1-9][0-9]*$"),
    "suffix": ([f"7-{i:05}/x" for i in range(3_000)], r"^7-[0-9]{5}/x$"),
    "unicode": ([f"müller-{i:04}" for i in range(3_000)], r"^müller-[0-9]{4,5}$"),
    "lengths": (
        sorted({h[: 6 + i % 3] for i, h in enumerate(hashes(3_000))}),
        r"^[0-9a-f]{6,8}$",
    ),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_texts_follow_the_pattern_and_are_unique(case):
    texts, pattern = CASES[case]
    column = pa.array(texts)
    fitted = fit("identifier", column)
    assert specs_of(fitted.codec) == [("nominal", 1)]
    rows = 5_000
    out = made(fitted.codec, rows)
    assert out.type == column.type
    assert pc.all(pc.match_substring_regex(out, pattern)).as_py()
    assert len(out.unique()) == rows
    parts = pa.concat_arrays([made(fitted.codec, 2_000), made(fitted.codec, 3_000, start=2_000)])
    assert parts.equals(out)
    assert_same_codec(
        fitted.codec, reloaded("identifier", fitted.codec), encode(fitted.codec, column)
    )


@pytest.mark.parametrize("case", ["uuid", "sha1"])
def test_random_texts_are_never_real_ones(case):
    texts, _ = CASES[case]
    out = made(fit("identifier", pa.array(texts)).codec, 20_000)
    assert not set(out.to_pylist()) & set(texts)


@pytest.mark.parametrize("arrow_type", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_string_types_are_kept(arrow_type):
    column = pa.array(plates(100), arrow_type)
    assert made(fit("identifier", column).codec, 50).type == arrow_type


@pytest.mark.parametrize("arrow_type", [pa.int32(), pa.int64(), pa.uint64(), pa.decimal128(20, 0)])
def test_counted_keys_go_on_counting(arrow_type):
    column = pa.array(range(10, 1_010, 10)).cast(arrow_type)
    out = made(fit("identifier", column).codec, 300)
    assert out.equals(pa.array(range(10, 3_010, 10)).cast(arrow_type))


def test_ascending_keys_with_gaps_ascend_with_gaps():
    values = np.cumsum(np.random.default_rng(4).integers(1, 9, 10_000))
    out = made(fit("identifier", pa.array(values)).codec, 10_000).to_numpy()
    assert (np.diff(out) > 0).all()
    assert out[0] >= values[0]
    assert 0.7 < out[-1] / values[-1] <= 1
    assert np.unique(np.diff(out)).size > 3


def test_shuffled_keys_stay_in_their_range_in_their_steps():
    values = np.random.default_rng(5).permutation(10_000) * 3 + 100
    codec = fit("identifier", pa.array(values)).codec
    out = made(codec, 10_000).to_numpy()
    assert sorted(out.tolist()) == sorted(values.tolist())
    assert not (out == values).all()
    more = made(codec, 25_000).to_numpy()
    assert len(np.unique(more)) == 25_000
    assert ((more - 100) % 3 == 0).all()


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_random_keys_of_64_bits(dtype):
    info = np.iinfo(dtype)
    values = np.random.default_rng(6).integers(info.min, info.max, 5_000, dtype=dtype)
    out = made(fit("identifier", pa.array(values)).codec, 20_000)
    assert out.type == pa.from_numpy_dtype(dtype)
    assert len(out.unique()) == 20_000
    assert values.min() <= pc.min(out).as_py()


def test_a_million_identifiers_are_unique():
    for column in (
        pa.array(random_uuids(500)),
        pa.array(np.random.default_rng(7).permutation(50_000)),
        pa.array(np.random.default_rng(8).choice(10**9, 50_000, replace=False)),
    ):
        assert len(made(fit("identifier", column).codec, 1_000_000).unique()) == 1_000_000


def test_seeds_give_other_permutations_and_blocks_do_not():
    codec = fit("identifier", pa.array(np.random.default_rng(9).permutation(5_000))).codec
    assert made(codec, 100, seed=1).equals(made(codec, 100, seed=1))
    assert not made(codec, 100, seed=1).equals(made(codec, 100, seed=2))


def test_nulls_are_one_feature():
    column = pa.array([f"A{i}" if i % 4 else None for i in range(1_000)])
    fitted = fit("identifier", column)
    assert specs_of(fitted.codec) == [("nominal", 2)]
    assert fitted.counts[0].tolist() == [750, 250]
    out = decode(fitted.codec, encode(fitted.codec, column))
    assert out.is_null().equals(column.is_null())
    assert len(out.drop_null().unique()) == 750


@pytest.mark.parametrize("column", [pa.array([], pa.int64()), pa.nulls(3, pa.string())])
def test_no_value_at_all(column):
    fitted = fit("identifier", column)
    out = decode(fitted.codec, encode(fitted.codec, column))
    assert out.equals(column)


def test_no_room_is_an_error_that_says_what_to_do():
    codec = fit("identifier", pa.array(range(100), pa.int8())).codec
    assert len(made(codec, 128)) == 128
    with pytest.raises(LimitError, match=r"t\.c: .*no room for 129 rows.*int8.*fewer rows"):
        made(codec, 129)
    codec = fit("identifier", pa.array(["A", "B", "C"])).codec
    with pytest.raises(LimitError, match="no room for 27 rows"):
        made(codec, 27)


@pytest.mark.parametrize(
    ("name", "values", "wanted"),
    [
        ("customer_id", [5, 9, 1, 44], "identifier"),
        ("CustomerId", range(1, 30), "identifier"),
        ("row", range(1, 30), "identifier"),
        ("age", [31, 47, 18, 52], "integer"),
        ("price", [float(i) + 0.5 for i in range(50)], "float"),
        ("x", random_uuids(50), "identifier"),
        ("sku", plates(50), "identifier"),
        ("plate", plates(50), "identifier"),
        ("mail", [f"user{i}@example.org" for i in range(50)], "personal"),
        ("title", [f"The {i}th story of a very long night" for i in range(50)], "text"),
        ("year", range(1950, 2020), "integer"),
    ],
)
def test_who_claims_unique_columns(name, values, wanted):
    assert winner(name, pa.array(list(values)))[0] == wanted


def test_repeated_keys_are_not_claimed():
    assert winner("customer_id", pa.array([1, 1, 2, 3]))[0] == "integer"
