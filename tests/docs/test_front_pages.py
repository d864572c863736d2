"""The examples that a reader tries first, run on real flights."""

import re
import shlex
import sys
from importlib.resources import as_file, files
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from pages import ROOT, python_of
from simulacra.cli import main

PAGES = ["README.md", "docs/quickstart.md"]
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
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


@pytest.mark.parametrize("page", PAGES)
def test_commands_run(
    page: str, flights: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pa_csv.write_csv(flights.slice(0, 1_000), "customers.csv")
    pa_csv.write_csv(flights.slice(1_000), "later-customers.csv")
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line for block in SHELL.findall(text) for line in block.splitlines()]
    commands = [line for line in lines if line.startswith("simulacra ") and " demo" not in line]
    assert len(commands) >= 6
    for command in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(command, comments=True))
        with pytest.raises(SystemExit) as ending:
            main()
        assert ending.value.code in {0, None}, command
