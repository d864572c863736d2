import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import normalized_mutual_info_score

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.metrics.mutual_information import (
    BINS,
    MOST_CATEGORIES,
    MutualInformation,
    normalised,
)

METRIC = MutualInformation()


def labels(values, reference, *, category):
    if category:
        return values.astype(object).where(values.notna(), None).map(str).to_numpy(str)
    ordered = np.sort(reference.dropna())
    edges = np.unique([ordered[k * len(ordered) // BINS] for k in range(1, BINS)])
    return np.where(values.isna(), -1, np.searchsorted(edges, values, side="right"))


def test_every_pair_of_real_data_agrees_with_scikit_learn():
    columns = ["origin", "month", "hour", "temp", "wind_dir", "wind_gust", "pressure"]
    real, other = halves(shipped("weather", columns), rows=3_000)
    other = drawn_apart(other)
    table = spec_of(real, month="category", wind_dir="category")
    scores = measure(METRIC, real, other, table=table)
    assert len(scores) == 21
    for score in scores:
        found = []
        for side in (real, other):
            pair = [
                labels(
                    side[name].to_pandas(),
                    real[name].to_pandas(),
                    category=table.columns[name].type == "category",
                )
                for name in score.columns
            ]
            found.append(normalized_mutual_info_score(*pair))
        assert score.details["reference_information"] == pytest.approx(found[0], abs=1e-9)
        assert score.details["synthetic_information"] == pytest.approx(found[1], abs=1e-9)
        assert score.value == pytest.approx(1 - abs(found[0] - found[1]), abs=1e-9)
        assert score.interval[0] <= score.value <= score.interval[1]
    assert min(score.value for score in scores) < 0.85
    assert all(score.floor > 0.97 for score in scores)


def test_it_sees_dependence_that_no_correlation_shows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=5_000)
    bent = pa.table({"x": x, "y": x**2})
    apart = pa.table({"x": x, "y": rng.permutation(x**2)})
    (score,) = measure(METRIC, bent, apart)
    assert score.details["reference_information"] > 0.6
    assert score.details["synthetic_information"] < 0.01


def test_rare_categories_are_one():
    rng = np.random.default_rng(0)
    names = [str(i) for i in range(MOST_CATEGORIES)] * 40 + [f"rare {i}" for i in range(2_000)]
    table = pa.table({"a": names, "b": rng.permutation(names)})
    (score,) = measure(METRIC, table, table)
    # Of independent columns, chance adds (cells - 1)^2 / 2n to the information, log 51 at most.
    expected = MOST_CATEGORIES**2 / (2 * 4_000)
    entropy = 0.5 * np.log(2) + 0.5 * (np.log(2) + np.log(MOST_CATEGORIES))
    assert score.details["reference_information"] == pytest.approx(expected / entropy, rel=0.2)


def test_as_many_rows_count_on_each_side():
    real = shipped("weather", ["temp", "pressure"])
    for side in (real, drawn_apart(real)):
        (score,) = measure(METRIC, side, side.slice(0, 500))
        assert score.details["reference_rows"] == score.details["synthetic_rows"] == 500


def test_a_column_of_one_value_tells_nothing():
    table = pa.table({"a": ["x", "x", "x"], "b": [1, 2, 3]})
    (score,) = measure(METRIC, table, table)
    assert score.value is None
    assert "one value only" in score.details["why"]
    other = pa.table({"a": ["x", "y", "x"], "b": [1, 2, 3]})
    (score,) = measure(METRIC, other, table)
    assert score.details["synthetic_information"] == 0.0


def test_the_error_is_that_of_its_samples():
    rng = np.random.default_rng(0)
    cells = np.array([0.4, 0.1, 0.1, 0.15, 0.05, 0.2])
    found = [normalised(rng.multinomial(2_000, cells).reshape(2, 3)) for _ in range(400)]
    # The spread of 400 values is itself right to some 4 %, four times that here.
    spread = np.std([estimate.value for estimate in found])
    assert np.mean([estimate.error for estimate in found]) == pytest.approx(spread, rel=0.15)
