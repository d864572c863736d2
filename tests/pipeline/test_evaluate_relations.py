import dataclasses
import json

import numpy as np
import pyarrow as pa
import pytest
import yaml

from metrics.databases import (
    TPCH_KEYS,
    TPCH_REFERENCES,
    dataset,
    lean,
    nycflights,
    nycflights_spec,
    shuffled,
    sources_of,
    split_customers,
    tpch,
    tpch_spec,
    without_rows,
)
from simulacra.api import Metadata
from simulacra.api import evaluate as measure
from simulacra.cli.app import main
from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.errors import SpecError, UsageError
from simulacra.core.limits import Limits
from simulacra.core.scores import Score
from simulacra.pipeline.evaluate import evaluate_dataset

CHAIN = ("region", "nation", "customer", "orders", "lineitem")
RELATIONS = [
    "key_validity",
    "cardinality",
    "hop_trends",
    "joined_detection",
    "aggregate_detection",
]


@pytest.fixture(scope="module")
def thirds():
    """Three samples of customers with what hangs from them; lines without their parts."""
    tables = {name: table for name, table in lean(tpch()).items() if name in CHAIN}
    tables["lineitem"] = tables["lineitem"].drop_columns(["l_partkey", "l_suppkey"])
    return split_customers(tables, 3)


def chain_spec(tables):
    references = {name: TPCH_REFERENCES[name][:1] for name in CHAIN[1:]}
    return dataset(tables, TPCH_KEYS, references)


def judged(real, synthetic, *, spec, holdout=None, **options):
    options = {"metrics": RELATIONS, "rows": 3_000, "seed": 4} | options
    return evaluate_dataset(
        sources_of(real),
        sources_of(synthetic),
        holdout=None if holdout is None else sources_of(holdout),
        spec=spec,
        **options,
    )


@pytest.fixture(scope="module")
def alike(thirds):
    real, second, holdout = thirds
    return judged(real, second, spec=chain_spec(real), holdout=holdout)


@pytest.fixture(scope="module")
def broken(thirds):
    real, second, holdout = thirds
    damaged = shuffled(without_rows(second, "customer", 0.2), "lineitem", "l_orderkey")
    return judged(real, damaged, spec=chain_spec(real), holdout=holdout)


def test_a_second_sample_scores_at_the_floor(alike):
    assert alike.score("key_validity").value == 1.0
    for metric in ("hop_trends_1", "hop_trends_2"):
        # Some 500 customers a sample; contingencies of 125 cells are as far apart by chance.
        score = alike.score(metric)
        assert abs(score.value - score.floor) < 0.03, metric
    for metric in ("joined_detection", "aggregate_detection"):
        score = alike.score(metric, "lineitem")
        assert abs(score.value - score.floor) < 0.06, metric
    score = alike.score("cardinality", "orders")
    assert (score.value < 0.08, score.floor < 0.08) == (True, True)


def test_broken_keys_show_in_every_measure(alike, broken):
    validity = broken.score("key_validity", "orders")
    assert validity.details["lowest"][0]["value"] == pytest.approx(0.8, abs=0.04)
    trends = [report.score("hop_trends_1", "lineitem").value for report in (alike, broken)]
    assert trends[1] < trends[0] - 0.02
    joined = broken.score("joined_detection", "lineitem")
    assert joined.value > 0.95
    assert joined.floor < 0.55
    assert broken.score("aggregate_detection", "lineitem").value > 0.9


def test_the_report_speaks_of_relations(broken, tmp_path):
    text = broken.summary(width=120)
    for word in ("foreign key", "lineitem(l_orderkey) → orders", "C2ST", "Key validity", "floor"):
        assert word in text
    assert "orders(o_custkey)" in text
    read = json.loads(broken.to_json(tmp_path / "report.json"))
    assert read["format"] == 1
    told = read["relations"]
    assert told["rows"]["lineitem"]["real"] == broken.tables["lineitem"].rows["real"] > 10_000
    assert told["foreign_keys"][0] == "nation(n_regionkey) → region"
    assert told["overall"]["cardinality"]["value"] == broken.score("cardinality").value
    assert {f.name for f in dataclasses.fields(Score)} == set(told["scores"][0])
    assert "erDiagram" in broken.diagram()
    assert repr(broken.relations).startswith("RelationsReport(4 foreign keys: key_validity")
    with pytest.raises(UsageError, match="'cardinality' was not measured on region"):
        broken.score("cardinality", "region")


def test_keys_are_checked_alone_without_reading_more_than_keys():
    tables = lean(tpch())
    wanted = {"l_orderkey", "l_linenumber", "l_partkey", "l_suppkey"}
    asked = set()

    class Watched(TableSource):
        def batches(self, columns=None, *, batch_rows=65_536):
            if batch_rows > 100_000:  # not the look at the first rows
                asked.update(columns)
            return super().batches(columns, batch_rows=batch_rows)

    sources = sources_of(tables)
    sources["lineitem"] = Watched(tables["lineitem"])
    report = evaluate_dataset(
        sources, sources, spec=tpch_spec(tables), metrics=["key_validity", "cardinality"]
    )
    assert asked == wanted
    assert report.score("cardinality").value == 0.0
    assert report.tables["lineitem"].scores == ()
    assert report.tables["lineitem"].rows == {"real": 60_175, "synthetic": 60_175}


def test_tables_without_keys_are_measured_as_ever():
    table = {"a": pa.table({"x": [1, 2, 3]})}
    spec = dataset(table)
    report = judged(table, table, spec=spec, metrics=["column_shapes"])
    assert report.relations is None
    assert "relations" not in report.to_dict()
    assert judged(table, table, spec=spec, metrics=None).relations is None
    with pytest.raises(UsageError, match="'cardinality' finds nothing to measure"):
        judged(table, table, spec=spec, metrics=["cardinality"])
    with pytest.raises(UsageError, match="no diagram"):
        type(report)(report.tables, 0).diagram()


def test_foreign_keys_are_left_out_of_what_compares_tables(thirds):
    real, second, _ = thirds
    far = {**second, "orders": shuffled(second, "orders", "o_custkey")["orders"]}
    keys = pa.compute.add(far["orders"]["o_custkey"], 5_000_000)
    far["orders"] = far["orders"].set_column(1, "o_custkey", keys)
    chosen = {name: real[name] for name in ("customer", "orders")}
    spec = dataset(
        chosen,
        {"customer": ["c_custkey"], "orders": ["o_orderkey"]},
        {"orders": [("o_custkey", "customer", "c_custkey")]},
    )
    report = judged(chosen, far, spec=spec, metrics=["column_shapes", "detection", "validity"])
    shapes = {
        score.columns[0]: score
        for score in report.tables["orders"].scores
        if score.metric == "column_shapes"
    }
    left = report.score("detection", "orders").details["left_out"]
    assert "foreign key" in left["o_custkey"]
    assert shapes["o_custkey"].value is None
    assert report.score("detection", "orders").value < 0.65
    assert report.score("validity", "orders").value == pytest.approx(1.0, abs=0.01)


def test_a_foreign_key_may_be_the_target():
    tables = nycflights(1_500)
    chosen = {
        "airlines": tables["airlines"],
        "flights": tables["flights"].select(["carrier", "distance", "origin"]),
    }
    references = {"flights": [("carrier", "airlines", "carrier")]}
    spec = dataset(chosen, {"airlines": ["carrier"]}, references)
    report = judged(chosen, chosen, spec=spec, metrics=["utility"], target="flights.carrier")
    assert report.score("utility", "flights").value is not None


def test_a_hold_out_of_some_tables_shares_the_rest():
    tables = nycflights(6_000)
    flights = tables["flights"]
    real = {**tables, "flights": flights.take(np.arange(0, 6_000, 2))}
    held = {"flights": flights.take(np.arange(1, 6_000, 2))}
    report = judged(
        real,
        real,
        spec=nycflights_spec(tables),
        holdout=held,
        metrics=["cardinality", "hop_trends"],
    )
    assert "taken to be as in the real data: airlines, airports" in report.relations.notes[0]
    score = report.score("hop_trends_1")
    assert score.value == score.floor > 0.9
    assert report.score("cardinality").floor < 0.2


def test_what_memory_cannot_hold_is_drawn_smaller_and_said(thirds):
    real, _, _ = thirds
    ctx = RunContext(Limits(memory=64 * 2**20, threads=1))
    report = judged(real, real, spec=chain_spec(real), rows=50_000, metrics=["hop_trends"], ctx=ctx)
    assert "of a table at most, as many as memory holds" in report.relations.notes[0]


def test_newer_layouts_are_joined_like_plain_ones():
    tables = nycflights(1_500)
    spec = nycflights_spec(tables)

    def views(side):
        fields = [
            field.with_type(pa.string_view()) if pa.types.is_large_string(field.type) else field
            for field in side.schema
        ]
        return side.cast(pa.schema(fields))

    newer = {name: views(table) for name, table in tables.items()}
    metrics = ["key_validity", "cardinality", "hop_trends"]
    plain, viewed = (judged(t, t, spec=spec, rows=500, metrics=metrics) for t in (tables, newer))
    assert plain.relations.scores == viewed.relations.scores


def test_missing_columns_and_tables_are_named(thirds):
    real, _, _ = thirds
    spec = chain_spec(real)
    lacking = {**real, "orders": real["orders"].drop_columns(["o_custkey"])}
    with pytest.raises(SpecError, match=r"orders\.o_custkey: the synthetic data has no such"):
        judged(real, lacking, spec=spec)
    del lacking["orders"]
    with pytest.raises(SpecError, match="orders: the synthetic data has no such table"):
        judged(real, lacking, spec=spec)


def test_empty_tables_give_reasons(thirds):
    real, _, _ = thirds
    nothing = {name: table.slice(0, 0) for name, table in real.items()}
    report = judged(nothing, nothing, spec=chain_spec(real))
    assert all(score.value is None and score.details["why"] for score in report.relations.scores)
    assert "NaN" not in report.to_json()


def test_the_command_prints_tables_keys_and_a_diagram(tmp_path, monkeypatch, capsys):
    import pyarrow.parquet as pq

    tables = nycflights(1_000)
    for side in ("real", "copy"):
        (tmp_path / side).mkdir()
        for name, table in tables.items():
            pq.write_table(table, tmp_path / side / f"{name}.parquet")
    spec = tmp_path / "spec.yaml"
    Metadata(nycflights_spec(tables)).save(spec)
    assert len(yaml.safe_load(spec.read_text())["tables"]["flights"]["foreign_keys"]) == 5
    arguments = [str(tmp_path / "real"), str(tmp_path / "copy"), "--spec", str(spec), "-q"]
    chosen = ["--metric", "key_validity", "--metric", "cardinality"]

    def run(*more):
        monkeypatch.setattr("sys.argv", ["simulacra", "evaluate", *arguments, *chosen, *more])
        with pytest.raises(SystemExit) as ending:
            main()
        return ending.value.code, capsys.readouterr()

    code, said = run("--diagram")
    assert code == 0
    assert "flights(tailnum) → planes" in said.out
    assert '"planes" |o--o{ "flights" : "tailnum"' in said.out
    assert run("--json", "-", "--diagram")[0] == 2
    report = measure(tables, tables, metadata=Metadata.load(spec), metrics=["cardinality"])
    assert report.score("cardinality", "flights").value == 0.0
