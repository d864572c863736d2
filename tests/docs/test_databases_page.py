"""The commands of the page about databases, run on a shop in PostgreSQL, in their order."""

import re
import shlex
import sys

import pytest

from pages import ROOT
from servers import POSTGRESQL, fresh_database, run_sql
from simulacra.cli import main
from simulacra.connectors.locate import declared_tables, open_source
from simulacra.core.context import RunContext

PAGE = ROOT / "docs" / "databases.md"
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHOP = (
    "CREATE TABLE countries (code text PRIMARY KEY, name text)",
    "CREATE TABLE customers (id integer PRIMARY KEY, country text REFERENCES countries)",
    (
        "CREATE TABLE orders (id serial PRIMARY KEY, customer_id integer NOT NULL "
        "REFERENCES customers, price numeric(8, 2) CHECK (price > 0))"
    ),
    "CREATE TABLE order_log (line text)",
    "CREATE SCHEMA sales",
    "CREATE TABLE sales.visits (id integer PRIMARY KEY, seconds integer)",
    "CREATE VIEW sales.long_visits AS SELECT * FROM sales.visits WHERE seconds > 20",
    "INSERT INTO countries VALUES ('FR', 'France'), ('IT', 'Italy')",
    "INSERT INTO customers SELECT n, (ARRAY['FR', 'IT'])[1 + n % 2] FROM generate_series(1, 90) n",
    "INSERT INTO orders SELECT n, 1 + n * 7 % 80, n % 90 + 0.5 FROM generate_series(1, 300) AS n",
    "INSERT INTO order_log VALUES ('x'), ('y')",
    "INSERT INTO sales.visits SELECT n, n % 40 FROM generate_series(1, 100) AS n",
)


def commands():
    """Return the page's lines that call the program."""
    blocks = SHELL.findall(PAGE.read_text(encoding="utf-8"))
    lines = [line for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("simulacra ")]


def tables(uri):
    """Return the number of rows of each table, and how many foreign keys there are."""
    ctx = RunContext()
    rows = {name: source.rows() for name, source in open_source(uri, ctx=ctx).items()}
    keys = [table.foreign_keys for table in declared_tables(uri, ctx=ctx).values()]
    return rows, sum(map(len, keys))


def test_the_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with (
        fresh_database(POSTGRESQL) as shop,
        fresh_database(POSTGRESQL) as copied,
        fresh_database(POSTGRESQL) as again,
    ):
        run_sql(shop, *SHOP)
        monkeypatch.setenv("SHOP_URL", shop)
        places = {"shop": shop, "copy": copied, "again": again}
        assert len(commands()) >= 10
        for command in commands():
            line = command
            for name, url in places.items():
                line = line.replace(f"postgresql://me@localhost/{name}", url)
            monkeypatch.setattr(sys, "argv", shlex.split(line, comments=True))
            with pytest.raises(SystemExit) as ended:
                main()
            assert ended.value.code in {0, None}, command
        all_rows = {"countries": 2, "customers": 90, "orders": 300, "order_log": 2}
        assert tables("shop.duckdb") == (all_rows, 2)
        assert tables("shop.sqlite") == (all_rows, 2)
        assert tables(copied) == (all_rows, 2)
        assert tables(again) == (all_rows, 2)
        assert tables("sales.sqlite")[0] == {
            "visits": 100,
            "long_visits": pytest.approx(48, abs=25),
        }
        assert tables("big.duckdb")[0]["orders"] == 2_000
        assert run_sql("big.duckdb", "FROM countries ORDER BY 1") == [
            ("FR", "France"), ("IT", "Italy")
        ]  # fmt: skip
        assert {path.name for path in (tmp_path / "orders").iterdir()} >= {"orders.parquet"}
        assert not (tmp_path / "orders" / "order_log.parquet").exists()
        found, _ = tables("sample")
        assert 90 <= found["orders"] <= 110
        added = "INSERT INTO orders (customer_id, price) SELECT id, 1 FROM customers LIMIT 1"
        run_sql(again, added)  # numbered after the highest
