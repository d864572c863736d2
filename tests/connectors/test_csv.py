import bz2
import gzip
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import simulacra.demo
from simulacra.connectors.csv_types import TypeTally
from simulacra.connectors.locate import open_source
from simulacra.core.errors import InputError, OutputError, UsageError

TYPES = {
    "whole": (["1", "-20", "0"], pa.int64()),
    "greatest": (["9223372036854775807", "-9223372036854775807"], pa.int64()),
    "too great": (["9223372036854775808", "1"], pa.string()),
    "leading zero": (["01", "2"], pa.string()),
    "plus": (["+1", "2"], pa.string()),
    "minus zero": (["-0", "2"], pa.float64()),
    "fixed": (["1.50", "-22.25"], pa.decimal128(4, 2)),
    "longest fixed": (["1234567890123456.78", "0.00"], pa.decimal128(18, 2)),
    "too long for fixed": (["12345678901234567.89", "0.00"], pa.float64()),
    "floats": (["1.5", "2.25"], pa.float64()),
    "whole and fixed": (["1", "2.5"], pa.float64()),
    "exponent": (["1e3", "2.5E-7"], pa.float64()),
    "half exponent": (["1e", "2"], pa.string()),
    "points": ([".5", "5."], pa.float64()),
    "point": (["."], pa.string()),
    "infinity": (["inf", "1.5", "-inf"], pa.float64()),
    "booleans": (["true", "false"], pa.bool_()),
    "Booleans": (["True", "False"], pa.bool_()),
    "BOOLEANS": (["TRUE"], pa.bool_()),
    "two spellings": (["true", "False"], pa.string()),
    "booleans and numbers": (["true", "1"], pa.string()),
    "nulls among numbers": (["NA", "1"], pa.int64()),
    "nulls among texts": (["NA", "x"], pa.string()),
    "nulls alone": (["NA", "NULL"], pa.string()),
    "spaces": ([" 1", "2 "], pa.int64()),
    "date": (["2024-01-31"], pa.string()),
    "two points": (["1.2.3"], pa.string()),
    "thousands": (["1,000"], pa.string()),
    "empty": ([None, None], pa.null()),
    "empty text": (["", None], pa.string()),
    "empty text among numbers": (["", "1"], pa.int64()),
}


@pytest.mark.parametrize(("cells", "expected"), TYPES.values(), ids=TYPES)
def test_type_of_cells(cells, expected):
    tally = TypeTally()
    for cell in cells:
        tally.update(pa.array([cell], pa.string()))
    assert tally.finish().type == expected


@given(
    st.lists(
        st.from_regex(r"-?\d{0,20}(\.\d{0,4})?([eE][+-]?\d{0,2})?", fullmatch=True), min_size=1
    )
)
def test_numbers_are_what_python_and_arrow_read(cells):
    cells = [cell for cell in cells if cell]
    tally = TypeTally()
    tally.update(pa.array(cells, pa.string()))
    kind = tally.finish().type
    if pa.types.is_integer(kind):
        assert [str(int(cell)) for cell in cells] == cells
    elif pa.types.is_decimal(kind):
        assert [str(Decimal(cell)) for cell in cells] == [
            cell if Decimal(cell) or cell[0] != "-" else str(Decimal(cell)) for cell in cells
        ]
        assert len({len(cell.partition(".")[2]) for cell in cells}) == 1
    elif pa.types.is_floating(kind):
        assert pa.array(cells).cast(pa.float64()).to_pylist() == [float(cell) for cell in cells]


def test_types_are_decided_by_the_last_row_too(tmp_path, read):
    path = tmp_path / "late.csv"
    path.write_text("a,b\n" + "1,2\n" * 600_000 + "x,2.5\n")
    table = read(path)
    assert table.schema.types == [pa.string(), pa.float64()]
    assert table.num_rows == 600_001
    assert table["a"][-1].as_py() == "x"


SAME = {
    "plain": b"a,b\n1,x\n2,y\n",
    "semicolons": b"a;b\n1;2,5\n2;3,5\n",
    "tabs": b"a\tb\n1\tx y\n",
    "bars": b"a|b\n01|x\n02|y\n",
    "windows": b"a,b\r\n1,x\r\n2,\r\n",
    "old mac": b"a,b\r1,x\r2,y\r",
    "quoted line breaks": b'a,b\n1,"x\ny"\n2,z\n',
    "last cell ends with a break": b'a,b\n1,"x\n"\n',
    "doubled quotes": b'a,b\n1,"x ""y"", z"\n',
    "empty texts and nulls": b'a,b\n1,""\n2,\n3,x\n',
    "one column with nulls": b"a\n1\n\n3\n",
    "one column with empty texts": b'a\nx\n""\n\n',
    "all quoted": b'"a","b"\n"1",""\n"2","x"\n',
    "texts quoted": b'"a","b"\n1,"x"\n2,"y"\n',
    "no header": b"1,x\n2,y\n",
    "header only": b"a,b\n",
    "null tokens": b"a,b,c\nNA,NULL,NA\n1,0.50,x\n",
    "booleans": b"a,b,c\nTrue,true,TRUE\nFalse,,FALSE\n",
    "trailing zeros": b"a\n1.50\n2.00\n",
    "tiny decimals": b"a,b\n0.0000001,x\n0.0000020,y\n",
    "floats": b"a,b\n1.5,2\n2.25,0.5\n",
    "whole floats": b"a\n1.0\n22.25\n",
    "mark": "\ufeffa,b\nä,1\n".encode(),
    "utf-16": "a,b\nä,1\n".encode("utf-16"),
    "utf-16 unmarked": "a,b\nä,1\n".encode("utf-16-be"),
    "cp1252": "a;b\nä€;1\n".encode("cp1252"),
    "late cp1252": b"a,b\n" + b"x,1\n" * 300_000 + b"\xe4,2\n",
    "dates": b"d,t\n31.01.2024,12:30\n01.02.2024,13:00\n",
    "wide": ",".join(f"c{i}" for i in range(2000)).encode() + b"\n7" + b",7" * 1999 + b"\n",
    "long cell": b"a,b\n1," + b"x" * 6_000_000 + b"\n2,y\n",
    "nul": b"a,b\nx\0y,1\n",
}  # fmt: skip


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_what_is_read_is_written_the_same(content, tmp_path, read, write):
    path, again = tmp_path / "t.csv", tmp_path / "again.csv"
    path.write_bytes(content)
    write(again, read(path))
    assert again.read_bytes() == content


def _unpack_zst(data):
    return zstandard.ZstdDecompressor().stream_reader(data).read()


@pytest.mark.parametrize(
    ("ending", "pack", "unpack"),
    [
        (".gz", gzip.compress, gzip.decompress),
        (".bz2", bz2.compress, bz2.decompress),
        (".zst", zstandard.compress, _unpack_zst),
    ],
)
def test_compressed(ending, pack, unpack, tmp_path, read, write):
    path, again = tmp_path / f"t.csv{ending}", tmp_path / f"again.csv{ending}"
    path.write_bytes(pack(b"a,b\n1,x\n2,y\n"))
    table = read(path)
    assert table.to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    write(again, table, batch_rows=1)
    assert unpack(again.read_bytes()) == b"a,b\n1,x\n2,y\n"


def test_parts_of_a_gz_are_all_read(tmp_path, read):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,x\n") + gzip.compress(b"2,y\n"))
    assert read(path).to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


WRONG = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\n\n", "the file is empty"),
    "too few": (b"a,b\n1,2\n3\n", "line 3 has 1 cells"),
    "too many": (b"a,b\n1,2\n3,4,5\n", "line 3 has 3 cells"),
    "after line breaks": (b'a,b\n1,"x\ny"\n3,4,5\n', "line 4 has 3 cells"),
    "far down": (b"a,b\n" + b"1,2\n" * 400_000 + b"3\n", "line 400,002 has 1 cells"),
    "names twice": (b"a,a\n1,2\n", "two columns have the same name"),
    "broken utf-8": ("a,b\nä,1\n".encode() + b"\xff,2\n", "line 3 is not utf-8"),
    "late broken utf-8": (
        "a,b\nä,1\n".encode() + b"x,1\n" * 300_000 + b"\xff,2\n",
        "line 300,003 is not utf-8",
    ),
    "open quote": (b'a,b\n1,"x\n2,y\n', "a quote is not closed"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_unreadable_files_are_refused_by_line(content, message, tmp_path, ctx):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        open_source(str(path), ctx=ctx)
    assert str(path) in str(caught.value)


def test_a_damaged_gz_is_refused(tmp_path, ctx):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n" * 100)[:-12])
    with pytest.raises(InputError, match=r"t\.csv\.gz"):
        open_source(str(path), ctx=ctx)


def test_options_are_believed(tmp_path, read):
    path = tmp_path / "t.csv"
    path.write_bytes("x;1,5#2\n".encode("cp1252"))
    table = read(path, delimiter="#", header=False, encoding="cp1252")
    assert table.to_pydict() == {"column_1": ["x;1,5"], "column_2": [2]}


def test_wrong_options_are_refused(tmp_path, read):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(UsageError, match="Known: delimiter"):
        read(path, separator=";")
    with pytest.raises(UsageError, match="one ASCII character"):
        read(path, delimiter=";;")


def test_only_wanted_columns_in_the_order_wanted(tmp_path, ctx):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b,c\n1,x,NA\n2,y,3\n")
    (source,) = open_source(str(path), ctx=ctx).values()
    (first, second) = source.batches(["c", "a"], batch_rows=1)
    assert first.to_pydict() == {"c": [None], "a": [1]}
    assert second.to_pydict() == {"c": [3], "a": [2]}


def test_a_changed_file_is_noticed(tmp_path, ctx):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a\n1\n")
    (source,) = open_source(str(path), ctx=ctx).values()
    path.write_bytes(b"a\nxyz\n")
    with pytest.raises(InputError, match="changed"):
        list(source.batches())


def test_a_text_that_the_encoding_lacks_is_refused(tmp_path, read, write):
    path = tmp_path / "t.csv"
    path.write_bytes("a;b\nä;1\n".encode("cp1252"))
    style = read(path).schema.metadata
    table = pa.table({"a": ["漢"], "b": [1]}).replace_schema_metadata(style)
    with pytest.raises(OutputError, match="cp1252"):
        write(tmp_path / "again.csv", table)
    assert not (tmp_path / "again.csv").exists()


def test_other_readers_read_the_same(tmp_path, mixed, write):
    path = tmp_path / "t.csv"
    write(path, mixed)
    found = duckdb.sql(f"SELECT * FROM read_csv('{path}', allow_quoted_nulls=false)").fetchall()
    assert found == [tuple(row.values()) for row in mixed.to_pylist()]


# Any text but what no CSV tells apart: lone surrogates.
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.none() | _TEXT.map(lambda text: f"t{text}") | st.just(""),
            st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
            st.none() | st.booleans(),
            st.none() | st.decimals(-1000, 1000, places=3, allow_nan=False),
        ),
        min_size=1,
    )
)
def test_round_trip(tmp_path, read, write, rows):
    names = ["text", "whole", "flag", "fixed"]
    table = pa.table({n: list(c) for n, c in zip(names, zip(*rows, strict=True), strict=True)})
    path = tmp_path / "t.csv"
    write(path, table, batch_rows=3)
    found = read(path)
    assert found.to_pylist() == table.to_pylist()


def test_real_data_comes_back(tmp_path, read, write):
    path = next(Path(simulacra.demo.__path__[0]).rglob("flights.parquet"))
    flights = read(path).slice(0, 20_000)
    write(tmp_path / "flights.csv", flights)
    found = read(tmp_path / "flights.csv")
    for name in flights.column_names:
        expected = flights[name]
        if pa.types.is_temporal(expected.type):
            expected = expected.cast(pa.string())
        assert found[name].to_pylist() == expected.to_pylist(), name


def test_memory_stays_bounded(tmp_path):
    """A file of 150 MB takes little more memory than one of a tenth."""
    row = b"12345,2024-01-31,some text of a middling length,3.25,true\n"
    peaks = []
    for megabytes in (15, 150):
        path = tmp_path / f"{megabytes}.csv"
        chunk = row * (10**6 // len(row))
        with path.open("wb") as file:
            file.write(b"a,b,c,d,e\n")
            for _ in range(megabytes):
                file.write(chunk)
        code = f"""
            import resource
            from simulacra.connectors.locate import open_source
            from simulacra.core.context import RunContext
            from simulacra.core.limits import Limits
            ctx = RunContext(limits=Limits(memory=128 * 2**20, threads=2))
            (source,) = open_source({str(path)!r}, ctx=ctx).values()
            assert sum(batch.num_rows for batch in source.batches()) == source.rows()
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        """
        run = [sys.executable, "-c", textwrap.dedent(code)]
        peaks.append(int(subprocess.run(run, capture_output=True, check=True).stdout))
    assert peaks[1] - peaks[0] < 64
