import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from metrics.samples import halves, measure, shipped, spec_of
from simulacra.metrics.detection import Detection
from simulacra.metrics.linear_detection import LinearDetection

LINEAR = LinearDetection()


def auc(*tables, **options):
    (score,) = measure(LINEAR, *tables, **options)
    return score


def error(judged):
    """Return the standard error of the AUC of guesses on as many rows of each side."""
    return np.sqrt((2 * judged + 1) / (12 * judged**2))


def test_a_moved_mean_gives_the_auc_that_theory_says():
    rng = np.random.default_rng(0)
    real, holdout, moved = (
        pa.table({"x": rng.normal(m, 1, 6_000), "y": rng.normal(0, 1, 6_000)}) for m in (0, 0, 0.5)
    )
    score = auc(real, moved, holdout=holdout)
    # How often a deviate around 0.5 is above one around 0.
    assert score.value == pytest.approx(stats.norm.cdf(0.5 / np.sqrt(2)), abs=4 * error(1_800))
    assert score.interval[0] < stats.norm.cdf(0.5 / np.sqrt(2)) < score.interval[1]
    assert abs(score.floor - 0.5) < 4 * error(1_800)
    told = score.details["given_away_by"]
    assert told[0]["column"] == "x"
    assert told[0]["share"] > 0.9


def test_it_sees_means_and_categories_but_no_correlations():
    rng = np.random.default_rng(1)

    def table(r, rows=4_000):
        x = rng.normal(size=rows)
        return pa.table({"x": x, "y": r * x + np.sqrt(1 - r**2) * rng.normal(size=rows)})

    real, holdout, broken = table(0.95), table(0.95), table(0.0)
    assert abs(auc(real, broken, holdout=holdout).value - 0.5) < 4 * error(1_200)
    (forest,) = measure(Detection(), real, broken, holdout=holdout)
    assert forest.value > 0.8
    cities = [
        pa.table({"x": rng.choice(["a", "b", "c"], 4_000, p=p)})
        for p in ([0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.3, 0.3, 0.4])
    ]
    score = auc(cities[0], cities[2], holdout=cities[1])
    # The likelihood ratio orders a, b, c: P(later) + P(the same) / 2.
    expected = 0.6 * (0.3 + 0.4) + 0.3 * 0.4 + (0.6 * 0.3 + 0.3 * 0.3 + 0.1 * 0.4) / 2
    assert score.value == pytest.approx(expected, abs=4 * error(1_200))


def test_an_independent_pipeline_finds_the_same():
    real, other = halves(shipped("weather", ["origin", "temp", "humid", "pressure"]), rows=6_000)
    tilted = other.filter(
        pa.array(np.random.default_rng(0).random(6_000) < other["humid"].to_numpy() / 100)
    )
    score = auc(real, tilted, holdout=other)
    rows = tilted.num_rows
    order = np.random.default_rng(3).permutation
    sides = [side.take(order(side.num_rows)[:rows]).to_pandas() for side in (other, tilted)]

    def features(side):
        # Pressure is null in places: flagged, and filled with the middle.
        numbers = side[["temp", "humid", "pressure"]].copy()
        numbers["null"] = numbers["pressure"].isna().astype(float)
        return numbers.fillna(numbers.median()).to_numpy()

    numbers = [features(side) for side in sides]
    ranks = QuantileTransformer(subsample=None, n_quantiles=1_000).fit(numbers[0][:, :3])
    names = OneHotEncoder(sparse_output=False).fit(sides[0][["origin"]])
    points = [
        np.column_stack([ranks.transform(n[:, :3]), n[:, 3:], names.transform(s[["origin"]])])
        for n, s in zip(numbers, sides, strict=True)
    ]
    cut = int(0.7 * rows)
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(np.concatenate([p[:cut] for p in points]), np.repeat([1, 0], cut))
    judged = np.concatenate([p[cut:] for p in points])
    expected = roc_auc_score(np.repeat([1, 0], rows - cut), model.decision_function(judged))
    # Both judge some 1,100 rows a side, other ones.
    assert score.value == pytest.approx(expected, abs=4 * np.sqrt(2) * error(rows - cut))
    assert score.value > 0.55
    assert score.details["given_away_by"][0]["column"] == "humid"
    assert "too rarely" in score.details["given_away_by"][0]["how"]


def test_nulls_and_new_values_give_away():
    real = pa.table({"x": [1.0, 2.0, 3.0, None] * 250})
    whole = pa.table({"x": [1.0, 2.0, 3.0, 2.0] * 250})
    # A quarter of the real rows is null, and no synthetic one.
    assert auc(real, whole).value == pytest.approx(0.25 + 0.75 / 2, abs=4 * error(300))
    separate = auc(pa.table({"x": np.arange(500.0)}), pa.table({"x": np.arange(9e3, 9.5e3)}))
    assert separate.value == 1.0


def test_groups_stay_together_as_in_detection():
    rng = np.random.default_rng(2)

    def table():
        # Each group has a place of its own, which is no property of the population.
        place = np.repeat(rng.normal(size=(300, 40)), 10, axis=0)
        columns = {f"x{i}": place[:, i] for i in range(40)}
        return pa.table(columns | {"group": np.repeat(rng.integers(0, 2**40, 300), 10)})

    real, other = table(), table()
    spec = spec_of(real.drop_columns(["group"]))
    score = auc(real, other, table=spec, groups="group")
    # 90 groups a side are judged.
    assert abs(score.value - 0.5) < 4 * error(90)
    assert auc(real, other, table=spec).value > 0.6


def test_threads_change_nothing_and_too_little_has_a_reason():
    real, holdout = halves(shipped("weather"), rows=600)
    one, two = (auc(real, real, holdout=holdout, threads=n) for n in (1, 2))
    assert one == two
    assert one.details["rows"] == 600
    few = pa.table({"x": [1, 2, 3]})
    assert auc(few, few).details["why"] == "fewer than 10 rows on one side"
    constant = pa.table({"x": [1.0] * 50})
    assert auc(constant, constant).value == 0.5
    assert auc(constant, constant).details["given_away_by"] == []
    alone = auc(constant, constant, table=spec_of(constant, x="identifier"))
    assert alone.details["why"] == "no column can be compared"
