"""A column that often repeats another one."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulacra.core.artifacts import open_bundle, write_bundle
from simulacra.core.errors import SpecError
from simulacra.core.protocols import FittedRule
from simulacra.core.schema import TableSpec
from simulacra.rules.copied import Copy, CopyConfig


def batch_of(column: pa.Array, of: pa.Array, **others: pa.Array) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"c": column, "o": of, **others})


def fit(batch: pa.RecordBatch) -> FittedRule:
    return Copy().fit(
        pa.Table.from_batches([batch]), CopyConfig(column="c", of="o"), table=TableSpec(columns={})
    )


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.float64(), st.sampled_from([0.5, 1.0, -0.0])),
        (pa.string(), st.sampled_from(["", "ä", "b"])),
        (pa.date32(), st.dates()),
        (pa.decimal32(4, 1), st.decimals(0, 9, places=1)),
    ],
)
@given(st.data())
def test_decoding_undoes_encoding(kind, value, data):
    rows = data.draw(st.lists(st.tuples(st.none() | value, st.none() | value)))
    columns = [pa.array(values, kind) for values in zip(*rows, strict=True)] or [
        pa.array([], kind)
    ] * 2
    batch = batch_of(*columns)
    rule = fit(batch)
    assert rule.decode(rule.encode(batch)).equals(batch)
    assert rule.violations(batch).to_pylist() == [False] * len(rows)


def test_equal_rows_are_marked_but_not_those_of_a_heavy_value():
    values = [*range(1, 200), 0, 0, 0, 0]
    batch = batch_of(pa.array(values), pa.array([1, *range(50, 248), 0, 0, 0, 7]))
    rule = fit(batch)
    assert rule.encode(batch)["c=o"].to_pylist() == [True] + [False] * 202


def test_a_mark_makes_the_values_equal():
    seen = batch_of(pa.array([1, 2, 0, 0, 0, *range(3, 198)]), pa.array(range(200)))
    rule = fit(seen)
    made = batch_of(pa.array([5, 5, 5, None, 5]), pa.array([9, 9, 0, 9, None]))
    marked = made.append_column("c=o", pa.array([True, False, True, True, True]))
    assert rule.decode(marked).to_pydict() == {"c": [9, 5, 5, 9, 5], "o": [9, 9, 0, 9, None]}


def test_frequent_values_count_where_they_are_said_to():
    batch = batch_of(pa.array(["a", "a", "b", None]), pa.array(["a", "b", "b", "a"]))
    table = pa.Table.from_batches([batch])
    config = CopyConfig(column="c", of="o", frequent=True)
    rule = Copy().fit(table, config, table=TableSpec(columns={}))
    assert rule.encode(batch)["c=o"].to_pylist() == [True, False, True, None]
    assert rule.decode(rule.encode(batch)).equals(batch)


def test_the_mark_takes_no_column_s_name():
    batch = batch_of(pa.array([1]), pa.array([1]), **{"c=o": pa.array([3])})
    rule = fit(batch)
    assert rule.encode(batch).schema.names == ["c", "o", "c=o", "c=o="]
    assert rule.decode(rule.encode(batch)).equals(batch)


def test_other_types_are_refused():
    with pytest.raises(SpecError, match=r"^c: int64 can't repeat double"):
        fit(batch_of(pa.array([1]), pa.array([1.0])))
    with pytest.raises(ValidationError, match="always repeats itself"):
        CopyConfig(column="c", of="c")


def test_a_saved_rule_is_the_same_rule(tmp_path: Path):
    batch = batch_of(pa.array([0, 0, 4, *range(100)]), pa.array([0, 1, 4, *range(100)]))
    rule = fit(batch)
    with write_bundle(tmp_path / "rule.sim") as out:
        rule.save(out)
    with open_bundle(tmp_path / "rule.sim") as (_, src):
        loaded = Copy().load(src)
    assert loaded.columns == ("c", "o")
    assert loaded.encode(batch).equals(rule.encode(batch))
    assert pc.sum(loaded.encode(batch)["c=o"]).as_py() == 98
