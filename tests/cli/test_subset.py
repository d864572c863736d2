from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import yaml


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    orders = pa.table({"order_id": range(1_000), "total": np.arange(1_000) / 8})
    items = pa.table({"item_id": range(3_000), "order_id": np.repeat(np.arange(1_000), 3)})
    pq.write_table(orders, folder / "orders.parquet")
    pq.write_table(items, folder / "items.parquet")
    return folder


def test_a_subset_of_a_folder_is_written_and_told(simulacra, shop, tmp_path):
    done = simulacra("subset", shop, tmp_path / "small", "--rows", "orders=40", "--quiet")
    assert (done.code, done.out) == (0, "")
    assert "items 120, orders 40 rows" in done.err
    orders = pq.read_table(tmp_path / "small" / "orders.parquet")
    items = pq.read_table(tmp_path / "small" / "items.parquet")
    assert set(items["order_id"].to_pylist()) == set(orders["order_id"].to_pylist())
    again = simulacra("subset", shop, tmp_path / "again", "--rows", "orders=40", "--json")
    assert json.loads(again.out)["rows"] == {"items": 120, "orders": 40}
    assert pq.read_table(tmp_path / "again" / "orders.parquet") == orders


def test_a_share_goes_into_other_formats(simulacra, shop, tmp_path):
    done = simulacra(
        "subset", shop, tmp_path / "csv", "--scale", "0.1", "--format", "csv", "--keep", "orders"
    )
    assert done.code == 0
    assert "items" in done.err
    assert pacsv.read_csv(tmp_path / "csv" / "orders.csv").num_rows == 1_000
    assert pacsv.read_csv(tmp_path / "csv" / "items.csv").num_rows == 300


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "nothing says how many rows"),
        (["--rows", "10", "--scale", "0.1"], "rows and scale are given"),
        (["--rows", "order=10"], "order: there is no such table. There are items, orders"),
        (["--scale", "2"], "less than or equal to 1"),
    ],
)
def test_mistakes_leave_nothing(simulacra, shop, tmp_path, arguments, text):
    done = simulacra("subset", shop, tmp_path / "small", *arguments)
    assert done.code == 2
    assert text in done.err
    assert not (tmp_path / "small").exists()


def test_the_source_is_never_the_target(simulacra, shop):
    assert simulacra("subset", shop, shop, "--rows", "10", "--overwrite").code == 2
    assert pq.read_table(shop / "orders.parquet").num_rows == 1_000


def test_only_some_tables_are_taken(simulacra, shop, tmp_path):
    pq.write_table(pa.table({"n": [1, 2]}), shop / "log.parquet")
    chosen = ("--include", "*[ms]", "--exclude", "it*", "--rows", "10", "--quiet")
    assert simulacra("subset", shop, tmp_path / "some", *chosen).code == 0
    assert [path.name for path in (tmp_path / "some").glob("*.parquet")] == ["orders.parquet"]
    done = simulacra("subset", shop, tmp_path / "none", "--rows", "1", "--include", "order")
    assert (done.code, "no table is called 'order'" in done.err) == (2, True)


def test_a_subset_goes_into_a_database_and_out(simulacra, shop, tmp_path):
    """What is there is filled, replaced or left alone, as is asked for."""
    file = f"sqlite:///{tmp_path}/shop.sqlite"
    assert simulacra("subset", shop, file, "--rows", "orders=40", "--quiet").code == 0

    def ids():
        with closing(sqlite3.connect(tmp_path / "shop.sqlite")) as connection:
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
            return {number for (number,) in connection.execute("SELECT order_id FROM orders")}

    first = ids()
    refused = simulacra("subset", shop, file, "--rows", "orders=40", "--seed", "1")
    assert (refused.code, "the table holds rows already" in refused.err) == (3, True)
    assert ids() == first
    how = ("--seed", "1", "--quiet", "--if-exists")
    assert simulacra("subset", shop, file, "--rows", "orders=30", *how, "replace").code == 0
    assert len(ids()) == 30
    assert ids() != first
    # The database declares the keys that had to be found before.
    out = tmp_path / "out"
    chosen = ("--scale", "1", "--exclude", "items", "--quiet")
    assert simulacra("subset", file, out, *chosen).code == 0
    assert set(pq.read_table(out / "orders.parquet")["order_id"].to_pylist()) == ids()
    broken = simulacra("subset", shop, file, "--rows", "orders=1000", *how, "append")
    assert (broken.code, "the rows don't keep" in broken.err) == (3, True)
    assert len(ids()) == 30


def test_the_specification_of_a_folder_has_keys_and_nothing_of_anyone(simulacra, tmp_path):
    people = tmp_path / "people.sqlite"
    with closing(sqlite3.connect(people)) as connection, connection:
        connection.executescript(
            """CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, mood TEXT);
            CREATE TABLE visits (id INTEGER PRIMARY KEY, person INTEGER NOT NULL
                REFERENCES people (id), reason TEXT);"""
        )
        rows = [(n, f"Grete Xylander {n}", f"secretmood{n % 3}") for n in range(90)]
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", rows)
        visits = [(n, n % 90, f"secretreason{n % 2}") for n in range(200)]
        connection.executemany("INSERT INTO visits VALUES (?, ?, ?)", visits)
    spec = tmp_path / "spec.yaml"
    assert simulacra("detect", people, "-o", spec, "--quiet").code == 0
    for more in ((), ("--spec", spec)):
        out = tmp_path / f"out{len(more)}"
        assert simulacra("subset", people, out, "--rows", "visits=50", "--quiet", *more).code == 0
        text = (out / "spec.yaml").read_text(encoding="utf-8")
        tables = yaml.safe_load(text)["tables"]
        assert tables["people"]["primary_key"] == ["id"]
        assert tables["visits"]["foreign_keys"] == [
            {"columns": ["person"], "parent": "people", "parent_columns": ["id"]}
        ]
        for value in ("Grete", "Xylander", "secretmood", "secretreason"):
            assert value not in text
        assert "rows" not in tables["people"]
        again = f"sqlite:///{tmp_path}/again{len(more)}.sqlite"
        assert simulacra("subset", out, again, "--scale", "1", "--quiet").code == 0
        with closing(sqlite3.connect(tmp_path / f"again{len(more)}.sqlite")) as connection:
            keys = connection.execute("SELECT * FROM pragma_foreign_key_list('visits')").fetchall()
            assert [key[2:5] for key in keys] == [("people", "person", "id")]
