import errno
import json
import os
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest

from simulacra.api.spec_files import specification_beside
from simulacra.connectors.files import place_of
from simulacra.connectors.locate import open_source, open_target
from simulacra.connectors.publish import MARKER
from simulacra.connectors.targets import check_product, check_target
from simulacra.core.batches import read_all
from simulacra.core.errors import InputError, OutputError, UsageError
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, TableSpec

TABLE = pa.table({"a": range(10), "b": list("abcdefghij")})
FORMATS = ["csv", "parquet", "arrow", "jsonl", "excel"]
SUFFIXES = {"csv": "csv", "parquet": "parquet", "arrow": "arrow", "jsonl": "jsonl", "excel": "xlsx"}


@pytest.fixture(params=["local", "memory"])
def root(request, tmp_path):
    if request.param == "local":
        yield str(tmp_path)
        return
    import fsspec

    filesystem = fsspec.filesystem("memory")
    yield f"memory://{tmp_path.name}"
    filesystem.rm(f"/{tmp_path.name}", recursive=True)


def left(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))


@pytest.mark.parametrize("kind", FORMATS)
def test_one_file(kind, root, read, write):
    uri = f"{root}/deep/things.{SUFFIXES[kind]}"
    write(uri, TABLE, batch_rows=4)
    assert read(uri).replace_schema_metadata(None).equals(TABLE)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_folder_of_tables(kind, root, ctx):
    tables = {"one": TABLE, "zwei ü": TABLE.slice(3)}
    schemas = {name: table.schema for name, table in tables.items()}
    uri = f"{root}/out"
    with open_target(uri, tables=schemas, file_format=kind, ctx=ctx) as writers:
        for name, table in tables.items():
            with writers[name] as writer:
                for batch in table.to_batches():
                    writer.write(batch)
    found = open_source(uri, ctx=ctx)
    assert list(found) == ["one", "zwei ü"]
    for name, table in tables.items():
        assert read_all(found[name]).replace_schema_metadata(None).equals(table)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_table_without_rows(kind, tmp_path, write, ctx):
    uri = f"{tmp_path}/t.{SUFFIXES[kind]}"
    write(uri, TABLE.slice(0, 0))
    if kind == "jsonl":
        with pytest.raises(InputError, match="empty"):
            open_source(uri, ctx=ctx)
        return
    (source,) = open_source(uri, ctx=ctx).values()
    assert source.schema.names == ["a", "b"]
    assert not list(source.batches()) or read_all(source).num_rows == 0


def test_a_partitioned_table(root, read, write, ctx):
    uri = f"{root}/out"
    write(uri, TABLE, partitioned=True, options={"part_rows": 3}, batch_rows=5)
    parts = open_source(f"{uri}/t", ctx=ctx)
    assert list(parts) == list(open_source(uri, ctx=ctx)) == ["t"]
    assert read_all(parts["t"]).equals(TABLE)
    write(uri, TABLE.slice(0, 2), partitioned=True, options={"part_rows": 3})
    assert read(uri).num_rows == 2


def test_a_partitioned_table_named_as_a_file(root, read, write):
    uri = f"{root}/out.parquet"
    for rows in (10, 4):
        write(uri, TABLE.slice(0, rows), partitioned=True, options={"part_rows": 3})
        assert read(uri).equals(TABLE.slice(0, rows))


def test_only_parquet_can_be_partitioned(tmp_path, write):
    with pytest.raises(UsageError, match="can't be partitioned"):
        write(tmp_path / "t.csv", TABLE, partitioned=True)


def test_hive_folders_are_columns(tmp_path, read):
    import pyarrow.parquet as pq

    pq.write_to_dataset(
        pa.table({"n": [1, 2, 3], "year": [2024, 2025, 2025], "where": ["a b", "é/", "é/"]}),
        tmp_path / "t",
        partition_cols=["year", "where"],
    )
    found = read(tmp_path / "t").sort_by("n").to_pydict()
    assert found == {"n": [1, 2, 3], "year": [2024, 2025, 2025], "where": ["a b", "é/", "é/"]}


def test_a_workbook_of_several_tables(tmp_path, ctx):
    uri = str(tmp_path / "book.xlsx")
    with open_target(uri, tables={"x": TABLE.schema, "y": TABLE.schema}, ctx=ctx) as writers:
        for name in ("x", "y"):
            with writers[name] as writer:
                writer.write(TABLE.to_batches()[0])
    found = open_source(uri, ctx=ctx)
    assert list(found) == ["x", "y"]
    assert read_all(found["y"]).equals(TABLE)


def test_a_pattern(tmp_path, write, ctx):
    for name in ("one.csv", "two.csv", "three.parquet"):
        write(tmp_path / name, TABLE)
    assert list(open_source(f"{tmp_path}/*.csv", ctx=ctx)) == ["one", "two"]


def test_nothing_there(tmp_path, ctx):
    for uri in (tmp_path / "no.csv", tmp_path / "no", "memory://nowhere/x.parquet"):
        with pytest.raises(InputError, match="no such file or folder"):
            open_source(str(uri), ctx=ctx)
    with pytest.raises(InputError, match="there is no table"):
        open_source(str(tmp_path), ctx=ctx)


def test_two_files_of_one_name(tmp_path, write, ctx):
    write(tmp_path / "t.csv", TABLE)
    write(tmp_path / "t.parquet", TABLE)
    with pytest.raises(InputError, match="two tables are called 't'"):
        open_source(str(tmp_path), ctx=ctx)


def test_an_unknown_ending(tmp_path, ctx):
    (tmp_path / "t.doc").write_text("x")
    with pytest.raises(UsageError, match="Known endings"):
        open_source(str(tmp_path / "t.doc"), ctx=ctx)


def test_a_scheme_that_needs_a_package(ctx):
    with pytest.raises(UsageError, match="pip install s3fs"):
        open_source("s3://bucket/t.parquet", ctx=ctx)
    with pytest.raises(UsageError, match="no place"):
        open_source("nonsense://t.parquet", ctx=ctx)


@pytest.mark.parametrize("damage", [b"", b"garbage", b"PAR1" + b"x" * 100 + b"PAR1"])
@pytest.mark.parametrize("kind", ["parquet", "arrow", "excel"])
def test_damaged_files(kind, damage, tmp_path, ctx):
    path = tmp_path / f"t.{SUFFIXES[kind]}"
    path.write_bytes(damage)
    with pytest.raises(InputError, match=path.name):
        open_source(str(path), ctx=ctx)


def test_parts_that_differ(tmp_path, write, ctx):
    write(tmp_path / "t" / "part-0.parquet", pa.table({"a": [1]}))
    write(tmp_path / "t" / "part-1.parquet", pa.table({"a": ["x"]}))
    with pytest.raises(InputError, match="differ"):
        open_source(str(tmp_path / "t"), ctx=ctx)


# --- targets ---------------------------------------------------------------------------------


def test_source_and_target_stay_apart(tmp_path, write):
    source = tmp_path / "in"
    write(source / "t.csv", TABLE)
    link = tmp_path / "link"
    link.symlink_to(source)
    cases = [
        (source, source, "source itself"),
        (link, source, "source itself"),
        (f"file://{source}", source, "source itself"),
        (source / "out", source, "lies in the source"),
        (tmp_path, source, "source lies in the target"),
        (source / "t.csv", source / "t.csv", "source itself"),
    ]
    for dest, src, message in cases:
        with pytest.raises(UsageError, match=message):
            check_target(str(dest), source=str(src), overwrite=True)
    check_target(str(source) + "2", source=str(source))


def test_a_target_that_can_not_be_is_refused_before_anything_is_read(tmp_path, write):
    source = tmp_path / "in"
    for name in "xy":
        write(source / f"{name}.csv", TABLE)
    (source / "notes.txt").write_text("no table")
    dest, src = str(tmp_path / "out"), str(source)
    with pytest.raises(UsageError, match="2 tables don't fit one csv file"):
        check_target(f"{dest}.csv", source=src)
    with pytest.raises(UsageError, match="the ending says csv, the format parquet"):
        check_target(f"{dest}.csv", file_format="parquet")
    with pytest.raises(UsageError, match="can't be partitioned"):
        check_target(f"{dest}.csv", partitioned=True)
    with pytest.raises(UsageError, match=r"end so.*\.csv.*slash"):
        check_target(f"{dest}.cvs")
    for fine in (f"{dest}.xlsx", dest, f"{dest}-1.5", f"{dest}.cvs/"):
        check_target(fine, source=src)
    with pytest.raises(UsageError, match="source itself"):
        check_product(f"{src}/x.csv", f"{src}/x.csv")
    with pytest.raises(OutputError, match="folder"):
        check_product(src, f"{dest}.csv")


def test_strangers_are_never_replaced(tmp_path, write):
    folder = tmp_path / "out"
    write(folder, TABLE, overwrite=False)
    with pytest.raises(OutputError, match="--overwrite"):
        check_target(str(folder))
    with pytest.raises(OutputError, match="--overwrite"):
        write(folder, TABLE, overwrite=False)
    write(folder, TABLE, overwrite=True)
    (folder / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        write(folder, TABLE, overwrite=True)
    assert (folder / "mine.txt").read_text() == "keep"


def test_a_damaged_marker_owns_nothing(tmp_path, write):
    folder = tmp_path / "out"
    write(folder, TABLE)
    for content in ("", "{", json.dumps({"entries": 3})):
        (folder / MARKER).write_text(content)
        with pytest.raises(OutputError, match="did not write"):
            write(folder, TABLE, overwrite=True)


def test_several_tables_dont_fit_one_csv(tmp_path, ctx):
    tables = {"x": TABLE.schema, "y": TABLE.schema}
    with (
        pytest.raises(UsageError, match="folder"),
        open_target(str(tmp_path / "t.csv"), tables=tables, ctx=ctx),
    ):
        pass
    assert left(tmp_path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("single", [True, False])
def test_nothing_is_left_after_an_exception(single, kind, error, tmp_path, ctx):
    uri = str(tmp_path / "deep" / (f"t.{SUFFIXES[kind]}" if single else "t"))
    how = {"file_format": None if single else kind, "ctx": ctx}
    target = open_target(uri, tables={"t": TABLE.schema}, **how)
    with pytest.raises(error), target as writers, writers["t"] as writer:
        writer.write(TABLE.to_batches()[0])
        raise error
    assert left(tmp_path) == []


def test_what_was_there_stays_after_an_exception(root, read, write, ctx):
    uri = f"{root}/t.csv"
    write(uri, TABLE)
    target = open_target(uri, tables={"t": TABLE.schema}, overwrite=True, ctx=ctx)
    with pytest.raises(KeyboardInterrupt), target as writers:
        with writers["t"] as writer:
            writer.write(TABLE.slice(2).to_batches()[0])
        raise KeyboardInterrupt
    assert read(uri).num_rows == 10


def test_all_tables_appear_together(tmp_path, ctx):
    tables = {"x": TABLE.schema, "y": TABLE.schema}
    target = open_target(str(tmp_path / "out"), tables=tables, ctx=ctx)
    with target as writers:
        for name in ("x", "y"):
            with writers[name] as writer:
                writer.write(TABLE.to_batches()[0])
            assert not (tmp_path / "out").exists()
    assert left(tmp_path / "out") == [MARKER, "x.parquet", "y.parquet"]


def test_an_upload_that_fails_is_taken_back(monkeypatch, ctx):
    import fsspec

    filesystem = fsspec.filesystem("memory")
    put, seen = type(filesystem).put_file, []

    def fail_at_third(self, *args, **kwargs):
        seen.append(args)
        if len(seen) == 3:
            raise OSError(errno.EIO, "the network is gone")
        return put(self, *args, **kwargs)

    monkeypatch.setattr(type(filesystem), "put_file", fail_at_third)
    tables = dict.fromkeys("xyz", TABLE.schema)
    target = open_target("memory://lost/out", tables=tables, ctx=ctx)
    with pytest.raises(OutputError, match="the network is gone"), target as writers:
        for writer in writers.values():
            with writer:
                pass
    assert filesystem.find("/lost") == []


@pytest.mark.parametrize("table", ["a/b", "..", "", ".hidden", "a\0b"])
def test_a_table_that_can_be_no_file(table, tmp_path, ctx):
    target = open_target(str(tmp_path / "out"), tables={table: TABLE.schema}, ctx=ctx)
    with pytest.raises(OutputError, match="can't be a file"), target:
        pass
    assert left(tmp_path) == []


@pytest.fixture
def tiny_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("single", [True, False])
def test_a_full_disk(single, kind, tiny_disk, ctx):
    rows = pa.table({"a": [f"{i * 7919 % 1_000_003:x}-{i:x}" for i in range(100_000)]})
    uri = str(tiny_disk / (f"t.{SUFFIXES[kind]}" if single else "t"))
    target = open_target(
        uri, tables={"t": rows.schema}, file_format=None if single else kind, ctx=ctx
    )
    full = pytest.raises(OutputError, match="No space left")
    with full as caught, target as writers, writers["t"] as writer:
        for batch in rows.to_batches(max_chunksize=10_000):
            writer.write(batch)
    assert uri in str(caught.value)
    assert ".tmp" not in str(caught.value)
    assert left(tiny_disk) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_an_unwritable_place(kind, tmp_path, write):
    (tmp_path / "file").write_text("x")
    uri = f"{tmp_path}/file/t.{SUFFIXES[kind]}"
    with pytest.raises(OutputError, match="can't write") as caught:
        write(uri, TABLE)
    assert uri in str(caught.value)
    assert left(tmp_path) == ["file"]


@pytest.mark.parametrize("kind", [*FORMATS, "csv.gz", "jsonl.zst", "csv.bz2"])
def test_the_same_rows_give_the_same_bytes(kind, tmp_path, write, monkeypatch):
    paths = [tmp_path / f"{i}.{SUFFIXES.get(kind, kind)}" for i in range(2)]
    for path, epoch in zip(paths, ("0", "1000000000"), strict=True):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        write(path, TABLE, batch_rows=3)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def described(**tables):
    columns = {
        "a": ColumnSpec(type="identifier", arrow="int64"),
        "b": ColumnSpec(type="category", arrow="string"),
    }
    return DatasetSpec(
        tables={name: TableSpec(columns=columns, **more) for name, more in tables.items()}
    )


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_several_tables_in_a_folder_have_their_keys_beside_them(kind, root, ctx):
    key = ForeignKey(columns=["a"], parent="one", parent_columns=["a"])
    spec = described(one={"primary_key": ["a"]}, two={"foreign_keys": [key]}, three={})
    uri = f"{root}/out"

    def fill(*names):
        schemas = dict.fromkeys(names, TABLE.schema)
        with open_target(
            uri, tables=schemas, spec=spec, file_format=kind, overwrite=True, ctx=ctx
        ) as writers:
            for writer in writers.values():
                with writer:
                    writer.write(TABLE.to_batches()[0])

    fill("one", "two")
    name, found = specification_beside(place_of(uri))
    assert name == "spec.yaml"
    assert list(found.tables) == ["one", "two"]
    assert found.tables["two"].foreign_keys == [key]
    with place_of(f"{uri}/{MARKER}").open() as file:
        assert "spec.yaml" in json.loads(file.read())["entries"]
    fill("two", "three")  # what is there may be replaced as a whole
    assert specification_beside(place_of(uri))[1].tables["two"].foreign_keys == []
    fill("one")  # one table has no keys to another
    assert specification_beside(place_of(uri)) is None


def test_a_table_that_is_called_as_the_specification(tmp_path, ctx):
    schemas = {"spec.yaml": TABLE.schema, "b": TABLE.schema}
    with (
        pytest.raises(OutputError, match="Rename"),
        open_target(f"{tmp_path}/out", tables=schemas, partitioned=True, ctx=ctx),
    ):
        pass
    assert left(tmp_path) == []
