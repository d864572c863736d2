"""Runs that are killed and started again end with the bytes of one that nothing befell."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

# Runs the program once a case, each in a process of its own that kills itself at a given advance
# of the first task whose title begins so, or before or after the target takes its place.
DRIVER = """
import contextlib, io, json, os, shutil, signal, sys
# Once for all cases:
import numpy, pyarrow.dataset, pyarrow.parquet, scipy.stats, sklearn.cluster, yaml
import simulacra.cli.settings as settings
import simulacra.connectors.publish as publish
import simulacra.connectors.sql.duckdb.store as to_duckdb
import simulacra.connectors.sql.sqlite.store as to_sqlite
import simulacra.pipeline.dataset
import simulacra.pipeline.journal as journal
import simulacra.pipeline.journal_parts as journal_parts
import simulacra.api
from simulacra.cli.app import main
from simulacra.core import registry
from simulacra.pipeline.relations.keys.lookup import fill_slots

for kind in registry.Kind:
    registry.names(kind)
# One kernel brings what numba reads before the first.
fill_slots(numpy.zeros((0, 1), "u8"), numpy.zeros(0, "?"), numpy.zeros(1, "i4"))

journal_parts.PART_BLOCKS = 1
move, remove = publish._move, shutil.rmtree

stores = {store: store.finish for store in (to_sqlite.SqliteStore, to_duckdb.DuckdbStore)}

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

class Killer:
    def __init__(self, case):
        self.title, self.wanted = case["title"], case["advance"]
        self.signal = getattr(signal, case["signal"])
        self.count, self.titles, self.notes = None, [], []

    @contextlib.contextmanager
    def task(self, title, total=None, unit="rows"):
        self.titles.append(title)
        self.count = 0 if title.startswith(self.title) else None
        self.advance(0)
        yield self

    def advance(self, amount=1):
        if self.count is not None:
            if self.count == self.wanted:
                os.kill(os.getpid(), self.signal)
            self.count += 1

    def finish(self, opened):
        stores[type(opened)](opened)
        if self.title == "committed":
            kill()

    def note(self, message):
        self.notes.append(message)

    def move(self, work, final, room):
        is_last = ".simulacra-" not in str(final)
        if is_last and self.title == "before":
            kill()
        move(work, final, room)
        if is_last and self.title == "after":
            kill()

    def rmtree(self, path, **how):
        remove(path, **how)
        if self.title == "removed" and (path.parent / "ready.json").exists():
            kill()

def run(case, pipe):
    killer = Killer(case)
    settings._progress = lambda quiet: killer
    publish._move, journal.shutil.rmtree = killer.move, killer.rmtree
    for store in stores:
        store.finish = lambda opened: killer.finish(opened)
    sys.argv = ["simulacra", *case["arguments"]]
    error, code = io.StringIO(), None
    with contextlib.redirect_stderr(error):
        try:
            main()
        except SystemExit as end:
            code = end.code
    told = {"code": code, "err": error.getvalue(), "did": killer.titles, "notes": killer.notes}
    os.write(pipe, json.dumps(told).encode())

for line in sys.stdin:
    case = json.loads(line)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        run(case, writer)
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    print(text or json.dumps({"killed": os.WTERMSIG(status)}), flush=True)
"""
KILLED = {"killed": signal.SIGKILL}


def case(*arguments, title="\0", advance=0, sign="SIGKILL"):
    words = [str(word) for word in arguments]
    return {"arguments": words, "title": title, "advance": advance, "signal": sign}


@pytest.fixture(scope="module")
def drive():
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def run(*cases):
            results = []
            for one in cases:
                process.stdin.write(f"{json.dumps(one)}\n")
                process.stdin.flush()
                results.append(json.loads(process.stdout.readline()))
            return results

        yield run
        process.stdin.close()
    assert process.returncode == 0


SPEC = """
version: 1
tables:
  customers:
    columns:
      id: {type: identifier, arrow: int64, nullable: false, unique: true}
      area: {type: category, arrow: string}
    primary_key: [id]
  orders:
    columns:
      id: {type: identifier, arrow: int64, nullable: false, unique: true}
      customer: {type: integer, arrow: int64}
      price: {type: float, arrow: double}
    primary_key: [id]
    foreign_keys:
    - {columns: [customer], parent: customers, parent_columns: [id]}
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(0)
    customers = pa.table({"id": range(1, 501), "area": rng.choice(["n", "s", "w"], 500)})
    orders = pa.table(
        {
            "id": range(1, 2_001),
            "customer": rng.integers(1, 501, 2_000),
            "price": rng.gamma(2, 20, 2_000).round(2),
        }
    )
    pq.write_table(customers, folder / "customers.parquet")
    pq.write_table(orders, folder / "orders.parquet")
    (folder / "spec.yaml").write_text(SPEC)
    return folder


HOW = ("--model", "independent", "--rows", "orders=160000", "--rows", "customers=70000")


def tree(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


# When a run is killed, and what of learning and drawing must not be done again.
KILLS = {
    "while learning": ("Learning columns of orders", 0),
    "before the first block": ("Drawing customers", 0),
    "in a table that others refer to": ("Drawing customers", 2),
    "in a table that refers to others": ("Drawing orders", 3),
    "before the result takes its place": ("before", 0),
    "after the result took its place": ("after", 0),
    "while the journal is removed": ("removed", 0),
}


def test_a_run_killed_anywhere_goes_on_to_the_same_bytes(drive, shop, tmp_path):
    formats = ("parquet", "csv", "arrow")
    cases = [
        case("synth", shop, tmp_path / f"true-{form}", "--format", form, *HOW) for form in formats
    ]
    runs = []
    for number, (title, advance) in enumerate(KILLS.values()):
        form = formats[number % len(formats)]
        dest = tmp_path / str(number) / "out"
        words = ("synth", shop, dest, "--format", form, *HOW, "--resume")
        runs.append((dest, form))
        cases += [case(*words, title=title, advance=advance), case(*words)]
    results = drive(*cases)
    assert [result["code"] for result in results[: len(formats)]] == [0] * len(formats)
    for number, (when, (dest, form)) in enumerate(zip(KILLS, runs, strict=True)):
        killed, resumed = results[len(formats) + 2 * number :][:2]
        assert killed == KILLED, when
        assert resumed["code"] == 0, (when, resumed)
        assert tree(dest) == tree(tmp_path / f"true-{form}"), when
        # Neither the journal nor what the killed process had under way is left.
        assert [path.name for path in dest.parent.iterdir()] == ["out"], when
        learned = [title for title in resumed["did"] if title.startswith("Learning columns")]
        assert bool(learned) == (when == "while learning"), (when, resumed)
        if when in {"after the result took its place", "while the journal is removed"}:
            assert not any(title.startswith("Drawing") for title in resumed["did"])


def test_a_run_killed_again_and_again_comes_to_its_end(drive, shop, tmp_path):
    one = tmp_path / "one"
    one.mkdir()
    pq.write_table(pq.read_table(shop / "orders.parquet"), one / "orders.parquet")
    source, true, dest = one / "orders.parquet", tmp_path / "true.csv", tmp_path / "out.csv"
    words = ("synth", source, dest, *HOW[:2], "--rows", "250000", "--resume")
    kills = [case(*words, title="Drawing", advance=advance) for advance in range(1, 5)]
    *killed, resumed, undisturbed = drive(
        case(*words, title="Learning", advance=0),
        *kills,
        case(*words, title="before"),
        case(*words),
        case("synth", source, true, *words[3:-1]),
    )
    assert killed == [KILLED] * 6
    assert (resumed["code"], undisturbed["code"]) == (0, 0)
    assert dest.read_bytes() == true.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "out.csv", "true.csv"]


def test_sampling_goes_on_and_overwrites_only_at_the_end(drive, shop, tmp_path):
    bundle, dest = tmp_path / "m.sim", tmp_path / "out"
    words = ("sample", bundle, dest, "--rows", "150000", "--seed", "5", "--overwrite", "--resume")
    fitted, first, killed, *_ = drive(
        case("fit", shop, "-o", bundle, "--model", "independent"),
        case("sample", bundle, dest, "--rows", "10"),
        case(*words, title="Drawing orders", advance=2),
    )
    assert (fitted["code"], first["code"], killed) == (0, 0, KILLED)
    assert pq.read_table(dest / "orders.parquet").num_rows == 10
    before, resumed, true = drive(
        case(*words, title="before"),
        case(*words),
        case("sample", bundle, tmp_path / "true", *words[3:-2]),
    )
    assert (before, resumed["code"], true["code"]) == (KILLED, 0, 0)
    assert tree(dest) == tree(tmp_path / "true")
    assert {path.name for path in tmp_path.iterdir()} == {"m.sim", "out", "true"}


def parts(folder):
    return sorted(folder.glob("tables/*/*.arrow"))


def test_ctrl_c_says_how_to_go_on_and_other_runs_are_refused(drive, shop, tmp_path):
    dest, kept = tmp_path / "out", tmp_path / ".out.simulacra-run"
    words = ("synth", shop, dest, *HOW, "--resume")
    early, stopped = drive(
        case(*words, title="Learning columns", sign="SIGINT"),
        case(*words, title="Drawing orders", advance=2, sign="SIGINT"),
    )
    assert (early["code"], early["err"]) == (130, "simulacra: stopped; nothing was left behind\n")
    assert stopped["code"] == 130
    wanted = f"simulacra: stopped. Run the same command again to go on from {kept}\n"
    assert stopped["err"] == wanted
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    assert len(parts(kept)) == 3
    other_rows = ("synth", shop, dest, *HOW[:2], "--rows", "orders=9", "--resume")
    seed, rows, structure, same = drive(
        case(*words, "--seed", "1"),
        case(*other_rows),
        case(*words, "--structure-rows", "100"),
        case(*words),
    )
    for refused, told in ((seed, "seed: 0, now 1"), (rows, "rows: "), (structure, "_rows: ")):
        assert refused["code"] == 3
        assert "there is the journal of another run" in refused["err"]
        assert told in refused["err"]
        assert "Add --overwrite to begin anew, or delete the folder" in refused["err"]
    assert same["code"] == 0
    assert same["notes"][0] == f"Learned before: taken from {kept}"


def test_other_data_is_noticed_and_overwrite_begins_anew(drive, shop, tmp_path):
    source, dest = tmp_path / "shop", tmp_path / "out"
    source.mkdir()
    for path in shop.iterdir():
        (source / path.name).write_bytes(path.read_bytes())
    words = ("synth", source, dest, *HOW, "--resume")
    (killed,) = drive(case(*words, title="Drawing orders", advance=1))
    assert killed == KILLED
    orders = pq.read_table(source / "orders.parquet")
    pq.write_table(orders.slice(1), source / "orders.parquet")
    refused, anew, true = drive(
        case(*words),
        case(*words, "--overwrite"),
        case("synth", source, tmp_path / "true", *HOW),
    )
    assert refused["code"] == 3
    assert "source: " in refused["err"]
    assert (anew["code"], true["code"]) == (0, 0)
    assert tree(dest) == tree(tmp_path / "true")


@pytest.mark.parametrize("harmed", ["learned.sim", "part"])
def test_what_is_torn_is_done_again(drive, harmed, shop, tmp_path):
    dest, kept = tmp_path / "out", tmp_path / ".out.simulacra-run"
    words = ("synth", shop, dest, *HOW, "--resume")
    killed, true = drive(
        case(*words, title="Drawing orders", advance=2),
        case("synth", shop, tmp_path / "true", *HOW),
    )
    assert (killed, true["code"]) == (KILLED, 0)
    path = kept / "learned.sim" if harmed == "learned.sim" else parts(kept)[0]
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size // 2)
    (resumed,) = drive(case(*words))
    assert resumed["code"] == 0
    is_learned = any(title.startswith("Learning") for title in resumed["did"])
    assert is_learned == (harmed == "learned.sim")
    assert tree(dest) == tree(tmp_path / "true")


def test_a_target_that_others_put_there_is_not_taken_for_the_result(drive, shop, tmp_path):
    dest = tmp_path / "out"
    words = ("synth", shop, dest, *HOW, "--resume")
    (killed,) = drive(case(*words, title="before"))
    assert killed == KILLED
    dest.mkdir()
    (dest / "mine.txt").touch()
    refused, *_ = drive(case(*words))
    assert refused["code"] == 3
    assert "what Simulacra did not write" in refused["err"]
    assert [path.name for path in dest.iterdir()] == ["mine.txt"]


def test_a_journal_in_a_folder_of_its_own(drive, shop, tmp_path):
    dest, kept = tmp_path / "deep" / "out", tmp_path / "kept"
    words = ("synth", shop, dest, *HOW, "--resume", "--journal", kept)
    killed, resumed, true = drive(
        case(*words, title="before"), case(*words), case("synth", shop, tmp_path / "true", *HOW)
    )
    assert (killed, resumed["code"], true["code"]) == (KILLED, 0, 0)
    assert tree(dest) == tree(tmp_path / "true")
    assert [path.name for path in dest.parent.iterdir()] == ["out"]
    assert not kept.exists()


def execute(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def rows_of(path):
    with closing(sqlite3.connect(path)) as connection:
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
            for table in ("customers", "orders")
        }


def duck_rows_of(path):
    with duckdb.connect(path, read_only=True) as connection:
        return {
            table: connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()
            for table in ("customers", "orders")
        }


@pytest.mark.parametrize(("scheme", "read"), [("sqlite", rows_of), ("duckdb", duck_rows_of)])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_database_gets_the_same_rows(drive, shop, tmp_path, scheme, read, is_there):
    path, true, kept = (tmp_path / name for name in (f"out.{scheme}", f"true.{scheme}", "kept"))
    dest, journal, last = path, (), "after"
    if is_there:  # rows go into the file itself
        dest, journal, last = f"{scheme}:///{path}", ("--journal", kept), "committed"
        with closing((sqlite3 if scheme == "sqlite" else duckdb).connect(path)) as connection:
            connection.execute("CREATE TABLE other (x INTEGER)")
    words = ("synth", shop, dest, *HOW, "--resume", *journal)
    drawing, publishing, resumed, undisturbed = drive(
        case(*words, title="Drawing orders", advance=2),
        case(*words, title=last),
        case(*words),
        case("synth", shop, true, *HOW),
    )
    assert (drawing, publishing) == (KILLED, KILLED)
    assert (resumed["code"], undisturbed["code"]) == (0, 0), resumed
    assert not any(title.startswith("Drawing") for title in resumed["did"])
    assert read(path) == read(true)
    left = {found.name for found in tmp_path.iterdir()}
    assert left - {f"{path.name}.wal"} == {path.name, true.name}  # a part of the database


def test_rows_are_not_appended_twice(drive, shop, tmp_path):
    path, kept = tmp_path / "out.sqlite", tmp_path / "kept"
    execute(
        path,
        "CREATE TABLE customers (id INTEGER, area TEXT)",
        "CREATE TABLE orders (id INTEGER, customer INTEGER, price REAL)",
        "INSERT INTO customers VALUES (-1, 'x')",
    )
    words = ("synth", shop, f"sqlite:///{path}", *HOW, "--resume", "--journal", kept)
    words = (*words, "--if-exists", "append")
    killed, refused = drive(case(*words, title="committed"), case(*words))
    assert killed == KILLED
    assert refused["code"] == 3
    assert "it can't be told whether they were" in refused["err"]
    assert {table: len(rows) for table, rows in rows_of(path).items()} == {
        "customers": 70_001,
        "orders": 160_000,
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--journal", "j"], "--journal without --resume"),
        (["--resume", "--journal", "SRC"], "this folder is no journal of a run"),
    ],
)
def test_journals_that_make_no_sense(simulacra, shop, tmp_path, arguments, told):
    words = [str(shop) if word == "SRC" else word for word in arguments]
    result = simulacra("synth", shop, tmp_path / "out", "-q", *words)
    assert result.code in {2, 3}
    assert told in result.err
    assert list(tmp_path.iterdir()) == []
    assert (shop / "orders.parquet").is_file()


def test_without_resume_nothing_is_kept(simulacra, shop, tmp_path):
    assert simulacra("synth", shop, tmp_path / "out", "-q", "--model", "independent").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_target_without_a_beside_needs_a_folder(simulacra, shop):
    result = simulacra("synth", shop, "memory://out", "-q", "--resume")
    assert result.code == 2
    assert "Name a folder with --journal DIR" in result.err
