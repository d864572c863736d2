"""A load that fails leaves a database as it was: no table, no row, nothing half made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pyarrow as pa
import pytest

from servers import cut_others, run_sql
from simulacra.connectors.locate import open_target
from simulacra.core.errors import OutputError
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec

EVERYTHING = {
    "postgresql": "SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace n "
    "ON n.oid = relnamespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' "
    "UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE '%simulacra%' "
    "UNION ALL SELECT typname FROM pg_type WHERE typtype = 'e'",
    "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
    "sqlite": "SELECT name FROM sqlite_schema",
    "duckdb": "SELECT table_name FROM duckdb_tables() UNION ALL "
    "SELECT sequence_name FROM duckdb_sequences()",
}


def everything(url):
    """Return the names of all that is in a database, indexes and staging too."""
    kind = url.partition(":")[0]
    path = url.partition("///")[2]
    if kind in {"sqlite", "duckdb"} and not os.path.exists(path):  # noqa: PTH110 - a part of a URL
        return set()
    return {name for (name,) in run_sql(url, EVERYTHING[kind])}


def column(arrow):
    return ColumnSpec(type="integer", arrow=arrow)


PARENT = TableSpec(columns={"id": column("int64")}, primary_key=["id"])
CHILD = TableSpec(
    columns={"parent": column("int64"), "mood": column("string")},
    foreign_keys=[ForeignKey(columns=["parent"], parent="parents", parent_columns=["id"])],
)
SPEC = DatasetSpec(tables={"parents": PARENT, "children": CHILD})
GOOD = {
    "parents": pa.table({"id": [1, 2, 3]}),
    "children": pa.table({"parent": [1, 2, 3], "mood": ["a", "b", None]}),
}


def load(url, ctx, tables=None, *, spec=SPEC, meanwhile=lambda: None, **how):
    tables = {**GOOD, **(tables or {})}
    schemas = {name: table.schema for name, table in tables.items()}
    with open_target(url, tables=schemas, spec=spec, ctx=ctx, **how) as writers:
        for name, table in tables.items():
            with writers[name] as writer:
                for batch in table.to_batches():
                    writer.write(batch)
        meanwhile()


BROKEN = {
    "a key twice": ({"parents": pa.table({"id": [1, 2, 2]})}, r"parents\.id.*the rows don't keep"),
    "a row that is not there": (
        {"children": pa.table({"parent": [1, 9], "mood": ["a", "b"]})},
        r"children\.parent.*the rows don't keep",
    ),
    "a null in a key": ({"parents": pa.table({"id": [1, 2, 3, None]})}, r"parents\.id.*null"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_rows_that_break_a_constraint(what, any_url, ctx):
    tables, text = BROKEN[what]
    with pytest.raises(OutputError, match=text):
        load(any_url, ctx, tables)
    assert everything(any_url) == set()


def test_rows_that_break_a_check_of_the_table_that_is_there(any_url, ctx, execute, rows):
    execute(
        any_url,
        "CREATE TABLE parents (id bigint PRIMARY KEY, CONSTRAINT small CHECK (id < 3))",
        "INSERT INTO parents VALUES (-1)",
    )
    before = everything(any_url)
    with pytest.raises(
        OutputError, match=r"parents: the rows don't keep the constraint (small|id|CHECK)"
    ):
        load(any_url, ctx, if_exists="append")
    assert everything(any_url) == before
    assert rows(any_url) == {"parents": [{"id": -1}]}


def test_a_check_that_comes_with_the_specification(any_url, ctx, execute, declared):
    execute(any_url, "CREATE TABLE parents (id bigint PRIMARY KEY, CHECK (id < 3))")
    origin = declared(any_url)["parents"]
    execute(any_url, "DROP TABLE parents")
    spec = DatasetSpec(tables={"parents": PARENT.model_copy(update={"origin": origin}),
                               "children": CHILD})  # fmt: skip
    with pytest.raises(OutputError, match="the rows don't keep"):
        load(any_url, ctx, spec=spec)
    assert everything(any_url) == set()


def test_a_block_that_is_left_by_an_exception(any_url, ctx):
    def stop():
        raise KeyError

    with pytest.raises(KeyError):
        load(any_url, ctx, meanwhile=stop)
    assert everything(any_url) == set()


@pytest.mark.parametrize("how", ["append", "replace"])
def test_what_was_there_stays(how, any_url, ctx, rows):
    load(any_url, ctx)
    before, names = rows(any_url), everything(any_url)
    with pytest.raises(OutputError, match="the rows don't keep"):
        load(any_url, ctx, {"parents": pa.table({"id": [10, 10, 11]})}, if_exists=how)
    assert rows(any_url) == before
    assert everything(any_url) == names


@pytest.mark.parametrize("how", ["fail", "append", "replace"])
@pytest.mark.parametrize("store", ["postgres", "mariadb"])
def test_a_connection_that_is_cut(store, how, request, ctx, rows):
    url = request.getfixturevalue(f"{store}_url")
    before = {}
    more = {name: table.slice(0, 0) for name, table in GOOD.items()}
    if how != "fail":
        load(url, ctx)
        before = rows(url)
        more = {"parents": pa.table({"id": [7]}), "children": GOOD["children"].slice(0, 0)}
    names = everything(url)
    with pytest.raises(OutputError, match="can't write"):
        load(url, ctx, more, if_exists=how, meanwhile=lambda: cut_others(url))
    assert everything(url) == names
    assert not before or rows(url) == before


KILLED = """
import os, signal, sys
import pyarrow as pa
from simulacra.connectors.locate import open_target
from simulacra.core.context import RunContext

table = pa.table({"id": range(100_000)})
how = {"tables": {"parents": table.schema}, "if_exists": "replace", "ctx": RunContext()}
with open_target(sys.argv[1], **how) as writers, writers["parents"] as writer:
    for batch in table.to_batches(max_chunksize=50_000):
        writer.write(batch)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed(any_url, ctx, rows, execute):
    execute(
        any_url, "CREATE TABLE parents (id bigint PRIMARY KEY)", "INSERT INTO parents VALUES (7)"
    )
    before = everything(any_url)
    done = subprocess.run([sys.executable, "-c", KILLED, any_url], check=False)
    assert done.returncode == -signal.SIGKILL
    assert rows(any_url) == {"parents": [{"id": 7}]}
    load(any_url, ctx, if_exists="append")  # what a killed run has left is cleared by the next
    assert [row["id"] for row in rows(any_url)["parents"]] == [1, 2, 3, 7]
    left = {name for name in everything(any_url) - before if "simulacra" in name}
    assert left == set()


def test_a_run_does_not_clear_what_another_is_making(mariadb_url, ctx, rows):
    """Two at once, of other tables: each ends as if it were alone."""

    def another():
        table = pa.table({"n": [1]})
        target = open_target(mariadb_url, tables={"t": table.schema}, ctx=ctx)
        with target as writers, writers["t"] as writer:
            writer.write(table.to_batches()[0])

    load(mariadb_url, ctx, meanwhile=another)
    assert {name: len(found) for name, found in rows(mariadb_url).items()} == {
        "parents": 3, "children": 3, "t": 1
    }  # fmt: skip
