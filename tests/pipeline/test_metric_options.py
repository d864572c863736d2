import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import drawn_apart, halves, shipped, spec_of
from simulacra.core.batches import TableSource
from simulacra.core.errors import SpecError, UsageError
from simulacra.core.schema import DatasetSpec
from simulacra.pipeline.evaluate import evaluate, evaluate_dataset
from simulacra.pipeline.metric_options import options_by_table

COLUMNS = ["origin", "month", "hour", "temp"]


@pytest.fixture(scope="module")
def weather():
    return halves(shipped("weather", COLUMNS), rows=600)


@pytest.fixture(scope="module")
def two():
    """Return two tables, their specification, and the same tables again."""
    weather = shipped("weather", COLUMNS).slice(0, 300)
    other = pa.table({"age": np.arange(300) % 40, "month": np.arange(300) % 12})
    spec = DatasetSpec(tables={"weather": spec_of(weather), "people": spec_of(other)})
    sources = {"weather": TableSource(weather), "people": TableSource(other)}
    return sources, spec


def measured(report):
    return {score.metric for score in report.scores}


def test_options_ask_for_their_metrics(weather):
    real, holdout = (TableSource(table) for table in weather)
    fresh = TableSource(drawn_apart(weather[0], seed=3))
    plain = evaluate(real, fresh, holdout=holdout, table=spec_of(weather[0]))
    assert not {"k_anonymity", "shadow_membership"} & measured(plain)
    asked = evaluate(
        real,
        fresh,
        holdout=holdout,
        table=spec_of(weather[0]),
        metrics=["rare_values"],
        options={
            "quasi_identifiers": ["origin", "hour"],
            "generator": drawn_apart,
            "shadows": 2,
            "k": 3,
        },
    )
    assert measured(asked) == {
        "rare_values",
        "unique_matches",
        "k_anonymity",
        "l_diversity",
        "shadow_membership",
        "shadow_membership_hits_at_1_percent",
        "shadow_membership_hits_at_0.1_percent",
    }
    assert asked.score("k_anonymity").details["quasi_identifiers"] == ["origin", "hour"]
    assert asked.score("shadow_membership").details["shadows"] == 2
    assert asked.score("rare_values").details["k"] == 3


def test_columns_are_those_of_tables_that_have_them(two):
    sources, spec = two
    report = evaluate_dataset(
        sources,
        sources,
        spec=spec,
        metrics=["k_anonymity", "column_shapes"],
        options={"quasi_identifiers": ["weather.hour", "origin"]},
    )
    weather, people = report.tables["weather"], report.tables["people"]
    assert weather.score("k_anonymity").details["quasi_identifiers"] == ["hour", "origin"]
    assert measured(people) == {"column_shapes"}
    every = options_by_table({"quasi_identifiers": "month", "k": 3}, spec)
    assert every == {
        "weather": {"quasi_identifiers": ["month"], "k": 3},
        "people": {"quasi_identifiers": ["month"], "k": 3},
    }


def test_generators_are_given_by_table(two):
    _, spec = two
    found = options_by_table({"generator": {"people": drawn_apart}}, spec)
    assert found == {"weather": {}, "people": {"generator": drawn_apart}}
    with pytest.raises(UsageError, match="one generator is given for several tables"):
        options_by_table({"generator": drawn_apart}, spec)
    with pytest.raises(UsageError, match="'persons'"):
        options_by_table({"generator": {"persons": drawn_apart}}, spec)
    alone = DatasetSpec(tables={"people": spec.tables["people"]})
    assert options_by_table({"generator": drawn_apart}, alone) == {
        "people": {"generator": drawn_apart}
    }


def test_what_is_not_there_is_refused(two, weather):
    sources, spec = two
    with pytest.raises(UsageError, match="no column 'postcode' to be one of the quasi identifiers"):
        options_by_table({"quasi_identifiers": ["month", "postcode"]}, spec)
    with pytest.raises(UsageError, match="needs quasi-identifiers"):
        evaluate_dataset(sources, sources, spec=spec, metrics=["k_anonymity"])
    real = TableSource(weather[0])
    with pytest.raises(SpecError, match="no such quasi-identifier"):
        evaluate(real, real, table=spec_of(weather[0]), options={"quasi_identifiers": ["x"]})
