"""The rules found are those that the data's makers know of, and no others."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rules.tables import decoded, found
from simulacra.core.schema import RuleSpec

SEEDS = range(3)


def options_of(rules: list[RuleSpec], name: str) -> list[dict[str, object]]:
    return [rule.options for rule in rules if rule.rule == name]


@pytest.fixture(scope="module")
def lineitem(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    folder = tmp_path_factory.mktemp("tpch")
    tool = str(Path(sys.executable).with_name("tpchgen-cli"))
    subprocess.run(
        [tool, "parquet", "-s", "0.01", "--tables", "lineitem", "-o", str(folder)], check=True
    )
    return pq.read_table(folder / "lineitem.parquet").drop_columns(
        ["l_comment", "l_returnflag", "l_linestatus", "l_shipinstruct", "l_shipmode"]
    )


@pytest.fixture(scope="module")
def flights() -> pa.Table:
    path = files("simulacra") / "demo" / "nycflights" / "flights.parquet"
    return pq.read_table(str(path))


@pytest.mark.parametrize("seed", SEEDS)
def test_lineitem_is_received_after_it_was_shipped(lineitem, seed):
    keys = {
        "primary_key": ["l_orderkey", "l_linenumber"],
        "foreign_keys": [
            {"columns": ["l_partkey"], "parent": "part", "parent_columns": ["p_partkey"]},
            {"columns": ["l_suppkey"], "parent": "supplier", "parent_columns": ["s_suppkey"]},
        ],
    }
    rules = found(lineitem, seed, **keys)
    assert rules == [
        RuleSpec(
            rule="difference",
            options={"column": "l_receiptdate", "minus": "l_shipdate", "order": ">"},
        )
    ]
    assert decoded(lineitem, rules).equals(lineitem)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_arithmetic_of_flights_is_found(flights, seed):
    rules = found(flights, seed)
    assert options_of(rules, "part") == [
        {"column": "hour", "of": "sched_dep_time", "part": "quotient", "by": 100},
        {"column": "minute", "of": "sched_dep_time", "part": "remainder", "by": 100},
    ]
    assert options_of(rules, "calendar") == [{"year": "year", "month": "month", "day": "day"}]
    assert {options["column"] for options in options_of(rules, "clock")} == {
        "dep_time",
        "sched_dep_time",
        "arr_time",
        "sched_arr_time",
    }
    differences = [
        {options["column"], options.get("minus", options.get("plus"))}
        for options in options_of(rules, "difference")
    ]
    for pair in (
        {"time_hour", "year-month-day"},
        {"dep_time", "sched_dep_time"},
        {"arr_time", "sched_arr_time"},
    ):
        assert pair in differences
    assert any("dep_delay" in pair for pair in differences)
    assert any("arr_delay" in pair for pair in differences)
    assert decoded(flights, rules).equals(flights)


def test_people_of_a_census_keep_no_arithmetic():
    rng = np.random.default_rng(0)
    age = rng.integers(17, 91, 20_000)
    hours = np.where(rng.random(20_000) < 0.5, 40, np.clip(rng.normal(40, 12, 20_000), 1, 99))
    gain = np.where(rng.random(20_000) < 0.92, 0, rng.lognormal(8, 1, 20_000))
    people = pa.table(
        {
            "age": age,
            "weight": rng.lognormal(12, 0.5, 20_000).astype(np.int64),
            "hours": hours.astype(np.int64),
            "gain": gain.astype(np.int64),
            "income": (age * 1000 + rng.normal(0, 20_000, 20_000)).astype(np.int64),
        }
    )
    assert found(people) == []


def test_payments_in_full_are_found_and_kept():
    rng = np.random.default_rng(1)
    bill = np.round(rng.lognormal(8, 1.2, 20_000), 2)
    paid = np.where(rng.random(20_000) < 0.15, bill, np.round(rng.lognormal(7, 1, 20_000), 2))
    nothing = rng.random(20_000) < 0.2
    table = pa.table({"bill": bill, "paid": np.where(nothing, 0.0, paid)})
    rules = found(table)
    assert [rule.rule for rule in rules] == ["copy"]
    assert {*rules[0].options.values()} == {"bill", "paid"}
    assert decoded(table, rules).equals(table)


def test_stays_are_short_times_between_long_ones():
    rng = np.random.default_rng(2)
    came = rng.integers(0, 10**9, 10_000)
    stayed = rng.integers(60, 3600 * 12, 10_000)
    kind = pa.timestamp("us", tz="UTC")
    table = pa.table(
        {
            "came": pa.array(came * 10**6).cast(kind),
            "left": pa.array((came + stayed) * 10**6 + rng.integers(0, 10**6, 10_000)).cast(kind),
        }
    )
    rules = found(table)
    assert rules == [
        RuleSpec(rule="difference", options={"column": "left", "minus": "came", "order": ">"})
    ]
    assert decoded(table, rules).equals(table)


def test_a_sum_of_parts_is_found():
    rng = np.random.default_rng(3)
    net = rng.integers(1_000, 1_000_000, 10_000)
    tax = rng.integers(1, 50_000, 10_000)
    table = pa.table({"net": net, "tax": tax, "gross": net + tax})
    rules = found(table)
    assert rules == [
        RuleSpec(rule="formula", options={"column": "gross", "expression": '"net" + "tax"'})
    ]
    assert decoded(table, rules).equals(table)


def test_a_rule_broken_outside_the_rows_looked_at_is_dropped():
    rng = np.random.default_rng(4)
    when = rng.integers(0, 2400, 100_000)
    when = when[when % 100 < 60]
    hour = when // 100
    table = pa.table({"when": when, "hour": hour})
    assert options_of(found(table), "part")
    hour[17] += 1
    broken = pa.table({"when": when, "hour": hour})
    assert not options_of(found(broken), "part")


def test_an_order_broken_outside_the_rows_looked_at_is_dropped():
    rng = np.random.default_rng(5)
    start = rng.integers(0, 5_000, 100_000)
    end = start + rng.integers(1, 30, 100_000)
    assert found(pa.table({"a": start, "b": end}))[0].options["order"] == ">"
    end[23] = start[23] - 1
    (rule,) = found(pa.table({"a": start, "b": end}))
    assert rule.options == {"column": "b", "minus": "a"}


def test_keys_and_codes_are_left_alone():
    rng = np.random.default_rng(6)
    key = np.arange(10_000)
    table = pa.table({"key": key, "next": key + rng.integers(1, 30, 10_000)})
    assert found(table, primary_key=["key"]) == []
    codes = rng.integers(0, 10, 10_000)
    assert found(pa.table({"code": codes, "after": codes + 1})) == [
        RuleSpec(rule="dependency", options={"column": "after", "of": ["code"]})
    ]


@pytest.mark.parametrize("rows", [0, 1, 399])
def test_few_rows_tell_nothing(rows):
    assert found(pa.table({"a": np.arange(rows), "b": np.arange(rows) + 1})) == []


def test_null_and_constant_columns_are_no_obstacle():
    rng = np.random.default_rng(7)
    start = rng.integers(0, 5_000, 5_000)
    table = pa.table(
        {
            "none": pa.nulls(5_000, pa.float64()),
            "one": np.ones(5_000),
            "odd": np.where(rng.random(5_000) < 0.5, np.nan, np.inf),
            "start": start,
            "end": pa.array(start + 3, mask=rng.random(5_000) < 0.1),
        }
    )
    rules = found(table)
    assert [rule.rule for rule in rules] == ["difference"]
    assert {rules[0].options["column"], rules[0].options["minus"]} == {"start", "end"}


def test_the_same_key_finds_the_same_rules(flights):
    assert found(flights, 5) == found(flights, 5)


def test_what_became_constant_is_left_alone():
    rng = np.random.default_rng(8)
    planned = rng.integers(0, 1440, 8_000)
    late = rng.integers(-20, 200, 8_000)
    table = pa.table(
        {
            "planned": planned,
            "actual": planned + late,
            "late": np.where(np.arange(8_000) == 17, late + 1440, late),
            "later": late + rng.integers(-200, 200, 8_000),
        }
    )
    columns = [rule.options["column"] for rule in found(table)]
    assert len(columns) == 2
    assert "later" not in columns
