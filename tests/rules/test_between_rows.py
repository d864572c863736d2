"""Rules between rows and their parents' rows are those that the data's makers know of."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.tables import Applied, beside, found, given_in, shuffled, told
from simulacra.core.schema import RuleSpec

CHINOOK = Path(__file__).with_name("data")
SEEDS = range(2)
BILLED = ("Address", "City", "State", "Country", "PostalCode")


def chinook(name: str) -> pa.Table:
    return pq.read_table(CHINOOK / f"{name}.parquet")


def same_set(one: list[dict[str, object]], other: list[dict[str, object]]) -> bool:
    """Say whether two lists hold the same rules, in any order."""
    return sorted(map(str, one)) == sorted(map(str, other))


@pytest.fixture(scope="module")
def lineitem(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Lines of orders beside their orders, parts and suppliers."""
    folder = tmp_path_factory.mktemp("tpch")
    tool = str(Path(sys.executable).with_name("tpchgen-cli"))
    tables = "lineitem,orders,part,supplier"
    command = [tool, "parquet", "-s", "0.01", "--tables", tables, "-o", str(folder)]
    subprocess.run(command, check=True)
    read = {name: pq.read_table(folder / f"{name}.parquet") for name in tables.split(",")}
    for name, table in read.items():
        views = [f.name for f in table.schema if f.type == pa.string_view()]
        for view in views:
            place = table.schema.get_field_index(view)
            read[name] = read[name].set_column(place, view, table[view].cast(pa.large_string()))
    lines = beside(read["lineitem"], ["l_orderkey"], read["orders"], ["o_orderkey"])
    lines = beside(lines, ["l_partkey"], read["part"], ["p_partkey"])
    return beside(lines, ["l_suppkey"], read["supplier"], ["s_suppkey"])


@pytest.fixture(scope="module")
def flights() -> pa.Table:
    """Flights beside the weather, which some lack."""
    folder = Path(str(files("simulacra"))) / "demo" / "nycflights"
    flights, weather = (pq.read_table(folder / f"{n}.parquet") for n in ("flights", "weather"))
    return beside(flights, ["origin", "time_hour"], weather, ["origin", "time_hour"])


LINEITEM_KEYS = {
    "primary_key": ["l_orderkey", "l_linenumber"],
    "foreign_keys": [
        {"columns": ["l_orderkey"], "parent": "orders", "parent_columns": ["o_orderkey"]},
        {"columns": ["l_partkey"], "parent": "part", "parent_columns": ["p_partkey"]},
        {"columns": ["l_suppkey"], "parent": "supplier", "parent_columns": ["s_suppkey"]},
    ],
}


@pytest.mark.parametrize("keys", [(), ("l_orderkey", "l_partkey", "l_suppkey")])
@pytest.mark.parametrize("seed", SEEDS)
def test_lines_are_shipped_after_they_were_ordered(lineitem, seed, keys):
    lines = shuffled(lineitem, seed)
    rules = found(lines, seed, given=keys, **LINEITEM_KEYS)
    ordered = "^l_orderkey.o_orderdate"
    price = '"l_quantity" * "^l_partkey.p_retailprice"'
    assert told(rules)[0] == {
        "rule": "formula",
        "column": "l_extendedprice",
        "expression": price,
    }
    assert told(rules[1:]) == [
        {"rule": "difference", "column": "l_receiptdate", "minus": "l_shipdate", "order": ">"},
        {"rule": "difference", "column": "l_shipdate", "minus": ordered, "order": ">"},
        {"rule": "difference", "column": "l_commitdate", "minus": ordered, "order": ">"},
    ]
    applied = Applied(lines, rules, keys)
    back = applied.decode(applied.encoded)
    assert back.select(lines.column_names).cast(lines.schema).equals(lines)
    drawn = applied.drawn()
    for later, earlier in (("l_receiptdate", "l_shipdate"), ("l_shipdate", ordered)):
        assert pc.all(pc.greater(drawn[later], drawn[earlier])).as_py()


@pytest.mark.parametrize("seed", SEEDS)
def test_bills_go_to_where_the_customer_lives(seed):
    key = {"columns": ["CustomerId"], "parent": "Customer", "parent_columns": ["CustomerId"]}
    bills = beside(chinook("invoice"), ["CustomerId"], chinook("customer"), ["CustomerId"])
    bills = shuffled(bills, seed)
    rules = found(bills, seed, primary_key=["InvoiceId"], foreign_keys=[key])
    assert told(rules) == [
        {"rule": "equal", "column": f"Billing{name}", "of": f"^CustomerId.{name}"}
        for name in BILLED
    ]
    applied = Applied(bills, rules)
    assert not set(applied.encoded.schema.names) & {f"Billing{name}" for name in BILLED}
    assert applied.decode(applied.encoded).equals(bills)


@pytest.mark.parametrize("seed", SEEDS)
def test_lines_cost_what_the_track_costs(seed):
    lines = beside(chinook("invoice_line"), ["TrackId"], chinook("track"), ["TrackId"])
    lines = beside(lines, ["InvoiceId"], chinook("invoice"), ["InvoiceId"])
    lines = shuffled(lines, seed)
    keys = [
        {"columns": ["TrackId"], "parent": "Track", "parent_columns": ["TrackId"]},
        {"columns": ["InvoiceId"], "parent": "Invoice", "parent_columns": ["InvoiceId"]},
    ]
    rules = found(lines, seed, primary_key=["InvoiceLineId"], foreign_keys=keys)
    assert told(rules) == [{"rule": "equal", "column": "UnitPrice", "of": "^TrackId.UnitPrice"}]
    applied = Applied(lines, rules)
    assert applied.decode(applied.encoded).equals(lines)


@pytest.mark.parametrize("seed", SEEDS)
def test_flights_leave_in_the_hour_of_their_weather(flights, seed):
    weather = "^origin,time_hour"
    key = {"columns": ["origin", "time_hour"], "parent": "weather"}
    key["parent_columns"] = key["columns"]
    rows = shuffled(flights, seed)
    rules = found(rows, seed, primary_key=["flight_id"], foreign_keys=[key])
    # Each delay is told by the times or one of these by the delay and the other.
    delays = [rule for rule in rules if rule.rule == "difference" and "_delay" in str(rule.options)]
    assert len(delays) == 2
    clocks = ["dep_time", "sched_dep_time", "arr_time", "sched_arr_time"]
    others = [rule for rule in rules if rule not in delays and not rule.rule.startswith("null_")]
    rest = told([rule for rule in others if rule.rule != "equal"])
    assert rest[:5] == [
        {
            "rule": "part",
            "column": "minute",
            "of": "sched_dep_time",
            "part": "remainder",
            "by": 100,
        },
        *({"rule": "clock", "column": name} for name in clocks),
    ]
    late = [
        {"rule": "difference", "column": f"{a}_time", "minus": f"sched_{a}_time", "period": 1440}
        for a in ("arr", "dep")
    ]
    in_hour = {"rule": "difference", "column": "sched_dep_time", "minus": "hour", "times": 60}
    assert same_set(rest[5:], [*late, in_hour])
    assert told([rule for rule in rules if rule.rule == "equal"]) == [
        {"rule": "equal", "column": name, "of": f"{weather}.{name}"}
        for name in ("month", "day", "hour")
    ]
    applied = Applied(rows, rules)
    assert applied.decode(applied.encoded).equals(rows)
    drawn = applied.drawn()
    known = pc.is_valid(drawn[f"{weather}.hour"])
    assert pc.all(pc.equal(drawn["hour"], drawn[f"{weather}.hour"]).filter(known)).as_py()
    scheduled = pc.divide(drawn["sched_dep_time"], 100)
    assert pc.mean(pc.equal(scheduled, drawn["hour"]).filter(known).cast(pa.int8())).as_py() > 0.95


def orders(rows: int = 8_000, customers: int = 1_500, seed: int = 0) -> pa.Table:
    """Return orders beside their customers; a tenth of them has none."""
    rng = np.random.default_rng(seed)
    since = rng.integers(0, 4_000, customers)
    parent = pa.table(
        {
            "id": pa.array(np.arange(customers)),
            "since": pa.array(since, pa.int32()).cast(pa.date32()),
            "city": pa.array([f"town {n}" for n in rng.zipf(1.5, customers) % 900]),
            "limit": pa.array(rng.integers(100, 9_000, customers) / 100),
            "vip": pa.array(rng.random(customers) < 0.3),
            "again": pa.array(since, pa.int32()).cast(pa.date32()),
        }
    )
    of = rng.integers(0, customers, rows)
    child = pa.table({"customer": pa.array(of, mask=rng.random(rows) < 0.1)})
    return beside(child, ["customer"], parent, ["id"])


def filled(table: pa.Table, name: str, others: pa.Array) -> pa.Array:
    """Return a column with other values where it is null."""
    return pc.coalesce(table[name].combine_chunks(), others)


KEY = {"columns": ["customer"], "parent": "customer", "parent_columns": ["id"]}


def test_what_comes_after_a_given_date_is_measured_from_it_however_far():
    rng = np.random.default_rng(1)
    table = orders()
    since = filled(
        table,
        "^customer.since",
        pa.array(rng.integers(0, 4_000, 8_000), pa.int32()).cast(pa.date32()),
    )
    days = since.cast(pa.int32()).to_numpy()
    ordered = pa.array((days + rng.random(8_000) * (5_000 - days)).astype(np.int32) + 1).cast(
        pa.date32()
    )
    table = table.append_column("ordered", ordered)
    rules = found(table, foreign_keys=[KEY])
    # The other column that says the same is left alone.
    assert told(rules) == [
        {"rule": "difference", "column": "ordered", "minus": "^customer.since", "order": ">"}
    ]
    applied = Applied(table, rules)
    assert applied.decode(applied.encoded).equals(table)
    drawn = applied.drawn()
    assert pc.all(pc.greater(drawn["ordered"], drawn["^customer.since"])).as_py()


def test_dates_that_only_lie_later_are_left_alone():
    rng = np.random.default_rng(2)
    table = orders()
    later = pa.array(rng.integers(4_000, 5_000, 8_000), pa.int32()).cast(pa.date32())
    assert found(table.append_column("later", later), foreign_keys=[KEY]) == []


def test_a_sum_with_a_given_part_is_found():
    rng = np.random.default_rng(3)
    table = orders()
    limit = np.round(filled(table, "^customer.limit", pa.scalar(5.0)).to_numpy() * 100)
    used = rng.integers(0, 10_000, 8_000)
    table = table.append_column("used", pa.array(used / 100))
    table = table.append_column("free", pa.array((limit - used) / 100))
    rules = found(table, foreign_keys=[KEY])
    assert {name for rule in rules for name in list(rule.options.values())[:2]} == {
        "used",
        "free",
        "^customer.limit",
    }
    applied = Applied(table, rules)
    assert applied.decode(applied.encoded).equals(table)
    assert not set(given_in(table)) & {rule.options["column"] for rule in rules}


def test_amounts_that_often_repeat_a_given_one_are_copies():
    rng = np.random.default_rng(4)
    table = orders(customers=8_000)
    own = np.round(rng.lognormal(3, 1, 8_000), 2)
    limit = filled(table, "^customer.limit", pa.array(own)).to_numpy()
    paid = pa.array(np.where(rng.random(8_000) < 0.3, limit, own))
    table = table.append_column("paid", paid)
    rules = found(table, foreign_keys=[KEY])
    assert told(rules) == [{"rule": "copy", "column": "paid", "of": "^customer.limit"}]
    applied = Applied(table, rules)
    assert applied.decode(applied.encoded).equals(table)


def moved(table: pa.Table, share: float) -> pa.Table:
    """Return orders with a city, another one than the customer's in a share of the rows."""
    rng = np.random.default_rng(5)
    other = pa.array([f"town {n}" for n in rng.integers(0, 900, table.num_rows)])
    stays = pa.array(rng.random(table.num_rows) >= share)
    city = pc.if_else(stays, filled(table, "^customer.city", other), other)
    return table.append_column("city", city)


def test_text_that_nearly_always_equals_a_given_one_is_a_copy():
    table = moved(orders(), 0.03)
    rules = found(table, foreign_keys=[KEY])
    assert told(rules) == [
        {"rule": "copy", "column": "city", "of": "^customer.city", "frequent": True}
    ]
    applied = Applied(table, rules)
    assert applied.decode(applied.encoded).equals(table)
    assert found(moved(orders(), 0.2), foreign_keys=[KEY]) == []


def test_rows_without_a_parent_keep_their_own_values():
    table = moved(orders(), 0.0)
    rules = found(table, foreign_keys=[KEY])
    assert told(rules) == [{"rule": "equal", "column": "city", "of": "^customer.city"}]
    applied = Applied(table, rules)
    own = pc.is_null(table["^customer.city"])
    assert applied.encoded["city"].drop_null().equals(table["city"].filter(own).combine_chunks())
    assert applied.decode(applied.encoded).equals(table)


def test_one_row_that_differs_outside_the_rows_looked_at_makes_it_a_copy():
    table = moved(orders(100_000), 0.0)
    place = table.schema.get_field_index("city")
    city = [*table["city"].to_pylist()[:-1], "elsewhere"]
    customer = [*table["^customer.city"].to_pylist()[:-1], "here"]
    table = table.set_column(place, "city", pa.array(city))
    table = table.set_column(
        table.schema.get_field_index("^customer.city"), "^customer.city", pa.array(customer)
    )
    assert told(found(table, foreign_keys=[KEY])) == [
        {"rule": "copy", "column": "city", "of": "^customer.city", "frequent": True}
    ]


def test_what_few_parents_agree_on_may_be_an_accident():
    rng = np.random.default_rng(6)
    shop = rng.integers(0, 4, 8_000)
    flags = pa.table({"id": pa.array(np.arange(4)), "open": pa.array([True, False, True, True])})
    key = {"columns": ["shop"], "parent": "shop", "parent_columns": ["id"]}
    child = pa.table({"shop": pa.array(shop), "warm": pa.array(shop != 1)})
    assert found(beside(child, ["shop"], flags, ["id"]), foreign_keys=[key]) == []
    many = pa.table({"id": pa.array(np.arange(400)), "open": pa.array(rng.random(400) < 0.8)})
    shop = rng.integers(0, 400, 8_000)
    child = pa.table({"shop": pa.array(shop), "warm": many["open"].take(pa.array(shop))})
    equal = {"rule": "equal", "column": "warm", "of": "^shop.open"}
    table = beside(child, ["shop"], many, ["id"])
    assert told(found(table, foreign_keys=[key])) == [equal]
    # The key tells the parents apart, or else what is known of them.
    table = table.drop_columns(["^shop.id"])
    assert told(found(table, foreign_keys=[key])) == [equal]
    assert found(table.drop_columns(["shop"])) == []


HALVES = [float(n) / 2 for n in np.random.default_rng(11).integers(0, 100, 500)]
ODD: dict[pa.DataType, list[object]] = {
    pa.dictionary(pa.int8(), pa.string()): [f"w{half}" for half in HALVES],
    pa.binary(): [str(half).encode() for half in HALVES],
    pa.decimal32(6, 1): [Decimal(str(half)) for half in HALVES],
    pa.decimal256(60, 1): [Decimal(str(half)) for half in HALVES],
    pa.decimal32(6, -1): [Decimal(int(2 * half)).scaleb(1) for half in HALVES],
    pa.duration("ns"): [int(2 * half) for half in HALVES],
    pa.timestamp("ms", tz="Asia/Kolkata"): [int(2 * half) for half in HALVES],
    pa.float16(): HALVES,
    pa.month_day_nano_interval(): [None] * 500,
    pa.null(): [None] * 500,
}
NOT_COMPARED = {pa.decimal32(6, -1), pa.float16(), pa.month_day_nano_interval(), pa.null()}


@pytest.mark.parametrize("kind", list(ODD), ids=str)
def test_columns_of_any_type_may_be_equal(kind):
    table = pa.table({"^key.it": pa.array(ODD[kind], kind), "it": pa.array(ODD[kind], kind)})
    rules = found(table)
    if kind in NOT_COMPARED:
        assert rules == []
    else:
        assert told(rules) == [{"rule": "equal", "column": "it", "of": "^key.it"}]
        applied = Applied(table, rules)
        assert applied.decode(applied.encoded).equals(table)


def test_constants_and_rare_marks_are_equal_by_accident():
    rng = np.random.default_rng(7)
    rare = np.zeros(8_000, np.int64)
    rare[rng.permutation(8_000)[:20]] = 1
    table = pa.table(
        {"a": pa.array(rare), "one": pa.array(["x"] * 8_000), "b": rare, "two": ["x"] * 8_000}
    )
    assert found(table) == []


def test_the_later_of_two_equal_columns_gives_way():
    rng = np.random.default_rng(8)
    word = pa.array([f"w{n}" for n in rng.integers(0, 50, 3_000)], mask=rng.random(3_000) < 0.2)
    table = pa.table({"key": word, "first": word, "second": word, "third": word})
    rules = found(table, primary_key=["key"])
    assert told(rules) == [
        {"rule": "equal", "column": name, "of": "first"} for name in ("second", "third")
    ]
    assert Applied(table, rules).decode(Applied(table, rules).encoded).equals(table)


def test_nulls_where_a_given_column_is_null_are_equal_too():
    table = orders()
    rules = found(table.append_column("vip", table["^customer.vip"]), foreign_keys=[KEY])
    assert told(rules) == [{"rule": "equal", "column": "vip", "of": "^customer.vip"}]


def test_the_parts_of_a_given_time_are_worked_out_from_it():
    rng = np.random.default_rng(9)
    when = pa.array(rng.integers(0, 10**9, 5_000)).cast(pa.timestamp("s"))
    table = pa.table(
        {
            "hour": pc.hour(when),
            "^visit.came": when,
            "left": pc.add(when, pa.scalar(60, pa.duration("s"))),
        }
    )
    assert told(found(table)) == [
        {"rule": "part", "column": "hour", "of": "^visit.came", "part": "hour"},
        {"rule": "difference", "column": "left", "minus": "^visit.came", "order": ">"},
    ]


def test_a_key_that_is_given_is_used_and_left_as_it_is():
    rng = np.random.default_rng(10)
    day = pa.array(rng.integers(0, 5_000, 6_000), pa.int32()).cast(pa.date32())
    key = {"columns": ["day"], "parent": "days", "parent_columns": ["day"]}
    table = pa.table(
        {"month": pc.month(day), "paid": pc.add(day, pa.scalar(5, pa.duration("s"))), "day": day}
    )
    table = table.set_column(
        1,
        "paid",
        pa.array(
            day.cast(pa.int32()).to_numpy() + rng.integers(0, 40, 6_000).astype(np.int32)
        ).cast(pa.date32()),
    )
    assert found(table.drop_columns(["month"]), foreign_keys=[key]) == []
    assert told(found(table, given=["day"], foreign_keys=[key])) == [
        {"rule": "part", "column": "month", "of": "day", "part": "month"},
        {"rule": "difference", "column": "paid", "minus": "day", "order": ">="},
    ]


def test_between_given_columns_no_rule_is_looked_for():
    table = orders()
    assert found(table.append_column("note", pa.array(["x"] * 8_000)), foreign_keys=[KEY]) == []
    assert found(table, foreign_keys=[KEY]) == []


DATES = st.dates(dt.date(1990, 1, 1), dt.date(2030, 1, 1))
ROWS = st.tuples(
    st.none() | st.tuples(DATES, st.text(max_size=2), st.integers(0, 99)),
    st.integers(1, 500),
    DATES,
    st.text(max_size=2),
    st.integers(0, 99),
    st.booleans(),
)
RULES = [
    RuleSpec(rule="equal", options={"column": "name", "of": "^p.name"}),
    RuleSpec(rule="difference", options={"column": "date", "minus": "^p.date", "order": ">"}),
    RuleSpec(rule="difference", options={"column": "sum", "plus": "^p.count"}),
    RuleSpec(rule="copy", options={"column": "count", "of": "^p.least", "frequent": True}),
    RuleSpec(
        rule="part", options={"column": "tens", "of": "^p.count", "part": "quotient", "by": 10}
    ),
]


@given(st.lists(ROWS))
def test_rows_with_and_without_a_parent_come_back_exactly(rows):
    columns: dict[str, list[object]] = {name: [] for name in FAMILY.names}
    for parent, days, date, name, count, same in rows:
        values = {
            "date": date if parent is None else parent[0] + dt.timedelta(days),
            "name": name if parent is None else parent[1],
            "count": count if parent is None or not same else parent[2],
            "^p.least": parent and parent[2],
            "sum": count,
            "tens": None if parent is None else parent[2] // 10,
            "^p.date": parent and parent[0],
            "^p.name": parent and parent[1],
            "^p.count": parent and parent[2],
        }
        for column, value in values.items():
            columns[column].append(value)
    table = pa.table(columns, FAMILY)
    applied = Applied(table, RULES)
    assert applied.decode(applied.encoded).equals(table)
    assert applied.drawn().num_rows == len(rows)


FAMILY = pa.schema(
    {
        "date": pa.date32(),
        "name": pa.string(),
        "count": pa.int16(),
        "sum": pa.int32(),
        "tens": pa.int8(),
        "^p.date": pa.date32(),
        "^p.name": pa.string(),
        "^p.count": pa.int64(),
        "^p.least": pa.int16(),
    }
)
