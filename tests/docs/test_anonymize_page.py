"""What the page on masking shows is so."""

import re
import shlex
import sys

import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from pages import ROOT, python_of
from simulacra.cli import main

PAGE = ROOT / "docs" / "anonymize.md"
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_examples_run():
    exec(compile(python_of(PAGE), "docs/anonymize.md", "exec"), {})


def test_the_commands_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MASK_KEY", "0123456789abcdef")
    table = pa.table({"email": [f"person{n}@firm.com" for n in range(40)]})
    for name in ("march.csv", "shop.csv"):
        pa_csv.write_csv(table, name)
    lines = [
        line for block in SHELL.findall(PAGE.read_text("utf-8")) for line in block.splitlines()
    ]
    commands = [line for line in lines if line.startswith("simulacra ")]
    assert len(commands) == 3
    for command in commands:
        # A file stands for the databases.
        words = re.sub(r"(postgresql://me@localhost/shop|shop\.sqlite)", "shop.csv", command)
        words = words.replace("first.sqlite", "first.csv")
        monkeypatch.setattr(sys, "argv", [*shlex.split(words), "--quiet"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0, command
    first, march = (pa_csv.read_csv(name) for name in ("first.csv", "march-masked.csv"))
    assert first.equals(march)
