"""The examples that a reader tries first, run on real flights."""

import re
import shlex
import sys
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from pages import ROOT, python_of
from servers import POSTGRESQL, fresh_database, run_sql
from simulacra.cli import main

PAGES = ["README.md", "docs/quickstart.md"]
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHOP = "postgresql://me@localhost/shop"
"""The database of the examples; tests put one of their own in its place."""
COLUMNS = ["carrier", "origin", "dest", "sched_dep_time", "distance", "air_time"]


@pytest.fixture(scope="module")
def flights() -> pa.Table:
    """Some 2,000 flights, few enough to learn in a moment."""
    with as_file(files("simulacra") / "demo" / "nycflights" / "flights.parquet") as path:
        table = pq.read_table(path, columns=COLUMNS)
    return table.take(list(range(0, table.num_rows, table.num_rows // 2_000)))


@pytest.mark.parametrize("page", PAGES)
def test_python_examples_run(
    page: str, flights: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import simulacra

    monkeypatch.chdir(tmp_path)
    given = {"simulacra": simulacra, "df": flights.slice(0, 1_000), "test": flights.slice(1_000)}
    exec(compile(python_of(ROOT / page), page, "exec"), given)


@pytest.fixture
def shop() -> Iterator[str]:
    """The URL of a small shop in PostgreSQL."""
    with fresh_database(POSTGRESQL) as url:
        run_sql(
            url,
            "CREATE TABLE customers (id integer PRIMARY KEY, city text NOT NULL)",
            "CREATE TABLE countries (code text PRIMARY KEY, name text)",
            "CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer NOT NULL "
            "REFERENCES customers, price numeric(8, 2))",
            "INSERT INTO customers SELECT n, 'city ' || n % 7 FROM generate_series(1, 300) AS n",
            "INSERT INTO countries VALUES ('FR', 'France'), ('IT', 'Italy')",
            "INSERT INTO orders SELECT n, 1 + n * 7 % 200, n % 90 + 0.5 "
            "FROM generate_series(1, 900) AS n",
        )
        yield url


@pytest.mark.parametrize("page", PAGES)
def test_commands_run(
    page: str, flights: pa.Table, shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    countries = pa.array(["PT", "ES", "FR"]).take(pa.array([n % 3 for n in range(len(flights))]))
    customers = flights.append_column("country", countries)
    pa_csv.write_csv(customers.slice(0, 1_000), "customers.csv")
    pa_csv.write_csv(customers.slice(1_000), "later-customers.csv")
    pa_csv.write_csv(customers.slice(500, 1_000), "other.csv")
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line for block in SHELL.findall(text) for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("simulacra ") and " demo" not in line]
    assert len(commands) >= 6
    for command in commands:
        words = shlex.split(command.replace(SHOP, shop), comments=True)
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ending:
            main()
        assert ending.value.code in {0, None}, command
