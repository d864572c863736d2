"""Columns that ascend in every row."""

from __future__ import annotations

from itertools import pairwise

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rules.kinds import NUMBERS, TIMES, batch_of, broken, check_kept, column, fitted
from simulacra.core.errors import SpecError

UNCOUNTED = (pa.decimal256(40, 2),)
"""Types whose values are too long to be counted."""
KINDS = [kind for kind in (*NUMBERS, *TIMES) if kind not in UNCOUNTED]
DAYS = st.one_of(st.none(), st.integers(-50, 50))
COLUMNS = ["a", "b", "c"]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_columns_of_every_type_ascend(kind, strict):
    first = [None if i % 7 == 0 else i % 5 for i in range(70)]
    second = [None if i % 3 == 0 else i % 5 + 1 + i % 4 for i in range(70)]
    rows = pa.table(
        {
            "a": column(kind, first),
            "b": column(kind, second),
            "c": column(kind, [i % 5 + 5 + i % 6 for i in range(70)]),
        }
    )
    check_kept("chain", rows, columns=COLUMNS, strict=strict)


@given(drawn=st.lists(st.tuples(DAYS, DAYS, DAYS), min_size=1), strict=st.booleans())
@settings(max_examples=100, deadline=None)
def test_rows_that_do_not_ascend_break_it(drawn, strict):
    rule = fitted("chain", pa.table({"a": [1], "b": [2], "c": [3]}), columns=COLUMNS, strict=strict)
    values = [pa.array(v, pa.int64()) for v in zip(*drawn, strict=True)]
    batch = pa.RecordBatch.from_arrays(values, COLUMNS)
    known = [[v for v in row if v is not None] for row in drawn]
    ordered = [all(x < y if strict else x <= y for x, y in pairwise(row)) for row in known]
    assert rule.violations(batch).to_pylist() == [not good for good in ordered]


@given(
    distances=st.lists(st.tuples(DAYS, DAYS, DAYS), min_size=1),
    strict=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_any_distances_decode_to_rows_that_ascend(distances, strict):
    known = pa.table({"a": [1, None, 4], "b": [2, 8, None], "c": [3, 9, 10]})
    rule = fitted("chain", known, columns=COLUMNS, strict=strict)
    values = [pa.array(v, pa.int64()) for v in zip(*distances, strict=True)]
    made = rule.decode(pa.RecordBatch.from_arrays(values, COLUMNS))
    assert broken(rule, made) == 0
    assert [made[n].is_null().to_pylist() for n in COLUMNS] == [
        v.is_null().to_pylist() for v in values
    ]


def test_a_range_between_columns_may_hold_dates_and_times():
    rows = pa.table(
        {
            "from": column(pa.date32(), [1, 2, 3]),
            "at": column(pa.timestamp("s"), [90_000, 200_000, 300_000]),
            "to": column(pa.date32(), [1, 3, 5]),
        }
    )
    check_kept("chain", rows, columns=["from", "at", "to"])


def test_rows_that_descend_are_counted():
    rows = pa.table({"a": [1, 2, 3], "b": [None, 2, 4], "c": [0, 2, 4]})
    with pytest.raises(SpecError, match="1 of 3 rows don't ascend from a to b to c"):
        fitted("chain", rows, columns=COLUMNS)
    with pytest.raises(SpecError, match=r"3 of 3 rows .* or strict"):
        fitted("chain", rows, columns=COLUMNS, strict=True)
    with pytest.raises(SpecError, match="c: b can't be subtracted"):
        fitted("chain", pa.table({"a": [1], "b": [1], "c": ["x"]}), columns=COLUMNS)
    with pytest.raises(ValidationError, match="named twice"):
        fitted("chain", batch_of(rows), columns=["a", "a"])
