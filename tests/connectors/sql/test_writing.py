"""What is made of tables, keys and rows in each kind of database, and what is there already."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from simulacra.connectors.locate import open_target
from simulacra.core.errors import OutputError
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec

CUSTOMERS = pa.table({"id": pa.array([1, 2, 3], pa.int32()), "name": ["ann", "bob", None]})
ORDERS = pa.table(
    {
        "customer": pa.array([1, 1, 3], pa.int32()),
        "number": pa.array([1, 2, 1], pa.int16()),
        "price": pa.array([Decimal("1.50"), None, Decimal("-2.00")], pa.decimal128(9, 2)),
        "paid": [True, None, False],
        "placed": pa.array([dt.datetime(2024, 2, 29, 12, 30), None, None], pa.timestamp("us")),
    }
)
TABLES = {"orders": ORDERS, "customers": CUSTOMERS}
"""Children before parents: rows come in any order."""


def table_spec(table, primary_key, **more):
    columns = {
        field.name: ColumnSpec(type="integer", arrow=str(field.type).replace("double", "float64"),
                               nullable=field.name not in primary_key)
        for field in table.schema
    }  # fmt: skip
    return TableSpec(columns=columns, primary_key=primary_key, **more)


def owner(**more):
    return ForeignKey(columns=["customer"], parent="customers", parent_columns=["id"], **more)


SPEC = DatasetSpec(
    tables={
        "customers": table_spec(CUSTOMERS, ["id"], unique=[["name"]]),
        "orders": table_spec(ORDERS, ["customer", "number"], foreign_keys=[owner()]),
    }
)


@pytest.fixture
def fill(ctx):
    """A function that writes tables to a database."""

    def all_of(url, tables=TABLES, spec=SPEC, **how):
        schemas = {name: table.schema for name, table in tables.items()}
        with open_target(url, tables=schemas, spec=spec, ctx=ctx, **how) as writers:
            for name, table in tables.items():
                with writers[name] as writer:
                    for batch in table.to_batches(max_chunksize=2):
                        writer.write(batch)

    return all_of


def values(rows):
    return {name: [list(row.values()) for row in found] for name, found in rows.items()}


WRITTEN = {
    name: sorted(map(list, zip(*table.to_pydict().values(), strict=True)), key=str)
    for name, table in TABLES.items()
}


def test_tables_are_made_with_types_and_keys(any_url, fill, rows, declared):
    fill(any_url)
    assert values(rows(any_url)) == WRITTEN
    tables = declared(any_url)
    assert tables["customers"]["primary_key"]["columns"] == ["id"]
    assert [key["columns"] for key in tables["customers"]["unique"]] == [["name"]]
    assert tables["orders"]["primary_key"]["columns"] == ["customer", "number"]
    (key,) = tables["orders"]["foreign_keys"]
    assert (key["columns"], key["table"]) == (["customer"], "customers")
    columns = tables["orders"]["columns"]
    kinds = {name: column["generic"]["kind"] for name, column in columns.items()}
    assert kinds == {"customer": "integer", "number": "integer", "price": "decimal",
                     "paid": "boolean", "placed": "timestamp"}  # fmt: skip
    assert columns["price"]["generic"]["scale"] == 2
    assert [name for name, column in columns.items() if not column["nullable"]] == [
        "customer", "number"
    ]  # fmt: skip


def test_the_database_itself_keeps_what_was_said(any_url, fill, execute):
    fill(any_url)
    for broken in (
        "INSERT INTO customers (id, name) VALUES (1, 'again')",
        "INSERT INTO customers (id, name) VALUES (9, 'ann')",
        "INSERT INTO orders (customer, number) VALUES (99, 1)",
        "INSERT INTO orders (customer, number) VALUES (2, NULL)",
        "DELETE FROM customers WHERE id = 1",
    ):
        statements = (broken,)
        if any_url.startswith("sqlite"):
            statements = ("PRAGMA foreign_keys = ON", broken)
        with pytest.raises(Exception, match=r"(?i)constraint|duplicate|null"):
            execute(any_url, *statements)


def test_empty_tables_that_are_there_are_filled(any_url, fill, rows, execute, declared):
    execute(
        any_url,
        "CREATE TABLE customers (id integer PRIMARY KEY, name varchar(7), more integer DEFAULT 5)",
        "CREATE TABLE orders (customer integer NOT NULL, number integer NOT NULL, "
        "price decimal(12, 2), paid boolean, placed timestamp NULL, "
        "PRIMARY KEY (customer, number), "
        "FOREIGN KEY (customer) REFERENCES customers (id))",
    )
    before = declared(any_url)
    fill(any_url)
    found = rows(any_url)
    assert [row.pop("more") for row in found["customers"]] == [5, 5, 5]
    assert values(found)["customers"] == WRITTEN["customers"]
    assert [row["price"] for row in found["orders"]] == [Decimal("1.50"), None, Decimal("-2.00")]
    assert declared(any_url) == before


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("title varchar(9)", "orders.customer|customers.name: the table that is there has no such"),
        ("name date", "customers.name: the column that is there is date"),
        ("name varchar(9), age integer NOT NULL", "customers.age: the table that is there wants"),
    ],
)
def test_tables_that_do_not_fit_are_refused(column, text, any_url, fill, rows, execute):
    execute(any_url, f"CREATE TABLE customers (id integer PRIMARY KEY, {column})")
    with pytest.raises(OutputError, match=f"(?i){text}"):
        fill(any_url)
    assert rows(any_url) == {"customers": []}


def test_rows_that_are_there_are_never_touched_unasked(any_url, fill, rows):
    fill(any_url)
    with pytest.raises(OutputError, match="the table holds rows already") as failed:
        fill(any_url)
    assert "--if-exists append" in str(failed.value)
    assert values(rows(any_url)) == WRITTEN


def test_append(any_url, fill, rows):
    fill(any_url)
    more = {
        "customers": pa.table({"id": pa.array([4], pa.int32()), "name": ["dan"]}),
        "orders": ORDERS.slice(0, 1).set_column(0, "customer", pa.array([4], pa.int32())),
    }
    fill(any_url, more, if_exists="append")
    assert values(rows(any_url))["customers"] == [*WRITTEN["customers"], [4, "dan"]]
    assert len(rows(any_url)["orders"]) == 4


def test_append_to_a_parent_that_is_not_written(any_url, fill, rows):
    fill(any_url, {"customers": CUSTOMERS})
    orders_only = {"orders": ORDERS}
    spec = DatasetSpec(tables={"orders": SPEC.tables["orders"].model_copy(
        update={"foreign_keys": []})})  # fmt: skip
    fill(any_url, orders_only, spec)
    assert values(rows(any_url)) == WRITTEN


def test_replace(any_url, fill, rows, declared):
    fill(any_url)
    made = declared(any_url)
    fewer = {"customers": CUSTOMERS.slice(2), "orders": ORDERS.slice(2)}
    fill(any_url, fewer, if_exists="replace")
    assert values(rows(any_url)) == {
        "customers": WRITTEN["customers"][2:], "orders": WRITTEN["orders"][2:]
    }  # fmt: skip
    assert declared(any_url) == made
    fill(any_url, if_exists="replace")
    assert values(rows(any_url)) == WRITTEN


def test_tables_that_others_refer_to_are_not_replaced(any_url, fill, rows):
    fill(any_url)
    with pytest.raises(OutputError, match="customers can't be replaced"):
        fill(any_url, {"customers": CUSTOMERS}, if_exists="replace")
    assert values(rows(any_url)) == WRITTEN


def test_views_are_not_written_over(any_url, fill, execute, rows):
    execute(
        any_url,
        "CREATE TABLE t (id integer, name varchar(9))",
        "CREATE VIEW customers AS SELECT id, name FROM t",
    )
    with pytest.raises(OutputError, match="customers: there is a view of this name"):
        fill(any_url, if_exists="replace")
    assert rows(any_url) == {"t": []}


def test_what_no_one_asked_for_stays(any_url, fill, execute, rows):
    execute(any_url, "CREATE TABLE other (n integer)", "INSERT INTO other VALUES (7)")
    fill(any_url)
    fill(any_url, if_exists="replace")
    assert rows(any_url)["other"] == [{"n": 7}]


def test_a_cycle_of_tables(any_url, fill, rows, declared):
    one = pa.table({"id": [1, 2], "next": [2, None]})
    spec = DatasetSpec(
        tables={
            name: table_spec(one, ["id"], foreign_keys=[
                ForeignKey(columns=["next"], parent=parent, parent_columns=["id"])])
            for name, parent in (("a", "b"), ("b", "a"), ("c", "c"))
        }
    )  # fmt: skip
    fill(any_url, dict.fromkeys("abc", one), spec)
    assert values(rows(any_url)) == {name: [[1, 2], [2, None]] for name in "abc"}
    kept = {name: len(table["foreign_keys"]) for name, table in declared(any_url).items()}
    both = 1 if any_url.startswith("duckdb") else 2  # DuckDB can't say the second one of a cycle
    assert (kept["a"] + kept["b"], kept["c"]) == (both, 1)


def test_schemas_are_asked_for(postgres_url, duckdb_url, fill, rows):
    for url in (postgres_url, duckdb_url):
        fill(url, options={"schema": "Made Up"})
        assert values(rows(url, schema="Made Up")) == WRITTEN


def test_an_empty_load_makes_tables_that_can_be_filled(any_url, fill, rows):
    fill(any_url, {name: table.slice(0, 0) for name, table in TABLES.items()})
    assert rows(any_url) == {"customers": [], "orders": []}
    fill(any_url)
    assert values(rows(any_url)) == WRITTEN
