from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

SECRET = "correct horse battery staple"


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    customers = pa.table(
        {
            "customer_id": range(1, 201),
            "email": [f"person{n}@firm.com" for n in range(200)],
            "city": ["Rome", "Oslo"] * 100,
        }
    )
    orders = pa.table({"order_id": range(600), "customer_id": [1 + n % 200 for n in range(600)]})
    pq.write_table(customers, folder / "customers.parquet")
    pq.write_table(orders, folder / "orders.parquet")
    return folder


def test_a_folder_is_masked_and_what_was_done_is_told(simulacra, shop, tmp_path, monkeypatch):
    monkeypatch.setenv("MASK_KEY", SECRET)
    done = simulacra("anonymize", shop, tmp_path / "a", "--key", "env:MASK_KEY", "--quiet")
    assert (done.code, done.out) == (0, "")
    assert "masked customers.email as email: it leads to people" in done.err
    assert "masked orders.customer_id as code: it holds what customers.customer_id does" in done.err
    assert "customers 200, orders 600 rows" in done.err
    assert SECRET not in done.err
    customers = pq.read_table(tmp_path / "a" / "customers.parquet")
    orders = pq.read_table(tmp_path / "a" / "orders.parquet")
    assert set(orders["customer_id"].to_pylist()) == set(customers["customer_id"].to_pylist())
    assert not any("firm.com" in email for email in customers["email"].to_pylist())
    assert customers["city"].to_pylist() == ["Rome", "Oslo"] * 100
    options = ("--key", "env:MASK_KEY", "--format", "csv", "--json")
    again = simulacra("anonymize", shop, tmp_path / "b", *options)
    told = json.loads(again.out)
    assert told["rows"] == {"customers": 200, "orders": 600}
    assert told["masked"]["customers.email"] == "email"
    made = pacsv.read_csv(tmp_path / "b" / "customers.csv")
    assert made["email"].to_pylist() == customers["email"].to_pylist()
    for file in (tmp_path / "a").iterdir():
        assert SECRET.encode() not in file.read_bytes()


def test_columns_and_keys_are_kept_and_added(simulacra, shop, tmp_path):
    options = ("--keep-keys", "--mask", "customers.city=city", "--keep", "customers.email")
    done = simulacra("anonymize", shop, tmp_path / "a", *options, "--json")
    assert json.loads(done.out)["masked"] == {"customers.city": "city"}
    done = simulacra("anonymize", shop, tmp_path / "b", "--keep-keys", "--keep", "customers", "-q")
    assert "No column is masked" in done.err


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--key", SECRET], "--key is not the name of a variable"),
        (["--key", "env:NO_SUCH_KEY"], "the environment variable NO_SUCH_KEY is not set"),
        (["--key", "env:SHORT_KEY"], "the key is too short"),
        (["--mask", "customers.shoe"], "customers.shoe: there is no such column"),
        (["--mask", "customers.city=shoe"], "customers.city: there is no kind 'shoe'"),
        (["--mask", "orders.order_id=email"], "can't be masked as email"),
    ],
)
def test_mistakes_leave_nothing_and_no_secret(
    simulacra, shop, tmp_path, monkeypatch, arguments, text
):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    monkeypatch.setenv("SHORT_KEY", "swordfish")
    done = simulacra("anonymize", shop, tmp_path / "out", *arguments)
    assert done.code == 2
    assert text in done.err
    assert SECRET not in done.err + done.out
    assert "swordfish" not in done.err + done.out
    assert not (tmp_path / "out").exists()


def test_the_source_is_never_the_target(simulacra, shop):
    assert simulacra("anonymize", shop, shop, "--overwrite").code == 2
