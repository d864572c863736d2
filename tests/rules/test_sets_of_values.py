"""Rules that keep to the values, or combinations of values, that real rows have."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.kinds import ALL, NUMBERS, TIMES, batch_of, broken, check_kept, column, fitted
from simulacra.core.errors import SpecError

VALUES = [i % 7 for i in range(63)]
SOME = [None if i % 5 == 0 else i % 7 for i in range(63)]
SMALL = st.one_of(st.none(), st.integers(0, 3))


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_combinations_of_every_type_come_back(kind):
    rows = pa.table({"a": column(kind, SOME), "b": column(kind, [v % 3 for v in VALUES])})
    check_kept("combinations", rows, columns=["a", "b"])


@given(rows=st.lists(st.tuples(SMALL, SMALL, SMALL), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_only_combinations_that_were_seen_are_kept(rows):
    a, b, c = (pa.array(values, pa.int64()) for values in zip(*rows, strict=True))
    rule = check_kept("combinations", pa.table({"a": a, "b": b, "c": c}), columns=["a", "b", "c"])
    every = [(x, y, z) for x in (None, 0, 3) for y in (None, 0, 3) for z in (None, 1)]
    asked = pa.RecordBatch.from_pydict(
        {n: pa.array(v, pa.int64()) for n, v in zip("abc", zip(*every, strict=True), strict=True)}
    )
    assert rule.violations(asked).to_pylist() == [row not in rows for row in every]


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_a_column_of_every_type_is_looked_up(kind):
    looked_up = [v % 3 if v is not None else None for v in SOME]
    rows = pa.table({"a": pa.array(SOME), "b": column(kind, looked_up)})
    check_kept("dependency", rows, column="b", of=["a"])


@given(
    table=st.dictionaries(st.tuples(SMALL, SMALL), st.sampled_from([None, "x", "y"]), min_size=1),
    repeats=st.integers(1, 3),
)
@settings(max_examples=60, deadline=None)
def test_what_two_columns_determine_is_looked_up(table, repeats):
    keys = list(table) * repeats
    a, b = (pa.array(values, pa.int64()) for values in zip(*keys, strict=True))
    c = pa.array([table[key] for key in keys], pa.string())
    rule = check_kept("dependency", pa.table({"a": a, "b": b, "c": c}), column="c", of=["a", "b"])
    asked = [(x, y) for x in (None, 0, 1, 2, 3) for y in (None, 0, 1, 2, 3)]
    drawn = rule.decode(
        pa.RecordBatch.from_pydict(
            {
                n: pa.array(v, pa.int64())
                for n, v in zip("ab", zip(*asked, strict=True), strict=True)
            }
        )
    )
    for key, value in zip(asked, drawn["c"].to_pylist(), strict=True):
        if key in table:
            assert value == table[key]
        elif any(known[0] == key[0] for known in table):
            assert value in {table[known] for known in table if known[0] == key[0]}
        else:
            assert value in set(table.values())


def test_what_is_not_determined_is_refused():
    rows = pa.table({"a": [1, 1, 2], "b": ["x", "y", "z"]})
    with pytest.raises(SpecError, match="1 of 2 values have several"):
        fitted("dependency", rows, column="b", of=["a"])


@pytest.mark.parametrize("kind", [*NUMBERS, *TIMES], ids=str)
def test_values_of_every_type_stay_within_bounds(kind):
    rows = pa.table({"a": column(kind, [None if v is None else v + 10 for v in SOME])})
    ends = column(kind, [11, 15])
    if pa.types.is_duration(kind):
        least, most = 0.011, 0.015
    else:
        texts = ends.cast(pa.string()) if pa.types.is_temporal(kind) else ends
        least, most = (float(v) if not isinstance(v, str | int) else v for v in texts.to_pylist())
    with pytest.raises(SpecError, match="values are out of bounds"):
        fitted("bounds", rows, column="a", least=least, most=most)
    clipped = column(kind, [None if v is None else max(11, min(15, v + 10)) for v in SOME])
    inside = pa.table({"a": clipped})
    rule = check_kept("bounds", inside, column="a", least=least, most=most)
    moved = rule.decode(batch_of(rows))
    assert moved["a"].equals(clipped)


@given(values=st.lists(st.one_of(st.none(), st.floats(width=32)), min_size=1), strict=st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_float_leaves_its_bounds(values, strict):
    rule = fitted(
        "bounds", pa.table({"a": [0.25, 0.5]}), column="a", least=0, most=1, strict=strict
    )
    made = rule.decode(pa.RecordBatch.from_pydict({"a": pa.array(values, pa.float64())}))
    kept = [v for v in made["a"].to_pylist() if v is not None and not np.isnan(v)]
    assert all(0 < v < 1 if strict else 0 <= v <= 1 for v in kept)
    assert broken(rule, made) == 0


@pytest.mark.parametrize("bound", ["ten", "2024-01-31"])
def test_a_bound_of_another_type_is_refused(bound):
    with pytest.raises(SpecError, match="is no value of int64"):
        fitted("bounds", pa.table({"a": [1]}), column="a", least=bound)


@pytest.mark.parametrize("kind", [k for k in NUMBERS if not pa.types.is_decimal256(k)], ids=str)
def test_numbers_of_every_type_keep_their_steps(kind):
    rows = pa.table({"a": column(kind, [v and v * 8 for v in SOME])})
    check_kept("increments", rows, column="a", by=2)


@given(
    steps=st.lists(st.integers(-(2**40), 2**40), min_size=1),
    by=st.sampled_from([0.01, 0.05, 0.25, 5.0]),
    offset=st.sampled_from([0.0, 0.5, -3.0]),
)
@settings(max_examples=60, deadline=None)
def test_any_number_of_steps_decodes_to_a_step(steps, by, offset):
    rows = pa.table({"a": pa.array([round(offset + by * n, 2) for n in range(20)])})
    rule = check_kept("increments", rows, column="a", by=by, offset=offset)
    made = rule.decode(pa.RecordBatch.from_pydict({"a": pa.array(steps, pa.int64())}))
    assert broken(rule, made) == 0


def test_values_between_steps_are_refused():
    with pytest.raises(SpecError, match=r"1 of 3 values are no multiple of 0\.5 from 1"):
        fitted("increments", pa.table({"a": [1.0, 1.25, 2.0]}), column="a", by=0.5, offset=1)
    with pytest.raises(SpecError, match="has no steps"):
        fitted("increments", pa.table({"a": ["x"]}), column="a", by=1)


@pytest.mark.parametrize("kind", [k for k in NUMBERS if not pa.types.is_decimal(k)], ids=str)
def test_flags_of_every_type_stay_one_hot(kind):
    state = pa.array([i % 3 for i in range(30)])
    flags = {
        f"is_{n}": pa.array([s == n for s in state.to_pylist()]).cast(pa.int8()) for n in range(3)
    }
    rows = pa.table({name: flag.cast(kind) for name, flag in flags.items()})
    check_kept("one_hot", rows, columns=list(flags))
    check_kept("one_hot", rows.drop_columns(["is_1"]), columns=["is_0", "is_2"], at_most=True)


@given(flags=st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1))
@settings(max_examples=60, deadline=None)
def test_rows_with_none_or_several_set_break_it(flags):
    known = pa.table(
        {"a": [True, False, False], "b": [False, True, False], "c": [False, False, True]}
    )
    asked = pa.RecordBatch.from_pydict(
        {n: pa.array(v) for n, v in zip("abc", zip(*flags, strict=True), strict=True)}
    )
    one = fitted("one_hot", known, columns=["a", "b", "c"])
    assert one.violations(asked).to_pylist() == [sum(row) != 1 for row in flags]
    at_most = fitted("one_hot", known, columns=["a", "b", "c"], at_most=True)
    assert at_most.violations(asked).to_pylist() == [sum(row) > 1 for row in flags]


def test_rows_that_are_not_one_hot_are_counted():
    with pytest.raises(SpecError, match="2 of 3 rows have none or several of a, b set"):
        fitted("one_hot", pa.table({"a": [1, 0, 1], "b": [0, 0, 1]}), columns=["a", "b"])
    with pytest.raises(SpecError, match="not all 0 or 1"):
        fitted("one_hot", pa.table({"a": [1, 2], "b": [0, 0]}), columns=["a", "b"])
