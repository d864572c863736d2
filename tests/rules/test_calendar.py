"""Year, month and day as one date."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.errors import SpecError
from simulacra.core.protocols import FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.calendar import Calendar, CalendarConfig

NAMES = ("y", "m", "d")


def batch_of(rows: list[tuple[object, object, object]], kind: pa.DataType) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.RecordBatch.from_pydict(
        {name: pa.array(values, kind) for name, values in zip(NAMES, columns, strict=True)}
    )


def fit(batch: pa.RecordBatch) -> FittedRule:
    config = CalendarConfig(year="y", month="m", day="d")
    return Calendar().fit(pa.Table.from_batches([batch]), config, table=TableSpec(columns={}))


@pytest.mark.parametrize("kind", [pa.int16(), pa.uint64(), pa.float64()])
@given(st.lists(st.none() | st.dates()))
def test_decoding_undoes_encoding(kind, dates):
    rows = [(None,) * 3 if t is None else (t.year, t.month, t.day) for t in dates]
    batch = batch_of(rows, kind)
    rule = fit(batch)
    encoded = rule.encode(batch)
    assert encoded.column(0).to_pylist() == dates
    assert rule.decode(encoded).equals(batch)
    assert not any(rule.violations(batch).to_pylist())


@given(st.integers(-5, 10_005), st.integers(-5, 20), st.integers(-5, 40))
def test_violations_are_what_python_calls_no_date(year, month, day):
    try:
        dt.date(year, month, day)
    except ValueError:
        wrong = True
    else:
        wrong = False
    rule = fit(batch_of([(2024, 2, 29)], pa.int64()))
    assert rule.violations(batch_of([(year, month, day)], pa.int64())).to_pylist() == [wrong]


def test_rows_with_half_a_date_are_violations():
    rule = fit(batch_of([(2024.0, 2.0, 29.0)], pa.float64()))
    found = batch_of([(2024.0, 1.0, None), (2024.0, 1.5, 3.0)], pa.float64())
    assert rule.violations(found).to_pylist() == [True, True]


@pytest.mark.parametrize(
    "batch", [batch_of([(2023, 2, 29)], pa.int64()), batch_of([("a", "b", "c")], pa.string())]
)
def test_what_is_no_date_is_refused(batch):
    with pytest.raises(SpecError, match=r"^(y|d): "):
        fit(batch)


def test_a_saved_rule_is_the_same_rule(tmp_path: Path):
    batch = batch_of([(1999, 12, 31), (None, None, None)], pa.int32())
    rule = fit(batch)
    with write_bundle(tmp_path / "rule.sim") as out:
        rule.save(out)
    with open_bundle(tmp_path / "rule.sim") as (_, src):
        loaded = Calendar().load(src)
    assert loaded.columns == NAMES
    assert loaded.decode(loaded.encode(batch)).equals(batch)
