from __future__ import annotations

import sqlite3
import subprocess
import sysconfig
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from real_data import real_data
from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.limits import Limits
from simulacra.core.random import RngKey
from simulacra.core.references import Reference
from simulacra.pipeline.detect import detect_table
from simulacra.pipeline.foreign_keys import find_foreign_keys
from simulacra.pipeline.inclusion import count_inclusions

RNG = np.random.default_rng(0)
KEY_OF_WEATHER = ("origin", "time_hour")


def search(tables, ctx=None):
    ctx = ctx or RunContext()
    sources = {name: TableSource(as_table(table)) for name, table in tables.items()}
    specs = {
        name: detect_table(
            source, where=name, sample_rows=20_000, rng=RngKey(0, (name,)), ctx=ctx
        ).spec
        for name, source in sources.items()
    }
    return find_foreign_keys(sources, specs, ctx=ctx)


def as_table(table):
    if isinstance(table, pa.Table):
        return table
    arrays = {
        name: values if isinstance(values, pa.Array) else pa.array(list(values))
        for name, values in table.items()
    }
    return pa.table(arrays)


def certain(found):
    return {str(key) for key in found if key.is_certain}


def hints(found):
    return {str(key) for key in found if not key.is_certain}


def draws(least, most, rows):
    return RNG.integers(least, most + 1, rows).tolist()


# --- real data ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tpch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tpch")
    tool = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    subprocess.run([tool, "parquet", "-s", "0.01", "-o", folder], check=True, capture_output=True)
    return {path.stem: pq.read_table(path) for path in sorted(folder.glob("*.parquet"))}


TPCH = {
    "nation.n_regionkey → region.r_regionkey",
    "supplier.s_nationkey → nation.n_nationkey",
    "customer.c_nationkey → nation.n_nationkey",
    "orders.o_custkey → customer.c_custkey",
    "partsupp.ps_partkey → part.p_partkey",
    "partsupp.ps_suppkey → supplier.s_suppkey",
    "lineitem.l_orderkey → orders.o_orderkey",
    "lineitem.(l_partkey, l_suppkey) → partsupp.(ps_partkey, ps_suppkey)",
}


def test_tpch_has_its_eight_keys_and_no_other(tpch):
    found = search(tpch)
    assert certain(found) == TPCH
    assert hints(found) == set()
    assert all(key.share == 1.0 and key.names_agree for key in found)


def test_tables_and_columns_in_any_order_give_the_same_keys(tpch):
    turned = {name: tpch[name].select(tpch[name].column_names[::-1]) for name in sorted(tpch)[::-1]}
    assert certain(search(turned)) == TPCH


def test_a_missing_parent_leaves_the_keys_that_it_implied(tpch):
    found = search({name: table for name, table in tpch.items() if name != "partsupp"})
    kept = {key for key in TPCH if "partsupp" not in key}
    implied = {"lineitem.l_partkey → part.p_partkey", "lineitem.l_suppkey → supplier.s_suppkey"}
    assert certain(found) == kept | implied


def test_evidence_tells_rows_and_names(tpch):
    found = search({name: tpch[name] for name in ("orders", "customer")})
    (key,) = found
    rows = tpch["orders"].num_rows
    assert key.key.evidence == (
        f"every value of {rows:,} rows is in customer.c_custkey (unique); names agree"
    )


def test_one_orphan_makes_a_key_a_hint_and_is_counted(tpch):
    orders = tpch["orders"]
    keys = orders["o_custkey"].to_pylist()
    place = orders.schema.get_field_index("o_custkey")
    broken = orders.set_column(place, "o_custkey", pa.array([999_999, *keys[1:]]))
    (key,) = search({"orders": broken, "customer": tpch["customer"]})
    assert not key.is_certain
    assert key.names_agree
    assert key.share == pytest.approx(1 - 1 / len(keys))
    assert f"all but 1 of {len(keys):,} values (99.9 %)" in key.key.evidence


def test_flights_lead_to_airlines_and_planes_and_perhaps_elsewhere():
    folder = files("simulacra") / "demo" / "nycflights"
    names = ("airlines", "airports", "flights", "planes", "weather")
    tables = {name: pq.read_table(folder / f"{name}.parquet") for name in names}
    found = search(tables)
    assert certain(found) == {
        "flights.carrier → airlines.carrier",
        "flights.tailnum → planes.tailnum",
    }
    weather = "flights.(origin, time_hour) → weather.(origin, time_hour)"
    assert hints(found) == {
        "flights.origin → airports.faa",
        "flights.dest → airports.faa",
        weather,
        "weather.origin → airports.faa",
    }
    shares = {str(key): key.share for key in found}
    flights = tables["flights"]
    known = set(tables["airports"]["faa"].to_pylist())
    dests = flights["dest"].to_pylist()
    assert shares["flights.dest → airports.faa"] == sum(d in known for d in dests) / len(dests)
    hours = set(zip(*(tables["weather"][n].to_pylist() for n in KEY_OF_WEATHER), strict=True))
    flown = list(zip(*(flights[n].to_pylist() for n in KEY_OF_WEATHER), strict=True))
    assert shares[weather] == sum(hour in hours for hour in flown) / len(flown)


def test_chinook_without_its_declarations_has_all_keys_that_names_tell():
    connection = sqlite3.connect(real_data("chinook.sqlite"))
    names = [
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not name.startswith("sqlite_")
    ]
    tables, declared = {}, set()
    for name in names:
        cursor = connection.execute(f'SELECT * FROM "{name}"')
        columns = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        tables[name] = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
        for key in connection.execute(f'PRAGMA foreign_key_list("{name}")'):
            declared.add(f"{name}.{key[3]} → {key[2]}.{key[4]}")
    connection.close()
    assert len(declared) == 11
    # "SupportRepId" holds 3, 4 and 5: nothing says that those are employees.
    assert certain(search(tables)) == declared - {"Customer.SupportRepId → Employee.EmployeeId"}


# --- names ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "key", "column"),
    [
        ("customers", "id", "customer_id"),
        ("customers", "id", "customerId"),
        ("customers", "id", "CustomerID"),
        ("customers", "id", "CUSTOMER_ID"),
        ("customers", "id", "customer id"),
        ("customers", "id", "customerid"),
        ("customers", "id", "customer"),
        ("customers", "id", "id_customer"),
        ("customers", "id", "fk_customer"),
        ("customers", "id", "customer_no"),
        ("customers", "id", "customers_id"),
        ("customers", "id", "billing_customer_id"),
        ("customers", "id", "customer_id_2"),
        ("customers", "customer_id", "customer_id"),
        ("customers", "CustomerID", "customer_id"),
        ("customers", "customer_key", "customer_id"),
        ("customer", "id", "customer_id"),
        ("Customer", "Id", "CustomerId"),
        ("dim_customer", "customer_key", "customer_key"),
        ("tbl_customers", "id", "customer_id"),
        ("public.customers", "id", "customer_id"),
        ("people", "id", "person_id"),
        ("categories", "id", "category_id"),
        ("addresses", "id", "address_id"),
        ("boxes", "id", "box_id"),
        ("houses", "id", "house_id"),
        ("statuses", "id", "status_id"),
        ("order_items", "id", "order_item_id"),
        ("customers", "custkey", "custkey"),
        ("accounts", "account_number", "account_number"),
    ],
)
def test_a_column_is_called_after_its_table_in_many_ways(table, key, column):
    found = search(
        {
            "sales": {"id": range(1, 301), column: draws(1, 60, 300), "amount": draws(1, 9, 300)},
            table: {key: range(1, 61), "grade": draws(1, 4, 60)},
            "things": {"id": range(1, 501), "size": draws(1, 9, 500)},
        }
    )
    assert certain(found) == {f"sales.{column} → {table}.{key}"}
    assert hints(found) == set()


def test_columns_that_all_begin_alike_are_read_without_it():
    found = search(
        {
            "invoice": {"in_id": range(1, 201), "in_cust": draws(1, 50, 200)},
            "cust": {"cu_id": range(1, 51), "cu_grade": draws(1, 4, 50)},
        }
    )
    assert certain(found) == {"invoice.in_cust → cust.cu_id"}


def test_a_short_form_counts_if_values_reach_as_far():
    def found(most):
        tables = {
            "sales": {"id": range(1, 301), "cust_id": [1, most, *draws(1, most, 298)]},
            "customers": {"id": range(1, 101), "grade": draws(1, 4, 100)},
        }
        return certain(search(tables))

    assert found(100) == {"sales.cust_id → customers.id"}
    assert found(30) == set()


@pytest.mark.parametrize("column", ["parent_id", "manager_id", "reports_to", "parent_employee_id"])
def test_rows_refer_to_rows_of_their_own_table(column):
    parents = [None, *[int(RNG.integers(1, i + 1)) for i in range(1, 80)]]
    table = {"employee_id": range(1, 81), column: parents, "level": draws(1, 5, 80)}
    assert certain(search({"employees": table})) == {f"employees.{column} → employees.employee_id"}


def test_a_manager_of_another_table_is_none_of_this():
    # Every department has a manager: were they departments, one would have to come first.
    table = {"id": range(1, 31), "manager_id": [i % 30 + 1 for i in range(1, 31)]}
    assert certain(search({"departments": table})) == set()


# --- values ---------------------------------------------------------------------------------


def test_numbers_that_lie_among_others_by_accident_are_no_keys():
    found = search(
        {
            "customers": {"customer_id": range(1, 101), "age": draws(1, 90, 100)},
            "products": {"product_id": range(1, 501), "stock": draws(1, 100, 500)},
            "stores": {"store_id": range(1, 11), "rank": RNG.permutation(10) + 1},
            "visits": {"visit_id": range(1, 51), "minutes": draws(1, 10, 50)},
        }
    )
    assert found == []


def test_counts_are_no_keys():
    found = search(
        {
            "customers": {"id": range(1, 101), "orders": draws(1, 20, 100)},
            "orders": {"id": range(1, 501), "items": draws(1, 9, 500)},
            "items": {"id": range(1, 901), "price": draws(1, 9, 900)},
        }
    )
    assert found == []


def test_lookup_tables_of_a_few_rows_have_keys():
    found = search(
        {
            "orders": {"id": range(1, 201), "status_id": draws(1, 3, 200)},
            "statuses": {"id": [1, 2, 3], "label": ["new", "paid", "sent"]},
        }
    )
    assert certain(found) == {"orders.status_id → statuses.id"}


def test_texts_are_keys_by_their_own_name_or_a_hint_without():
    countries = {"code": [f"{a}{b}" for a in "ABCDEF" for b in "XYZ"], "people": draws(1, 9, 18)}
    codes = RNG.choice(countries["code"], 300).tolist()
    found = search({"countries": countries, "users": {"id": range(300), "country_code": codes}})
    assert certain(found) == {"users.country_code → countries.code"}
    found = search({"countries": countries, "users": {"id": range(300), "origin": codes}})
    assert certain(found) == set()
    assert hints(found) == {"users.origin → countries.code"}


def test_nulls_and_whole_floats_may_refer():
    keys = [None if i % 3 == 0 else float(i % 40 + 1) for i in range(200)]
    found = search(
        {
            "cars": {"id": range(1, 201), "owner_id": pa.array(keys, pa.float64())},
            "owners": {"id": range(1, 41), "grade": draws(1, 4, 40)},
        }
    )
    assert certain(found) == {"cars.owner_id → owners.id"}
    assert "every value of 133 rows" in found[0].key.evidence


def test_types_of_one_kind_are_compared():
    found = search(
        {
            "a": {
                "x_id": pa.array(draws(1, 50, 100), pa.int16()),
                "y_code": pa.array(
                    RNG.choice(["AA1", "BB2", "CC3", "DD4", "EE5"], 100).tolist()
                ).dictionary_encode(),
            },
            "x": {"id": pa.array(range(1, 51), pa.uint64()), "n": draws(1, 4, 50)},
            "y": {
                "code": pa.array(["AA1", "BB2", "CC3", "DD4", "EE5"], pa.large_string()),
                "n": draws(1, 4, 5),
            },
        }
    )
    assert certain(found) == {"a.x_id → x.id", "a.y_code → y.code"}


def test_a_key_that_is_a_foreign_key_too():
    found = search(
        {
            "users": {"user_id": range(1, 201), "age": draws(1, 90, 200)},
            "profiles": {"user_id": range(1, 201), "theme": draws(1, 4, 200)},
            "logins": {"id": range(1, 901), "user_id": draws(1, 200, 900)},
        }
    )
    assert certain(found) == {
        "profiles.user_id → users.user_id",
        "logins.user_id → users.user_id",
    }


def test_composite_keys_by_common_parents_though_names_differ():
    pairs = [(i, j) for i in range(1, 41) for j in range(1, 21) if (i * 7 + j * 3) % 5 == 0]
    chosen = [pairs[k] for k in draws(0, len(pairs) - 1, 500)]
    found = search(
        {
            "students": {"id": range(1, 41), "year": draws(1, 4, 40)},
            "courses": {"id": range(1, 21), "size": draws(1, 4, 20)},
            "enrolments": {
                "student_id": [i for i, _ in pairs],
                "course_id": [j for _, j in pairs],
                "fee": draws(1, 9, len(pairs)),
            },
            "grades": {
                "id": range(1, 501),
                "graded_student_id": [i for i, _ in chosen],
                "graded_course_id": [j for _, j in chosen],
            },
        }
    )
    assert certain(found) == {
        "enrolments.student_id → students.id",
        "enrolments.course_id → courses.id",
        "grades.(graded_student_id, graded_course_id) → enrolments.(student_id, course_id)",
    }


def test_pairs_that_every_parent_has_tell_nothing():
    found = search(
        {
            "shops": {"id": range(1, 11), "size": draws(1, 4, 10)},
            "goods": {"id": range(1, 31), "price": draws(1, 4, 30)},
            "stock": {
                "shop_id": [i for i in range(1, 11) for _ in range(30)],
                "good_id": [j for _ in range(10) for j in range(1, 31)],
            },
            "sales": {
                "id": range(1, 401),
                "shop_id": draws(1, 10, 400),
                "good_id": draws(1, 30, 400),
            },
        }
    )
    assert {key for key in certain(found) if key.startswith("sales")} == {
        "sales.shop_id → shops.id",
        "sales.good_id → goods.id",
    }


# --- any schema -----------------------------------------------------------------------------

ENTITIES = (
    ("customer", "customers"), ("order", "orders"), ("order item", "order items"),
    ("category", "categories"), ("person", "people"), ("address", "addresses"), ("box", "boxes"),
    ("status", "statuses"), ("city", "cities"), ("employee", "employees"), ("item", "items"),
)  # fmt: skip


def snake(words):
    return words.replace(" ", "_")


def camel(words):
    return "".join(word.capitalize() for word in words.split())


STYLES = {
    "plain": (snake, lambda _: "id", lambda e: snake(e) + "_id"),
    "named": (snake, lambda e: snake(e) + "_id", lambda e: snake(e) + "_id"),
    "camel": (camel, lambda e: camel(e) + "Id", lambda e: camel(e) + "Id"),
    "upper": (lambda e: snake(e).upper(), lambda _: "ID", lambda e: snake(e).upper() + "_ID"),
    "bare": (snake, lambda _: "id", snake),
    "warehouse": (
        lambda e: "dim_" + snake(e),
        lambda e: snake(e) + "_key",
        lambda e: snake(e) + "_key",
    ),
}


@st.composite
def schemas(draw):
    """Tables whose keys all count from 1, so that all lie among others, and the true references."""
    table_of, key_of, column_of = STYLES[draw(st.sampled_from(sorted(STYLES)))]
    plural = draw(st.booleans())
    chosen = draw(st.lists(st.sampled_from(ENTITIES), min_size=2, max_size=6, unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    tables, truth, rows_of = {}, set(), {}
    for place, (one, many) in enumerate(chosen):
        name = table_of(many if plural else one)
        rows = draw(st.sampled_from([3, 8, 30, 200]))
        table = {key_of(one): np.arange(1, rows + 1)}
        if place:
            parents = draw(st.lists(st.sampled_from(chosen[:place]), max_size=2, unique=True))
            for parent, parents_name in parents:
                keys = rng.integers(1, rows_of[parent] + 1, rows)
                nulls = rng.random(rows) < draw(st.sampled_from([0.0, 0.3]))
                nulls[0] = False
                table[column_of(parent)] = pa.array(keys, mask=nulls)
                parent_table = table_of(parents_name if plural else parent)
                truth.add(f"{name}.{column_of(parent)} → {parent_table}.{key_of(parent)}")
        table["quantity"] = rng.integers(1, 6, rows)
        table["amount"] = np.round(rng.gamma(2, 50, rows), 2)
        table["place"] = rng.permutation(rows) + 1
        tables[name], rows_of[one] = as_table(table), rows
    return tables, truth


@settings(max_examples=30)
@given(schemas())
def test_every_key_of_any_schema_is_found_and_no_other(schema):
    tables, truth = schema
    assert certain(search(tables)) == truth


# --- counting -------------------------------------------------------------------------------


def test_inclusions_are_counted_in_any_amount_of_memory():
    rng = np.random.default_rng(1)
    parents = rng.permutation(400_000)[:200_000]
    children = rng.integers(0, 400_000, 300_000)
    sources = {
        "p": TableSource(pa.table({"k": parents, "t": (parents % 7).astype(str)})),
        "c": TableSource(pa.table({"k": children, "t": (children % 7).astype(str)})),
    }
    expected = int(np.isin(children, parents).sum())
    references = [
        Reference("c", ("k",), "p", ("k",)),
        Reference("c", ("k", "t"), "p", ("k", "t")),
        Reference("c", ("k",), "p", ("k",), when=("t", "3")),
    ]
    small = RunContext(limits=Limits(memory=80_000_000, threads=1))
    for ctx in (RunContext(), small):
        counted = count_inclusions(references, sources, ctx)
        assert [found.contained for found in counted.values()] == [
            expected,
            expected,
            int((np.isin(children, parents) & (children % 7 == 3)).sum()),
        ]
