from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import measure, shipped, spec_of
from simulacra.metrics.privacy.rare_values import RareValues

COLUMNS = ["origin", "temp", "humid", "wind_gust", "precip", "time_hour"]


def rare(*tables, **options):
    (score,) = measure(RareValues(), *tables, **options)
    return score


@pytest.fixture(scope="module")
def weather():
    table = shipped("weather", COLUMNS)
    order = np.random.default_rng(2).permutation(table.num_rows)
    return [table.take(order[i * 2_000 : (i + 1) * 2_000]) for i in range(3)]


def counted(real, other, limit):
    """Return the share of rare values that come back, by column, counted one by one."""
    found = {}
    for name in real.column_names:
        counts = Counter(v for v in real[name].to_pylist() if v is not None)
        few = {value for value, count in counts.items() if count < limit}
        if len(few) >= 10:
            found[name] = len(few & set(other[name].to_pylist())) / len(few)
    return found


@pytest.mark.parametrize("limit", [3, 10])
def test_shares_are_those_counted_one_by_one(weather, limit):
    real, holdout, fresh = weather
    score = rare(real, fresh, holdout=holdout, k=limit)
    shares, floors = (counted(real, other, limit) for other in (fresh, holdout))
    assert score.value == pytest.approx(np.mean(list(shares.values())))
    assert score.floor == pytest.approx(np.mean(list(floors.values())))
    assert score.details["columns_with_rare_values"] == len(shares)
    for told in score.details["columns"]:
        assert told["share"] == pytest.approx(shares[told["column"]])
        assert told["floor"] == pytest.approx(floors[told["column"]])


def test_copied_rows_bring_rare_values_back(weather):
    real, holdout, fresh = weather
    found = [
        rare(
            real,
            pa.concat_tables([real.slice(0, copied), fresh.slice(copied)]),
            holdout=holdout,
        )
        for copied in (0, 1_000, 1_500, 2_000)
    ]
    values = [score.value for score in found]
    assert values == sorted(values)
    assert values[-1] == 1.0
    assert found[0].interval[0] <= found[0].floor <= found[0].interval[1]
    verdicts = [score.details["verdict"].split(":")[0] for score in found]
    assert verdicts == ["No leak found", "Leak", "Leak", "Leak"]


def test_rare_names_that_are_made_up_are_no_disclosure():
    real, holdout, synthetic = (
        pa.table({"name": [f"{mark}{i}" for i in range(100)], "x": [1] * 100}) for mark in "abc"
    )
    score = rare(real, synthetic, holdout=holdout)
    assert (score.value, score.floor) == (0.0, 0.0)
    copied = rare(real, real, holdout=holdout)
    assert (copied.value, copied.floor) == (1.0, 0.0)
    assert copied.details["columns"] == [
        {"column": "name", "rare_values": 100, "share": 1.0, "floor": 0.0}
    ]


def test_more_rows_are_no_advantage(weather):
    real, holdout, fresh = weather
    # Twice as many synthetic rows hold more rare values, as would twice as many held-out ones.
    score = rare(real, pa.concat_tables([fresh, fresh, holdout]), holdout=holdout)
    assert score.details["synthetic_rows"] == holdout.num_rows


def test_without_a_holdout_chance_is_unknown(weather):
    real, _, fresh = weather
    score = rare(real, fresh)
    assert score.floor is None
    assert "nobody can say" in score.details["verdict"]


def test_nothing_rare_has_a_reason():
    table = pa.table({"x": ["a", "b"] * 20, "id": np.arange(40)})
    score = rare(table, table, holdout=table, table=spec_of(table, primary_key=["id"]))
    assert score.value is None
    assert "no column has 10 values" in score.details["why"]
