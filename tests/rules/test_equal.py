"""Columns that equal others: left out, and copied exactly."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.errors import SpecError
from simulacra.core.protocols import FittedRule
from simulacra.core.registry import Kind
from simulacra.core.schema import TableSpec
from simulacra.rules.equal import Equal, EqualConfig
from simulacra.testing import conformance_tests
from simulacra.testing.tables import orders, spec_of

CENTS = st.integers(-(10**9), 10**9)
KINDS: dict[pa.DataType, st.SearchStrategy[object]] = {
    pa.string(): st.text(max_size=3),
    pa.large_string(): st.sampled_from(["", "ä", "b"]),
    pa.bool_(): st.booleans(),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(),
    pa.decimal128(12, 2): CENTS.map(lambda c: Decimal(c).scaleb(-2)),
    pa.decimal32(4, 1): st.decimals(-99, 99, places=1),
    pa.decimal256(50, 3): CENTS.map(lambda c: Decimal(c).scaleb(-3)),
    pa.date32(): st.dates(),
    pa.timestamp("us", tz="Europe/Berlin"): st.datetimes(timezones=st.just(dt.UTC)),
    pa.time64("us"): st.times(),
    pa.duration("us"): st.timedeltas(
        max_value=dt.timedelta(10**8), min_value=dt.timedelta(-(10**8))
    ),
    pa.binary(2): st.binary(min_size=2, max_size=2),
}


def fit(batch: pa.RecordBatch) -> FittedRule:
    return Equal().fit(
        pa.Table.from_batches([batch]), EqualConfig(column="c", of="o"), table=TableSpec(columns={})
    )


def batch_of(column: pa.Array, of: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"o": of, "c": column})


def identical(one: pa.Array, other: pa.Array) -> bool:
    """Say whether two columns are equal, NaN to NaN."""
    if not pa.types.is_floating(one.type):
        return bool(one.equals(other))
    values = [[repr(v) for v in array.to_pylist()] for array in (one, other)]
    return one.type == other.type and values[0] == values[1]


@pytest.mark.parametrize("kind", list(KINDS), ids=str)
@given(st.data())
def test_decoding_undoes_encoding(kind, data):
    rows = data.draw(st.lists(st.tuples(st.none() | KINDS[kind], st.none() | KINDS[kind])))
    of = [other for _, other in rows]
    own = [one if other is None else other for one, other in rows]
    batch = batch_of(pa.array(own, kind), pa.array(of, kind))
    rule = fit(batch)
    encoded, needed = rule.encode(batch), own != of and any(o is None for o in of)
    if needed and any(one is not None for one, other in rows if other is None):
        kept = [one if other is None else None for one, other in rows]
        assert identical(encoded["c"], pa.array(kept, kind))
    else:
        assert encoded.schema.names == ["o"]
    back = rule.decode(encoded)
    assert back.schema.equals(batch.schema)
    assert all(identical(a, b) for a, b in zip(back.columns, batch.columns, strict=True))
    assert not any(rule.violations(batch).to_pylist())


@pytest.mark.parametrize(
    ("column", "of"),
    [
        (pa.array([1, None, 3], pa.int8()), pa.array([1, None, 3], pa.int64())),
        (pa.array([1, None, 3], pa.int8()), pa.array([1.0, None, 3.0])),
        (pa.array([0.99, None]), pa.array([Decimal("0.99"), None])),
        (pa.array([Decimal("0.990"), None]), pa.array([Decimal("0.99"), None])),
        (pa.array([Decimal("0.9"), None], pa.decimal64(9, 1)), pa.array([0.9, None])),
        (pa.array(["a", None]), pa.array(["a", None], pa.large_string())),
        (
            pa.array([dt.datetime(2024, 2, 29), None], pa.timestamp("ns")),
            pa.array([dt.date(2024, 2, 29), None]),
        ),
        (
            pa.array([dt.date(2024, 2, 29), None]),
            pa.array([dt.datetime(2024, 2, 29), None], pa.timestamp("ms")),
        ),
    ],
)
def test_values_of_other_types_may_be_the_same(column, of):
    batch = batch_of(column, of)
    rule = fit(batch)
    assert rule.decode(rule.encode(batch)).equals(batch)
    assert not any(rule.violations(batch).to_pylist())


def test_what_the_type_can_not_hold_becomes_the_nearest_that_it_can():
    rule = fit(batch_of(pa.array([1, 2], pa.int8()), pa.array([1.0, 2.0])))
    made = pa.RecordBatch.from_pydict({"o": pa.array([300.0, None, math.nan])})
    assert rule.decode(made)["c"].equals(pa.array([127, None, None], pa.int8()))


def test_rows_that_differ_are_violations():
    found = batch_of(pa.array(["a", "b", None, "c", None]), pa.array(["a", "a", "a", None, None]))
    whole = fit(batch_of(pa.array(["x", None]), pa.array(["x", None])))
    assert whole.violations(found).to_pylist() == [False, True, True, True, False]
    resting = fit(batch_of(pa.array(["x", "y"]), pa.array(["x", None])))
    assert resting.violations(found).to_pylist() == [False, True, True, False, False]


def test_own_values_count_only_where_the_other_column_is_null():
    rule = fit(batch_of(pa.array(["x", "y"]), pa.array(["x", None])))
    drawn = batch_of(pa.array(["p", "p", None, None]), pa.array(["q", None, "q", None]))
    assert rule.decode(drawn)["c"].to_pylist() == ["q", "p", "q", None]


@pytest.mark.parametrize(
    ("column", "of"),
    [
        (pa.array(["a", "b"]), pa.array(["a", "a"])),
        (pa.array(["a", None]), pa.array(["a", "a"])),
        (pa.array(["1"]), pa.array([1])),
        (pa.array([1]), pa.array([1.5])),
        (pa.array([1 / 3]), pa.array([0])),
        (pa.array([None]), pa.array([None])),
        (pa.array([[1]]), pa.array([[1]])),
        (pa.array([1.0], pa.float16()), pa.array([1.0], pa.float16())),
    ],
)
def test_what_is_not_equal_is_refused(column, of):
    with pytest.raises(SpecError, match=r"^c: "):
        fit(batch_of(column, of))
    with pytest.raises(ValidationError, match="always equals itself"):
        EqualConfig(column="c", of="c")


def test_a_saved_rule_is_the_same_rule(tmp_path: Path):
    batch = batch_of(pa.array([0.25, 1.5, None]), pa.array([Decimal("0.25"), None, None]))
    rule = fit(batch)
    with write_bundle(tmp_path / "rule.sim") as out:
        rule.save(out)
    with open_bundle(tmp_path / "rule.sim") as (_, src):
        loaded = Equal().load(src)
    assert loaded.columns == ("c", "o")
    assert loaded.encode(batch).equals(rule.encode(batch))
    assert loaded.decode(rule.encode(batch)).equals(batch)


_ORDERS = orders()
_TWICE = _ORDERS.append_column("settled", _ORDERS["paid"])

test_a_column_left_out_conforms = conformance_tests(
    Kind.RULE,
    Equal(),
    options={"column": "settled", "of": "paid"},
    table=_TWICE,
    spec=spec_of(_TWICE),
)
