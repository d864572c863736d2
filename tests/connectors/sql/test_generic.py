"""What is reached through SQLAlchemy alone, tried on databases that are known otherwise."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from simulacra.connectors.locate import open_source, open_target
from simulacra.connectors.sql.connector import Sql
from simulacra.core.batches import read_all
from simulacra.core.errors import InputError, OutputError, PluginError
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec

DRIVERS = {"postgres": "postgresql+pg8000", "mariadb": "mysql+pymysql"}
PARENTS = pa.table({"id": [1, 2], "name": ["ü", None]})
CHILDREN = pa.table(
    {
        "id": [1, 2, 3],
        "parent": [2, None, 1],
        "price": pa.array([Decimal("1.50"), None, Decimal("-2.00")], pa.decimal128(9, 2)),
        "day": pa.array([dt.date(2024, 2, 29), None, None]),
        "at": pa.array([dt.datetime(2024, 2, 29, 1, 2, 3), None, None], pa.timestamp("us")),
        "is": [True, None, False],
        "ratio": [0.5, None, -1e300],
        "data": pa.array([b"\0\xff", None, b""], pa.binary()),
    }
)
TABLES = {"children": CHILDREN, "parents": PARENTS}


def spec_of(table, **more):
    columns = {
        name: ColumnSpec(type="integer", arrow="int64", nullable=name != "id")
        for name in table.column_names
    }
    return TableSpec(columns=columns, primary_key=["id"], **more)


SPEC = DatasetSpec(
    tables={
        "parents": spec_of(PARENTS),
        "children": spec_of(
            CHILDREN,
            foreign_keys=[ForeignKey(columns=["parent"], parent="parents", parent_columns=["id"])],
        ),
    }
)


@pytest.fixture(params=DRIVERS)
def url(request, monkeypatch):
    """A database that passes for one that nothing is known of."""
    known = request.getfixturevalue(f"{request.param}_url")
    monkeypatch.setattr("simulacra.connectors.sql.place.dialect_of_scheme", lambda _: None)
    return f"{DRIVERS[request.param]}{known[known.index(':') :]}"


@pytest.fixture
def fill(ctx):
    def write(url, tables, **how):
        schemas = {name: table.schema for name, table in tables.items()}
        with open_target(url, tables=schemas, spec=SPEC, ctx=ctx, **how) as writers:
            for name, table in tables.items():
                with writers[name] as writer:
                    for batch in table.to_batches():
                        writer.write(batch)

    return write


def found_at(url, ctx):
    return {
        name: sorted(read_all(source).to_pylist(), key=lambda row: row["id"])
        for name, source in open_source(url, ctx=ctx).items()
    }


def wanted(tables):
    return {name: table.to_pylist() for name, table in tables.items()}


def test_it_is_read_and_written(url, fill, ctx):
    fill(url, TABLES)
    assert found_at(url, ctx) == wanted(TABLES)
    (key,) = Sql().declared(url, {}, ctx)["children"].foreign_keys
    assert (key.columns, key.parent) == (["parent"], "parents")


def test_tables_that_are_there(url, fill, ctx):
    fill(url, TABLES)
    with pytest.raises(OutputError, match="the table holds rows already"):
        fill(url, TABLES)
    more = {
        "children": CHILDREN.slice(0, 1).set_column(0, "id", pa.array([9])),
        "parents": PARENTS.slice(0, 1).set_column(0, "id", pa.array([9])),
    }
    fill(url, more, if_exists="append")
    assert {name: len(rows) for name, rows in found_at(url, ctx).items()} == {
        "children": 4, "parents": 3
    }  # fmt: skip
    fill(url, TABLES, if_exists="replace")
    assert found_at(url, ctx) == wanted(TABLES)


def test_rows_that_break_a_key_leave_nothing(url, fill, ctx):
    lost = CHILDREN.set_column(1, "parent", pa.array([2, None, 77]))
    with pytest.raises(OutputError, match="can't write"):
        fill(url, {**TABLES, "children": lost})
    with pytest.raises(InputError, match="there is no table"):
        open_source(url, ctx=ctx)
    fill(url, TABLES)
    with pytest.raises(OutputError, match="can't write"):
        fill(url, TABLES, if_exists="append")  # each key twice
    assert found_at(url, ctx) == wanted(TABLES)


def test_it_is_read_in_one_snapshot(url, fill, ctx, execute):
    fill(url, TABLES)
    sources = open_source(url, ctx=ctx)
    next(sources["parents"].batches())
    execute(url, "DELETE FROM children")
    assert read_all(sources["children"]).num_rows == 3
    assert sources["children"].rows() == 3


def test_a_driver_that_is_not_there_is_named(ctx):
    with pytest.raises(PluginError, match="pip install oracledb"):
        open_source("oracle://me@host/shop", ctx=ctx)
