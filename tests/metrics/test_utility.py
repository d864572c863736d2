import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.core.errors import SpecError, UsageError
from simulacra.metrics.utility import Utility

UTILITY = Utility()


def utility(*tables, **options):
    (score,) = measure(UTILITY, *tables, **options)
    return score


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
    with pytest.raises(UsageError, match="needs a target"):
        utility(table, table)
    with pytest.raises(SpecError, match=r"y: there is no such column.*Choose from id, x"):
        utility(table, table, target="y")
    with pytest.raises(SpecError, match="id: the target can't be predicted: an identifier"):
        utility(table, table, target="id", table=spec)
    assert "fewer than 10 rows" in utility(table, table, target="x").details["why"]
    alone = pa.table({"x": np.arange(40) % 2})
    assert utility(alone, alone, target="x").details["why"] == "there is no other column"
