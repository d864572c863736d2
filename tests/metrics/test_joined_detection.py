import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupShuffleSplit

from metrics.databases import (
    dataset,
    lean,
    nycflights,
    orders_alone,
    related,
    shuffled,
    split_customers,
    tpch,
    tpch_spec,
)
from metrics.samples import spec_of
from simulacra.core.schema import DatasetSpec, ForeignKey
from simulacra.metrics.aggregate_detection import AggregateDetection
from simulacra.metrics.joined_detection import JoinedDetection

JOINED, TOTALS = JoinedDetection(), AggregateDetection()


@pytest.fixture(scope="module")
def thirds():
    return split_customers(lean(tpch()), 3)


def test_a_second_sample_can_not_be_told_and_shuffled_keys_can(thirds):
    (real, spec), (second, _), (holdout, _) = map(orders_alone, thirds)
    (score,) = related(JOINED, spec, real, second, holdout, rows=6_000).values()
    assert abs(score.value - 0.5) < 0.04
    assert abs(score.floor - 0.5) < 0.04
    broken = shuffled(real, "lineitem", "l_orderkey")
    (score,) = related(JOINED, spec, real, broken, holdout, rows=6_000).values()
    assert score.value > 0.95
    assert abs(score.floor - 0.5) < 0.04
    assert "orders.o_orderdate" in [item["column"] for item in score.details["given_away_by"]]
    assert score.columns == ("lineitem.l_orderkey",)
    assert score.details["references"] == ["lineitem(l_orderkey) → orders"]


def test_keys_themselves_tell_nothing(thirds):
    real, second, _ = thirds
    far = {
        name: pa.table(
            {
                c: pa.compute.add(t[c], 10_000_000) if c.endswith("key") else t[c]
                for c in t.column_names
            }
        )
        for name, t in second.items()
    }
    spec = tpch_spec(real)
    for metric in (JOINED, TOTALS):
        scores = related(metric, spec, real, far, rows=2_000)
        assert max(score.value for score in scores.values() if score.value is not None) < 0.65


def test_an_independent_classifier_finds_the_same():
    columns = ["distance", "air_time", "year", "seats", "engines"]
    real = nycflights(8_000)
    real["flights"] = real["flights"].select(["tailnum", *columns[:2]])
    real["planes"] = real["planes"].select(["tailnum", *columns[2:]])
    broken = shuffled(real, "flights", "tailnum")
    tables = {name: real[name] for name in ("flights", "planes")}
    spec = dataset(tables, {"planes": ["tailnum"]}, {"flights": [("tailnum", "planes", "tailnum")]})
    (score,) = related(JOINED, spec, real, broken).values()
    frames = [
        side["flights"].to_pandas().merge(side["planes"].to_pandas(), on="tailnum", how="left")
        for side in (real, broken)
    ]
    both, label = pd.concat(frames), np.repeat([1, 0], [len(frame) for frame in frames])
    values = both[columns].astype(float).to_numpy()
    split = GroupShuffleSplit(1, test_size=0.3, random_state=0)
    learn, judge = next(split.split(values, label, both["tailnum"]))
    model = HistGradientBoostingClassifier(max_iter=200, random_state=0)
    chance = model.fit(values[learn], label[learn]).predict_proba(values[judge])[:, 1]
    assert score.value > 0.7
    assert score.value == pytest.approx(roc_auc_score(label[judge], chance), abs=0.03)
    low, high = score.interval
    assert low < score.value < high < low + 0.1


def test_parents_known_by_heart_tell_nothing():
    rng = np.random.default_rng(0)

    def database():
        parent = pa.table({"id": np.arange(400), "x": rng.normal(0, 1, 400)})
        child = pa.table({"of": rng.integers(0, 400, 8_000), "y": rng.normal(0, 1, 8_000)})
        return {"parent": parent, "child": child}

    real, other = database(), database()
    spec = dataset(real, {"parent": ["id"]}, {"child": [("of", "parent", "id")]})
    (score,) = related(JOINED, spec, real, other).values()
    # 120 parents a side are judged: the standard error of an AUC of 120 against 120 is 0.037.
    assert abs(score.value - 0.5) < 3 * 0.037
    spec.tables["parent"].keep = True
    (score,) = related(JOINED, spec, real, other).values()
    assert score.value > 0.9


def test_parents_that_are_nothing_but_keys_are_joined_too():
    rng = np.random.default_rng(2)
    parent = pa.table({"id": np.arange(300)})
    child = pa.table({"of": rng.integers(0, 300, 3_000), "y": rng.normal(0, 1, 3_000)})
    real = {"parent": parent, "child": child}
    other = {**real, "child": child.set_column(1, "y", pa.array(rng.normal(0, 1, 3_000)))}
    spec = dataset(real, {"parent": ["id"]}, {"child": [("of", "parent", "id")]})
    (score,) = related(JOINED, spec, real, other).values()
    # 900 rows a side are judged: the standard error is 0.0136.
    assert abs(score.value - 0.5) < 4 * 0.0136


def test_a_few_parents_are_judged_by_rows():
    rng = np.random.default_rng(1)
    names = pa.table({"id": np.arange(9), "x": rng.normal(0, 1, 9)})

    def database(weights):
        of = rng.choice(9, 6_000, p=weights / weights.sum())
        return {"parent": names, "child": pa.table({"of": of, "y": rng.normal(0, 1, 6_000)})}

    even, odd = np.ones(9), np.arange(1, 10.0)
    real, other, uneven = database(even), database(even), database(odd)
    spec = dataset(real, {"parent": ["id"]}, {"child": [("of", "parent", "id")]})
    (score,) = related(JOINED, spec, real, other).values()
    # 1,800 rows a side are judged: the standard error is 0.0096.
    assert abs(score.value - 0.5) < 4 * 0.0096
    (score,) = related(JOINED, spec, real, uneven).values()
    # The likelihood ratio of two such draws tells as much as a parent's place in the order does.
    order = np.cumsum(odd / odd.sum()) - odd / odd.sum() / 2
    assert score.value == pytest.approx(1 - order.mean(), abs=4 * 0.0096 + 0.01)


def test_totals_show_what_single_rows_do_not():
    rng = np.random.default_rng(3)

    def database(*, alike):
        parents = 3_000
        level = rng.normal(0, 1, parents)
        of = np.repeat(np.arange(parents), 5)
        # Siblings agree, or every child is drawn by itself: each child alone looks the same.
        value = level[of] if alike else rng.normal(0, 1, len(of))
        return {
            "parent": pa.table({"id": np.arange(parents), "x": rng.normal(0, 1, parents)}),
            "child": pa.table({"of": of, "value": value + rng.normal(0, 0.3, len(of))}),
        }

    real, holdout, synthetic = (database(alike=a) for a in (True, True, False))
    spec = dataset(real, {"parent": ["id"]}, {"child": [("of", "parent", "id")]})
    (score,) = related(JOINED, spec, real, synthetic, holdout).values()
    assert score.value < 0.55
    (score,) = related(TOTALS, spec, real, synthetic, holdout).values()
    # Of means with standard deviations 1.01 and 0.47 no classifier tells more than 0.72.
    assert 0.62 < score.value < 0.74
    assert abs(score.floor - 0.5) < 0.05
    assert score.details["given_away_by"][0]["column"] == "child: mean value"


def test_no_word_is_said_of_a_parent_that_is_one_though_many_rows_name_it():
    rng = np.random.default_rng(1)

    def shop(seed, towns):
        town = pa.array(np.random.default_rng(seed).choice(towns, 300))
        town = pa.concat_arrays([pa.array(["Zanzibar"]), town.slice(1)])
        buyers = np.append(np.zeros(400, np.int64), rng.integers(1, 300, 600))
        return {
            "people": pa.table({"id": np.arange(300), "town": town}),
            "orders": pa.table({"person": buyers, "pieces": rng.poisson(3, 1_000)}),
        }

    real, other = shop(1, ["Ur", "Nippur"]), shop(2, ["Lagash", "Nippur"])
    other["people"] = other["people"].set_column(
        1, "town", pa.array(["Nippur", *other["people"]["town"].to_pylist()[1:]])
    )
    spec = DatasetSpec(
        tables={
            "people": spec_of(real["people"], primary_key=["id"]),
            "orders": spec_of(real["orders"]).model_copy(
                update={
                    "foreign_keys": [
                        ForeignKey(columns=["person"], parent="people", parent_columns=["id"])
                    ]
                }
            ),
        }
    )
    (score,) = related(JOINED, spec, real, other).values()
    told = {item["column"]: item["how"] for item in score.details["given_away_by"]}
    assert "Ur" in told["people.town"]
    assert "Zanzibar" not in str(score.details)
