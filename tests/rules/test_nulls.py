"""Columns that are null together, or null unless another one says so."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.kinds import ALL, batch_of, broken, check_kept, column, fitted
from simulacra.core.errors import SpecError

VALUES = [i % 5 for i in range(60)]
SOME = [None if i % 4 == 0 else i % 5 for i in range(60)]


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_columns_of_every_type_are_null_together(kind):
    rows = pa.table({"a": column(kind, SOME), "b": column(kind, [v and 4 - v for v in SOME])})
    check_kept("null_together", rows, columns=["a", "b"])


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_columns_of_every_type_are_null_unless_another_is_known(kind):
    rows = pa.table({"a": column(kind, SOME), "b": column(pa.int64(), SOME)})
    check_kept("null_unless", rows, column="a", of="b", required=True)


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_values_of_every_type_decide(kind):
    said = column(kind, [i % 2 for i in range(60)])
    rows = pa.table({"a": pa.array([i if i % 2 else None for i in range(60)]), "of": said})
    one = said[1].as_py()
    written = one.isoformat() if hasattr(one, "isoformat") else one
    check_kept("null_unless", rows, column="a", of="of", values=[written], required=True)


@given(
    nulls=st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1),
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_drawn_is_null_together(nulls):
    known = pa.table({"a": [1, None, 3], "b": ["x", None, "z"], "c": [0.5, None, 1.5]})
    rule = fitted("null_together", known, columns=["a", "b", "c"])
    drawn = batch_of(
        pa.table(
            {
                "a": pa.array([None if n[0] else i for i, n in enumerate(nulls)], pa.int64()),
                "b": pa.array([None if n[1] else "y" for n in nulls], pa.string()),
                "c": pa.array([None if n[2] else 2.0 for n in nulls], pa.float64()),
            }
        )
    )
    made = rule.decode(drawn)
    assert broken(rule, made) == 0
    assert made["a"].equals(drawn["a"])
    assert broken(rule, drawn) == sum(len(set(n)) > 1 for n in nulls)
    # What is filled in are values that real rows have.
    assert set(made["b"].to_pylist()) <= {None, "x", "y", "z"}


@given(rows=st.lists(st.tuples(st.sampled_from([None, "x", "y", "z"]), st.booleans()), min_size=1))
@settings(max_examples=60, deadline=None)
def test_what_is_not_required_may_be_null(rows):
    known = pa.table({"of": ["x", "x", "y"], "a": [1, None, None]})
    rule = fitted("null_unless", known, column="a", of="of", values=["x"])
    of = pa.array([value for value, _ in rows], pa.string())
    drawn = pa.RecordBatch.from_pydict(
        {"of": of, "a": pa.array([7 if there else None for _, there in rows], pa.int64())}
    )
    made = rule.decode(drawn)["a"].to_pylist()
    assert made == [7 if value == "x" and there else None for value, there in rows]
    assert broken(rule, drawn) == sum(there and value != "x" for value, there in rows)


def test_rows_that_break_it_are_counted():
    rows = pa.table({"a": [1, None, 3], "b": [None, None, 3], "c": ["x", "y", "x"]})
    with pytest.raises(SpecError, match="1 of 3 rows are null in one of it and a only"):
        fitted("null_together", rows, columns=["a", "b"])
    with pytest.raises(SpecError, match="1 of 3 rows have a value that b doesn't allow"):
        fitted("null_unless", rows, column="a", of="b")
    with pytest.raises(SpecError, match="or lack one that is required"):
        fitted("null_unless", rows, column="b", of="c", values=["x"], required=True)


def test_values_that_the_other_column_cannot_have_are_refused():
    rows = pa.table({"a": [1, None], "of": [1, 2]})
    with pytest.raises(SpecError, match="values that of can't have"):
        fitted("null_unless", rows, column="a", of="of", values=["x"])


def test_a_column_that_is_not_there_is_refused():
    with pytest.raises(SpecError, match="there is no such column"):
        fitted("null_together", pa.table({"a": [1]}), columns=["a", "b"])
