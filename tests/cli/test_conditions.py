"""Conditions and imputation on the command line."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simulacra.cli.conditions import balance_shares, fairness, given_values
from simulacra.core.errors import UsageError
from simulacra.pipeline.conditions.wanted import between


@pytest.fixture
def people(tmp_path):
    rng = np.random.default_rng(0)
    age = rng.integers(18, 90, 3_000)
    city = np.where(age > 60, "Bern", rng.choice(["Rome", "Oslo"], 3_000))
    path = tmp_path / "people.parquet"
    pq.write_table(
        pa.table({"age": pa.array(age, mask=rng.random(3_000) < 0.1), "city": city}), path
    )
    return path


def test_rows_with_given_values_are_drawn(simulacra, people, tmp_path):
    assert simulacra("fit", people, "-o", tmp_path / "m.sim", "-q").code == 0
    drawn = tmp_path / "drawn.csv"
    given = ["--given", "city=Bern,Oslo", "--given", "age=50..70"]
    assert simulacra("sample", tmp_path / "m.sim", drawn, "--rows", 200, *given, "-q").code == 0
    rows = [line.split(",") for line in drawn.read_text().splitlines()[1:]]
    assert len(rows) == 200
    assert {city.strip('"') for _, city in rows} == {"Bern", "Oslo"}
    assert all(50 <= int(age) <= 70 for age, _ in rows)


def test_balance_gives_shares(simulacra, people, tmp_path):
    simulacra("fit", people, "-o", tmp_path / "m.sim", "-q")
    drawn = tmp_path / "drawn.parquet"
    balance = ["--balance", "city=Bern:0.5,Oslo:0.25"]
    assert simulacra("sample", tmp_path / "m.sim", drawn, "--rows", 400, *balance, "-q").code == 0
    cities = pq.read_table(drawn)["city"].to_pylist()
    assert [cities.count(city) for city in ("Bern", "Oslo", "Rome")] == [200, 100, 100]


def test_nulls_are_filled(simulacra, people, tmp_path):
    filled = tmp_path / "filled.parquet"
    result = simulacra("impute", people, filled, "-q")
    assert result.code == 0
    before, after = pq.read_table(people), pq.read_table(filled)
    assert after["age"].null_count == 0
    assert f"{before['age'].null_count:,} values filled in" in result.err
    known = before["age"].is_valid()
    assert after.filter(known).equals(before.filter(known))
    holes = after.filter(before["age"].is_null()).to_pydict()
    wrong = [
        age for age, city in zip(*holes.values(), strict=True) if (city == "Bern") != (age > 60)
    ]
    assert len(wrong) <= 0.03 * len(holes["age"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--given", "city"], "Write it as COLUMN=VALUE"),
        (["--given", "town=Bern"], "people.town: there is no such column"),
        (["--given", "city=Paris"], "no row that was learned has the value 'Paris'"),
        (["--balance", "city=Bern"], "Write it as COLUMN=VALUE:0.5"),
        (["--balance", "city=Bern:1.5"], "sum to 1.5"),
        (["--given", "city=Bern", "--resume"], "can't be resumed"),
    ],
)
def test_bad_conditions_are_told_and_leave_nothing(simulacra, people, tmp_path, arguments, message):
    simulacra("fit", people, "-o", tmp_path / "m.sim", "-q", "--model", "independent")
    result = simulacra("sample", tmp_path / "m.sim", tmp_path / "drawn.csv", *arguments, "-q")
    assert result.code == 2
    assert message in result.err
    assert not (tmp_path / "drawn.csv").exists()


def test_how_conditions_are_written():
    assert given_values(["a=1", "b=x,y", "c=..5", "d=null", 'e=["a,b"]', "f=1..2"], ["t"]) == {
        "a": "1",
        "b": ["x", "y"],
        "c": between(most="5"),
        "d": None,
        "e": ["a,b"],
        "f": between("1", "2"),
    }
    assert given_values(["t.a=1", "u.a=2"], ["t", "u"]) == {"t": {"a": "1"}, "u": {"a": "2"}}
    assert given_values(["a.b=1"], ["t"]) == {"a.b": "1"}
    assert balance_shares(["c=a:b:0.5,d:0.1"]) == {"c": {"a:b": 0.5, "d": 0.1}}
    with pytest.raises(UsageError, match="doesn't say of which table"):
        given_values(["a=1"], ["t", "u"])


def test_temperature_and_top_p_are_passed_on(simulacra, people, tmp_path):
    fit = ["fit", people, "-o", tmp_path / "m.sim", "--model", "independent", "-q"]
    assert simulacra(*fit).code == 0
    drawn = tmp_path / "drawn.parquet"
    boldly = ["--temperature", "0.5", "--top-p", "0.6"]
    assert simulacra("sample", tmp_path / "m.sim", drawn, "--rows", 400, *boldly, "-q").code == 0
    # The most frequent city has 0.42 of the rows; squared, 0.50 of the mass: two are the nucleus.
    assert len(set(pq.read_table(drawn)["city"].to_pylist())) == 2
    synth = ["synth", people, tmp_path / "all.parquet", "--model", "copula", "--top-p", "0.6", "-q"]
    refused = simulacra(*synth)
    assert refused.code != 0
    assert "copula knows no temperature" in refused.err
    assert not (tmp_path / "all.parquet").exists()


def test_fairness_is_drawn_and_measured(simulacra, tmp_path):
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], 2_000)
    paid = np.where(rng.random(2_000) < np.where(sex == "m", 0.6, 0.3), "yes", "no")
    real, drawn = tmp_path / "real.parquet", tmp_path / "drawn.parquet"
    pq.write_table(pa.table({"sex": sex, "paid": paid}), real)
    simulacra("fit", real, "-o", tmp_path / "m.sim", "-q")
    fair = ["--fair", "paid=sex", "-q"]
    assert simulacra("sample", tmp_path / "m.sim", drawn, "--rows", 1_000, *fair).code == 0
    measured = ["--metric", "demographic_parity", "--model-file", tmp_path / "m.sim"]
    result = simulacra("evaluate", real, drawn, *fair, *measured, "--json", "-")
    assert result.code == 0
    report = json.loads(result.out)
    (table,) = report["tables"].values()
    score = table["overall"]["demographic_parity_difference"]
    assert score["value"] < 0.01
    assert score["details"]["real"] > 0.2
    assert report["about"]["model"].startswith("model forest")


@pytest.mark.parametrize("text", ["income", "=sex", "income=", "income=sex,"])
def test_what_says_nothing_of_fairness_is_refused(text):
    with pytest.raises(UsageError, match="--fair"):
        fairness(text)
