"""Times of day as hhmm, as minutes since midnight."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.errors import SpecError
from simulacra.core.protocols import FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.clock import Clock, ClockConfig

TIMES = [100 * hour + minute for hour in range(24) for minute in range(60)] + [2400]


def fit(values: pa.Array) -> FittedRule:
    return Clock().fit(
        pa.table({"t": values}), ClockConfig(column="t"), table=TableSpec(columns={})
    )


def batch_of(values: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"t": values})


@pytest.mark.parametrize("kind", [pa.int16(), pa.uint32(), pa.int64(), pa.float64()])
@given(st.lists(st.none() | st.sampled_from(TIMES)))
def test_decoding_undoes_encoding(kind, times):
    batch = batch_of(pa.array(times, kind))
    rule = fit(batch["t"])
    encoded = rule.encode(batch)
    assert encoded["t"].to_pylist() == [
        None if t is None else 60 * (t // 100) + t % 100 for t in times
    ]
    assert rule.decode(encoded).equals(batch)
    assert not any(rule.violations(batch).to_pylist())


def test_whatever_is_drawn_is_a_time_in_the_range_seen():
    rule = fit(pa.array([1, 1230, 2400]))
    made = rule.decode(batch_of(pa.array(range(-100, 3000))))["t"]
    assert set(made.to_pylist()) == set(TIMES) - {0}
    assert not any(rule.violations(batch_of(made)).to_pylist())


def test_what_is_no_time_is_a_violation():
    rule = fit(pa.array([0.0, 2400.0]))
    found = batch_of(pa.array([1259.0, 1260.0, -1.0, 2401.0, 12.5, None]))
    assert rule.violations(found).to_pylist() == [False, True, True, True, True, False]


@pytest.mark.parametrize("values", [pa.array([1260]), pa.array(["1200"]), pa.array([0.5])])
def test_columns_of_something_else_are_refused(values):
    with pytest.raises(SpecError, match=r"^t: "):
        fit(values)


def test_a_saved_rule_is_the_same_rule(tmp_path: Path):
    batch = batch_of(pa.array([545, None, 2400]))
    rule = fit(batch["t"])
    with write_bundle(tmp_path / "rule.sim") as out:
        rule.save(out)
    with open_bundle(tmp_path / "rule.sim") as (_, src):
        loaded = Clock().load(src)
    assert loaded.columns == ("t",)
    assert loaded.decode(loaded.encode(batch)).equals(batch)
    assert loaded.decode(batch_of(pa.array([0]))).equals(rule.decode(batch_of(pa.array([0]))))
