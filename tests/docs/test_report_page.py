"""The examples of the page about the report, run on real flights."""

from metrics.samples import shipped
from pages import ROOT, python_of

PAGE = ROOT / "docs" / "report.md"
COLUMNS = ["carrier", "origin", "dest", "sched_dep_time", "distance"]


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flights = shipped("flights", COLUMNS)
    given = {"df": flights.slice(0, 600), "test": flights.slice(600, 600)}
    exec(compile(python_of(PAGE), PAGE, "exec"), given)
    written = {path.name for path in tmp_path.iterdir()}
    assert written == {"report.html", "distance.png", "pairs.svg", "projection.svg"}
