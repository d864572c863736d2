from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest


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
