"""Numbers and codes under a key: bijections of their own form."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.core.errors import SpecError, UsageError
from simulacra.core.secret_key import SecretKey
from simulacra.core.sip_hash import hash_pair
from simulacra.datatypes.masking.integers import masked_numbers
from simulacra.datatypes.masking.keys import masked_keys
from simulacra.datatypes.masking.permuting import permuted, permuted_digits

SECRET = SecretKey("correct horse battery staple")
OTHER = SecretKey("correct horse battery stable")


def masked(values, kind=None, secret=SECRET):
    return masked_keys(pa.array(values, kind), secret, where="t.c").to_pylist()


def test_the_rounds_are_siphash_as_its_authors_test_it():
    # Vector 16 of the reference implementation: key and message are 00 01 … 0f.
    words = np.frombuffer(bytes(range(16)), np.uint64)
    assert hash_pair(words[0], words[1], words) == 0x3F2ACC7F57C29BDB


@pytest.mark.parametrize("size", [1, 2, 3, 10, 1_000, (1 << 14) + 7])
def test_a_range_becomes_itself_in_another_order(size):
    numbers = np.arange(size, dtype=np.int64)
    made = permuted(SECRET, numbers, size, "t")
    assert np.array_equal(np.sort(made), numbers)
    if size > 1:
        assert not (made == numbers).any()
    if size > 100:
        assert not np.array_equal(made, permuted(OTHER, numbers, size, "t"))
        assert not np.array_equal(made, permuted(SECRET, numbers, size, "u"))
        # The correlation of a random order has a standard deviation of 1/√n.
        assert abs(np.corrcoef(numbers, made)[0, 1]) < 5 / np.sqrt(size)


@given(
    radices=st.lists(st.integers(1, 40), min_size=1, max_size=60),
    seed=st.integers(0, 99),
)
def test_digits_of_any_length_stay_apart_and_within(radices, seed):
    generator = np.random.default_rng(seed)
    digits = np.unique(generator.integers(0, radices, (50, len(radices))), axis=0)
    made = permuted_digits(SECRET, digits, radices, "t")
    assert (made >= 0).all()
    assert (made < radices).all()
    assert len(np.unique(made, axis=0)) == len(digits)
    # Each row by itself: blocks do not matter.
    assert np.array_equal(permuted_digits(SECRET, digits[:1], radices, "t"), made[:1])


def test_each_digit_of_a_long_row_depends_on_each():
    radices = [10] * 60
    one = np.zeros((60, 60), np.int64)
    one[np.arange(60), np.arange(60)] = 1
    base = permuted_digits(SECRET, np.zeros((1, 60), np.int64), radices, "t")
    changed = permuted_digits(SECRET, one, radices, "t") != base
    # Nine of ten digits change; of 60 by 60, a mean of 0.9 has a standard deviation of 0.005.
    assert abs(changed.mean() - 0.9) < 0.03
    assert changed.mean(axis=0).min() > 0.6


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=50))
def test_whole_numbers_stay_apart_of_as_many_digits_and_signs(numbers):
    made = masked(numbers, pa.int64())
    assert len(set(made)) == len(numbers)
    for number, other in zip(numbers, made, strict=True):
        if number in {0, -1}:
            assert other == number
        else:
            assert (number < 0) == (other < 0)
            # The complement of -1000 has three digits.
            assert len(str(number if number >= 0 else ~number)) == len(
                str(other if other >= 0 else ~other)
            )


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.int16(), pa.uint8(), pa.uint16(), pa.float64(), pa.decimal128(5, 0)]
)
def test_a_number_becomes_the_same_in_a_column_of_any_type(kind):
    numbers = [*range(1, 128)]
    assert masked(numbers, kind) == masked(numbers, pa.int64())
    assert [int(text) for text in masked([str(n) for n in numbers])] == masked(numbers, pa.int64())


def test_all_numbers_of_a_type_become_all_numbers_of_it():
    every = np.arange(-(2**15), 2**15)
    assert np.array_equal(np.sort(masked_numbers(every, SECRET)), every)


def test_nulls_stay_and_what_is_no_whole_number_is_refused():
    assert masked([None, None], pa.int32()) == [None, None]
    made = masked([3.0, None, float("nan")], pa.float64())
    assert made[0] in set(map(float, range(1, 10)))
    assert made[1] is None
    assert made[2] != made[2]
    assert masked([], pa.string()) == []
    for values, kind in (([0.5], pa.float64()), ([2**64 - 1], pa.uint64()), ([1e300], None)):
        with pytest.raises(SpecError, match=r"t\.c"):
            masked(values, kind)
    with pytest.raises(SpecError, match="only texts and whole numbers can"):
        masked([True])


@settings(max_examples=30)
@given(st.lists(st.text(max_size=30), unique=True, max_size=40))
def test_codes_stay_apart(texts):
    made = masked(texts, pa.string())
    assert len(set(made)) == len(texts)
    assert [len(text) for text in made] == [len(text) for text in texts]


FORMS = [
    ("ORD-00042", r"ORD-\d{5}"),
    ("Customer#000000017", r"Customer#\d{9}"),
    ("ALFKI", "[A-Z]{5}"),
    ("ab12-CD34", r"[a-z]{2}\d\d-[A-Z]{2}\d\d"),
    ("0042", r"0\d{3}"),
    ("1001", r"[1-9]\d{3}"),
    ("12345678901234567890123", r"[1-9]\d{22}"),
    ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab].*"),
    ("D41D8CD98F00B204", "[0-9A-F]{16}"),
    ("Grüße", "[A-Z][a-z][à-ÿ].[a-z]"),
    ("王小明", "[一-鿿]{3}"),
]


@pytest.mark.parametrize(("text", "form"), FORMS)
def test_codes_keep_their_form(text, form):
    (made,) = masked([text])
    assert made != text
    assert re.fullmatch(form, made)
    assert masked(["x", text, "y"])[1] == made
    assert masked([text], secret=OTHER) != [made]


def test_signs_and_nothing_stay():
    assert masked(["", "-", None, " / "]) == ["", "-", None, " / "]


def test_a_key_is_never_shown_nor_written():
    assert "horse" not in repr(SECRET)
    assert "horse" not in str(SECRET)
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(SECRET)
    with pytest.raises(UsageError, match="too short") as refused:
        SecretKey("swordfish")
    assert "swordfish" not in str(refused.value)


def test_a_random_key_is_another_each_time():
    first, second = (masked(["ALFKI", "QWERTZ"], secret=SecretKey.random()) for _ in range(2))
    assert first != second
