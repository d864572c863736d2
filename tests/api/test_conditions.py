"""Rows of which a part is given, and the rest drawn."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from metrics.samples import shipped
from simulacra import Synthesizer, between
from simulacra.core.errors import SpecError, UsageError

ROWS = 2_000


@pytest.fixture(scope="module")
def weather():
    return shipped("weather", ["origin", "month", "temp", "dewp", "humid", "wind_dir", "precip"])


@pytest.fixture(scope="module")
def synthesizer(weather):
    return Synthesizer(seed=3).fit(weather)


def near(drawn, real, low, high):
    """Say whether two samples have the same mean, within a tenth of a spread and errors."""
    spread = np.std(real)
    error = 4.5 * spread * np.sqrt(1 / len(drawn) + 1 / len(real)) + 0.1 * spread
    return low <= min(drawn) and max(drawn) <= high and abs(np.mean(drawn) - np.mean(real)) < error


def test_a_value_is_in_every_row_and_the_rest_follows_it(synthesizer, weather):
    drawn = synthesizer.sample(ROWS, given={"month": 7, "origin": "JFK"})
    assert drawn.num_rows == ROWS
    assert set(drawn["month"].to_pylist()) == {7}
    assert set(drawn["origin"].to_pylist()) == {"JFK"}
    like = weather.filter(
        pc.and_(pc.equal(weather["month"], 7), pc.equal(weather["origin"], "JFK"))
    )
    every = weather["temp"].drop_null().to_numpy()
    real, made = (t["temp"].drop_null().to_numpy() for t in (like, drawn))
    assert near(made, real, every.min(), every.max())
    assert abs(made.mean() - every.mean()) > 3 * every.std() / 4


def test_lists_and_ranges_hold(synthesizer, weather):
    drawn = synthesizer.sample(
        ROWS, given={"origin": ["LGA", "EWR"], "temp": between(80, 90), "month": between(most=7)}
    )
    assert set(drawn["origin"].to_pylist()) == {"LGA", "EWR"}
    assert 80 <= min(drawn["temp"].to_pylist()) <= max(drawn["temp"].to_pylist()) <= 90
    assert max(drawn["month"].to_pylist()) <= 7
    like = weather.filter(
        pc.and_(
            pc.and_(pc.greater_equal(weather["temp"], 80), pc.less_equal(weather["temp"], 90)),
            pc.and_(pc.less_equal(weather["month"], 7), pc.not_equal(weather["origin"], "JFK")),
        )
    )
    assert near(drawn["humid"].to_numpy(), like["humid"].to_numpy(), 0, 100)


def test_a_value_may_be_null(synthesizer, weather):
    drawn = synthesizer.sample(500, given={"wind_dir": None})
    assert weather["wind_dir"].null_count
    assert drawn["wind_dir"].null_count == 500


def test_given_rows_keep_their_order_and_what_is_known(synthesizer):
    months = [7, None, 1, 12, None] * 40
    rows = pa.table({"month": pa.array(months, pa.int8()), "origin": ["JFK", None] * 100})
    drawn = synthesizer.sample(given=rows)
    assert drawn.num_rows == 200
    for name in rows.column_names:
        known = rows[name].is_valid()
        assert drawn[name].filter(known).to_pylist() == rows[name].drop_null().to_pylist()
    assert drawn["month"].null_count == 0
    again = synthesizer.sample(given=rows)
    assert again.equals(drawn)
    assert not synthesizer.sample(given=rows, seed=4).equals(drawn)


def test_more_rows_than_a_block(synthesizer):
    drawn = synthesizer.sample(66_000, given={"month": between(6, 8)})
    assert drawn.num_rows == 66_000
    assert set(drawn["month"].to_pylist()) == {6, 7, 8}


def test_balance_gives_values_their_shares(synthesizer):
    drawn = synthesizer.sample(1_000, balance={"origin": {"JFK": 0.5, "LGA": 0.1}})
    counts = {
        entry["values"]: entry["counts"] for entry in drawn["origin"].value_counts().to_pylist()
    }
    assert counts == {"JFK": 500, "LGA": 100, "EWR": 400}
    both = synthesizer.sample(
        400, given={"month": 2}, balance={"origin": {"JFK": 0.25, "EWR": 0.75}}
    )
    assert set(both["month"].to_pylist()) == {2}
    assert pc.sum(pc.equal(both["origin"], "JFK")).as_py() == 100


def test_impute_fills_nulls_alone(synthesizer, weather):
    some = weather.slice(0, 1_000).to_pandas()
    rng = np.random.default_rng(0)
    holes = rng.random(1_000) < 0.3
    truth = some["temp"].to_numpy(copy=True)
    some.loc[holes, "temp"] = np.nan
    filled = synthesizer.impute(some)
    assert isinstance(filled, pd.DataFrame)
    assert list(filled.columns) == list(some.columns)
    assert not filled[["temp", "humid", "wind_dir"]].isna().any().any()
    kept = some.drop(columns="temp").notna()
    for name in kept.columns:
        assert (filled.loc[kept[name], name] == some.loc[kept[name], name]).all(), name
    assert (filled.loc[~holes, "temp"] == truth[~holes]).all()
    # The other columns tell the temperature: dew point and humidity together nearly fix it.
    wrong = np.abs(filled["temp"].to_numpy()[holes] - truth[holes])
    alone = np.abs(rng.permutation(truth)[holes] - truth[holes])
    assert wrong.mean() < 0.35 * alone.mean()


def test_keys_stay_unique_whatever_is_given():
    rng = np.random.default_rng(1)
    people = pa.table(
        {
            "id": np.arange(5_000) * 3 + 11,
            "group": rng.choice(list("abcd"), 5_000, p=[0.7, 0.2, 0.09, 0.01]),
        }
    )
    drawn = Synthesizer().fit(people).sample(3_000, given={"group": ["c", "d"]})
    assert len(set(drawn["id"].to_pylist())) == 3_000
    assert set(drawn["group"].to_pylist()) <= {"c", "d"}


def test_columns_that_rules_work_out_are_kept_too():
    rng = np.random.default_rng(2)
    start = np.datetime64("2024-01-01") + rng.integers(0, 2_000, 4_000).astype("timedelta64[D]")
    stays = pa.table({"arrival": start, "departure": start + rng.integers(1, 9, 4_000)})
    synthesizer = Synthesizer().fit(stays)
    drawn = synthesizer.sample(300, given={"departure": between("2026-01-01", "2026-06-30")})
    nights = pc.days_between(drawn["arrival"], drawn["departure"]).to_numpy()
    assert (nights >= 1).all()
    assert (nights <= 8).all()
    known = stays.slice(0, 50)
    assert synthesizer.sample(given=known).equals(known)


def test_likely_rows_are_those_that_there_are(synthesizer, weather):
    rng = np.random.default_rng(0)
    some = weather.slice(0, 2_000)
    mixed = pa.table({name: some[name].take(rng.permutation(2_000)) for name in some.column_names})
    likely, unlikely = synthesizer.log_prob(some), synthesizer.log_prob(mixed)
    assert likely.shape == (2_000,)
    assert np.isfinite(likely).all()
    assert np.median(likely) > np.median(unlikely[np.isfinite(unlikely)]) + 2
    with pytest.raises(SpecError, match=r"table\.temp"):
        synthesizer.log_prob(some.drop_columns(["temp"]))
    independent = Synthesizer("independent").fit(some)
    with pytest.raises(UsageError, match="doesn't tell how likely"):
        independent.log_prob(some)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"moon": 1}, SpecError, r"table\.moon: there is no such column"),
        ({"month": "July"}, SpecError, r"table\.month: a value that is not of type int64"),
        ({"month": []}, UsageError, "no value of none"),
        ({"origin": "LAX"}, SpecError, "origin: no row that was learned has the value 'LAX'"),
        ({"month": between(13, 20)}, UsageError, "too rare: 0 of 100,000 rows drawn fit"),
        (pa.table({"temp": ["x"]}), SpecError, r"table\.temp: values that are not of type double"),
        ("JFK", UsageError, "no"),
    ],
)
def test_what_makes_no_sense_is_refused(synthesizer, given, error, message):
    with pytest.raises(error, match=message):
        synthesizer.sample(20, given=given)


def test_shares_and_rows_that_make_no_sense_are_refused(synthesizer):
    with pytest.raises(UsageError, match=r"sum to 1\.2"):
        synthesizer.sample(10, balance={"origin": {"JFK": 0.6, "LGA": 0.6}})
    with pytest.raises(UsageError, match="3 rows asked of table, 2 given"):
        synthesizer.sample(3, given=pa.table({"month": pa.array([1, 2], pa.int8())}))
    with pytest.raises(UsageError, match="a range without bounds"):
        between()
    copula = Synthesizer("copula").fit({"a": [1, 2, 3, 4] * 30, "b": list("xyxz") * 30})
    drawn = copula.sample(40, given={"b": "z"})
    assert set(drawn["b"]) == {"z"}
