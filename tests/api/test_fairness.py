"""A target made independent of a sensitive column."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from real_data import real_data
from simulacra import Synthesizer, evaluate
from simulacra.core.errors import SpecError, UsageError
from simulacra.testing.databases import shop

FAIR = {"target": "income", "sensitive": "sex"}
ROWS = 3_000


def people(rows=ROWS):
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], rows, p=[0.4, 0.6])
    high = rng.random(rows) < np.where(sex == "m", 0.4, 0.15)
    income = np.where(high, ">50K", "<=50K")
    hours = np.where(high, 45, 38) + rng.integers(0, 5, rows)
    return pa.table({"sex": sex, "income": income, "hours": hours})


@pytest.fixture(scope="module")
def synthesizer():
    return Synthesizer(seed=1).fit(people())


def shares(rows):
    """Return the share of high incomes of each sex."""
    frame = rows.to_pandas()
    return (frame["income"] == ">50K").groupby(frame["sex"]).mean()


def test_each_group_has_the_same_share_to_the_row(synthesizer):
    drawn = synthesizer.sample(ROWS, fair=FAIR)
    groups = drawn["sex"].value_counts().to_pylist()
    fewest = min(group["counts"] for group in groups)
    found = shares(drawn)
    assert found.max() - found.min() <= 2 / fewest
    # Both keep their own distribution, within 4.5 errors of what was learned.
    real = people().to_pandas()
    for column, value in (("income", ">50K"), ("sex", "f")):
        wanted = (real[column] == value).mean()
        share = pc.mean(pc.equal(drawn[column], value).cast(pa.float64())).as_py()
        assert abs(share - wanted) < 4.5 * np.sqrt(wanted * (1 - wanted) * (1 / ROWS + 1 / 20_000))


def test_the_rest_follows_both(synthesizer):
    frame = synthesizer.sample(ROWS, fair=FAIR).to_pandas()
    real = people().to_pandas()
    for key, hours in frame.groupby(["sex", "income"])["hours"]:
        like = real[(real["sex"] == key[0]) & (real["income"] == key[1])]["hours"]
        assert abs(hours.mean() - like.mean()) < 0.5


def test_other_conditions_hold_too(synthesizer):
    drawn = synthesizer.sample(400, fair=FAIR, given={"hours": [45, 46, 47]})
    assert set(drawn["hours"].to_pylist()) <= {45, 46, 47}


def test_the_report_tells_before_and_after(synthesizer):
    drawn = synthesizer.sample(ROWS, fair=FAIR)
    report = evaluate(people(), drawn, metrics=["demographic_parity"], options={"fair": FAIR})
    gap = report.score("demographic_parity_difference")
    before = shares(people())
    assert gap.value < 0.01
    assert gap.details["real"] == pytest.approx(before.max() - before.min())


def test_what_makes_no_sense_is_refused(synthesizer):
    with pytest.raises(UsageError, match="what is to be independent"):
        synthesizer.sample(10, fair={"income": "sex"})
    with pytest.raises(UsageError, match="of itself"):
        synthesizer.sample(10, fair={"target": "sex", "sensitive": ["sex"]})
    with pytest.raises(SpecError, match="age"):
        synthesizer.sample(10, fair={"target": "income", "sensitive": "age"})
    with pytest.raises(UsageError, match="balance="):
        synthesizer.sample(10, fair=FAIR, balance={"sex": {"f": 0.5}})
    with pytest.raises(UsageError, match="about one table"):
        Synthesizer("independent").fit(shop()).sample(fair=FAIR)


def test_incomes_of_adult_no_longer_depend_on_sex():
    columns = ["education", "hours_per_week", "sex", "income_per_year"]
    adult = pq.read_table(real_data("adult.parquet"), columns=columns).slice(0, 4_000)
    fair = {"target": "income_per_year", "sensitive": "sex"}
    drawn = Synthesizer(seed=1).fit(adult).sample(2_000, fair=fair)
    report = evaluate(adult, drawn, metrics=["demographic_parity"], options={"fair": fair})
    gap, least = (report.score(f"demographic_parity_{name}") for name in ("difference", "ratio"))
    assert gap.details["real"] > 0.15
    assert gap.value < 0.01
    assert least.details["real"] < 0.5
    assert least.value > 0.95
