"""Names with quotes, spaces, reserved words, Unicode and mixed case go round."""

from __future__ import annotations

import pyarrow as pa
import pytest

from simulacra.connectors.locate import open_target
from simulacra.core.errors import OutputError, SimulacraError
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec

NAMES = [
    "select", "User", "my table", 'a "quoted" one', "it's", "back`tick", "Ünï漢字", "MiXeD", "100%",
    "%s", "co:lon", ":bound", "what?", "{0}", "do.t", "back\\slash", "$dollar", "sla/sh",
    "comma, too", "paren(theses)", "[brackets]",
    "semi;colon", "--", "two\nlines", "tab\there", "1st", "a" * 60,
]  # fmt: skip


def dataset(names):
    """Return a chain of tables so called, each with columns of these names, and their keys."""
    spec, tables = {}, {}
    for number, name in enumerate(names):
        key, other = names[number - 1], names[number - 2]
        tables[name] = pa.table({key: [1, 2], other: [2, 1], "plain": ["x", None]})
        spec[name] = TableSpec(
            columns={
                key: ColumnSpec(type="integer", arrow="int64", nullable=False),
                other: ColumnSpec(type="integer", arrow="int64"),
                "plain": ColumnSpec(type="text", arrow="string"),
            },
            primary_key=[key],
            unique=[[other]],
            foreign_keys=[
                ForeignKey(columns=[other], parent=key, parent_columns=[names[number - 2]])
            ]
            if number
            else [],
        )
    return DatasetSpec(tables=spec), tables


@pytest.fixture
def fill(ctx):
    def write(url, spec, tables, **how):
        schemas = {name: table.schema for name, table in tables.items()}
        with open_target(url, tables=schemas, spec=spec, ctx=ctx, **how) as writers:
            for name, table in tables.items():
                with writers[name] as writer:
                    writer.write(table.to_batches()[0])

    return write


def names_for(*urls):
    """Return the names that all these databases can have, and that SQLAlchemy can tell of."""
    lines = any(url.startswith(("mysql", "mariadb")) for url in urls)
    return [name for name in NAMES if not (lines and "\n" in name)]


def test_names_go_round(any_url, fill, rows, declared):
    names = names_for(any_url)
    spec, tables = dataset(names)
    fill(any_url, spec, tables)
    found = declared(any_url)
    assert set(found) == set(names)
    for name, table in spec.tables.items():
        assert list(found[name]["columns"]) == list(table.columns)
        assert found[name]["primary_key"]["columns"] == table.primary_key
        assert [key["columns"] for key in found[name]["unique"]] == table.unique
        assert [
            (key["columns"], key["table"], key["parent_columns"])
            for key in found[name]["foreign_keys"]
        ] == [(key.columns, key.parent, key.parent_columns) for key in table.foreign_keys]
    assert rows(any_url) == {name: table.to_pylist() for name, table in tables.items()}


def test_names_go_round_when_replaced_and_appended_to(any_url, fill, rows):
    spec, tables = dataset(names_for(any_url)[::3])
    fill(any_url, spec, tables)
    fill(any_url, spec, tables, if_exists="replace")
    more = {
        name: table.set_column(0, table.column_names[0], pa.array([3, 4])).set_column(
            1, table.column_names[1], pa.array([4, 3])
        )
        for name, table in tables.items()
    }
    fill(any_url, spec, more, if_exists="append")
    found = rows(any_url)
    for name, table in tables.items():
        assert found[name] == [*table.to_pylist(), *more[name].to_pylist()]


def test_names_go_from_one_store_to_the_next(
    postgres_url, mariadb_url, sqlite_url, duckdb_url, fill, rows, copy
):
    spec, tables = dataset(names_for(mariadb_url)[::2])
    fill(postgres_url, spec, tables)
    for source, target in (
        (postgres_url, sqlite_url),
        (sqlite_url, mariadb_url),
        (mariadb_url, duckdb_url),
    ):
        copy(source, target)
        assert rows(target) == rows(postgres_url)


@pytest.mark.parametrize("store", ["postgres", "mariadb"])
def test_names_that_differ_in_case_alone(store, request, fill, rows):
    url = request.getfixturevalue(f"{store}_url")
    tables = {"orders": pa.table({"n": [1]}), "Orders": pa.table({"n": [2]})}
    fill(url, None, tables)
    assert rows(url) == {"orders": [{"n": 1}], "Orders": [{"n": 2}]}


@pytest.mark.parametrize("store", ["sqlite", "duckdb"])
def test_names_that_differ_in_case_alone_are_refused_where_they_are_one(
    store, request, fill, tmp_path
):
    url = request.getfixturevalue(f"{store}_url")
    tables = {"orders": pa.table({"n": [1]}), "Orders": pa.table({"n": [2]})}
    with pytest.raises(OutputError, match="orders and Orders would be the same table"):
        fill(url, None, tables)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("store", ["mariadb", "sqlite", "duckdb"])
def test_columns_that_differ_in_case_alone_are_refused_where_they_are_one(store, request, fill):
    url = request.getfixturevalue(f"{store}_url")
    with pytest.raises(SimulacraError, match=r"n.*N") as failed:
        fill(url, None, {"orders": pa.table({"n": [1], "N": [2]})})
    assert "orders" in str(failed.value)


@pytest.mark.parametrize(
    ("store", "name", "text"),
    [
        ("postgres", "ü" * 32, "the name has 64 bytes"),
        ("mariadb", "a" * 65, "the name has 65 characters"),
        ("mariadb", "🙂", "the name holds '🙂'"),
        ("mariadb", "two\nlines", "the name holds"),
        ("sqlite", "nul\0", "nothing can be called"),
    ],
)
def test_names_that_cannot_be(store, name, text, request, fill):
    url = request.getfixturevalue(f"{store}_url")
    for tables in ({name: pa.table({"n": [1]})}, {"t": pa.table({name: [1]})}):
        with pytest.raises(OutputError, match=text):
            fill(url, None, tables)


def test_long_names_of_constraints_stay_apart(any_url, fill, declared):
    """Their names are made of those of table and columns, and would be cut to the same."""
    long = "x" * 50
    names = [f"{long}{n}" for n in range(4)]
    spec, tables = dataset(names)
    fill(any_url, spec, tables)
    assert [len(t["foreign_keys"]) for t in declared(any_url).values()] == [0, 1, 1, 1]
