import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import rankdata
from sklearn.metrics import r2_score, roc_auc_score

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.core.errors import SpecError
from simulacra.core.schema import ColumnSpec
from simulacra.metrics.predicting import Part
from simulacra.metrics.target_kinds import Amounts, Classes
from simulacra.metrics.utility import Utility

UTILITY = Utility()


def utility(*tables, **options):
    """Return the score of the one target, of the two that each target has."""
    score, alike = measure(UTILITY, *tables, **options)
    assert (score.metric, alike.metric) == ("utility", "importance_agreement")
    assert score.columns == alike.columns == (options["target"],)
    return score


def by_target(*tables, **options):
    scores = measure(UTILITY, *tables, **options)
    return {s.columns: s for s in scores if s.metric == "utility"}


@pytest.fixture(scope="module")
def weather():
    columns = ["origin", "hour", "temp", "dewp", "humid", "pressure"]
    return halves(shipped("weather", columns), rows=3_000)


def labelled(rows, seed, noise=0.5):
    """Return a table whose best possible AUC and R² are known from its own columns."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    amount = x + rng.normal(scale=noise, size=rows)
    return pa.table({"x": x, "amount": amount, "sign": np.where(amount > 0, "plus", "minus")})


def test_training_on_real_rows_comes_near_the_best_possible_and_synthetic_copies_equal_it():
    real, holdout = labelled(4_000, 1), labelled(4_000, 2)
    x, amount = holdout["x"].to_numpy(), holdout["amount"].to_numpy()
    best = {"sign": roc_auc_score(amount > 0, x), "amount": r2_score(amount, x)}
    for target, most in best.items():
        # Only x may help: the other target says too much.
        names = ["x", target]
        score = utility(real.select(names), real.select(names), holdout=holdout, target=target)
        assert most - 0.05 < score.floor < most + 0.005
        assert score.value == score.floor
        assert score.details["gap"] == 0


@pytest.mark.parametrize("target", ["origin", "temp"])
def test_rows_without_structure_teach_nothing(weather, target):
    real, holdout = weather
    score = utility(real, drawn_apart(real), holdout=holdout, target=target)
    chance = 0.0 if score.details["measure"] == "R²" else 0.5
    assert score.floor > chance + 0.06
    assert score.value < chance + 0.05
    assert score.details["gap"] == pytest.approx(score.value - score.floor)


def test_an_integer_of_few_values_is_a_class_and_rare_classes_are_pooled():
    real = pa.table({"digit": np.arange(300) % 7, "x": np.arange(300) % 7})
    score = utility(real, real, target="digit")
    assert score.details["measure"].startswith("AUC")
    assert score.floor == 1.0
    many = pa.table({"name": [f"n{i % 40}" for i in range(800)], "x": np.arange(800) % 40})
    score = utility(many, many, target="name")
    assert (score.details["classes"], score.details["classes_pooled"]) == (40, 20)


def test_without_a_holdout_some_real_rows_are_held_back(weather):
    real, _ = weather
    score = utility(real, real, target="temp")
    assert score.details["test_rows"] == 900
    assert score.details["training_rows"] == 2_100
    assert "learned from" in score.details["test_rows_from"]


def test_classes_the_synthetic_rows_lack_and_null_targets_are_no_obstacle():
    labels = np.array(["a", "b", "c", None], dtype=object)[np.arange(400) % 4]
    real = pa.table({"label": labels, "x": np.arange(400) % 4})
    without = real.filter(pa.compute.equal(real["label"], "a")).slice(0, 50)
    assert "single class" in utility(real, without, target="label").details["why"]
    some = real.filter(pa.compute.is_in(real["label"], pa.array(["a", "b"])))
    score = utility(real, some, holdout=real, target="label")
    assert score.floor == 1.0
    assert 0.5 < score.value < 1.0
    amounts = pa.table({"y": [None, 1.0, 2.0, np.inf] * 50, "x": [0, 1, 2, 3] * 50})
    assert utility(amounts, amounts, holdout=amounts, target="y").floor > 0.99
    constant = pa.table({"y": [1.0] * 50, "x": range(50)})
    assert utility(constant, constant, target="y").value is None


def test_dates_can_be_predicted():
    when = pa.array(np.arange(2_000) * 1_000_000, pa.timestamp("us", "UTC"))
    table = pa.table({"when": when, "x": np.arange(2_000)})
    assert utility(table, table, target="when").floor > 0.99


def test_targets_that_can_not_be_predicted_are_refused():
    table = pa.table({"id": ["a", "b"], "x": [1, 2]})
    spec = spec_of(table, id="identifier")
    with pytest.raises(SpecError, match=r"y: there is no such column.*Choose from id, x"):
        utility(table, table, target="y")
    with pytest.raises(SpecError, match="id: the target can't be predicted: an identifier"):
        utility(table, table, target="id", table=spec)
    assert "fewer than 10 rows" in utility(table, table, target="x").details["why"]
    alone = pa.table({"x": np.arange(40) % 2})
    assert utility(alone, alone, target="x").details["why"] == "there is no other column"


def spread_of(score_of, truth, predicted, resamples=1_000):
    """Return the standard deviation of a score on resampled rows."""
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, len(truth), len(truth)) for _ in range(resamples)]
    return np.std([score_of(truth[rows], predicted[rows]) for rows in drawn])


def r2(truth, predicted):
    return 1 - np.mean((truth - predicted) ** 2) / np.var(truth)


def auc(positive, score):
    """Return the share of pairs in order (Mann-Whitney), in a twentieth of scikit-learn's time."""
    positives, rows = positive.sum(), len(positive)
    above = rankdata(score)[positive].sum() - positives * (positives + 1) / 2
    return above / (positives * (rows - positives))


def mean_auc(truth, scores):
    return np.mean([auc(truth == code, scores[:, code]) for code in range(scores.shape[1])])


def test_errors_are_those_of_resampled_test_rows():
    rng = np.random.default_rng(1)
    every = Part(0, 0, 1_500)
    amount = rng.standard_t(6, 1_500)
    predicted = 0.7 * amount + rng.normal(scale=0.6, size=1_500)
    judged = Amounts([amount]).judge(predicted, every)
    assert judged.value == pytest.approx(r2_score(amount, predicted))
    assert judged.value == pytest.approx(r2(amount, predicted))
    assert judged.error == pytest.approx(spread_of(r2, amount, predicted), rel=0.1)
    # Rows without an amount count for nothing.
    gaps = np.where(np.arange(3_000) % 2, np.nan, np.repeat(amount, 2))
    with_gaps = Amounts([gaps]).judge(np.repeat(predicted, 2), Part(0, 0, 3_000))
    assert with_gaps.value == pytest.approx(judged.value)
    assert with_gaps.error == pytest.approx(judged.error, rel=0.01)

    label = rng.integers(0, 2, 1_500)
    chance = np.round(label + rng.normal(size=1_500), 1)
    judged = Classes([label], 2, 2).judge(np.column_stack([-chance, chance]), every)
    assert judged.value == pytest.approx(roc_auc_score(label, chance))
    assert judged.value == pytest.approx(auc(label == 1, chance))
    assert judged.error == pytest.approx(spread_of(auc, label == 1, chance), rel=0.1)

    label = rng.choice(3, 1_500, p=[0.6, 0.3, 0.1])
    chances = np.eye(3)[label] + rng.exponential(size=(1_500, 3))
    chances /= chances.sum(axis=1, keepdims=True)
    judged = Classes([label], 3, 3).judge(chances, every)
    assert judged.value == pytest.approx(roc_auc_score(label, chances, multi_class="ovr"))
    assert judged.value == pytest.approx(mean_auc(label, chances))
    spread = spread_of(mean_auc, label, chances, resamples=400)
    assert judged.error == pytest.approx(spread, rel=0.15)


def test_the_gap_is_surer_than_the_values_it_is_between():
    real, synthetic, holdout = labelled(3_000, 1), labelled(3_000, 3), labelled(2_000, 2)
    for target in ("sign", "amount"):
        names = ["x", target]
        tables = (table.select(names) for table in (real, synthetic))
        score = utility(*tables, holdout=holdout, target=target)
        low, high = score.details["gap_interval"]
        assert low < score.details["gap"] < high
        # Both models are judged by the same rows, so that much of what chance does cancels.
        assert high - low < 0.75 * (score.interval[1] - score.interval[0])


def searchable(rows, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, rows))
    return pa.table(
        {
            "x": x,
            "sum": x + y + rng.normal(scale=0.3, size=rows),
            "y": y,
            "kind": np.where(x + 0.5 * rng.normal(size=rows) > 0, "plus", "minus"),
            "noise": rng.normal(size=rows),
            "constant": np.ones(rows),
            "nearly": np.where(rng.random(rows) < 0.995, "yes", "no"),
            "names": [f"n{place}" for place in rng.integers(0, rows, rows)],
            "sparse": np.where(rng.random(rows) < 0.2, x, np.nan),
            "serial": np.arange(rows),
            "note": [f"text {'o' * int(4 * abs(value))}" for value in y],
        }
    )


def test_without_a_target_each_suitable_column_is_one():
    real, holdout = searchable(3_000, 1), searchable(3_000, 2)
    spec = spec_of(real, note="text", serial=ColumnSpec(type="integer", arrow="int64", unique=True))
    scores = by_target(real, real, holdout=holdout, table=spec)
    # Noise can't be foretold; the others are constant, too rare, too various, or no target at all.
    assert set(scores) == {("x",), ("sum",), ("y",), ("kind",)}
    assert scores["kind",].details["what"] == "kind (AUC)"
    for score in scores.values():
        assert score.value == score.floor
        assert score.value > 0.6
        # All but the text, and the column that is unique.
        assert score.details["search"] == {
            "columns": 11,
            "tried": 9,
            "suitable": 4,
            "rows": 3_000,
        }
    apart = by_target(real, drawn_apart(real), holdout=holdout, table=spec)
    for columns, score in apart.items():
        chance = 0.0 if score.details["measure"] == "R²" else 0.5
        assert score.value < chance + 0.1 < scores[columns].floor


def test_at_most_eight_targets_are_found_and_those_given_away_come_last():
    rng = np.random.default_rng(3)
    base = rng.normal(size=1_000)
    names = [f"c{place}" for place in range(12)]
    columns = {name: base + rng.normal(scale=0.5, size=1_000) for name in names}
    columns["copy"] = columns["c0"]
    real = pa.table(columns)
    scores = by_target(real, real)
    assert len(scores) == 8
    assert not {("copy",), ("c0",)} & scores.keys()
    few = by_target(real.select(["c0", "c1", "copy"]), real.select(["c0", "c1", "copy"]))
    assert set(few) == {("c0",), ("c1",), ("copy",)}


def test_a_search_that_finds_nothing_says_so():
    rng = np.random.default_rng(4)
    real = pa.table({"x": rng.normal(size=600), "y": rng.normal(size=600)})
    for score in measure(UTILITY, real, real):
        assert (score.value, score.columns) == (None, ())
        assert score.details["why"] == "no column can be foretold from the others"
    for score in measure(UTILITY, real.slice(0, 5), real):
        assert "fewer than 10 rows" in score.details["why"]


def test_many_classes_take_fewer_rounds():
    rng = np.random.default_rng(5)
    label = rng.integers(0, 15, 1_500)
    real = pa.table({"label": label.astype(str), "x": label + rng.normal(size=1_500)})
    score = utility(real, real, target="label")
    assert score.details["rounds"] == 600 // 15
    assert utility(real, real, target="x").details["rounds"] == 150


def test_rare_classes_neither_shake_the_model_nor_count_like_frequent_ones():
    def levels(seed):
        rng = np.random.default_rng(seed)
        level = np.minimum(rng.geometric(0.35, 6_000), 14)
        # From the tenth on less than 1 % of the rows each.
        return pa.table(
            {
                "level": [f"level {place}" for place in level],
                "years": level + 3,
                "x": rng.normal(size=6_000),
                "c": rng.choice(list("abcdef"), 6_000),
            }
        )

    score = utility(levels(1), levels(2), holdout=levels(3), target="level")
    # The column is settled by another, by rows of either side.
    assert score.floor > 0.999
    assert score.value > 0.999
    assert score.details["classes"] == 14
    assert score.details["classes_pooled"] > 2
    assert score.details["rounds"] > 600 // 14


def test_of_wide_tables_fewer_columns_are_tried():
    rng = np.random.default_rng(6)
    base = rng.normal(size=(300, 10))
    noise = rng.normal(scale=0.5, size=(300, 200))
    wide = pa.table({f"c{i}": base[:, i % 10] + noise[:, i] for i in range(200)})
    scores = by_target(wide, wide)
    assert len(scores) == 2
    for score in scores.values():
        assert score.details["search"]["tried"] == 12
        assert score.details["search"]["columns"] == 200
