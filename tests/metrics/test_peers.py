"""Values of metrics that SDMetrics has too, found by benchmarks/peers/scripts/run_sdmetrics.py.

Nulls are where both differ: here a null is a category of its own and stands below every number,
there it is dropped from shapes. So only columns without nulls are compared, but for their shares.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from metrics.databases import dataset, related
from metrics.samples import measure, shipped, spec_of
from real_data import real_data
from simulacra.core import registry
from simulacra.core.registry import Kind
from simulacra.metrics.cardinality import Cardinality
from simulacra.metrics.key_validity import KeyValidity

EXPECTED = Path(__file__).parent / "expected"
OURS = {
    "KSComplement": "column_shapes",
    "TVComplement": "column_shapes",
    "MissingValueSimilarity": "missing_values",
    "RangeCoverage": "coverage",
    "CategoryCoverage": "coverage",
    "BoundaryAdherence": "validity",
    "CategoryAdherence": "validity",
    "CorrelationSimilarity": "pair_trends",
    "ContingencySimilarity": "pair_trends",
}
CATEGORIES = {"weather": ["month"], "flights": ["month"], "adult": []}
NYCFLIGHTS = json.loads((EXPECTED / "sdmetrics-nycflights.json").read_text())
ADULT = json.loads((EXPECTED / "sdmetrics-adult.json").read_text())


def halves(table):
    half = table.num_rows // 2
    return table.slice(0, half), table.slice(half, half)


def check(name, table, expected):
    real, synthetic = halves(table)
    spec = spec_of(table, **dict.fromkeys(CATEGORIES[name], "category"))
    found = {}
    for metric in set(OURS.values()):
        for score in measure(registry.load(Kind.METRIC, metric), real, synthetic, table=spec):
            found[metric, frozenset(score.columns)] = score
    for told in expected:
        score = found[OURS[told["metric"]], frozenset(told["columns"])]
        value = told["value"]
        if told["metric"] == "TVComplement":
            # SDMetrics sums shares in few digits. Of halves, they are multiples of one row's.
            exact = round(value * real.num_rows) / real.num_rows
            assert abs(exact - value) < 1e-8
            value = exact
        assert score.value == pytest.approx(value, abs=1e-9), told
        if score.interval is not None:
            assert score.interval[0] <= score.value <= score.interval[1]
    return {told["metric"] for told in expected}


@pytest.mark.parametrize("name", ["weather", "flights"])
def test_scores_of_shipped_tables_equal_those_of_sdmetrics(name):
    assert check(name, shipped(name), NYCFLIGHTS["tables"][name]) == set(OURS)


def test_scores_of_adult_equal_those_of_sdmetrics():
    table = pq.read_table(real_data("adult.parquet")).replace_schema_metadata(None)
    assert check("adult", table, ADULT["tables"]["adult"]) == set(OURS)


def test_scores_of_keys_equal_those_of_sdmetrics():
    flights, planes = shipped("flights", ["tailnum"]), shipped("planes", ["tailnum"])
    known = flights["tailnum"].combine_chunks()
    flights = flights.filter(pa.compute.is_in(known, planes["tailnum"].combine_chunks()))
    learned, copied = halves(flights)
    every = np.arange(planes.num_rows)
    fewer, twice = planes.take(every[::2]), pa.concat_tables([planes, planes.slice(0, 100)])
    of_fewer = copied.filter(
        pa.compute.is_in(copied["tailnum"].combine_chunks(), fewer["tailnum"].combine_chunks())
    )
    real = {"planes": planes, "flights": learned}
    spec = dataset(real, {"planes": ["tailnum"]}, {"flights": [("tailnum", "planes", "tailnum")]})

    def value(metric, what, synthetic):
        return related(metric, spec, real, synthetic)[metric.name, what].value

    expected = NYCFLIGHTS["relations"]
    repeated = value(KeyValidity(), "planes(tailnum)", {**real, "planes": twice})
    assert repeated == pytest.approx(expected["KeyUniqueness"], abs=1e-9)
    lost = {"planes": fewer, "flights": copied}
    held = value(KeyValidity(), "flights(tailnum)", lost)
    assert held == pytest.approx(expected["ReferentialIntegrity"], abs=1e-9)
    # Ours is the distance, theirs its complement.
    apart = value(Cardinality(), "flights(tailnum)", {"planes": fewer, "flights": of_fewer})
    assert 1 - apart == pytest.approx(expected["CardinalityShapeSimilarity"], abs=1e-9)
