"""Bad input: each either works, or gives one clear line naming the place and the mend."""

from __future__ import annotations

import datetime as dt
import json
import os
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest
import yaml

INDEPENDENT = ("--model", "independent", "-q")
PEOPLE = "id,age,sex\n" + "".join(f"{i},{20 + i % 50},{'mf'[i % 2]}\n" for i in range(200))


def listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture
def refused(simulacra, tmp_path):
    """Run a command that must fail, say why in one line, and leave every file as it was."""

    def run(*arguments, code, says):
        before = {name: _content(tmp_path / name) for name in listing(tmp_path)}
        result = simulacra(*arguments)
        assert result.code == code, result.err
        assert result.out == ""
        assert result.err.startswith("simulacra: ")
        assert result.err.count("\n") == 1
        for text in says:
            assert str(text) in result.err
        assert {name: _content(tmp_path / name) for name in listing(tmp_path)} == before
        return result.err

    return run


def _content(path):
    return path.read_bytes() if path.is_file() else None


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(PEOPLE)
    return path


# --- files that can't be learned ------------------------------------------------------------

UNREADABLE = {
    "empty.csv": (b"", "empty"),
    "blank.csv": (b"\n\n\n", "empty"),
    "header.csv": (b"a,b\n", "no row to learn from"),
    "header_only.csv": (b"a,b", "no row to learn from"),
    "wide_row.csv": (b"a,b\n1,2\n1,2,3\n", "line 3 has 3 cells"),
    "short_row.csv": (b"a,b\n1,2\n1\n", "line 3 has 1 cells"),
    "encoding.csv": (b"a,b\n\xc3\xa4,1\n\xff,2\n", "line 3 is not utf-8"),
    "noise.csv": (bytes(np.random.default_rng(1).integers(0, 256, 3_000, np.uint8)), "line"),
    "names.csv": (b"a,b,a\n1,2,3\n", "names.csv.a: two columns have the same name"),
    "quote.csv": (b'a,b\n1,"x\n2,y\n', "a quote is not closed"),
    "fake.csv.gz": (b"hello", "incorrect header"),
    "fake.parquet": (b"hello", "damaged"),
    "empty.parquet": (b"", "empty"),
    "fake.arrow": (b"hello hello", "damaged"),
    "fake.xlsx": (b"hello", "no Excel workbook"),
    "broken.jsonl": (b'{"a": 1}\n{"a":\n', "line 2"),
    "types.jsonl": (b'{"a": 1}\n{"a": "x"}\n', "changed from number to string"),
    "lists.jsonl": (b"[1, 2]\n", "one JSON object"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_can_not_be_learned(refused, tmp_path, name):
    content, why = UNREADABLE[name]
    path = tmp_path / name
    path.write_bytes(content)
    refused("synth", path, tmp_path / "out.csv", *INDEPENDENT, code=3, says=[name[:5], why])


def test_tables_without_rows_in_other_formats(refused, tmp_path):
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "t.parquet")
    says = ["t: there is no row to learn from"]
    refused("synth", tmp_path / "t.parquet", tmp_path / "o.csv", *INDEPENDENT, code=3, says=says)
    pq.write_table(pa.table({"a": [1]}).select([]), tmp_path / "t.parquet")
    says = ["t", "column"]
    refused("synth", tmp_path / "t.parquet", tmp_path / "o.csv", *INDEPENDENT, code=3, says=says)


def test_the_same_name_twice_in_parquet(refused, tmp_path):
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    pq.write_table(twice, tmp_path / "t.parquet")
    says = ["t.parquet.a", "same name", "Rename"]
    refused("synth", tmp_path / "t.parquet", tmp_path / "o.csv", *INDEPENDENT, code=3, says=says)


# --- strange files that work ----------------------------------------------------------------


@pytest.fixture
def copy_of(simulacra, tmp_path):
    """Write a CSV file, make a copy of it, and return the copy's lines."""

    def run(content, rows=50, model="independent"):
        path, dest = tmp_path / "t.csv", tmp_path / "copy.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        result = simulacra("synth", path, dest, "--rows", rows, "--model", model, "-q")
        assert result.code == 0, result.err
        return dest.read_bytes().splitlines()

    return run


@pytest.mark.parametrize("model", ["independent", "copula", "forest"])
def test_one_row(copy_of, model):
    head, *rows = copy_of("n,word,day\n7,x,2024-01-01\n", model=model)
    assert head == b"n,word,day"
    assert set(rows) == {b"7,x,2024-01-01"}


@pytest.mark.parametrize("model", ["independent", "copula", "forest"])
def test_nothing_but_nulls_and_constants(copy_of, model):
    head, *rows = copy_of("none,same,one\n" + ",x,1\n" * 20, model=model)
    assert head == b"none,same,one"
    assert set(rows) == {b",x,1"}


def test_mixed_types_are_text(copy_of):
    _, *rows = copy_of("a,b\n" + "1,2\nx,3\n2024-01-01,5\n,6\n" * 10, rows=400)
    cells = {row.split(b",")[0] for row in rows}
    assert cells == {b"1", b"x", b"2024-01-01", b""}


def test_infinities_and_no_numbers_keep_their_share(copy_of):
    _, *rows = copy_of("a,b\n" + "inf,2\n-inf,3\nNaN,5\n1.5,6\n" * 50, rows=4_000)
    cells = [row.split(b",")[0] for row in rows]
    # Five standard deviations of a share of a quarter of 4,000 rows.
    bound = 5 * np.sqrt(0.25 * 0.75 / 4_000)
    for value in (b"inf", b"-inf", b"NaN", b"1.5"):
        assert abs(cells.count(value) / len(cells) - 0.25) < bound
    assert len(set(cells)) == 4


def test_dates_at_the_ends_of_the_calendar(copy_of):
    days = [
        "0001-01-01",
        "9999-12-31",
        *(f"20{y:02}-02-{d:02}" for y in range(20) for d in (3, 28)),
    ]
    _, *rows = copy_of("day,n\n" + "".join(f"{day},1\n" for day in days), rows=500)
    made = [dt.date.fromisoformat(row.split(b",")[0].decode()) for row in rows]
    assert min(made) >= dt.date.min
    assert max(made) <= dt.date.max


def test_names_of_any_script_and_without_text(copy_of):
    head = 'ä,日本,"a,b",,"x""y",select'
    assert copy_of(f"{head}\n" + "1,2,3,4,5,6\n" * 10, rows=3)[0].decode() == (
        'ä,日本,"a,b","","x""y",select'
    )


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_and_line_ends_come_back(copy_of, encoding):
    text = "word,n\r\n" + "ä,1\r\nö,2\r\n" * 30
    copied = b"\n".join(copy_of(text.encode(encoding))).decode(encoding).splitlines()
    assert copied[0] == "word,n"
    assert {line[0] for line in copied[1:] if line} == {"ä", "ö"}


def test_two_thousand_columns(simulacra, tmp_path):
    rng = np.random.default_rng(0)
    wide = pa.table({f"c{i}": rng.integers(0, 9, 30) for i in range(2_000)})
    pcsv.write_csv(wide, tmp_path / "wide.csv")
    dest = tmp_path / "copy.csv"
    assert simulacra("synth", tmp_path / "wide.csv", dest, "--rows", 40, *INDEPENDENT).code == 0
    made = pcsv.read_csv(dest)
    assert made.schema == pcsv.read_csv(tmp_path / "wide.csv").schema
    assert made.num_rows == 40


# --- bundles --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bundle_bytes(tmp_path_factory):
    from simulacra import Synthesizer

    path = tmp_path_factory.mktemp("bundle") / "m.sim"
    table = pa.table({"n": range(100), "word": ["ab", "cd"] * 50, "x": np.arange(100) / 7})
    Synthesizer("forest").fit(table).save(path)
    return path.read_bytes()


def _rewritten(path, change):
    """Copy a bundle with its members changed: ``change(name, data) -> data``."""
    with zipfile.ZipFile(path) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, change(name, data))


def _truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x10
    path.write_bytes(bytes(data))


def _bomb(path):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.json", b"0" * 200_000_000)


def _traverse(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../../evil.json", "{}")


def _swell(path):
    _rewritten(path, lambda name, data: b"0" * 100_000_000 if name == "spec.json" else data)


def _age(path):
    def newer(name, data):
        manifest = json.loads(data) if name == "manifest.json" else None
        return data if manifest is None else json.dumps({**manifest, "version": 99}).encode()

    _rewritten(path, newer)


def _strip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "hello")


DAMAGE = {
    "truncated": (_truncate, "no bundle"),
    "flipped": (_flip, "bundle member"),
    "bomb": (_bomb, "not those of the manifest"),
    "swollen": (_swell, "another size"),
    "traversal": (_traverse, "points outside"),
    "future": (_age, "newer simulacra"),
    "stranger": (_strip, "no manifest"),
    "text": (lambda path: path.write_text("hello"), "no bundle"),
    "empty": (lambda path: path.write_bytes(b""), "no bundle"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_or_hostile_bundle(refused, tmp_path, bundle_bytes, name):
    path = tmp_path / "m.sim"
    path.write_bytes(bundle_bytes)
    damage, why = DAMAGE[name]
    damage(path)
    refused("inspect", path, code=3, says=["m.sim", why])
    refused("sample", path, tmp_path / "out.csv", "-q", code=3, says=["m.sim", why])
    assert not (tmp_path.parent / "evil.json").exists()


def test_no_flipped_bit_shows_a_traceback_or_changes_rows(simulacra, tmp_path, bundle_bytes):
    path, dest = tmp_path / "m.sim", tmp_path / "out.csv"
    path.write_bytes(bundle_bytes)
    assert simulacra("sample", path, dest, "-q", "--overwrite").code == 0
    expected = dest.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(bundle_bytes), 60):
        flipped = bytearray(bundle_bytes)
        flipped[place] ^= 1 << (place % 8)
        path.write_bytes(bytes(flipped))
        result = simulacra("sample", path, dest, "-q", "--overwrite")
        assert result.code in {0, 3}, result.err
        assert dest.read_bytes() == expected


# --- targets --------------------------------------------------------------------------------


def test_targets_that_can_not_be(refused, people, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text(PEOPLE)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "notes.txt").write_text("no table")
    out = tmp_path / "out"
    for src, dest, code, says in (
        (people, people, 2, ["people.csv", "the source itself"]),
        (folder, folder, 2, ["in", "the source itself"]),
        (folder, folder / "new", 2, ["lies in the source", "outside"]),
        (people, tmp_path, 2, ["the source lies in the target"]),
        (people, people / "x.csv", 2, ["people.csv/x.csv"]),
        (people, folder / "a.csv" / "x.csv", 3, ["a.csv/x.csv", "can't write"]),
        (people, "/proc/x.csv", 3, ["/proc/x.csv", "can't write"]),
        (people, tmp_path / "out.cvs", 2, ["out.cvs", ".csv", "slash"]),
        (folder, tmp_path / "out.csv", 2, ["2 tables", "folder"]),
        (tmp_path / "nothing", out, 3, ["nothing", "empty"]),
        (tmp_path / "notes", out, 3, ["notes.txt", ".csv"]),
        (tmp_path / "notes" / "notes.txt", out, 2, ["notes.txt", ".csv"]),
        (tmp_path / "absent.csv", out, 3, ["absent.csv", "no such file"]),
    ):
        refused("synth", src, dest, *INDEPENDENT, code=code, says=says)


def test_what_was_learned_never_replaces_what_it_was_learned_from(refused, people, tmp_path):
    copy = tmp_path / "copy.csv"
    copy.write_text(PEOPLE)
    for command in (
        ("fit", people, "-o", people),
        ("detect", people, "-o", people),
        ("evaluate", people, copy, "--json", people),
        ("evaluate", people, copy, "--json", copy),
    ):
        refused(*command, "-q", code=2, says=["the source itself"])


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="needs a place nobody can write")
def test_products_that_can_not_be_written(refused, people, tmp_path):
    (tmp_path / "file").write_text("mine")
    for place in ("/proc/x", tmp_path / "file" / "x"):
        says = [place, "can't write"]
        refused("fit", people, "-o", place, *INDEPENDENT, code=3, says=says)
        refused("detect", people, "-o", place, "-q", code=3, says=says)
    refused("fit", people, "-o", tmp_path, *INDEPENDENT, code=2, says=["source"])


# --- options and specifications -------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--rows", "-1"), ["--rows"]),
        (("--rows", "many"), ["--rows many", "no number of rows"]),
        (("--scale", "nan"), ["--scale"]),
        (("--scale", "inf"), ["inf"]),
        (("--threads", "0"), ["--threads"]),
        (("--memory", "lots"), ["lots", "4GB"]),
        (("--memory", "1KB"), ["too small", "64 MiB"]),
        (("--model", "nope"), ["nope", "forest"]),
        (("--set", "trees"), ["trees", "OPTION=VALUE"]),
        (("--set", "trees=-4"), ["trees", "greater"]),
        (("--set", "trees=[1"), ["trees", "integer"]),
        (("--set", "nope=1"), ["nope", "trees"]),
        (("--format", "nope"), ["nope", "parquet"]),
        (("--format", "parquet"), ["csv", "parquet", "ending"]),
        (("--partitioned",), ["csv", "partitioned"]),
        (("--nope",), ["--nope"]),
    ],
)
def test_options_that_make_no_sense(refused, people, tmp_path, options, says):
    refused("synth", people, tmp_path / "o.csv", "-q", *options, code=2, says=says)


def _column(name, **changes):
    return lambda tables: tables["people"]["columns"][name].update(changes)


def _table(**changes):
    return lambda tables: tables["people"].update(changes)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_column("age", typ="x"), ["people.columns.age.typ", "no such field"]),
        (_column("age", type="nope"), ["people.age", "nope", "integer"]),
        (_column("age", type="datetime"), ["people.age", "int64", "datetime"]),
        (_column("sex", type="integer"), ["people.sex", "string", "integer"]),
        (_column("age", options={"foo": 1}), ["people.age", "foo", "bins"]),
        (_column("age", arrow="int9"), ["people.columns.age", "int9"]),
        (_column("age", arrow="string"), ["people.age", "int64", "string", "detect"]),
        (_column("age", nullable="maybe"), ["people.columns.age.nullable", "boolean"]),
        (_table(primary_key=["nope"]), ["people", "nope"]),
        (_table(nope=1), ["people.nope", "no such field"]),
        (_table(rules=[{"rule": "nope"}]), ["people", "nope", "difference"]),
        (lambda tables: tables["people"]["columns"].pop("age"), ["people.age", "detect"]),
        (
            lambda tables: tables["people"]["columns"].update(
                new=tables["people"]["columns"]["age"]
            ),
            ["people.new", "not in the data"],
        ),
        (lambda tables: tables.update(more=tables["people"]), ["more", "detect"]),
    ],
)
def test_a_wrong_specification(simulacra, refused, people, tmp_path, change, says):
    path = tmp_path / "spec.yaml"
    assert simulacra("detect", people, "-o", path, "-q").code == 0
    spec = yaml.safe_load(path.read_text())
    change(spec["tables"])
    path.write_text(yaml.safe_dump(spec))
    refused("synth", people, tmp_path / "o.csv", "--spec", path, *INDEPENDENT, code=2, says=says)


@pytest.mark.parametrize("content", ["", "[1, 2]", "a: b: c", "{", "\0", "text", "version: 1"])
def test_a_file_that_is_no_specification(refused, people, tmp_path, content):
    path = tmp_path / "spec.yaml"
    path.write_text(content)
    says = ["spec.yaml"]
    refused("synth", people, tmp_path / "o.csv", "--spec", path, *INDEPENDENT, code=2, says=says)


def test_a_specification_that_can_not_be_read(refused, people, tmp_path):
    (tmp_path / "latin.yaml").write_bytes("ä: 1".encode("latin-1"))
    for path, why in ((tmp_path / "no.yaml", "No such file"), (tmp_path / "latin.yaml", "UTF-8")):
        says = [path, why]
        refused("synth", people, tmp_path / "o", "--spec", path, *INDEPENDENT, code=3, says=says)


def test_sides_that_can_not_be_compared(refused, people, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("id,years,sex\n1,2,m\n2,3,f\n")
    refused("evaluate", people, other, "-q", code=2, says=["people.age", "no such column", "years"])
    other.write_text(PEOPLE.replace(",20,", ",twenty,"))
    refused("evaluate", people, other, "-q", code=2, says=["people.age", "int64", "string"])
    target = ("--target", "nope", "-q")
    refused("evaluate", people, people, *target, code=2, says=["nope"])
    metric = ("--metric", "nope", "-q")
    refused("evaluate", people, people, *metric, code=2, says=["nope", "column_shapes"])
