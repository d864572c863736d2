from itertools import product

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from metrics.databases import (
    dataset,
    lean,
    nycflights,
    nycflights_spec,
    related,
    shuffled,
    split_customers,
    tpch,
    tpch_spec,
)
from metrics.test_pair import binned, joint_tv
from simulacra.metrics import hop_trends
from simulacra.metrics.hop_trends import HopTrends

TRENDS = HopTrends()
EVERY = 1_000_000


@pytest.fixture(scope="module")
def business():
    return lean(tpch())


def mean_trend(real, other, numbers, categories, first):
    """Return the mean over pairs of a column that is in ``first`` and one that isn't."""
    names = [*numbers, *categories]
    pairs = product([n for n in names if n in first], [n for n in names if n not in first])
    found = []
    for a, b in pairs:
        if a in numbers and b in numbers:
            r = [np.corrcoef(t[a], t[b])[0, 1] for t in (real, other)]
            found.append(1 - abs(r[0] - r[1]) / 2)
            continue
        sides = [
            [binned(t[n], real[n]) if n in numbers else t[n] for n in (a, b)] for t in (real, other)
        ]
        found.append(joint_tv(*[tuple(side) for side in sides]))
    return np.mean(found)


def query(tables, sql):
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        frame = connection.execute(sql).df()
    for column in frame.columns:
        if column.endswith("date"):
            frame[column] = frame[column].astype("int64") / 86_400e6
        elif frame[column].dtype.kind not in "OU" and not str(frame[column].dtype).startswith(
            "str"
        ):
            frame[column] = frame[column].astype("float64")
    return frame


JOINS = {
    ("hop_trends_1", "orders(o_custkey)"): (
        """SELECT o_totalprice, o_orderdate, o_orderstatus, o_orderpriority, c_acctbal, c_mktsegment
        FROM orders LEFT JOIN customer ON o_custkey = c_custkey""",
        ["o_totalprice", "o_orderdate", "c_acctbal"],
        ["o_orderstatus", "o_orderpriority", "c_mktsegment"],
    ),
    ("hop_trends_2", "partsupp(ps_suppkey) → supplier(s_nationkey) → nation"): (
        """SELECT ps_supplycost, n_name FROM partsupp
        LEFT JOIN supplier ON ps_suppkey = s_suppkey
        LEFT JOIN nation ON s_nationkey = n_nationkey""",
        ["ps_supplycost"],
        ["n_name"],
    ),
    ("hop_trends_3", "orders(o_custkey) → customer(c_nationkey) → nation(n_regionkey) → region"): (
        """SELECT o_totalprice, o_orderdate, o_orderstatus, o_orderpriority, r_name FROM orders
        LEFT JOIN customer ON o_custkey = c_custkey
        LEFT JOIN nation ON c_nationkey = n_nationkey
        LEFT JOIN region ON n_regionkey = r_regionkey""",
        ["o_totalprice", "o_orderdate"],
        ["o_orderstatus", "o_orderpriority", "r_name"],
    ),
    ("hop_trends_parents", "partsupp(ps_partkey) × partsupp(ps_suppkey)"): (
        """SELECT p_size, p_retailprice, p_mfgr, s_acctbal FROM partsupp
        LEFT JOIN part ON ps_partkey = p_partkey LEFT JOIN supplier ON ps_suppkey = s_suppkey""",
        ["p_size", "p_retailprice", "s_acctbal"],
        ["p_mfgr"],
    ),
}


def test_paths_of_every_length_agree_with_sql_numpy_and_pandas(business):
    real = {**business, "partsupp": business["partsupp"].drop_columns(["ps_availqty"])}
    other = shuffled(real, "orders", "o_custkey")
    other = shuffled(other, "supplier", "s_nationkey")
    other = shuffled(other, "partsupp", "ps_suppkey")
    few = real["lineitem"].slice(0, 100)
    sides = [{**side, "lineitem": few} for side in (real, other)]
    found = related(TRENDS, tpch_spec(real), *sides, rows=EVERY)
    for (metric, what), (sql, numbers, categories) in JOINS.items():
        sides = [query(tables, sql) for tables in (real, other)]
        # the first table's columns, or the first parent's
        prefix = "p_" if "parents" in metric else sql.split()[1][:2]
        first = [name for name in sides[0] if name.startswith(prefix)]
        expected = mean_trend(*sides, numbers, categories, first)
        score = found[metric, what]
        # A value at the edge of a bin may go either way.
        assert score.value == pytest.approx(expected, abs=5e-4), what
        # Without a hold-out: rows drawn with replacement from the real ones.
        assert score.details["floor"] == "bootstrap"
        assert 0.9 < score.floor < 1
        pairs = len(first) * (len(sides[0].columns) - len(first))
        assert score.details["measured"] == pairs


def test_all_paths_and_pairs_of_parents_are_measured(business):
    few = {**business, "lineitem": business["lineitem"].slice(0, 300)}
    found = related(TRENDS, tpch_spec(few), few, few, rows=500)
    kinds = [metric for metric, _ in found]
    counts = {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
    assert counts == {
        "hop_trends_1": 8,
        "hop_trends_2": 7,
        "hop_trends_3": 4,
        "hop_trends_parents": 2,
    }


def test_shuffled_keys_lower_trends_and_a_second_sample_does_not(business):
    real, second, holdout = split_customers(business, 3)
    spec = tpch_spec(business)
    path = ("hop_trends_1", "lineitem(l_orderkey)")
    found = related(TRENDS, spec, real, second, holdout, rows=10_000)
    assert abs(found[path].value - found[path].floor) < 0.005
    low, high = found[path].interval
    assert low < found[path].value < high
    assert high - low < 0.02
    broken = shuffled(real, "lineitem", "l_orderkey")
    found = related(TRENDS, spec, real, broken, holdout, rows=10_000)
    assert found[path].value < found[path].floor - 0.03
    pairs = {tuple(pair["columns"]): pair for pair in found[path].details["lowest"]}
    dates = pairs["l_shipdate", "orders.o_orderdate"]
    assert dates["value"] == pytest.approx(0.5, abs=0.02)
    assert dates["floor"] == pytest.approx(1.0, abs=0.01)


def test_two_references_to_one_table_are_told_apart():
    tables = nycflights(3_000)
    spec = nycflights_spec(tables)
    found = related(TRENDS, spec, tables, shuffled(tables, "flights", "dest"), rows=2_000)
    origin, dest = (found["hop_trends_1", f"flights({end})"].value for end in ("origin", "dest"))
    assert dest < origin - 0.02
    score = found["hop_trends_parents", "flights(origin) × flights(dest)"]
    names = {name for pair in score.details["lowest"] for name in pair["columns"]}
    assert all(name.startswith(("airports by origin.", "airports by dest.")) for name in names)


def test_rows_without_an_ancestor_count_as_null():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 20, 3_000)
    child = pa.table({"of": pa.array(ids, mask=ids > 15), "is": (ids % 2).astype(str)})
    parent = pa.table({"id": np.arange(20), "kind": [str(i % 2) for i in range(20)]})
    tables = {"child": child, "parent": parent}
    spec = dataset(tables, {"parent": ["id"]}, {"child": [("of", "parent", "id")]})
    full = {**tables, "child": child.set_column(0, "of", pa.array(ids))}
    (score,) = related(TRENDS, spec, tables, full, rows=EVERY).values()
    lost = (ids > 15).mean()
    assert score.value == pytest.approx(1 - lost)


def test_only_rows_that_a_polymorphic_key_is_about_are_compared():
    kinds = ["post", "photo"] * 500
    comment = pa.table({"kind": kinds, "of": [i % 10 for i in range(1_000)], "n": range(1_000)})
    parents = {
        name: pa.table({"id": range(10), f"{name}_x": range(10)}) for name in ("post", "photo")
    }
    tables = {"comment": comment, **parents}
    references = [("of", name, "id", {"when": {"kind": name}}) for name in parents]
    spec = dataset(tables, {name: ["id"] for name in parents}, {"comment": references})
    found = related(TRENDS, spec, tables, tables)
    score = found["hop_trends_1", "comment(of, kind = post)"]
    assert score.details["reference_rows"] == 500
    both = found["hop_trends_parents", "comment(of, kind = post) × comment(of, kind = photo)"]
    assert both.value is None


def test_too_many_paths_and_pairs_are_sampled_and_said(business, monkeypatch):
    monkeypatch.setattr(hop_trends, "MOST_PATHS", 2)
    monkeypatch.setattr(hop_trends, "MOST_PAIRS", 3)
    few = {**business, "lineitem": business["lineitem"].slice(0, 300)}
    found = related(TRENDS, tpch_spec(few), few, few, rows=200)
    ones = [score for (metric, _), score in found.items() if metric == "hop_trends_1"]
    assert len(ones) == 2
    assert {score.details["paths"] for score in ones} == {"2 of 8, drawn at random"}
    measured = [score for score in found.values() if score.value is not None]
    assert all(score.details["measured"] + score.details["not_measured"] <= 3 for score in measured)


def test_a_table_is_its_own_ancestor():
    boss = pa.array([None, 0, 0, 1, 1, 2, 2, 3, 3, 4] * 5)
    staff = {
        "staff": pa.table(
            {"id": range(50), "boss": boss, "rank": [0, 1, 1, 2, 2, 2, 2, 3, 3, 3] * 5}
        )
    }
    spec = dataset(staff, {"staff": ["id"]}, {"staff": [("boss", "staff", "id")]})
    found = related(TRENDS, spec, staff, staff)
    assert [metric for metric, _ in found] == ["hop_trends_1", "hop_trends_2", "hop_trends_3"]
    assert found["hop_trends_1", "staff(boss)"].value == 1.0
