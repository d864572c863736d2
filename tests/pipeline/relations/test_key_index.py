from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulacra.core.errors import SpecError
from simulacra.core.sip_hash import hash_bytes
from simulacra.pipeline.relations.keys.index import KeyIndex
from simulacra.pipeline.relations.parent_rows import NULL, ORPHAN

at_midnight = partial(dt.datetime.combine, time=dt.time(tzinfo=dt.UTC))


def batches(columns, rows=3):
    table = pa.table({f"k{i}": column for i, column in enumerate(columns)})
    yield from table.to_batches(max_chunksize=rows)


def rows_of(parent, child, rows=3):
    """Look up child keys, each a list of columns, in an index of parent keys."""
    index = KeyIndex.build(batches(parent, rows), [f"k{i}" for i in range(len(parent))], where="p")
    names = [f"k{i}" for i in range(len(child))]
    found = [index.rows_of(batch, names) for batch in batches(child, rows)]
    return np.concatenate([np.empty(0, np.int64), *found]).tolist()


def expected(parent, child):
    """The same by a dict of Python tuples."""
    known = {}
    for row, key in enumerate(zip(*[column.to_pylist() for column in parent], strict=True)):
        if None not in key:
            known.setdefault(key, row)
    keys = zip(*[column.to_pylist() for column in child], strict=True)
    return [NULL if None in key else known.get(key, ORPHAN) for key in keys]


small = st.integers(-5, 5)
KINDS = {
    "int8": (pa.int8(), small),
    "int64": (pa.int64(), small | st.integers(-(2**63), 2**63 - 1)),
    "uint32": (pa.uint32(), st.integers(0, 5)),
    "uint64": (pa.uint64(), st.integers(0, 5) | st.integers(2**63 - 3, 2**64 - 1)),
    "decimal": (pa.decimal128(38, 2), st.decimals(-5, 5, places=2)),
    "number": (pa.decimal128(38, 0), (small | st.integers(-(10**37), 10**37)).map(Decimal)),
    "long": (pa.decimal256(60, 3), st.decimals(-5, 5, places=3)),
    "float": (pa.float64(), small.map(float) | st.floats(allow_nan=False)),
    "boolean": (pa.bool_(), st.booleans()),
    "string": (pa.string(), st.text("aé0", max_size=20)),
    "large": (pa.large_string(), st.text("aé0", max_size=3)),
    "view": (pa.string_view(), st.text("aé0", max_size=20)),
    "binary": (pa.binary(), st.binary(max_size=2)),
    "fixed": (pa.binary(2), st.binary(min_size=2, max_size=2)),
    "date": (pa.date32(), st.dates()),
    "moment": (pa.timestamp("us"), st.datetimes()),
    "zoned": (pa.timestamp("s", tz="UTC"), st.dates().map(at_midnight)),
    "clock": (pa.time64("us"), st.times()),
    "span": (pa.duration("us"), st.timedeltas(dt.timedelta(-9**6), dt.timedelta(9**6))),
    "words": (pa.dictionary(pa.int8(), pa.string()), st.text("ab", max_size=2)),
}  # fmt: skip


@st.composite
def sides(draw, kinds):
    """Parent and child columns of the same kinds that share many values."""
    sides = []
    pools = [draw(st.lists(KINDS[kind][1], min_size=1, max_size=6)) for kind in kinds]
    for _ in range(2):
        rows = draw(st.integers(0, 12))
        sides.append(
            [
                pa.array(
                    draw(st.lists(st.none() | st.sampled_from(pool), min_size=rows, max_size=rows)),
                    KINDS[kind][0],
                )
                for kind, pool in zip(kinds, pools, strict=True)
            ]
        )
    return sides


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=30)
def test_every_type_finds_the_first_row_of_its_key(kind, data):
    parent, child = data.draw(sides([kind]))
    assert rows_of(parent, child) == expected(parent, child)


@given(data=st.data(), kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=4))
def test_keys_of_several_columns_of_any_types(data, kinds):
    parent, child = data.draw(sides(kinds))
    assert rows_of(parent, child) == expected(parent, child)


NUMBERS = [
    pa.int16(), pa.int64(), pa.uint8(), pa.uint64(), pa.decimal128(5, 0), pa.decimal128(30, 0),
    pa.decimal128(12, 2), pa.decimal256(50, 7), pa.float32(), pa.float64(),
]  # fmt: skip


@pytest.mark.parametrize("one", NUMBERS, ids=str)
@pytest.mark.parametrize("other", NUMBERS, ids=str)
def test_numbers_of_different_types_meet_where_they_are_equal(one, other):
    values = [7, 0, None, 120, 3]
    child = [120, 3, 8, None, 0, 7]
    parent = pa.array(values).cast(pa.decimal256(60, 0)).cast(one)
    assert rows_of([parent], [pa.array(child).cast(pa.decimal256(60, 0)).cast(other)]) == [
        3,
        4,
        ORPHAN,
        NULL,
        1,
        0,
    ]


def test_values_that_the_parents_type_cannot_hold_are_orphans():
    whole = pa.array([1, 2, -1])
    for child in (
        pa.array([1.5, 2.0, float("inf"), 1e300, -1.0]),
        pa.array([Decimal("1.5"), Decimal(2), Decimal(10) ** 30, Decimal("1.01"), Decimal(-1)]),
    ):
        assert rows_of([whole], [child]) == [ORPHAN, 1, ORPHAN, ORPHAN, 2]
    beyond = pa.array([2**64 - 1, 2], pa.uint64())
    # The word of 2**64 - 1 is that of -1.
    assert rows_of([whole], [beyond]) == [ORPHAN, 1]
    assert rows_of([beyond], [whole]) == [ORPHAN, 1, ORPHAN]
    # The nearest float of 2**53 + 1 is 2**53.
    assert rows_of([pa.array([2.0**53])], [pa.array([2**53 + 1, 2**53])]) == [ORPHAN, 0]


def test_nan_names_nothing_and_zero_has_no_sign():
    parent = pa.array([float("nan"), 0.0])
    assert rows_of([parent], [pa.array([float("nan"), -0.0, None])]) == [NULL, 1, NULL]
    assert rows_of([pa.array([0])], [pa.array([float("nan"), -0.0, None])]) == [NULL, 0, NULL]


def test_dates_and_times_meet_in_any_unit():
    days = pa.array([dt.date(2024, 2, 29), dt.date(1969, 12, 31)])
    moments = [dt.datetime(1969, 12, 31), dt.datetime(2024, 2, 29), dt.datetime(2024, 2, 29, 1)]
    for unit in ("s", "ms", "us", "ns"):
        assert rows_of([days], [pa.array(moments, pa.timestamp(unit))]) == [1, 0, ORPHAN]
        assert rows_of([pa.array(moments, pa.timestamp(unit))], [days]) == [1, 0]
    far = pa.array([dt.date(9999, 1, 1)])
    assert rows_of([pa.array(moments, pa.timestamp("ns"))], [far]) == [ORPHAN]
    assert rows_of([days], [days.cast(pa.date64())]) == [0, 1]


def test_text_is_found_in_any_layout():
    words = ["", "a", None, "ab", "a" * 40]
    parent = pa.array(words)
    for child in (
        pa.array(words, pa.large_string()),
        pa.array(words, pa.string_view()),
        pa.array(words).dictionary_encode(),
        pa.array(words, pa.large_string()).dictionary_encode(),
        pa.array(words, pa.dictionary(pa.int16(), pa.string()))[1:],
        pa.array([None, *words], pa.string())[1:],
        pa.RunEndEncodedArray.from_arrays(pa.array([1, 2, 3, 4, 5]), parent),
    ):
        wanted = [0, 1, NULL, 3, 4][-len(child) :]
        assert rows_of([parent], [child], rows=2) == wanted
        assert rows_of([child], [parent], rows=2)[-1] == len(child) - 1


def test_dictionaries_may_change_from_batch_to_batch_and_hold_nulls():
    one = pa.DictionaryArray.from_arrays([0, 1, None], pa.array(["x", None]))
    other = pa.DictionaryArray.from_arrays([0, 1], pa.array(["y", "x"]))
    parts = [pa.record_batch({"k": part}) for part in (one, other)]
    index = KeyIndex.build(iter(parts), ["k"], where="p")
    assert index.rows_of(pa.record_batch({"k": ["x", "y", None]}), ["k"]).tolist() == [0, 3, NULL]
    assert (index.duplicates, len(index), index.rows) == (1, 2, 5)


def test_extension_types_are_their_storage():
    uuids = pa.array([b"a" * 16, b"b" * 16], pa.uuid())
    assert rows_of([uuids], [pa.array([b"b" * 16, b"c" * 16], pa.binary())]) == [1, ORPHAN]


def test_a_parent_without_rows_or_of_nulls_has_only_orphans():
    child = pa.array([1, None])
    assert rows_of([pa.array([], pa.int64())], [child]) == [ORPHAN, NULL]
    assert rows_of([pa.nulls(3)], [child]) == [ORPHAN, NULL]
    assert rows_of([pa.array([None, None], pa.string())], [pa.array(["a", None])]) == [ORPHAN, NULL]
    assert rows_of([pa.array([1, 2])], [pa.nulls(2)]) == [NULL, NULL]


def test_a_column_named_twice_or_elsewhere_is_read_as_told():
    parent = pa.record_batch({"b": [1, 2], "a": [3, 4]})
    index = KeyIndex.build(iter([parent]), ["a", "b"], where="p")
    child = pa.record_batch({"x": [2, 1, 3], "y": [4, 3, 3]})
    assert index.rows_of(child, ["y", "x"]).tolist() == [1, 0, ORPHAN]


@pytest.mark.parametrize("spread", [1, 2**40])
def test_many_keys_in_both_kinds_of_table(spread):
    rng = np.random.default_rng(spread)
    keys = rng.permutation(200_000) * spread - 2**45
    parent = pa.array(np.append(keys, keys[:1000]))
    index = KeyIndex.build(batches([parent], 70_000), ["k0"], where="p", rows=len(parent))
    assert (index.duplicates, len(index)) == (1000, 200_000)
    wanted = rng.integers(0, len(keys), 300_000)
    child = pa.record_batch({"k0": keys[wanted]})
    assert (index.rows_of(child, ["k0"]) == wanted).all()
    missing = pa.record_batch({"k0": np.array([keys.min() - 1, keys.max() + 1, 2**63 - 1])})
    assert index.rows_of(missing, ["k0"]).tolist() == [ORPHAN] * 3
    # 8 bytes of the key and two slots of 4, or at most 4 whole numbers of 4 bytes a key.
    assert index.nbytes <= 17 * len(parent)


def test_families_that_cannot_be_equal_are_refused():
    index = KeyIndex.build(iter([pa.record_batch({"id": [1]})]), ["id"], where="orders")
    child = pa.record_batch({"order_id": ["1"]})
    with pytest.raises(SpecError, match=r"items\.order_id: text \(string\) can't refer to whole"):
        index.rows_of(child, ["order_id"], where="items")
    lists = pa.record_batch({"id": [[1]]})
    with pytest.raises(SpecError, match=r"orders\.id: values of type list"):
        KeyIndex.build(iter([lists]), ["id"], where="orders")


def test_hashes_are_those_of_siphash():
    # The first vectors of the authors' reference implementation (vectors_sip128).
    key = np.frombuffer(bytes(range(16)), "<u8").astype(np.uint64)
    out = np.empty((2, 2), np.uint64)
    hash_bytes(np.arange(16, dtype=np.uint8), np.array([0, 0, 15]), key, out)
    assert out[0].tobytes().hex() == "a3817f04ba25a8e66df67214c7550293"
    data = np.arange(15, dtype=np.uint8)
    hash_bytes(data, np.array([0, 15]), key, out)
    assert out[0].tobytes().hex() == "5493e99933b0a8117e08ec0f97cfc3d9"
