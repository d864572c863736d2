"""Ctrl-C and full disks, in every phase: the right exit code, one line, nothing left behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

PROGRAM = Path(sys.executable).with_name("simulacra")

# Runs the program once a case, in one process of its own: signals and limits reach all of it.
# At the given advance of the first task whose title begins so, the case's trouble sets in.
DRIVER = """
import contextlib, io, json, os, resource, signal, sys
from pathlib import Path
import simulacra.cli.settings as settings
import simulacra.connectors.publish as publish
from simulacra.cli.app import main

class Trouble:
    def __init__(self, title, advance, limit):
        self.title, self.wanted, self.limit, self.met = title, advance, limit, False

    def strike(self):
        self.met, self.title = True, "\\0"
        if self.limit is None:
            os.kill(os.getpid(), signal.SIGINT)
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, resource.RLIM_INFINITY))

    @contextlib.contextmanager
    def task(self, title, total=None, unit="rows"):
        self.count = 0 if title.startswith(self.title) else None
        self.advance(0)
        yield self

    def advance(self, amount=1):
        if self.count is not None:
            if self.count == self.wanted:
                self.strike()
            self.count += 1

    def note(self, message):
        pass

move = publish._move
results = []
for case in json.load(sys.stdin):
    trouble = Trouble(case["title"], case["advance"], case["limit"])
    settings._progress = lambda quiet: trouble
    publish._move = move
    if case["title"] == "publish":
        publish._move = lambda *places: (trouble.strike(), move(*places))
    sys.argv = ["simulacra", *case["arguments"]]
    error = io.StringIO()
    with contextlib.redirect_stderr(error):
        try:
            main()
        except SystemExit as end:
            code = end.code
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    left = sorted(str(path) for path in Path(case["folder"]).rglob("*"))
    results.append({"code": code, "err": error.getvalue(), "left": left, "met": trouble.met})
json.dump(results, sys.stdout)
"""


def drive(cases):
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps(cases), capture_output=True, text=True, check=True, timeout=250,
    )  # fmt: skip
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    rng = np.random.default_rng(0)
    table = pa.table({"id": range(2_000), "x": rng.normal(size=2_000), "k": ["ab", "c"] * 1_000})
    pcsv.write_csv(table, folder / "t.csv")
    return folder / "t.csv"


# Of a command, the phases in which it is stopped: a task's title, and at which advance.
SYNTH = (
    ("Finding the types", 0), ("Reading", 0), ("Learning columns", 0), ("Growing", 0),
    ("Growing", 1), ("Drawing", 0), ("Drawing", 2), ("publish", 0),
)  # fmt: skip
COMMANDS = {
    "synth to a file": (["synth", "SRC", "new/out.csv", "--rows", "150000"], SYNTH),
    "synth to a folder": (["synth", "SRC", "new/out", "--rows", "150000"], SYNTH[-2:]),
    "fit": (["fit", "SRC", "-o", "new/m.sim"], [SYNTH[1], SYNTH[4]]),
    "detect": (["detect", "SRC", "-o", "new/s.yaml"], [SYNTH[1]]),
    "evaluate": (["evaluate", "SRC", "SRC", "--json", "new/r.json"], [("Meas", 0), ("Meas", 3)]),
}


def arguments_in(folder, words, source):
    return [w.replace("SRC", str(source)).replace("new/", f"{folder}/new/") for w in words]


def test_ctrl_c_in_each_phase_leaves_nothing(source, tmp_path):
    cases = [
        {
            "title": title,
            "advance": advance,
            "limit": None,
            "folder": str(tmp_path),
            "arguments": arguments_in(tmp_path, words, source),
        }
        for words, phases in COMMANDS.values()
        for title, advance in phases
    ]
    for case, result in zip(cases, drive(cases), strict=True):
        where = f"{case['arguments'][0]} at {case['title']} {case['advance']}: {result}"
        assert result["met"], where
        assert result["code"] == 130, where
        assert result["err"] == "simulacra: stopped; nothing was left behind\n", where
        assert result["left"] == [], where


def test_a_full_disk_leaves_nothing(source, tmp_path):
    cases = [
        {
            "title": title,
            "advance": 0,
            "limit": 4_096,
            "folder": str(tmp_path),
            "arguments": arguments_in(tmp_path, words, source),
        }
        for words, title in (
            (["synth", "SRC", "new/out.csv", "--rows", "70000"], "Drawing"),
            (["synth", "SRC", "new/out", "--rows", "70000"], "Drawing"),
            (["fit", "SRC", "-o", "new/m.sim"], "Growing"),
        )
    ]
    for case, result in zip(cases, drive(cases), strict=True):
        where = f"{case['arguments']}: {result}"
        assert result["met"], where
        assert result["code"] == 3, where
        assert result["err"].startswith(f"simulacra: {tmp_path}/new/"), where
        assert "File too large" in result["err"], where
        assert result["err"].count("\n") == 1, where
        assert result["left"] == [], where


def test_ctrl_c_reaches_a_process_deep_in_its_work(tmp_path):
    rng = np.random.default_rng(0)
    table = pa.table({f"c{i}": rng.normal(size=100_000).round(2) for i in range(12)})
    pq.write_table(table, tmp_path / "t.parquet")
    with subprocess.Popen(
        [PROGRAM, "synth", tmp_path / "t.parquet", tmp_path / "out.csv", "--no-rules"],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("t: marginals"):  # now the trees grow, for seconds
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
    assert process.returncode == 130
    assert rest == "simulacra: stopped; nothing was left behind\n"
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]
