"""What comes out equals what came in: frames, types, names, order; and seeds decide."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import simulacra
from simulacra import Metadata, Synthesizer
from simulacra.core.errors import BundleError, InputError, PluginError, SpecError, UsageError

ROWS = 300
RNG = np.random.default_rng(0)
MOMENTS = pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 10**7, ROWS), "s")
WORDS = RNG.choice(["low", "mid", "high"], ROWS)
HOLES = RNG.random(ROWS) < 0.2
NUMBERS = RNG.integers(0, 100, ROWS)


def holed(values, missing):
    return [missing if hole else value for value, hole in zip(values, HOLES, strict=True)]


PANDAS = {
    "int8": pd.Series(NUMBERS, dtype="int8"),
    "uint64": pd.Series(NUMBERS, dtype="uint64"),
    "float32": pd.Series(NUMBERS / 7, dtype="float32"),
    "float with NaN": pd.Series(holed(NUMBERS / 7, np.nan)),
    "Int64": pd.Series(holed(NUMBERS, pd.NA), dtype="Int64"),
    "Float64": pd.Series(holed(NUMBERS / 7, pd.NA), dtype="Float64"),
    "bool": pd.Series(NUMBERS < 50),
    "boolean": pd.Series(holed(NUMBERS < 50, pd.NA), dtype="boolean"),
    "object text": pd.Series(holed(WORDS, None), dtype="object"),
    "string": pd.Series(holed(WORDS, pd.NA), dtype="string"),
    "string[pyarrow]": pd.Series(holed(WORDS, pd.NA), dtype="string[pyarrow]"),
    "int64[pyarrow]": pd.Series(NUMBERS, dtype="int64[pyarrow]"),
    "category": pd.Series(pd.Categorical(WORDS)),
    "ordered category": pd.Series(
        pd.Categorical(holed(WORDS, None), ["low", "mid", "high", "never"], ordered=True)
    ),
    "whole category": pd.Series(pd.Categorical(NUMBERS % 3, [2, 1, 0])),
    "ns": pd.Series(MOMENTS.astype("datetime64[ns]")),
    "us": pd.Series(holed(MOMENTS, pd.NaT), dtype="datetime64[us]"),
    "zoned": pd.Series(MOMENTS.tz_localize("Europe/Berlin", nonexistent="NaT", ambiguous="NaT")),
    "duration": pd.Series(pd.to_timedelta(NUMBERS, "min")),
    "decimal": pd.Series([Decimal(int(n)) / 100 for n in NUMBERS], dtype="object"),
    "date": pd.Series([moment.date() for moment in MOMENTS], dtype="object"),
}
POLARS = {
    "int8": pl.Series(NUMBERS, dtype=pl.Int8),
    "uint64 or null": pl.Series(holed(NUMBERS.tolist(), None), dtype=pl.UInt64),
    "float32": pl.Series(NUMBERS / 7, dtype=pl.Float32),
    "boolean": pl.Series(NUMBERS < 50),
    "text": pl.Series(holed(WORDS.tolist(), None)),
    "categorical": pl.Series(WORDS.tolist(), dtype=pl.Categorical),
    "enum": pl.Series(WORDS.tolist(), dtype=pl.Enum(["low", "mid", "high", "never"])),
    "date": pl.Series([moment.date() for moment in MOMENTS]),
    "time": pl.Series([moment.time() for moment in MOMENTS]),
    "ms": pl.Series(MOMENTS.to_pydatetime().tolist(), dtype=pl.Datetime("ms")),
    "zoned": pl.Series(MOMENTS.to_pydatetime().tolist(), dtype=pl.Datetime("us", "UTC")),
    "duration": pl.Series([dt.timedelta(minutes=int(n)) for n in NUMBERS]),
    "decimal": pl.Series([Decimal(int(n)) / 100 for n in NUMBERS], dtype=pl.Decimal(10, 2)),
    "list": pl.Series([[int(n)] * int(n % 3) for n in NUMBERS]),
    "struct": pl.Series([{"a": int(n), "b": "x"} for n in NUMBERS]),
    "nothing": pl.Series([None] * ROWS),
}


def learned(data, model="independent", **options):
    return Synthesizer(model, seed=7, **options).fit(data)


# --- frames ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["independent", "forest"])
def test_pandas_frames_come_back(model):
    frame = pd.DataFrame(PANDAS)
    frame.index = frame.index + 5
    made = learned(frame, model).sample(ROWS)
    assert isinstance(made, pd.DataFrame)
    assert made.dtypes.to_dict() == frame.dtypes.to_dict()
    assert list(made.columns) == list(frame.columns)
    assert list(made.index) == list(range(ROWS))
    for name in ("category", "ordered category", "whole category"):
        assert made[name].dtype == frame[name].dtype
    assert isinstance(made["decimal"][0], Decimal)
    assert {-value.as_tuple().exponent for value in made["decimal"]} == {2}
    assert isinstance(made["date"][0], dt.date)
    # Five standard deviations of the difference of two shares of a fifth of the rows.
    bound = 5 * np.sqrt(2 * 0.2 * 0.8 / ROWS)
    gaps = (made.isna().mean() - frame.isna().mean()).abs()
    assert gaps.max() < bound
    assert (gaps[frame.columns[~frame.isna().any()]] == 0).all()


@pytest.mark.parametrize("lazy", [False, True])
def test_polars_frames_come_back(lazy):
    frame = pl.DataFrame(POLARS)
    made = learned(frame.lazy() if lazy else frame).sample(ROWS)
    assert isinstance(made, pl.LazyFrame if lazy else pl.DataFrame)
    assert made.lazy().collect().schema == frame.schema
    assert made.lazy().collect().height == ROWS


def test_arrow_tables_come_back():
    table = pa.table({"x": NUMBERS, "ä": WORDS}).replace_schema_metadata({"who": "me"})
    made = learned(table).sample(50)
    assert isinstance(made, pa.Table)
    assert made.schema.equals(table.schema, check_metadata=True)
    batch = learned(table.to_batches()[0]).sample(50)
    assert isinstance(batch, pa.RecordBatch)
    assert batch.num_rows == 50


def test_duckdb_relations_come_back():
    source = pa.table({"x": NUMBERS, "word": WORDS.tolist()})
    relation = duckdb.from_arrow(source).project(
        "x::TINYINT AS x, word, x::DECIMAL(9, 3) AS exact, DATE '2024-01-01' + x::INT AS day"
    )
    made = learned(relation).sample(50)
    assert isinstance(made, duckdb.DuckDBPyRelation)
    assert made.columns == relation.columns
    assert made.types == relation.types
    assert made.shape == (50, 4)


def test_plain_python_comes_back():
    rows = [{"x": int(n), "word": str(w)} for n, w in zip(NUMBERS, WORDS, strict=True)]
    made = learned(rows).sample(3)
    assert isinstance(made, list)
    assert set(made[0]) == {"x", "word"}
    columns = learned({"x": NUMBERS.tolist(), "word": WORDS.tolist()}).sample(3)
    assert isinstance(columns, dict)
    assert {name: len(values) for name, values in columns.items()} == {"x": 3, "word": 3}


def test_a_dict_of_frames_comes_back_as_one():
    frames = {"people": pd.DataFrame({"x": NUMBERS}), "things": pl.DataFrame({"y": WORDS})}
    made = learned(frames).sample(scale=0.5)
    assert list(made) == ["people", "things"]
    assert isinstance(made["people"], pd.DataFrame)
    assert isinstance(made["things"], pl.DataFrame)
    assert {name: len(frame) for name, frame in made.items()} == dict.fromkeys(frames, ROWS // 2)


def test_batches_paths_and_folders_are_learned(tmp_path):
    table = pa.table({"x": NUMBERS, "word": WORDS.tolist()})
    passes = []

    def batches():
        passes.append(1)
        yield from table.to_batches(max_chunksize=70)

    expected = learned(table).sample(80)
    assert learned(batches).sample(80).equals(expected)
    assert len(passes) > 1
    pq.write_table(table, tmp_path / "table.parquet")
    for place in (tmp_path / "table.parquet", str(tmp_path)):
        assert learned(place).sample(80).equals(expected)


@pytest.mark.parametrize(
    ("data", "error", "says"),
    [
        (3, UsageError, "int"),
        ({}, UsageError, "empty"),
        ([], UsageError, "empty"),
        (pd.DataFrame({"x": []}), InputError, "no row"),
        (pd.DataFrame(), InputError, "column"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), InputError, "a.*same name"),
        (pd.DataFrame({"x": [1, "a", None] * 9}), InputError, "x.*"),
        (iter([pa.record_batch({"x": [1]})]), UsageError, "iterator"),
        ("absent.csv", InputError, r"absent\.csv.*no such"),
    ],
)
def test_what_is_no_table_is_refused(data, error, says):
    with pytest.raises(error, match=says):
        learned(data)


# --- options, seeds, bundles ----------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    side = rng.choice(["left", "right"], 2_000)
    return pa.table(
        {
            "id": np.arange(2_000) + 1,
            "side": side,
            "x": np.round(rng.normal(size=2_000) + 3 * (side == "left"), 2),
        }
    )


def test_seeds_decide_and_nothing_else_does(table):
    synthesizer = learned(table, "forest")
    first = synthesizer.sample(500)
    assert synthesizer.sample(500).equals(first)
    assert learned(table, "forest").sample(500).equals(first)
    assert synthesizer.sample(500, seed=7).equals(first)
    assert not synthesizer.sample(500, seed=8).equals(first)


def test_rows_are_counted(table):
    synthesizer = learned(table)
    assert synthesizer.sample().num_rows == 2_000
    assert synthesizer.sample(0).schema == table.schema
    assert synthesizer.sample(scale=2.5).num_rows == 5_000
    assert sum(batch.num_rows for batch in synthesizer.batches(rows=70_000)) == 70_000
    for wrong in ({"rows": -1}, {"scale": -1.0}, {"rows": 1, "scale": 1.0}):
        with pytest.raises(UsageError):
            synthesizer.sample(**wrong)
    with pytest.raises(UsageError, match=r"nope.*table"):
        synthesizer.batches("nope")


def test_nothing_can_be_drawn_before_anything_is_learned(tmp_path):
    for act in (
        lambda s: s.sample(),
        lambda s: s.save(tmp_path / "m.sim"),
        lambda s: s.write(tmp_path / "t.csv"),
        lambda s: s.metadata,
    ):
        with pytest.raises(UsageError, match="fit first"):
            act(Synthesizer())
    assert list(tmp_path.iterdir()) == []


def test_wrong_models_and_options_are_refused_at_once():
    with pytest.raises(PluginError, match=r"nope.*forest"):
        Synthesizer("nope")
    with pytest.raises(UsageError, match=r"nope.*trees"):
        Synthesizer("forest", nope=1)
    with pytest.raises(UsageError, match="trees"):
        Synthesizer("forest", trees=0)


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, dict])
def test_a_bundle_gives_the_same_frame(tmp_path, kind):
    frame = kind({"x": NUMBERS.tolist(), "word": WORDS.tolist()})
    synthesizer = learned(frame, "forest")
    synthesizer.save(tmp_path / "m.sim")
    again = simulacra.load(tmp_path / "m.sim")
    assert again.metadata.spec == synthesizer.metadata.spec
    made, expected = again.sample(100), synthesizer.sample(100)
    assert type(made) is type(expected) is kind
    assert made.equals(expected) if kind is not dict else made == expected
    with pytest.raises(BundleError, match="no such"):
        simulacra.load(tmp_path / "absent.sim")


def test_the_metadata_given_decides(table):
    metadata = Metadata.detect(table)
    assert metadata.tables["table"].columns["x"].type == "float"
    metadata.update("table", "x", type="category")
    synthesizer = Synthesizer("independent").fit(table, metadata)
    assert synthesizer.metadata.spec == metadata.spec
    assert set(synthesizer.sample(500)["x"].to_pylist()) <= set(table["x"].to_pylist())
    # A single table needs no name, whatever the metadata calls it.
    assert Synthesizer("independent").fit(table, metadata.renamed("people")).sample(5).num_rows == 5
    with pytest.raises(SpecError, match=r"table\.side"):
        Synthesizer("independent").fit(table.drop_columns(["side"]), metadata)


def test_files_are_written_without_holding_the_rows(table, tmp_path):
    synthesizer = learned(table)
    assert synthesizer.write(tmp_path / "t.parquet", 70_000) == {"table": 70_000}
    assert pq.read_table(tmp_path / "t.parquet").equals(synthesizer.sample(70_000))


def test_evaluation_puts_floors_beside_scores(table):
    train, test = table.slice(0, 1_000), table.slice(1_000)
    made = learned(train, "forest").sample(1_000)
    report = simulacra.evaluate(train, made, holdout=test, rows=1_000)
    text = report.summary()
    for measure in ("Column shapes", "Pair trends", "Detection", "Closest records", "Validity"):
        assert measure in text
    scores = {(s.metric, s.columns): s for s in report.tables["table"].scores}
    shape = scores["column_shapes", ("side",)]
    shares = [np.mean(np.array(t["side"].to_pylist()) == "left") for t in (made, train, test)]
    assert shape.value == pytest.approx(1 - abs(shares[0] - shares[2]), abs=1e-9)
    assert shape.floor == pytest.approx(1 - abs(shares[1] - shares[2]), abs=1e-9)
    with pytest.raises(SpecError, match=r"table\.side"):
        simulacra.evaluate(train, made.drop_columns(["side"]))


def test_reprs_are_short(table):
    synthesizer = Synthesizer("copula", seed=3)
    assert repr(synthesizer) == "Synthesizer('copula', seed=3)"
    assert repr(synthesizer.fit(table)) == "Synthesizer('copula', seed=3, learned table)"
    report = simulacra.evaluate(table, table, metrics=["column_shapes"])
    assert repr(report) == "Report(table); its summary() is for people"
    assert repr(report.tables["table"]) == "TableReport(table: column_shapes 1.0000)"


# --- manners --------------------------------------------------------------------------------


def test_the_given_frame_and_global_random_state_are_left_alone():
    frame = pd.DataFrame(PANDAS)
    before = frame.copy(deep=True)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the state nobody may touch
    states = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    simulacra.evaluate(frame, learned(frame, "forest").sample(ROWS), rows=ROWS)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states  # noqa: NPY002
    pd.testing.assert_frame_equal(frame, before)


def test_importing_is_light():
    code = (
        "import sys, simulacra; simulacra.Synthesizer; simulacra.Metadata; simulacra.evaluate;"
        "heavy = {'torch', 'sqlalchemy', 'pandas', 'polars', 'sklearn', 'lightgbm', 'numba',"
        " 'scipy', 'openpyxl', 'duckdb'} & set(sys.modules); print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_batches_of_the_only_table_need_no_name(table, tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(table, tmp_path / "people.parquet")
    synthesizer = learned(tmp_path / "people.parquet")
    assert sum(batch.num_rows for batch in synthesizer.batches(rows=10)) == 10
