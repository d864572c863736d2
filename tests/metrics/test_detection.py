import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import drawn_apart, halves, measure, shipped, spec_of
from simulacra.metrics.detection import Detection

DETECTION = Detection()


def auc(*tables, **options):
    (score,) = measure(DETECTION, *tables, **options)
    return score


@pytest.fixture(scope="module")
def weather():
    return halves(shipped("weather"), rows=3_000)


def test_another_real_sample_can_not_be_told_apart(weather):
    real, holdout = weather
    score = auc(real, real, holdout=holdout)
    # 900 rows of each side are judged; the AUC of a guess has this standard error.
    assert abs(score.value - 0.5) < 4 * np.sqrt((2 * 900 + 1) / (12 * 900 * 900))
    assert score.floor == score.value


def test_lost_structure_is_detected_and_told(weather):
    real, holdout = weather
    broken = real.set_column(6, "dewp", drawn_apart(real)["dewp"])
    score = auc(real, broken, holdout=holdout)
    assert score.value > 0.9
    assert abs(score.floor - 0.5) < 0.06
    told = [item["column"] for item in score.details["given_away_by"]]
    assert len(told) == 5
    assert {"temp", "dewp", "humid"} & set(told[:2])


@pytest.mark.parametrize(
    ("real", "synthetic", "expected"),
    [
        (np.arange(500.0), np.arange(1_000.0, 1_500.0), 1),
        (["a", "b"] * 250, ["c", "d"] * 250, 1),
        # Half of both sides is "b", which ties: 3/4 + 1/4 · 1/2.
        (["a", "b"] * 250, [None, "b"] * 250, 7 / 8),
        # Half of the real rows are 1, as all synthetic ones: 1/2 + 1/2 · 1/2.
        ([1, None] * 250, [1, 1] * 250, 3 / 4),
    ],
    ids=["numbers", "categories", "null category", "null number"],
)
def test_what_the_other_side_lacks_gives_away(real, synthetic, expected):
    score = auc(pa.table({"x": real}), pa.table({"x": synthetic}))
    # The shares in the 150 rows judged of each side vary.
    assert score.value == pytest.approx(expected, abs=0 if expected == 1 else 0.06)
    assert score.details["given_away_by"] == [{"column": "x", "share": 1.0}]


def test_texts_and_lists_are_told_by_their_lengths():
    real = pa.table({"note": ["two words"] * 100, "list": pa.array([[1]] * 100)})
    longer = pa.table({"note": ["now three words"] * 100, "list": pa.array([[1]] * 100)})
    assert auc(real, longer, table=spec_of(real.select(["note"]), note="text")).value == 1.0


def test_a_key_gives_nothing_away():
    rng = np.random.default_rng(0)
    real, synthetic = (
        pa.table({"id": np.arange(300) + start, "x": rng.normal(size=300)}) for start in (0, 9_000)
    )
    score = auc(real, synthetic, table=spec_of(real, primary_key=["id"]))
    assert score.value < 0.7
    assert score.details["left_out"] == {"id": "the primary key carries no statistics"}


def test_threads_change_nothing_and_columns_may_have_any_name(weather):
    real, holdout = weather
    names = [f'{name} {{"[:],}}é' for name in real.column_names]
    real, holdout = (table.rename_columns(names).slice(0, 600) for table in (real, holdout))
    one, two = (auc(real, drawn_apart(real), holdout=holdout, threads=n) for n in (1, 2))
    assert one == two


def test_a_category_of_very_many_values_is_no_obstacle():
    rng = np.random.default_rng(0)
    real, other = (
        pa.table({"x": [f"v{i}" for i in rng.integers(0, 50_000, 9_000)]}) for _ in range(2)
    )
    assert abs(auc(real, other).value - 0.5) < 0.05


def test_too_little_to_judge_has_a_reason():
    few = pa.table({"x": [1, 2, 3]})
    assert auc(few, few).details["why"] == "fewer than 10 rows on one side"
    many = pa.table({"x": np.arange(50)})
    alone = auc(many, many, table=spec_of(many, x="identifier"))
    assert (alone.value, alone.details["why"]) == (None, "no column can be compared")
    constant = pa.table({"x": [1.0] * 50, "y": pa.array([None] * 50, pa.float64())})
    assert auc(constant, constant).value == 0.5
    infinite = pa.table({"x": [np.inf, -np.inf, np.nan, 2.0, None] * 20})
    assert auc(infinite, infinite).value is not None
