import dataclasses
import datetime as dt
import decimal
import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import drawn_apart, halves, shipped, spec_of
from simulacra.core.batches import GeneratorSource, TableSource
from simulacra.core.context import RunContext
from simulacra.core.errors import OutputError, PluginError, SpecError, UsageError
from simulacra.core.limits import Limits
from simulacra.core.schema import ColumnSpec, DatasetSpec
from simulacra.core.scores import Score
from simulacra.pipeline import evaluate as module
from simulacra.pipeline.evaluate import evaluate, evaluate_dataset
from simulacra.pipeline.reports.report import Report

METRICS = ["column_shapes", "pair_trends", "detection", "closest_records"]


def judged(real, synthetic, *, holdout=None, table=None, **options):
    sources = [None if t is None else TableSource(t) for t in (real, synthetic, holdout)]
    options = {"metrics": METRICS, "name": "weather", "seed": 3} | options
    return evaluate(*sources[:2], holdout=sources[2], table=table or spec_of(real), **options)


@pytest.fixture(scope="module")
def weather():
    return halves(shipped("weather"), rows=3_000)


@pytest.fixture(scope="module")
def apart(weather):
    real, holdout = weather
    return judged(real, drawn_apart(real), holdout=holdout)


def test_a_poor_copy_has_right_shapes_and_wrong_trends_beside_good_floors(apart):
    shapes, trends, told = (apart.score(m) for m in METRICS[:3])
    assert shapes.value == pytest.approx(shapes.floor, abs=0.01)
    assert trends.value < trends.floor - 0.03
    assert told.value > 0.95
    assert abs(told.floor - 0.5) < 0.06
    assert apart.score("exact_copies").value == 0


def test_overall_scores_are_means_over_columns_and_pairs(apart):
    for metric in METRICS[:2]:
        single = [s for s in apart.scores if s.metric == metric and s.value is not None]
        overall = apart.score(metric)
        assert overall.value == pytest.approx(np.mean([s.value for s in single]))
        assert overall.floor == pytest.approx(np.mean([s.floor for s in single]))
        assert overall.details["measured"] == len(single)
        lowest = min(single, key=lambda s: s.value)
        assert overall.details["lowest"][0] == {
            "columns": list(lowest.columns),
            "value": lowest.value,
        }


def test_real_rows_themselves_score_the_floor(weather):
    real, holdout = weather
    report = judged(real, real, holdout=holdout, metrics=METRICS[:3])
    for score in report.overall.values():
        assert score.value == score.floor


def test_the_seed_decides_and_neither_batches_nor_threads_do(weather):
    real, holdout = (table.slice(0, 2_000) for table in weather)
    synthetic = drawn_apart(real)

    def scores(rows_a_batch, threads, seed):
        def source(table):
            return GeneratorSource(lambda: table.to_batches(max_chunksize=rows_a_batch))

        return evaluate(
            source(real),
            source(synthetic),
            holdout=source(holdout),
            table=spec_of(real),
            metrics=METRICS,
            rows=1_000,
            seed=seed,
            ctx=RunContext(Limits(threads=threads)),
        ).scores

    assert scores(70, 1, 4) == scores(2_000, 2, 4)
    assert scores(2_000, 2, 4) != scores(2_000, 2, 5)


def test_more_rows_than_memory_holds_are_sampled_and_said(weather, monkeypatch):
    monkeypatch.setattr(module, "_MEMORY_SHARE", 1e-3)
    real, _ = weather
    limits = RunContext(Limits(memory=64 * 2**20, threads=1))
    report = judged(real, real, metrics=["column_shapes"], ctx=limits)
    assert report.rows["real"] < 1_000
    assert "drawn at random, as many as memory holds" in report.notes[0]


def test_columns_must_be_there_and_of_a_kind():
    real = pa.table({"a": [1, 2], "b": ["x", "y"]})
    with pytest.raises(SpecError, match=r"weather\.b: the synthetic data has no such column"):
        judged(real, real.select(["a"]))
    with pytest.raises(SpecError, match=r"weather\.a: the holdout data has string.*int64"):
        judged(real, real, holdout=pa.table({"a": ["1"], "b": ["x"]}))
    with pytest.raises(SpecError, match=r"weather\.a: the synthetic data has double.*truncated"):
        judged(real, pa.table({"a": [1.5], "b": ["x"]}))


def test_close_kinds_are_made_the_same_and_other_columns_ignored():
    real = pa.table({"a": [1, 2], "d": [decimal.Decimal("1.50")] * 2, "s": ["x", "y"]})
    close = pa.table(
        {
            "new": [0, 0],
            "s": pa.array(["y", "x"], pa.large_string()).dictionary_encode(),
            "a": pa.array([2.0, 1.0], pa.float32()),
            "d": pa.array([decimal.Decimal("1.5")] * 2, pa.decimal128(4, 1)),
        }
    )
    report = judged(real, close, metrics=["column_shapes"])
    assert report.score("column_shapes").value == 1.0
    assert report.notes == ("synthetic: columns that the specification lacks are ignored: new",)


def test_requests_that_make_no_sense_are_refused():
    real = pa.table({"a": [1, 2]})
    with pytest.raises(UsageError, match="0 rows to compare"):
        judged(real, real, rows=0)
    with pytest.raises(PluginError, match="no metric called 'fame'"):
        judged(real, real, metrics=["fame"])
    report = judged(real, real, metrics=["column_shapes"])
    with pytest.raises(UsageError, match="'detection' was not measured on weather"):
        report.score("detection")


STRANGE = {
    "no rows": pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())}),
    "one row": pa.table({"a": [1], "b": ["x"]}),
    "all null": pa.table({"a": pa.array([None] * 30, pa.float64()), "b": [None] * 30}),
    "constant": pa.table({"a": [1] * 30, "b": ["x"] * 30}),
    "no columns": pa.table({}),
    "extremes": pa.table(
        {
            "i": [2**63 - 1, -(2**63), None] * 10,
            "u": pa.array([2**64 - 1, 0, None] * 10, pa.uint64()),
            "f": [float("inf"), float("-inf"), float("nan")] * 10,
            "g": [1.7e308, -1.7e308, 5e-324] * 10,
            "d": [decimal.Decimal("99999999999999999999999999999999.99"), None, None] * 10,
            "t": [
                dt.datetime(9999, 12, 31, tzinfo=dt.UTC),
                dt.datetime(1, 1, 1, tzinfo=dt.UTC),
                None,
            ]
            * 10,
            "s": ["", "\U0001f600" * 50, None] * 10,
            "b": [True, False, None] * 10,
            "x": pa.array([b"\x00", b"", None] * 10).cast(pa.binary()),
        }
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_tables_give_a_score_or_a_reason(name):
    table = STRANGE[name]
    report = judged(
        table,
        table,
        holdout=table,
        target=(table.column_names or [None])[0],
        metrics=[*METRICS, *(["utility"] if table.num_columns else [])],
        table=spec_of(table, x="binary"),
    )
    for score in report.scores:
        assert score.value is not None or score.details["why"]
    text = Report({"weather": report}, 3).to_json()
    assert "NaN" not in text
    assert "Infinity" not in text


def test_newer_layouts_are_compared_like_plain_ones(weather):
    real, synthetic = weather[0].slice(0, 300), drawn_apart(weather[0]).slice(0, 300)
    at = real.column_names.index("origin")

    def with_views(table):
        return table.set_column(at, "origin", table["origin"].cast(pa.string_view()))

    plain, views = (
        judged(change(real), change(synthetic), rows=200) for change in (lambda t: t, with_views)
    )
    assert plain.scores == views.scores


def dataset(tables):
    return DatasetSpec(tables={name: spec_of(table) for name, table in tables.items()})


def test_a_dataset_is_judged_table_by_table(weather):
    tables = {"weather": weather[0].slice(0, 200), "planes": shipped("planes").slice(0, 200)}
    sources = {name: TableSource(table) for name, table in tables.items()}
    held = {"weather": TableSource(weather[1])}
    chosen = ["column_shapes", "utility"]
    report = evaluate_dataset(
        sources, sources, holdout=held, spec=dataset(tables), target="planes.seats", metrics=chosen
    )
    assert list(report.tables) == ["weather", "planes"]
    assert report.score("utility") == report.score("utility", "planes")
    assert report.score("column_shapes", "planes").value == 1.0
    both = [report.score("column_shapes", name).value for name in tables]
    assert report.score("column_shapes").value == pytest.approx(np.mean(both))
    with pytest.raises(UsageError, match="no table 'trains'"):
        report.score("utility", "trains")
    with pytest.raises(UsageError, match=r"'year'.*weather\.year or planes\.year"):
        evaluate_dataset(sources, sources, spec=dataset(tables), target="year")
    with pytest.raises(UsageError, match="no column 'wings'"):
        evaluate_dataset(sources, sources, spec=dataset(tables), target="wings")
    with pytest.raises(SpecError, match="planes: the synthetic data has no such table"):
        evaluate_dataset(sources, held, spec=dataset(tables))


def test_without_a_target_every_table_has_its_own_and_with_one_no_other_table_has(weather):
    tables = {"weather": weather[0].slice(0, 600), "planes": shipped("planes").slice(0, 600)}
    sources = {name: TableSource(table) for name, table in tables.items()}
    options = {"spec": dataset(tables), "metrics": ["utility", "column_shapes"]}
    report = evaluate_dataset(sources, sources, **options)
    for table in report.tables.values():
        found = {score.columns for score in table.scores if score.metric == "utility"}
        assert () not in found
    report = evaluate_dataset(sources, sources, target="seats", **options)
    assert "utility" not in report.tables["weather"].overall
    (score,) = (s for s in report.tables["planes"].scores if s.metric == "utility")
    assert score.columns == ("seats",)


def test_rules_are_those_of_the_specification_or_what_the_real_rows_keep():
    real = shipped("flights", ["dep_time", "sched_dep_time", "hour", "minute"]).slice(0, 2_000)
    apart = drawn_apart(real)
    report = judged(real, apart, metrics=["rule_validity"])
    found = {score.details["what"]: score for score in report.scores}
    hour = next(score for what, score in found.items() if what.startswith("part: column hour"))
    assert hour.value < 0.2 < hour.floor == 1.0
    told = [{"rule": "clock", "options": {"column": "dep_time"}}]
    spec = spec_of(real).model_validate(spec_of(real).model_dump() | {"rules": told})
    (score,) = judged(real, apart, metrics=["rule_validity"], table=spec).scores
    assert (score.columns, score.value) == (("dep_time",), 1.0)


def test_the_report_speaks_to_people_and_programs(apart, tmp_path):
    report = Report({"weather": apart}, 3)
    text = report.summary()
    for word in ("Column shapes", "Pair trends", "Detection", "Closest records", "held-out"):
        assert word in text
    told = apart.score("detection").details["given_away_by"][0]["column"]
    line = next(line for line in text.splitlines() if "Detection" in line)
    assert told in line
    assert f"{apart.score('detection').value:.4f}" in line
    path = tmp_path / "made" / "report.json"
    report.to_json(path)
    read = json.loads(path.read_text())
    assert read == json.loads(json.dumps(report.to_dict()))
    assert read["format"] == 1
    table = read["tables"]["weather"]
    assert table["rows"] == {"real": 3_000, "synthetic": 3_000, "holdout": 3_000}
    assert table["overall"]["detection"]["value"] == apart.score("detection").value
    assert set(table["scores"][0]) == {f.name for f in dataclasses.fields(Score)}
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        report.to_json(tmp_path / "file" / "report.json")


def test_nested_tables_are_judged():
    leaf = ColumnSpec(type="integer", arrow="int64")
    struct = ColumnSpec(type="struct", arrow="struct", fields={"n": leaf})
    real = pa.table({"s": [{"n": 1}, {"n": 2}, None], "c": ["x", "y", "z"]})
    report = judged(real, real, table=spec_of(real, s=struct))
    assert report.score("column_shapes").value == 1.0
    assert report.scores[0].columns == ("s.n",)


def test_importing_loads_no_heavy_library():
    code = """
import sys
from simulacra.core import registry
from simulacra.core.registry import Kind
import simulacra.pipeline.evaluate
for name in registry.names(Kind.METRIC):
    registry.load(Kind.METRIC, name)
heavy = {"sklearn", "lightgbm", "scipy", "pandas", "numba", "rich", "torch"}
print(sorted(heavy & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
