"""Demographic parity, beside what pandas and arithmetic give."""

import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import measure
from simulacra.core.errors import SpecError
from simulacra.metrics.demographic_parity import DemographicParity, difference, ratio

ROWS = 6_000
FAIR = {"target": "income", "sensitive": "sex"}


def people(seed, shares, rows=ROWS):
    """Return rows of which each sex has its share of high incomes."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(list(shares), rows)
    high = rng.random(rows) < np.vectorize(shares.get)(sex)
    region = rng.choice(["N", "S"], rows)
    return pa.table({"sex": sex, "region": region, "income": np.where(high, ">50K", "<=50K")})


REAL = people(0, {"f": 0.1, "m": 0.3})
EVEN = people(1, {"f": 0.2, "m": 0.2})
UNEVEN = people(2, {"f": 0.1, "m": 0.3, "x": 0.6})


def by_pandas(table, *columns, positive=">50K"):
    frame = table.to_pandas()
    shares = (frame["income"] == positive).groupby([frame[name] for name in columns]).mean()
    return shares.max() - shares.min(), shares.min() / shares.max()


def scores(real, synthetic, **options):
    return measure(DemographicParity(), real, synthetic, **{"fair": FAIR, **options})


@pytest.mark.parametrize("synthetic", [EVEN, people(3, {"f": 0.12, "m": 0.28}), REAL])
def test_values_are_those_of_groups_in_pandas(synthetic):
    gap, least = scores(REAL, synthetic)
    assert (gap.value, least.value) == pytest.approx(by_pandas(synthetic, "sex"))
    assert (gap.details["real"], least.details["real"]) == pytest.approx(by_pandas(REAL, "sex"))
    assert gap.columns == least.columns == ("income", "sex")


def test_the_floor_is_what_real_rows_have():
    held_out = people(4, {"f": 0.1, "m": 0.3})
    gap, least = scores(REAL, EVEN, holdout=held_out)
    assert (gap.floor, least.floor) == pytest.approx(by_pandas(REAL, "sex"))
    assert gap.details["real"] == pytest.approx(by_pandas(held_out, "sex")[0])


def test_combinations_of_sensitive_columns_are_groups():
    fair = {"target": "income", "sensitive": ["sex", "region"]}
    gap, _ = scores(REAL, UNEVEN.filter(pa.compute.not_equal(UNEVEN["sex"], "x")), fair=fair)
    kept = UNEVEN.filter(pa.compute.not_equal(UNEVEN["sex"], "x"))
    assert gap.value == pytest.approx(by_pandas(kept, "sex", "region")[0])
    assert len(gap.details["groups"]) == 4


def test_the_positive_value_may_be_named():
    _, least = scores(REAL, EVEN, fair={**FAIR, "positive": "<=50K"})
    assert least.value == pytest.approx(by_pandas(EVEN, "sex", positive="<=50K")[1])


def test_of_several_classes_the_worst_counts():
    shares = np.array([[0.5, 0.3, 0.2], [0.4, 0.2, 0.4]])
    assert difference(shares) == pytest.approx(0.2)
    assert ratio(shares) == pytest.approx(0.5)
    assert ratio(np.zeros((2, 1))) == 1.0


def test_small_groups_are_left_out():
    few = pa.concat_tables(
        [EVEN, pa.table({"sex": ["x"] * 29, "region": ["N"] * 29, "income": [">50K"] * 29})]
    )
    gap, _ = scores(UNEVEN, few)
    assert gap.value == pytest.approx(by_pandas(EVEN, "sex")[0])
    assert gap.details["groups_left_out"] == 1


def test_intervals_cover_the_truth():
    found = [
        scores(REAL, people(seed, {"f": 0.1, "m": 0.3}, 1_500))[0].interval
        for seed in range(10, 30)
    ]
    # Of 20 intervals of 95 %, fewer than 15 cover with a probability of 3e-5.
    assert sum(low <= 0.2 <= high for low, high in found) >= 15


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(SpecError, match="of which columns"):
        scores(REAL, EVEN, fair={})
    with pytest.raises(SpecError, match="age"):
        scores(REAL, EVEN, fair={"target": "age", "sensitive": "sex"})
    (gap, _) = scores(REAL, EVEN.slice(0, 20))
    assert gap.value is None
    assert "30 rows" in gap.details["why"]
