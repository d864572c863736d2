import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from metrics.databases import (
    dataset,
    nycflights,
    nycflights_spec,
    related,
    tpch,
    tpch_spec,
    without_rows,
)
from simulacra.core.schema import ColumnSpec
from simulacra.metrics.key_validity import KeyValidity

VALID = KeyValidity()


@pytest.fixture(scope="module")
def business():
    return tpch()


def test_all_keys_of_a_sound_database_are_valid(business):
    found = related(VALID, tpch_spec(business), business, business)
    assert len(found) == 8 + 8
    assert {score.value for score in found.values()} == {1.0}
    # Without a hold-out the real keys themselves are the floor.
    assert {(s.floor, s.details["floor"]) for s in found.values()} == {(1.0, "real rows")}
    assert found["key_validity", "lineitem(l_partkey, l_suppkey)"].details["rows"] == 60_175


def test_deleted_parents_show_as_orphans(business):
    broken = without_rows(business, "partsupp", 0.1)
    found = related(VALID, tpch_spec(business), business, broken, business)
    score = found["key_validity", "lineitem(l_partkey, l_suppkey)"]
    keys = ["l_partkey", "l_suppkey"]
    left = broken["partsupp"].to_pandas()[["ps_partkey", "ps_suppkey"]].set_axis(keys, axis=1)
    joined = broken["lineitem"].to_pandas()[keys].merge(left, on=keys, how="left", indicator=True)
    orphans = (joined["_merge"] == "left_only").sum()
    assert score.details["orphans"] == orphans > 4_000
    assert score.value == pytest.approx(1 - orphans / 60_175)
    assert score.floor == 1.0
    exact = stats.binomtest(60_175 - int(orphans), 60_175).proportion_ci(method="wilson")
    assert score.interval == pytest.approx((exact.low, exact.high), abs=1e-12)
    others = [s.value for s in found.values() if s is not score]
    assert set(others) == {1.0}


def test_repeated_and_missing_primary_keys_are_counted(business):
    lines = business["lineitem"]
    half = pa.concat_tables([lines, lines.slice(0, 1_000)])
    orders = business["orders"]
    keys = orders["o_orderkey"].to_pandas()
    keys[:30], keys[100:200] = np.nan, keys[200]
    numbered = orders.set_column(0, "o_orderkey", pa.array(keys, pa.int64(), from_pandas=True))
    broken = {**business, "lineitem": half, "orders": numbered}
    found = related(VALID, tpch_spec(business), business, broken)
    score = found["key_validity", "lineitem(l_orderkey, l_linenumber)"]
    assert score.value == pytest.approx(1 - 1_000 / 61_175)
    assert (score.details["repeats"], score.details["nulls"]) == (1_000, 0)
    assert score.details["real"] == 1.0
    score = found["key_validity", "orders(o_orderkey)"]
    assert score.value == pytest.approx(1 - 130 / 15_000)
    assert (score.details["repeats"], score.details["nulls"]) == (100, 30)


def test_nulls_are_no_orphans_and_have_a_score_of_their_own():
    real = nycflights(4_000)
    tail = real["flights"]["tailnum"].to_pandas()
    tail[:400] = None
    place = real["flights"].column_names.index("tailnum")
    emptied = real["flights"].set_column(place, "tailnum", pa.array(tail, pa.large_string()))
    broken = without_rows({**real, "flights": emptied}, "planes", 0.2)
    found = related(VALID, nycflights_spec(real), real, broken)
    score = found["key_validity", "flights(tailnum)"]
    known = set(broken["planes"]["tailnum"].to_pylist())
    named = tail.dropna()
    assert score.details["orphans"] == (~named.isin(known)).sum() > 100
    assert score.value == pytest.approx(named.isin(known).mean())
    nulls = [real["flights"]["tailnum"].null_count / 4_000, tail.isna().mean()]
    assert found["key_nulls", "flights(tailnum)"].value == pytest.approx(1 - nulls[1] + nulls[0])
    assert ("key_nulls", "flights(origin)") not in found
    nulls_score = found["key_nulls", "flights(tailnum)"]
    low, high = nulls_score.interval
    assert low < nulls_score.value < high < 1
    assert nulls_score.floor == 1  # no real row has a null


def test_orphans_that_belong_to_the_data_are_compared():
    real = nycflights(4_000)
    keep = {"flights": [("tailnum", "planes", "tailnum", {"orphans": "keep"})]}
    spec = dataset(real, {"planes": ["tailnum"]}, keep)
    found = related(VALID, spec, real, real)
    assert found["key_validity", "flights(tailnum)"].value == 1.0
    fewer = without_rows(real, "planes", 0.2)
    score = related(VALID, spec, real, fewer)["key_validity", "flights(tailnum)"]
    shares = [
        real["flights"]["tailnum"].to_pandas().dropna().isin(set(p["tailnum"].to_pylist())).mean()
        for p in (real["planes"], fewer["planes"])
    ]
    assert score.value == pytest.approx(1 - (shares[0] - shares[1]))
    assert score.details["real_valid_share"] == pytest.approx(shares[0])
    assert score.interval[0] < score.value < score.interval[1]
    assert score.floor == 1  # no real key is an orphan
    score = related(VALID, spec, fewer, real)["key_validity", "flights(tailnum)"]
    # Four standard deviations of a share drawn again.
    assert 1 - 4 * np.sqrt(shares[1] * (1 - shares[1]) / 3_900) < score.floor < 1


def test_unique_keys_may_have_nulls_where_the_column_may():
    tables = {
        "people": pa.table(
            {"id": [1, 2, 3, 4], "mail": ["a", None, None, "a"], "a": [1, 1, 2, None], "b": [1] * 4}
        )
    }
    mail = ColumnSpec(type="identifier", arrow="string", unique=True)
    spec = dataset(tables, {"people": ["id"]}, types={"people": {"mail": mail}})
    spec.tables["people"].unique = [["a", "b"]]
    found = related(VALID, spec, tables, tables)
    assert found["key_validity", "people(mail)"].value == 0.75
    assert found["key_validity", "people(a, b)"].value == 0.75
    assert found["key_validity", "people(mail)"].details["nulls"] == 2
    strict = spec.tables["people"].columns
    strict["a"].nullable = strict["b"].nullable = False
    assert related(VALID, spec, tables, tables)["key_validity", "people(a, b)"].value == 0.5


@pytest.mark.parametrize("size", ["int32", "uint64", "double", "string"])
def test_keys_of_other_types_are_the_same_keys(size):
    people = pa.table({"id": pa.array(range(50), pa.int64())})
    if size == "string":
        people = people.set_column(0, "id", people["id"].cast(pa.string()))
    visits = pa.array([*range(0, 50, 2), 99, None], pa.int64()).cast(size)
    tables = {"people": people, "visits": pa.table({"who": visits})}
    spec = dataset(tables, {"people": ["id"]}, {"visits": [("who", "people", "id")]})
    score = related(VALID, spec, tables, tables)["key_validity", "visits(who)"]
    assert score.value == pytest.approx(25 / 26)


def test_a_table_may_refer_to_itself():
    staff = {"staff": pa.table({"id": [1, 2, 3, 4], "boss": [None, 1, 1, 9]})}
    spec = dataset(staff, {"staff": ["id"]}, {"staff": [("boss", "staff", "id")]})
    found = related(VALID, spec, staff, staff)
    assert found["key_validity", "staff(boss)"].value == pytest.approx(2 / 3)
    assert found["key_validity", "staff(id)"].value == 1.0
    assert pd.notna(found["key_nulls", "staff(boss)"].value)
