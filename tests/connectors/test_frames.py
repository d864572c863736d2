import datetime as dt
import subprocess
import sys
import textwrap
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest

from simulacra.connectors.frames import FrameKind, from_frame, to_frame
from simulacra.core.batches import GeneratorSource, TableSource, read_all
from simulacra.core.errors import InputError, UsageError


def through(frame):
    source, kind = from_frame(frame)
    once, again = read_all(source), read_all(source)
    assert once.equals(again)
    assert FrameKind(kind.value) is kind
    return to_frame(once.replace_schema_metadata(source.schema.metadata), kind)


PANDAS = {
    **{
        str(np.dtype(t)): np.array([1, 2], t)
        for t in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "f4", "f8", "?"]
    },
    "uint64": np.array([1, 2**64 - 1], "u8"),
    "Int8": pd.array([1, None], "Int8"),
    "UInt64": pd.array([2**64 - 1, None], "UInt64"),
    "Float32": pd.array([1.5, None], "Float32"),
    "boolean": pd.array([True, None], "boolean"),
    "ordered": pd.Categorical(["b", "a"], categories=["c", "b", "a"], ordered=True),
    "of ints": pd.Categorical([3, None], categories=[3, 1]),
    "str": pd.array(["a", None], dtype="str"),
    "string": pd.array(["a", None], dtype="string[pyarrow]"),
    "string python": pd.array(["a", None], dtype="string[python]"),
    "object": np.array(["a", None], object),
    "ns": pd.to_datetime(["2020-01-01", None]).astype("datetime64[ns]"),
    "us": pd.to_datetime(["9999-12-31", None]).astype("datetime64[us]"),
    "zone": pd.to_datetime(["2020-01-01", None]).astype("datetime64[us]").tz_localize("Asia/Tokyo"),
    "delta": pd.to_timedelta([1, None], unit="s").astype("timedelta64[ns]"),
    "date": np.array([dt.date(2020, 1, 1), None], object),
    "decimal": np.array([Decimal("1.50"), None], object),
    "arrow int": pd.array([1, None], dtype=pd.ArrowDtype(pa.int16())),
    "arrow time": pd.array([1, None], dtype=pd.ArrowDtype(pa.timestamp("ms"))),
    "ünï 🙂": [1.0, np.nan],
}


@pytest.mark.parametrize("name", PANDAS)
def test_pandas_columns_come_back(name):
    frame = pd.DataFrame({name: PANDAS[name], "other": [1, 2]})
    pd.testing.assert_frame_equal(through(frame), frame)


def test_pandas_numbers_as_names_come_back():
    frame = pd.DataFrame([[1, 2.5]], columns=[3, 1])
    pd.testing.assert_frame_equal(through(frame), frame)


def test_the_given_frame_stays_as_it_is():
    frame = pd.DataFrame(PANDAS)
    before = frame.copy(deep=True)
    through(frame)
    pd.testing.assert_frame_equal(frame, before)


_BITS = (8, 16, 32, 64)
POLARS = pl.DataFrame(
    {
        **{f"Int{bits}": pl.Series([1, None], dtype=getattr(pl, f"Int{bits}")) for bits in _BITS},
        **{f"UInt{bits}": pl.Series([1, None], dtype=getattr(pl, f"UInt{bits}")) for bits in _BITS},
        "categorical": pl.Series(["a", None], dtype=pl.Categorical),
        "enum": pl.Series(["a", None], dtype=pl.Enum(["x", "b", "a"])),
        "date": [dt.date(2020, 1, 1), None],
        "time": [dt.time(1, 2, 3), None],
        "duration": pl.Series([dt.timedelta(1), None], dtype=pl.Duration("ms")),
        "zone": pl.Series([dt.datetime(2020, 1, 1), None], dtype=pl.Datetime("ns", "Asia/Tokyo")),
        "decimal": pl.Series([Decimal("1.50"), None], dtype=pl.Decimal(10, 2)),
        "list": [[1], None],
        "struct": [{"a": 1}, {"a": None}],
        "binary": [b"a", None],
        "null": [None, None],
        "float": pl.Series([1.5, None], dtype=pl.Float32),
        "text": ["é", None],
    }
)  # fmt: skip


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", POLARS.columns)
def test_polars_columns_come_back(name, lazy):
    frame = POLARS.select(name)
    back = through(frame.lazy() if lazy else frame)
    assert isinstance(back, pl.LazyFrame if lazy else pl.DataFrame)
    back = back.collect() if lazy else back
    assert back.schema == frame.schema
    assert back.equals(frame)


def test_no_category_is_kept_in_the_metadata():
    source, _ = from_frame(POLARS.select("enum", "categorical"))
    told = str(source.schema.metadata) + str([field.metadata for field in source.schema])
    assert "'x'" not in told
    assert "_PL_ENUM" not in told


ARROW = pa.table({"a": [1, 2, None], "d": pa.array(["x", "y", "x"]).dictionary_encode()})


def test_arrow_comes_back():
    assert through(ARROW).equals(ARROW)
    batch = ARROW.to_batches()[0]
    assert through(batch).equals(batch)


def test_datasets_and_sources_come_back_as_tables(tmp_path):
    pa.dataset.write_dataset(ARROW, tmp_path / "set", format="parquet")
    assert through(pa.dataset.dataset(tmp_path / "set")).equals(ARROW)
    source = TableSource(ARROW)
    assert from_frame(source) == (source, FrameKind.ARROW)
    assert through(GeneratorSource(ARROW.to_batches)).equals(ARROW)
    assert through(ARROW.to_batches).equals(ARROW)


def test_duckdb_relations_come_back():
    relation = duckdb.sql("SELECT i, 'x' || i AS \"Tëxt\" FROM range(5000) t(i)")
    source, kind = from_frame(relation)
    (batch, *_) = source.batches(["Tëxt"], batch_rows=2048)
    assert batch.schema.names == ["Tëxt"]
    back = to_frame(read_all(source), kind)
    assert isinstance(back, duckdb.DuckDBPyRelation)
    assert back.fetchall() == relation.fetchall()


def test_plain_python_comes_back():
    rows = [{"a": 1, "b": "x"}, {"a": None, "b": "y"}]
    assert through(rows) == rows
    columns = {"a": [1, None], "b": ["x", "y"]}
    assert through(columns) == columns


def test_whatever_speaks_arrow_is_read():
    class Speaker:
        def __arrow_c_stream__(self, requested_schema=None):
            return ARROW.__arrow_c_stream__(requested_schema)

    assert through(Speaker()).equals(ARROW)


WRONG = {
    "mixed pandas": (lambda: pd.DataFrame({"a": [1, "x"]}), InputError, r"\.a: .* int, str"),
    "complex": (lambda: pd.DataFrame({"a": [1j]}), InputError, r"\.a: .*complex128"),
    "twice": (lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]), InputError, "same name"),
    "1 and '1'": (lambda: pd.DataFrame([[1, 2]], columns=[1, "1"]), InputError, "same name"),
    "mixed columns": (lambda: {"a": [1, "x"]}, InputError, r"\.a: .* int, str"),
    "mixed rows": (lambda: [{"a": 1}, {"a": "x"}], InputError, r"\.a: .* int, str"),
    "lengths": (lambda: {"a": [1], "b": [1, 2]}, InputError, "length"),
    "reader": (lambda: pa.RecordBatchReader.from_batches(ARROW.schema, []), InputError, "once"),
    "arrow twice": (
        lambda: pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]),
        InputError,
        "same name",
    ),
    "numbers": (lambda: [1, 2], UsageError, "list of dicts"),
    "nothing": (list, UsageError, "empty"),
    "a number": (lambda: 5, UsageError, "no data frame"),
}


@pytest.mark.parametrize(("make", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_frames_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        from_frame(make())


def test_libraries_are_imported_only_when_given():
    code = """
        import sys
        import pyarrow as pa
        from simulacra.connectors.frames import from_frame
        import simulacra.connectors.locate
        from_frame(pa.table({"a": pa.nulls(1)}))
        loaded = {"pandas", "polars", "duckdb", "openpyxl", "numba", "torch"} & set(sys.modules)
        assert not loaded, loaded
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)
