"""Reports as JSON, Markdown and side by side."""

import json
from pathlib import Path

import jsonschema
import pyarrow as pa
import pytest

import simulacra
from metrics.samples import drawn_apart, halves, shipped
from simulacra.core.errors import UsageError
from simulacra.pipeline.reports.markdown import table
from simulacra.pipeline.reports.report import Report
from simulacra.testing.databases import shop

PUBLISHED = Path(__file__).parents[3] / "docs" / "reference" / "report.schema.json"
METRICS = ["column_shapes", "pair_trends", "detection"]


@pytest.fixture(scope="module")
def weather():
    return halves(shipped("weather", ["temp", "humid", "origin", "wind_dir"]), rows=2_000)


@pytest.fixture(scope="module")
def comparison(weather):
    real, holdout = weather
    copies = {"apart": drawn_apart(real), "itself": real}
    return simulacra.compare(real, copies, holdout=holdout, metrics=METRICS, seed=1)


@pytest.fixture(scope="module")
def shops():
    metrics = ["column_shapes", "key_validity", "cardinality"]
    return simulacra.evaluate(shop(), shop(seed=1), metrics=metrics)


def test_json_follows_the_published_schema(comparison, shops):
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert schema == Report.json_schema()
    for report in (*comparison.reports.values(), shops):
        found = json.loads(report.to_json())
        jsonschema.validate(found, schema)
        broken = found | {"grades": 1}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


def test_json_says_where_the_data_came_from(comparison):
    about = comparison.reports["apart"].to_dict()["about"]
    assert about["real"] == "a Table in memory"
    assert about["metrics"] == METRICS
    assert about["simulacra"] == simulacra.__version__


def test_copies_are_compared_line_by_line_and_the_best_is_marked(comparison):
    lines = {
        cells[1]: cells
        for line in comparison.to_markdown().splitlines()[2:]
        if (cells := [cell.strip() for cell in line.strip("|").split("|")])
    }
    trends = [r.score("pair_trends") for r in comparison.reports.values()]
    assert lines["Pair trends"][2:] == [
        f"{trends[0].value:.4f}",
        f"★{trends[1].value:.4f}",
        f"{trends[0].floor:.4f}",
        "1",
    ]
    assert lines["Detection (C2ST AUC)"][3].startswith("★")
    assert lines["quality"][3].startswith("★")
    assert set(comparison.to_dict()["copies"]) == {"apart", "itself"}
    assert "apart" in comparison.summary()


def test_databases_and_what_has_learned_are_compared_too(shops, tmp_path):
    synthesizer = simulacra.Synthesizer("independent").fit(shop())
    synthesizer.save(tmp_path / "shop.sim")
    metrics = ["key_validity", "cardinality"]
    copies = {"bundle": tmp_path / "shop.sim", "memory": synthesizer, "other": shop(seed=1)}
    found = simulacra.compare(shop(), copies, metrics=metrics)
    scores = {name: report.score("cardinality") for name, report in found.reports.items()}
    assert scores["bundle"] == scores["memory"]
    assert scores["other"].value == shops.score("cardinality").value
    assert "all tables" in found.to_markdown()


def test_nothing_to_compare_is_an_error(weather):
    with pytest.raises(UsageError, match="nothing to compare"):
        simulacra.compare(weather[0], {})


def test_markdown_holds_grades_scores_and_the_diagram(comparison, shops, tmp_path):
    report = comparison.reports["apart"]
    text = report.to_markdown(tmp_path / "report.md")
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == text
    score = report.score("pair_trends")
    assert f"| Pair trends | fidelity | {score.value:.4f} |" in text
    assert "## What to mend first" in text
    assert "- simulacra: " + simulacra.__version__ in text
    assert "```mermaid\nerDiagram" in shops.to_markdown()


def test_markdown_shows_names_as_they_are():
    shown = table(["a"], ["---"], [["x|y_z *b*\n<i>`c`</i> [d]"]])
    assert shown.splitlines()[2] == r"| x\|y\_z \*b\* \<i>\`c\`\</i> \[d] |"


def test_column_names_with_markup_stay_text():
    name = "a|b*<script>"
    real = pa.table({name: [1.0, 2.0, 3.0] * 10, "c": ["x", "y"] * 15})
    made = pa.table({name: [9.0, 9.0, 9.0] * 10, "c": ["x", "x"] * 15})
    text = simulacra.evaluate(real, made, metrics=["column_shapes"]).to_markdown()
    assert "<script>" not in text.replace("\\<script>", "")
