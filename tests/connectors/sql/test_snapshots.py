"""A reader sees one state of all tables, whatever others commit meanwhile."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest

from servers import cut_others
from simulacra.connectors.locate import open_source
from simulacra.core.batches import read_all
from simulacra.core.errors import InputError

FILLED = (
    "CREATE TABLE a (n integer PRIMARY KEY, t varchar(9))",
    "CREATE TABLE b (n integer PRIMARY KEY)",
    "INSERT INTO a VALUES (1, 'old'), (2, 'old'), (3, 'old')",
    "INSERT INTO b VALUES (1)",
)
CHANGED = (
    "UPDATE a SET t = 'new' WHERE n = 1",
    "DELETE FROM a WHERE n = 2",
    "INSERT INTO a VALUES (4, 'new')",
    "INSERT INTO b VALUES (2)",
)


@pytest.fixture
def elsewhere(execute):
    """A function that runs statements as others do; on SQLite from a process of its own.

    Two copies of SQLite in one process would undo each other's locks.
    """

    def run(url, *statements):
        if not url.startswith("sqlite"):
            return execute(url, *statements)
        path = url.removeprefix("sqlite:///")
        done = subprocess.run(
            [sys.executable, "-c", OTHER, path, *statements], check=False, capture_output=True
        )
        return done.stderr.decode()

    return run


OTHER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
for statement in sys.argv[2:]:
    connection.execute(statement).fetchall()
"""


def state(sources):
    found = {name: read_all(source).to_pylist() for name, source in sources.items()}
    assert {name: source.rows() for name, source in sources.items()} == {
        name: len(rows) for name, rows in found.items()
    }
    return [row["t"] for row in found["a"]], len(found["b"])


@pytest.mark.parametrize("store", ["postgres", "mariadb", "sqlite"])
def test_what_others_commit_is_not_seen(store, request, execute, elsewhere, ctx):
    url = request.getfixturevalue(f"{store}_url")
    execute(url, *FILLED)
    if store == "sqlite":
        execute(url, "PRAGMA journal_mode = WAL")  # else others wait until reading is over
    sources = open_source(url, ctx=ctx)
    assert not elsewhere(url, *CHANGED)
    assert state(sources) == (["old"] * 3, 1)  # nothing had been read when others committed
    assert state(sources) == (["old"] * 3, 1)
    values, count = state(open_source(url, ctx=ctx))
    assert (sorted(values), count) == (["new", "new", "old"], 2)


@pytest.mark.parametrize("store", ["postgres", "mariadb", "sqlite"])
def test_what_others_commit_in_the_midst_of_a_table_is_not_seen(
    store, request, execute, elsewhere, ctx
):
    url = request.getfixturevalue(f"{store}_url")
    numbers = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 900)"
    insert = "INSERT INTO a"
    execute(url, FILLED[0], FILLED[1])
    if store == "sqlite":
        execute(url, "PRAGMA journal_mode = WAL")
    execute(url, f"{insert} {numbers} SELECT n, 'old' FROM r")
    sources = open_source(url, ctx=ctx)
    passing = sources["a"].batches(batch_rows=100)
    first = next(passing)
    assert not elsewhere(url, "UPDATE a SET t = 'new'", "DELETE FROM a WHERE n > 500")
    left = [batch for batch in passing if batch.num_rows]
    found = [value for batch in (first, *left) for value in batch["t"].to_pylist()]
    assert found == ["old"] * 900
    assert sources["a"].rows() == 900


def test_tables_that_are_read_by_turns_are_of_one_state(mariadb_url, execute, ctx):
    """One connection holds the snapshot: what a pass has left over is put aside for the next."""
    numbers = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 900)"
    execute(mariadb_url, *FILLED[:2], f"INSERT INTO a {numbers} SELECT n, 'old' FROM r",
            f"INSERT INTO b {numbers} SELECT n FROM r")  # fmt: skip
    sources = open_source(mariadb_url, ctx=ctx)
    one, other = (sources[name].batches(["n"], batch_rows=50) for name in "ab")
    pairs = [(a.to_pylist(), b.to_pylist()) for a, b in zip(one, other, strict=True)]
    assert len(pairs) == 18
    assert all(a == b for a, b in pairs)


def test_sqlite_keeps_others_from_committing_unless_it_logs_ahead(
    sqlite_url, execute, elsewhere, declared, ctx
):
    execute(sqlite_url, *FILLED)
    sources = open_source(sqlite_url, ctx=ctx)
    declared(sqlite_url)  # must not let go of what the reader has locked
    assert "database is locked" in elsewhere(sqlite_url, CHANGED[0])
    assert state(sources) == (["old"] * 3, 1)
    del sources  # and with it the lock
    assert not elsewhere(sqlite_url, *CHANGED)


def test_nobody_can_change_a_duckdb_file_meanwhile(duckdb_url, execute, ctx):
    execute(duckdb_url, *FILLED)
    sources = open_source(duckdb_url, ctx=ctx)
    with pytest.raises(duckdb.Error):
        duckdb.connect(duckdb_url.removeprefix("duckdb:///"))
    assert state(sources) == (["old"] * 3, 1)


@pytest.mark.parametrize("store", ["postgres", "mariadb"])
def test_reading_is_read_only(store, request, execute, ctx):
    """What the reader holds cannot keep others from changing rows, nor change any itself."""
    url = request.getfixturevalue(f"{store}_url")
    execute(url, *FILLED)
    sources = open_source(url, ctx=ctx)
    next(sources["a"].batches())
    execute(url, "DELETE FROM a", "DELETE FROM b")
    assert state(sources) == (["old"] * 3, 1)


@pytest.mark.parametrize("store", ["postgres", "mariadb"])
def test_a_connection_that_is_cut_is_told(store, request, execute, ctx):
    url = request.getfixturevalue(f"{store}_url")
    execute(url, *FILLED)
    sources = open_source(url, ctx=ctx)
    cut_others(url)
    with pytest.raises(InputError, match="can't read the database"):
        read_all(sources["a"])
