"""Columns that are parts of others: left out, and worked out again exactly."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.errors import SpecError
from simulacra.core.protocols import FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.part import PartConfig, PartRule

PYTHON_PARTS = {
    "year": lambda t: t.year,
    "quarter": lambda t: (t.month + 2) // 3,
    "month": lambda t: t.month,
    "week": lambda t: t.isocalendar().week,
    "yearday": lambda t: t.timetuple().tm_yday,
    "day": lambda t: t.day,
    "weekday": lambda t: t.weekday(),
    "hour": lambda t: t.hour,
    "minute": lambda t: t.minute,
    "second": lambda t: t.second,
}
MOMENTS = st.datetimes(*map(dt.datetime.fromisoformat, ("1700-01-01", "2250-12-31")))


def fit(batch: pa.RecordBatch, **options: object) -> FittedRule:
    config = PartConfig(column="p", of="w", **options)
    return PartRule().fit(pa.Table.from_batches([batch]), config, table=TableSpec(columns={}))


def batch_of(part: pa.Array, whole: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"p": part, "w": whole})


@given(st.sampled_from(list(PYTHON_PARTS)), st.lists(st.none() | MOMENTS, min_size=1))
def test_parts_of_times_are_what_python_says(part, moments):
    right = [None if t is None else PYTHON_PARTS[part](t) + 1 for t in moments]
    batch = batch_of(pa.array(right, pa.float64()), pa.array(moments, pa.timestamp("us")))
    rule = fit(batch, part=part, offset=1)
    assert rule.encode(batch).schema.names == ["w"]
    assert rule.decode(rule.encode(batch)).select(["p", "w"]).equals(batch)


def test_parts_of_zoned_times_are_local():
    noon = (
        pa.array(["2024-07-01 10:00:00"])
        .cast(pa.timestamp("s"))
        .cast(pa.timestamp("s", tz="Europe/Berlin"))
    )
    fit(batch_of(pa.array([12], pa.int8()), noon), part="hour")


@given(st.lists(st.none() | st.integers(-(2**60), 2**60), min_size=1), st.integers(2, 10**6))
def test_quotient_and_remainder(numbers, by):
    whole = pa.array(numbers, pa.int64())
    for part, right in (("quotient", lambda v: v // by), ("remainder", lambda v: v % by)):
        values = pa.array([None if v is None else right(v) for v in numbers], pa.int64())
        batch = batch_of(values, whole)
        rule = fit(batch, part=part, by=by)
        assert rule.decode(rule.encode(batch)).select(["p", "w"]).equals(batch)


def test_other_values_are_violations():
    rule = fit(batch_of(pa.array([5.0]), pa.array([517])), part="quotient", by=100)
    found = batch_of(
        pa.array([6.0, 5.5, 7.0, None, 1.0, None]), pa.array([600, 599, 650, 600, None, None])
    )
    assert rule.violations(found).to_pylist() == [False, True, True, True, True, False]


@pytest.mark.parametrize(
    ("part", "whole", "options"),
    [
        (pa.array([5]), pa.array([617]), {"part": "quotient", "by": 100}),
        (pa.array([5]), pa.array(["617"]), {"part": "quotient", "by": 100}),
        (pa.array(["5"]), pa.array([517]), {"part": "quotient", "by": 100}),
        (pa.array([5]), pa.array([517]), {"part": "month"}),
        (pa.array([0]), pa.array([dt.date(2024, 1, 1)]), {"part": "hour"}),
    ],
)
def test_what_is_no_part_is_refused(part, whole, options):
    with pytest.raises(SpecError, match=r"^(p|w): "):
        fit(batch_of(part, whole), **options)


@pytest.mark.parametrize(
    "options",
    [{"part": "quotient"}, {"part": "month", "by": 3}, {"part": "month", "of": "p"}, {"by": 1}],
)
def test_options_that_make_no_sense_are_refused(options):
    with pytest.raises(ValidationError):
        PartConfig(**{"column": "p", "of": "w", **options})


def test_a_saved_rule_is_the_same_rule(tmp_path: Path):
    batch = batch_of(pa.array([17, None], pa.uint8()), pa.array([517, None]))
    rule = fit(batch, part="remainder", by=100)
    with write_bundle(tmp_path / "rule.sim") as out:
        rule.save(out)
    with open_bundle(tmp_path / "rule.sim") as (_, src):
        loaded = PartRule().load(src)
    assert loaded.columns == ("p", "w")
    assert loaded.decode(loaded.encode(batch)).equals(rule.decode(rule.encode(batch)))
