"""The command line's report with charts."""

import sys

import pyarrow.parquet as pq
import pytest

from metrics.samples import shipped


@pytest.fixture
def sides(tmp_path):
    weather = shipped("weather")
    paths = [tmp_path / "real.parquet", tmp_path / "synthetic.parquet"]
    for place, path in enumerate(paths):
        pq.write_table(weather.slice(1_000 * place, 1_000), path)
    return [*paths, "--metric", "column_shapes", "-q"]


def test_the_report_is_a_page_that_says_where_the_data_came_from(simulacra, sides, tmp_path):
    result = simulacra("evaluate", *sides, "--report", tmp_path / "report.html")
    assert result.code == 0
    text = (tmp_path / "report.html").read_text("utf-8")
    assert text.startswith("<!doctype html>")
    assert "<svg" in text
    for side in sides[:2]:
        assert str(side) in text


def test_a_report_never_goes_over_what_is_read(simulacra, sides):
    before = sides[0].read_bytes()
    result = simulacra("evaluate", *sides, "--report", sides[0])
    assert result.code == 2
    assert sides[0].read_bytes() == before


def test_what_is_missing_is_said_before_anything_is_read(simulacra, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "altair", None)
    nowhere = tmp_path / "nowhere.parquet"
    result = simulacra("evaluate", nowhere, nowhere, "--report", tmp_path / "report.html")
    assert result.code == 2
    assert "pip install 'simulacra[charts]'" in " ".join(result.err.split())
    assert list(tmp_path.iterdir()) == []
