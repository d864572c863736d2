import json

import pyarrow.parquet as pq
import pytest

from metrics.samples import shipped


@pytest.fixture
def sides(tmp_path):
    weather = shipped("weather", ["origin", "month", "hour", "temp"])
    paths = [tmp_path / "real.parquet", tmp_path / "synthetic.parquet"]
    for place, path in enumerate(paths):
        pq.write_table(weather.slice(1_000 * place, 1_000), path)
    return [*paths, "--metric", "rare_values", "-q"]


def test_quasi_identifiers_ask_for_k_anonymity(simulacra, sides):
    result = simulacra("evaluate", *sides, "--quasi-identifiers", "origin, hour", "--json", "-")
    assert result.code == 0, result.err
    (table,) = json.loads(result.out)["tables"].values()
    assert {"rare_values", "unique_matches", "k_anonymity", "l_diversity"} == set(table["overall"])
    details = table["overall"]["k_anonymity"]["details"]
    assert details["quasi_identifiers"] == ["origin", "hour"]


@pytest.mark.parametrize(
    ("names", "said"), [("origin,,hour", "no column between"), ("postcode", "'postcode'")]
)
def test_names_that_are_wrong_are_refused(simulacra, sides, names, said):
    result = simulacra("evaluate", *sides, "--quasi-identifiers", names)
    assert result.code == 2
    assert said in result.err
