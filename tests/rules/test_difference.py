"""A column as its distance from another one: exact, typed, ordered, and undone exactly."""

from __future__ import annotations

import datetime as dt
import math
import operator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.errors import SpecError
from simulacra.core.protocols import FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.difference import Difference, DifferenceConfig

SPEC = TableSpec(columns={})
LARGEST = 2**61


def fit(table: pa.Table, **options: object) -> FittedRule:
    return Difference().fit(table, DifferenceConfig(**options), table=SPEC)


def batch_of(**columns: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(columns)


def table_of(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])


def same(one: pa.RecordBatch, other: pa.RecordBatch) -> bool:
    """Say whether two batches are equal, NaN to NaN."""
    return one.schema.equals(other.schema) and all(
        pc.if_else(pc.is_nan(a), None, a).equals(pc.if_else(pc.is_nan(b), None, b))
        if pa.types.is_floating(a.type)
        else a.equals(b)
        for a, b in zip(one.columns, other.columns, strict=True)
    )


def integers(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(max(low, -LARGEST), min(high, LARGEST)) | st.integers(-5, 5).filter(
        lambda v: low <= v <= high
    )


WHOLE = {
    pa.int8(): (-(2**7), 2**7 - 1),
    pa.int16(): (-(2**15), 2**15 - 1),
    pa.int32(): (-(2**31), 2**31 - 1),
    pa.int64(): (-(2**63), 2**63 - 1),
    pa.uint8(): (0, 2**8 - 1),
    pa.uint16(): (0, 2**16 - 1),
    pa.uint32(): (0, 2**32 - 1),
    pa.uint64(): (0, 2**64 - 1),
}
CENTS = st.integers(-(10**9), 10**9)
NUMBERS: dict[pa.DataType, st.SearchStrategy[object]] = {
    **{kind: integers(*limits) for kind, limits in WHOLE.items()},
    pa.float64(): CENTS.map(lambda c: c / 100) | st.sampled_from([math.nan, math.inf, -math.inf]),
    pa.float32(): st.integers(-(10**5), 10**5).map(lambda c: float(np.float32(c / 10))),
    pa.decimal128(12, 2): CENTS.map(lambda c: Decimal(c).scaleb(-2)),
    pa.decimal256(18, 3): CENTS.map(lambda c: Decimal(c).scaleb(-3)),
}
DAYS = st.integers(-(2**31), 2**31 - 1)
TIMES: dict[pa.DataType, st.SearchStrategy[object]] = {
    pa.date32(): DAYS,
    pa.date64(): st.integers(-(10**6), 10**6).map(lambda day: day * 86_400_000),
    pa.timestamp("s"): integers(-(10**11), 10**11),
    pa.timestamp("us"): integers(-LARGEST, LARGEST),
    pa.timestamp("ns"): integers(-LARGEST, LARGEST),
}
ZONED = {
    pa.timestamp("ms", tz="Europe/Berlin"): integers(-(10**14), 10**14),
    pa.timestamp("ns", tz="UTC"): integers(-LARGEST, LARGEST),
}
CLOCKS = {
    pa.time32("s"): st.integers(0, 86_399),
    pa.time64("ns"): st.integers(0, 86_400 * 10**9 - 1),
}
SPANS = {
    pa.duration("s"): integers(-LARGEST, LARGEST),
    pa.duration("us"): integers(-LARGEST, LARGEST),
}


def array(kind: pa.DataType, values: list[object]) -> pa.Array:
    """Return an array; times are given as whole numbers of their storage."""
    if pa.types.is_temporal(kind):
        storage = pa.int32() if kind.bit_width == 32 else pa.int64()
        return pa.array(values, storage).view(kind)
    return pa.array(values, kind)


@st.composite
def pairs(draw: st.DrawFn) -> pa.RecordBatch:
    family = draw(st.sampled_from([NUMBERS, TIMES, ZONED, CLOCKS, SPANS]))
    kinds = [draw(st.sampled_from(list(family))) for _ in range(2)]
    rows = draw(st.integers(0, 12))
    columns = [
        draw(st.lists(st.none() | family[kind], min_size=rows, max_size=rows)) for kind in kinds
    ]
    return batch_of(y=array(kinds[0], columns[0]), x=array(kinds[1], columns[1]))


@given(pairs())
def test_decoding_undoes_encoding_exactly(batch):
    rule = fit(table_of(batch), column="y", minus="x")
    encoded = rule.encode(batch)
    assert encoded.column("x").equals(batch.column("x")) or pa.types.is_floating(
        batch.column("x").type
    )
    assert same(rule.decode(encoded), batch)
    assert not any(rule.violations(batch).to_pylist())


@given(st.data())
def test_a_chain_of_steps_is_undone_in_reverse(data):
    names = ["a", "b", "c"]
    column = st.lists(st.none() | st.integers(-(10**6), 10**6), min_size=8, max_size=8)
    batch = batch_of(**{name: pa.array(data.draw(column), pa.int32()) for name in names})
    steps = data.draw(
        st.lists(
            st.permutations(names).flatmap(
                lambda p: st.sampled_from(
                    [{"column": p[0], "minus": p[1]}, {"column": p[0], "plus": p[1]}]
                )
            ),
            min_size=1,
            max_size=6,
        )
    )
    state, rules = batch, []
    for step in steps:
        rules.append(fit(table_of(state), **step))
        state = rules[-1].encode(state)
    for rule in reversed(rules):
        state = rule.decode(state)
    assert state.equals(batch)


@pytest.mark.parametrize(
    ("y", "x", "distance"),
    [
        (pa.array([7, None, 250], pa.uint8()), pa.array([9, 1, 1], pa.uint8()), [-2, None, 249]),
        (pa.array([0.3, 1.5]), pa.array([0.1, 0.2]), [0.2, 1.3]),
        (
            pa.array([Decimal("1.10"), Decimal("2.05")]),
            pa.array([1, 3]),
            [Decimal("0.10"), Decimal("-0.95")],
        ),
        (
            pa.array([dt.date(2024, 3, 1), dt.date(1999, 12, 31)]),
            pa.array(["2024-02-28 23:00:00", "2000-01-01 00:00:00"]).cast(pa.timestamp("us")),
            [2, -1],
        ),
        (
            pa.array(["2024-01-01 12:00:00"]).cast(pa.timestamp("ms")),
            pa.array([dt.date(2024, 1, 1)]),
            [dt.timedelta(hours=12)],
        ),
        (pa.array([dt.time(13, 30)]), pa.array([dt.time(14)]), [dt.timedelta(minutes=-30)]),
    ],
)
def test_distances_are_right(y, x, distance):
    batch = batch_of(y=y, x=x)
    assert fit(table_of(batch), column="y", minus="x").encode(batch)["y"].to_pylist() == distance


def test_a_null_origin_is_replaced_by_its_median():
    batch = batch_of(y=pa.array([10, 20, 30, 40]), x=pa.array([1, 5, 9, None]))
    assert fit(table_of(batch), column="y", minus="x").encode(batch)["y"].to_pylist() == [
        9,
        15,
        21,
        35,
    ]


def test_a_sum_of_parts_becomes_a_constant():
    used = pa.array([3, 40, 100, None])
    batch = batch_of(free=pc.subtract(100, used), used=used)
    encoded = fit(table_of(batch), column="free", plus="used").encode(batch)
    assert encoded["free"].to_pylist() == [100, 100, 100, None]


@given(
    st.lists(st.tuples(st.none() | st.integers(0, 23), st.integers(0, 59), st.booleans())),
    st.sampled_from([pa.int16(), pa.float64(), pa.decimal128(8, 2)]),
)
def test_minutes_are_what_is_left_of_a_time_beside_its_hour(times, kind):
    hours = [hour for hour, _, _ in times]
    minutes = [None if gone else 60 * (hour or 0) + minute for hour, minute, gone in times]
    batch = batch_of(y=pa.array(minutes, pa.int64()), x=pa.array(hours, kind))
    rule = fit(table_of(batch), column="y", minus="x", times=60, order=">=")
    encoded = rule.encode(batch)
    left = [None if gone else minute for hour, minute, gone in times if hour is not None]
    beside_hour = pc.is_valid(batch["x"])
    assert encoded["y"].filter(beside_hour).to_pylist() == left
    assert rule.decode(encoded).equals(batch)


def test_times_too_large_to_be_multiplied_are_no_obstacle():
    batch = batch_of(y=pa.array([5, 7]), x=pa.array([2**62, -(2**62)]))
    rule = fit(table_of(batch), column="y", minus="x", times=1000)
    assert rule.decode(rule.encode(batch)).equals(batch)


@pytest.mark.parametrize("order", [">", ">=", "<", "<="])
@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=1))
def test_whatever_is_drawn_keeps_the_order(order, drawn):
    holds = {">": pc.greater, ">=": pc.greater_equal, "<": pc.less, "<=": pc.less_equal}[order]
    origin = pa.array([0, 10, 20])
    step = {">": 1, ">=": 0, "<": -1, "<=": 0}[order]
    seen = batch_of(y=pc.add(origin, step), x=origin)
    rule = fit(table_of(seen), column="y", minus="x", order=order)
    distances, origins = (pa.array(values) for values in zip(*drawn, strict=True))
    made = rule.decode(batch_of(y=distances, x=origins))
    assert pc.all(holds(made["y"], made["x"])).as_py()
    assert not any(rule.violations(made).to_pylist())


def test_rows_out_of_order_or_out_of_step_are_violations():
    seen = batch_of(y=pa.array([1.5, 3.0]), x=pa.array([1.0, 2.0]))
    rule = fit(table_of(seen), column="y", minus="x", order=">")
    found = batch_of(
        y=pa.array([2.5, 1.0, 2.25, None, 9.0]), x=pa.array([1.0, 1.0, 1.0, 1.0, None])
    )
    assert rule.violations(found).to_pylist() == [False, True, True, False, False]


def test_what_is_drawn_stays_in_the_range_seen():
    seen = batch_of(y=pa.array([5, 200], pa.uint8()), x=pa.array([0, 100], pa.uint8()))
    rule = fit(table_of(seen), column="y", minus="x")
    made = rule.decode(batch_of(y=pa.array([-300, 50, 300]), x=pa.array([9, 9, 9], pa.uint8())))
    assert made["y"].equals(pa.array([5, 59, 200], pa.uint8()))


@pytest.mark.parametrize(
    ("first", "last"), [(0, 1439), (1, 1440), (-720, 719)], ids=["0", "1", "centred"]
)
def test_times_past_midnight_are_short_distances(first, last):
    rng = np.random.default_rng(0)
    planned = rng.integers(first, last + 1, 5000)
    late = rng.integers(-20, 300, 5000)
    actual = (planned + late - first) % 1440 + first
    batch = batch_of(y=pa.array(actual), x=pa.array(planned))
    rule = fit(table_of(batch), column="y", minus="x", period=1440)
    encoded = rule.encode(batch)
    assert encoded["y"].to_pylist() == late.tolist()
    assert rule.decode(encoded).equals(batch)
    far = batch_of(y=pa.array([last + 1]), x=pa.array([first]))
    assert rule.violations(far).to_pylist() == [True]


def test_a_saved_rule_is_the_same_rule(tmp_path: Path):
    batch = batch_of(
        y=pa.array([Decimal("3.10"), Decimal("2.20")]), x=pa.array([Decimal("1.05"), None])
    )
    rule = fit(table_of(batch), column="y", minus="x", order=">")
    with write_bundle(tmp_path / "rule.sim") as out:
        rule.save(out)
    with open_bundle(tmp_path / "rule.sim") as (_, src):
        loaded = Difference().load(src)
    assert loaded.columns == ("y", "x")
    assert loaded.encode(batch).equals(rule.encode(batch))
    assert loaded.decode(rule.encode(batch)).equals(batch)


@pytest.mark.parametrize(
    ("y", "x", "options"),
    [
        (pa.array([2**62]), pa.array([1]), {}),
        (pa.array([2**63 + 1], pa.uint64()), pa.array([1]), {}),
        (pa.array([1 / 3]), pa.array([1.0]), {}),
        (pa.array(["a"]), pa.array([1]), {}),
        (pa.array([1]), pa.array([dt.date(2024, 1, 1)]), {}),
        (pa.array([dt.date(2024, 1, 1)]), pa.array([dt.date(2024, 1, 1)]), {"plus": "x"}),
        (pa.array([dt.date(2024, 1, 1)]), pa.array([dt.date(2024, 1, 1)]), {"times": 2}),
        (pa.array([59]), pa.array([1]), {"times": 60, "order": ">="}),
        (pa.array([1, 1441]), pa.array([1, 2]), {"period": 1440}),
        (pa.array([1]), pa.array([1]), {"minus": "z"}),
    ],
)
def test_what_can_not_be_subtracted_exactly_is_refused(y, x, options):
    wanted = {"column": "y", **({"minus": "x"} if "plus" not in options else {}), **options}
    with pytest.raises(SpecError, match=r"^(y|z): "):
        fit(table_of(batch_of(y=y, x=x)), **wanted)


@pytest.mark.parametrize(
    "options",
    [
        {"minus": "y"},
        {},
        {"minus": "x", "plus": "z"},
        {"minus": "x", "period": 10, "order": ">"},
        {"plus": "x", "order": ">"},
        {"minus": "x", "period": 0},
        {"minus": "x", "times": 0},
    ],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        DifferenceConfig(column="y", **options)


COMPARED = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


def thousandths(kind: pa.DataType, values: list[int]) -> pa.Array:
    if pa.types.is_decimal(kind):
        return pa.array([Decimal(value).scaleb(-3) for value in values], kind)
    return pa.array([value / 1000 for value in values], kind)


@pytest.mark.parametrize("kind", [pa.float64(), pa.decimal128(12, 2), pa.int64()], ids=str)
@pytest.mark.parametrize("other", [pa.float64(), pa.decimal128(12, 3)], ids=str)
@given(
    rows=st.lists(st.tuples(st.integers(-3_000, 3_000), st.integers(-300, 300)), min_size=1),
    order=st.sampled_from(sorted(COMPARED)),
    times=st.sampled_from([1, 3]),
)
@settings(max_examples=60, deadline=None)
def test_an_order_holds_to_the_last_digit_of_a_finer_column(kind, other, rows, order, times):
    finer, steps = (list(values) for values in zip(*rows, strict=True))
    far = 9_999 if order.startswith(">") else -9_999
    known = pa.table({"a": pa.array([far, 99 * far // 100], kind), "b": thousandths(other, [1, 2])})
    rule = fit(known, column="a", minus="b", order=order, times=times)
    distances = rule.encode(known.to_batches()[0])["a"].type
    whole = not pa.types.is_decimal(distances)
    drawn = pa.array([step if whole else Decimal(step).scaleb(-2) for step in steps], distances)
    made = rule.decode(batch_of(a=drawn, b=thousandths(other, finer)))
    # Through their shortest texts floats are the decimals that they stand for.
    exact = [Fraction(str(value)) * 1_000 for value in made["a"].to_pylist()]
    assert all(COMPARED[order](a, b * times) for a, b in zip(exact, finer, strict=True))
    assert not any(rule.violations(made).to_pylist())
    others = exact[::-1]
    mixed = made.set_column(0, "a", made["a"].take(pa.array(np.arange(len(finer))[::-1])))
    wanted = [not COMPARED[order](a, b * times) for a, b in zip(others, finer, strict=True)]
    assert rule.violations(mixed).to_pylist() == wanted
