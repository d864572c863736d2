"""Columns that an expression gives."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.kinds import ALL, broken, check_kept, column, fitted
from simulacra.core.errors import SpecError

SOME = [None if i % 5 == 0 else i % 7 for i in range(63)]
UNREADABLE = (pa.decimal256(40, 2), pa.duration("ms"))
"""Types that DuckDB has no values of."""


@pytest.mark.parametrize("kind", [k for k in ALL if k not in UNREADABLE], ids=str)
def test_a_column_of_every_type_is_worked_out(kind):
    rows = pa.table({"a": column(kind, SOME), "b": column(kind, SOME)})
    check_kept("formula", rows, column="b", expression="a")


@pytest.mark.parametrize("kind", UNREADABLE, ids=str)
def test_types_that_sql_lacks_are_refused(kind):
    rows = pa.table({"a": column(kind, SOME), "b": column(kind, SOME)})
    with pytest.raises(SpecError, match=r"^b: "):
        fitted("formula", rows, column="b", expression="a")


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 10**6), st.integers(0, 100)), min_size=1
    )
)
@settings(max_examples=50, deadline=None)
def test_money_is_worked_out_to_the_cent(rows):
    pieces, cents, discount = (np.array(v) for v in zip(*rows, strict=True))
    price = [Decimal(int(c)) / 100 for c in cents]
    total = [
        (int(n) * p * (100 - int(d)) / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        for n, p, d in zip(pieces, price, discount, strict=True)
    ]
    table = pa.table(
        {
            "pieces": pieces,
            "price": pa.array(price, pa.decimal128(12, 2)),
            "discount": discount,
            "total": pa.array(total, pa.decimal128(15, 2)),
        }
    )
    check_kept(
        "formula", table, column="total",
        expression="round(pieces::DECIMAL(5) * price * (100 - discount)::DECIMAL(5) * 0.01, 2)",
    )  # fmt: skip


def test_sums_of_floats_are_equal_in_any_order():
    a, b, c = (np.random.default_rng(n).normal(size=500) for n in range(3))
    table = pa.table({"a": a, "b": b, "c": c, "sum": c + (b + a)})
    rule = fitted("formula", table, column="sum", expression="a + b + c")
    batch = table.to_batches()[0]
    assert broken(rule, batch) == 0
    back = rule.decode(rule.encode(batch))
    np.testing.assert_allclose(back["sum"], table["sum"], rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "most"), [(pa.int8(), 127), (pa.uint8(), 255), (pa.decimal128(4, 1), Decimal("999.9"))]
)
def test_results_stay_what_their_type_can_hold(kind, most):
    rows = pa.table({"a": [1, 2, 10], "b": pa.array([1.0, 4.0, 100.0]).cast(kind)})
    rule = fitted("formula", rows, column="b", expression="a * a")
    made = rule.decode(pa.RecordBatch.from_pydict({"a": [3, 40_000, None]}))
    assert made["b"].to_pylist() == [9, most, None]
    assert made["b"].type == kind


def test_what_has_no_value_is_null():
    rows = pa.table({"a": [6, 8], "b": [2, 2], "ratio": pa.array([3, 4])})
    rule = fitted("formula", rows, column="ratio", expression="a / b")
    made = rule.decode(pa.RecordBatch.from_pydict({"a": [1, 7, 7], "b": [0, 7, 2]}))
    assert made["ratio"].to_pylist() == [None, 1, 4]


def test_parts_of_dates_are_worked_out():
    day = pc.cast(pa.array(range(400)), pa.int32()).cast(pa.date32())
    rows = pa.table({"day": day, "quarter": pc.cast(pc.quarter(day), pa.int16())})
    check_kept("formula", rows, column="quarter", expression="quarter(day)")


def test_an_hour_does_not_depend_on_where_the_machine_stands():
    at = pa.array([0, 3_600], pa.timestamp("s", "Europe/Berlin"))
    rows = pa.table({"at": at, "of_day": [0, 1]})
    check_kept("formula", rows, column="of_day", expression='hour("at")')


def test_rows_that_have_another_value_are_counted():
    rows = pa.table({"a": [1, 2, 3], "b": [1, 2, 4]})
    with pytest.raises(SpecError, match="1 of 3 rows are not a"):
        fitted("formula", rows, column="b", expression="a")


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("b + 1", "reads the column that it gives"),
        ("a +", "is no expression"),
        ("a; SELECT 1", "is no expression"),
        ("a FROM other", "is no expression"),
        ("*", "is no expression"),
        ("a + nowhere", "reads nowhere, and there is no such column"),
        ("nosuch(a)", "can't be worked out"),
        ("sum(a)", "uses sum"),
        ("a + random()", "uses random"),
        ("sum(a) OVER ()", "uses OVER"),
        ("(SELECT 1)", "uses SELECT"),
        ("now()", "uses now"),
        ("a || 'x'", "gives string, no int64"),
        ("read_text('/etc/passwd')", "can't be worked out"),
    ],
)
def test_what_is_no_expression_over_a_row_is_refused(expression, why):
    rows = pa.table({"a": [1, 2], "b": [1, 2]})
    with pytest.raises(SpecError, match=f"^b: .*{why}"):
        fitted("formula", rows, column="b", expression=expression)


def test_names_are_the_same_in_upper_and_lower_case():
    rows = pa.table({"Total": [2, 4], "Half": [1, 2]})
    check_kept("formula", rows, column="Total", expression="half * 2")
    both = rows.append_column("half", [[1, 2]])
    check_kept("formula", both.select(["Total", "half"]), column="Total", expression='"half" * 2')
    with pytest.raises(SpecError, match="differ in upper and lower case only"):
        fitted("formula", both, column="Total", expression='"half" + "Half"')
