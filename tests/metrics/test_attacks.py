"""Attacks against the same attacks made otherwise: by brute force, scikit-learn, SQL."""

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score, roc_curve

from metrics.samples import halves, measure, shipped, spec_of
from simulacra.metrics.columns import leaves
from simulacra.metrics.privacy.inference import Inference
from simulacra.metrics.privacy.linkability import Linkability
from simulacra.metrics.privacy.membership import judged
from simulacra.metrics.privacy.predicates import Searched, at_random, of_rows, of_single_values
from simulacra.metrics.privacy.ranks import NULL, ranked
from simulacra.metrics.privacy.risk import Outcome, Rate
from simulacra.metrics.privacy.singling_out import SinglingOut

NUMBERS = ["temp", "dewp", "humid", "wind_speed", "pressure"]


def three(columns, rows, seed=0):
    table = shipped("weather", columns).drop_null()
    order = np.random.default_rng(seed).permutation(table.num_rows)
    return [table.take(order[i * rows : (i + 1) * rows]) for i in range(3)]


def scaled(tables, real=2):
    """Return tables of numbers on the range of the first ones."""
    arrays = [table.to_pandas().to_numpy(float) for table in tables]
    both = np.concatenate(arrays[:real])
    low, high = both.min(axis=0), both.max(axis=0)
    return [(np.clip(side, low, high) - low) / (high - low) for side in arrays]


# --- risks ---------------------------------------------------------------------------------


@settings(max_examples=50)
@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_intervals_of_risks_hold_the_risk_and_those_of_rates_are_wilsons(one, other, data):
    right, control = data.draw(st.integers(0, one)), data.draw(st.integers(0, other))
    outcome = Outcome(Rate(right / one, one), Rate(control / other, other), Rate(0.0, one))
    low, high = outcome.interval
    assert 0 <= low <= outcome.risk <= high <= 1
    expected = binomtest(right, one).proportion_ci(method="wilson")
    assert outcome.attack.interval == pytest.approx((expected.low, expected.high))


def test_risks_are_the_excess_over_the_control_as_a_share_of_the_room():
    outcome = Outcome(Rate(0.6, 1_000), Rate(0.2, 1_000), Rate(0.1, 1_000))
    assert outcome.risk == pytest.approx(0.5)
    assert outcome.is_leak
    assert not outcome.is_weak
    assert Outcome(Rate(0.1, 50), Rate(0.2, 50), Rate(0.1, 50)).risk == 0
    certain = Outcome(Rate(1.0, 50), Rate(1.0, 50), Rate(0.5, 50))
    assert (certain.risk, certain.interval) == (0.0, (0.0, 1.0))
    assert certain.verdict("guess").startswith("Nothing to find out")
    weak = Outcome(Rate(0.1, 50), Rate(0.1, 50), Rate(0.1, 50))
    assert "too weak here to reassure" in weak.verdict("guess")


def test_intervals_of_risks_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(2)
    held = []
    for _ in range(2_000):
        attack, control = rng.binomial(300, 0.4) / 300, rng.binomial(300, 0.25) / 300
        low, high = Outcome(Rate(attack, 300), Rate(control, 300), Rate(0, 300)).interval
        held.append(low <= 0.2 <= high)
    # Five standard errors of 2,000 cases.
    assert np.mean(held) == pytest.approx(0.95, abs=5 * np.sqrt(0.05 * 0.95 / 2_000))


def test_guesses_that_go_together_are_worth_as_many_as_people():
    rng = np.random.default_rng(0)
    one = rng.random((1, 400)) < 0.3
    assert Rate.of_repeated(np.repeat(one, 12, axis=0)).count == pytest.approx(400, rel=0.01)
    apart = Rate.of_repeated(rng.random((12, 400)) < 0.3)
    # The variance of 400 sums has a standard error of 7 %.
    assert apart.count == pytest.approx(4_800, rel=0.35)


# --- singling out --------------------------------------------------------------------------


def sql_of(predicate, ordered):
    terms = []
    for column, low, high in zip(*predicate, strict=True):
        if column < 0:
            break
        if low == high == NULL:
            terms.append(f"c{column} IS NULL")
        elif not ordered[column] or low == high:
            terms.append(f"c{column} = {low}")
        else:
            terms.append(f"c{column} BETWEEN {low} AND {high}")
    return " AND ".join(terms)


def test_predicates_match_what_sql_counts():
    real, synthetic = halves(shipped("weather"), rows=1_500)
    used = [leaf for leaf in leaves(spec_of(real), real) if leaf.kind]
    data = ranked(used, [real, synthetic])
    learned, made = data.tables
    columns = {
        f"c{i}": pa.array(np.where(c == NULL, 0, c), mask=c == NULL) for i, c in enumerate(learned)
    }
    database = duckdb.connect()
    database.register("learned", pa.table(columns))
    generator = np.random.default_rng(1)
    searched, among_made = Searched.of(learned), Searched.of(made)
    several = of_rows(among_made, data, 150, generator)
    single = of_single_values(made, data)
    blind = at_random(several, made, data, generator)
    single = single.at(np.arange(0, len(single), 20))
    for predicates in (several, single, blind):
        assert len(predicates) > 20
        where = [
            sql_of(p, data.ordered)
            for p in zip(predicates.columns, predicates.lows, predicates.highs, strict=True)
        ]
        counts = [
            database.execute(f"SELECT count(*) FROM learned WHERE {w}").fetchone()[0] for w in where
        ]
        np.testing.assert_array_equal(predicates.matches(searched), np.minimum(counts, 2))
    assert (several.matches(among_made) == 1).all()


def test_ranks_keep_order_equality_and_nulls():
    one = pa.table({"x": [3.5, None, -1.0, float("nan")], "y": ["b", None, "a", "b"]})
    other = pa.table({"x": [2.0, 3.5, None, 9.0], "y": ["c", "a", None, None]})
    table = spec_of(one)
    found = ranked(leaves(table, one), [one, other])
    np.testing.assert_array_equal(found.tables[0][0], [2, NULL, 0, NULL])
    np.testing.assert_array_equal(found.tables[1][0], [1, 2, NULL, 3])
    assert found.ordered.tolist() == [True, False]
    b, null, a, again = found.tables[0][1]
    assert b == again
    assert null == NULL
    assert found.tables[1][1][1] == a
    assert found.tables[1][1][0] not in {a, b, NULL}


def test_single_values_and_the_ends_are_guessed():
    synthetic = pa.table({"x": [1, 2, 2, 7], "y": ["a", "b", "b", None]})
    real = pa.table({"x": [0, 2, 9, 9], "y": ["a", "a", "b", "c"]})
    data = ranked(leaves(spec_of(real), real), [real, synthetic])
    guesses = of_single_values(data.tables[1], data)
    said = {
        (int(c[0]), int(low[0]), int(high[0]))
        for c, low, high in zip(guesses.columns, guesses.lows, guesses.highs, strict=True)
    }
    # Ranks over both tables: 0, 1, 2, 7, 9.
    a = int(data.tables[1][1][0])
    assert said == {(0, 1, 1), (0, 3, 3), (0, 0, 1), (0, 3, 4), (1, a, a), (1, NULL, NULL)}
    # 7 and more, of the real rows 9 and 9; 1 and less: 0.
    by_term = dict(zip(said, range(len(said)), strict=True))
    assert len(by_term) == len(guesses)
    top = [i for i in range(len(guesses)) if (guesses.lows[i, 0], guesses.highs[i, 0]) == (3, 4)]
    assert guesses.matches(Searched.of(data.tables[0]))[top].tolist() == [2]


def test_one_column_gives_no_combinations():
    table = pa.table({"x": np.arange(50)})
    one, several = measure(SinglingOut(), table, table, holdout=table)
    assert one.value is not None
    assert (several.value, several.details["why"]) == (None, "there is only one column")


# --- linkability and inference -------------------------------------------------------------


def test_links_are_those_of_brute_force():
    real, holdout, fresh = three(NUMBERS, 600)
    synthetic = pa.concat_tables([real.slice(0, 200), fresh.slice(0, 400)])
    (score,) = measure(Linkability(), real, synthetic, holdout=holdout)
    learned, held_out, made = scaled([real, holdout, synthetic])
    parts = [[NUMBERS.index(name) for name in part] for part in score.details["parts"]]
    assert sorted(parts[0] + parts[1]) == list(range(5))
    rates = []
    for side in (learned, held_out):
        distances = [cdist(side[:, part], made[:, part], "cityblock") for part in parts]
        # Rows equally near but for rounding: any of them may be taken.
        near = [d <= d.min(axis=1, keepdims=True) + 2e-6 for d in distances]
        sure = [(n.sum(axis=1) == 1) for n in near]
        linked = (near[0] & near[1]).any(axis=1)
        rates.append((linked[sure[0] & sure[1]].sum() / 600, linked.sum() / 600))
    for name, (least, most) in zip(("attack", "control"), rates, strict=True):
        assert least <= score.details[name]["rate"] <= most
        assert most - least < 0.15
    assert score.details["attack"]["interval"][0] > score.details["control"]["interval"][1]


def test_inferences_are_those_of_brute_force():
    real, holdout, fresh = three(NUMBERS, 500, seed=1)
    synthetic = pa.concat_tables([real.slice(0, 100), fresh.slice(0, 300)])
    (score,) = measure(Inference(), real, synthetic, holdout=holdout)
    arrays = [table.to_pandas().to_numpy(float) for table in (real, holdout, synthetic)]
    places = scaled([real, holdout, synthetic])
    found = {secret["column"]: secret for secret in score.details["secrets"]}
    assert set(found) == set(NUMBERS)
    for column, name in enumerate(NUMBERS):
        known = [i for i in range(5) if i != column]
        for side, rate in enumerate(("attack", "control")):
            distances = cdist(places[side][:, known], places[2][:, known], "cityblock")
            guessed = arrays[2][distances.argmin(axis=1), column]
            truth = arrays[side][:, column]
            right = np.abs(guessed - truth) <= 0.05 * np.abs(truth)
            # Ties are settled otherwise in few cases.
            assert found[name][rate] == pytest.approx(right.mean(), abs=0.02)


def test_times_are_inferred_to_a_hundredth_of_their_range():
    rng = np.random.default_rng(0)
    days = rng.integers(0, 10_000, 900).astype("datetime64[D]")
    table = pa.table(
        {"day": days, "near": days.astype(int) + rng.normal(0, 1, 900), "n": [1] * 900}
    )
    real, holdout, synthetic = (table.slice(i * 300, 300) for i in range(3))
    (score,) = measure(Inference(), real, synthetic, holdout=holdout)
    (day,) = (s for s in score.details["secrets"] if s["column"] == "day")
    # Of 300 synthetic days over 10,000, some lie within 100 of a given one all but surely.
    assert day["control"] > 0.9
    assert day["baseline"] < 0.06
    # A column of one value is no secret.
    assert score.details["secrets_tried"] == 2


def test_few_columns_or_rows_have_a_reason():
    one = pa.table({"x": np.arange(30)})
    for attack in (Linkability(), Inference()):
        (score,) = measure(attack, one, one, holdout=one)
        assert "fewer than two columns" in score.details["why"]
        two = pa.table({"x": np.arange(9), "y": np.arange(9)})
        (score,) = measure(attack, two, two, holdout=two)
        assert score.details["why"] == "fewer than 10 rows on one side"
    constant = pa.table({"x": [1] * 30, "y": ["a"] * 30})
    (score,) = measure(Inference(), constant, constant, holdout=constant)
    assert score.details["why"] == "every column holds a single value"


# --- membership ----------------------------------------------------------------------------


def test_hits_and_auc_are_scikit_learns():
    rng = np.random.default_rng(4)
    members, others = rng.normal(0.5, 1, 4_000), rng.normal(0, 1, 3_000)
    found = {s.metric: s for s in judged("attack", members, others, {}, "Nothing.")}
    truth = np.repeat([1, 0], [4_000, 3_000])
    both = np.concatenate([members, others])
    assert found["attack"].value == pytest.approx(roc_auc_score(truth, both))
    false, true, _ = roc_curve(truth, both, drop_intermediate=False)
    for name, rate in (("1_percent", 0.01), ("0.1_percent", 0.001)):
        expected = true[false <= rate].max()
        assert found[f"attack_hits_at_{name}"].value == pytest.approx(expected)


def test_hits_at_few_false_alarms_take_people_enough():
    rng = np.random.default_rng(4)
    found = judged("attack", rng.normal(size=500), rng.normal(size=500), {}, "Nothing.")
    assert found[1].value is not None
    assert found[2].value is None
    assert "1,000 people" in found[2].details["why"]


def test_the_floor_of_hits_is_what_chance_finds():
    rng = np.random.default_rng(5)
    found = [judged("attack", *rng.normal(size=(2, 1_000)), {}, "Nothing.")[1] for _ in range(400)]
    values = np.array([score.value for score in found])
    assert abs(values.mean() - found[0].floor) < 5 * values.std() / np.sqrt(400)
    held = [score.interval[0] <= score.floor <= score.interval[1] for score in found]
    assert np.mean(held) > 0.9
