import datetime as dt
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from metrics.samples import halves, measure, shipped, spec_of, values
from simulacra.core.schema import ColumnSpec
from simulacra.metrics.shape import ColumnShapes

SHAPES = ColumnShapes()


def one(real, synthetic, **options):
    real, synthetic = pa.table({"x": real}), pa.table({"x": synthetic})
    table = options.pop("table", None)
    (score,) = measure(SHAPES, real, synthetic, table=table, **options)
    return score


def test_numbers_and_categories_of_real_data_agree_with_scipy_and_pandas():
    real, other = halves(shipped("weather"), rows=5_000)
    table = spec_of(real, origin="category", month="category")
    for (name,), value in values(measure(SHAPES, real, other, table=table)).items():
        a, b = real[name].to_pandas(), other[name].to_pandas()
        if table.columns[name].type == "category":
            shares = [side.value_counts(normalize=True) for side in (a, b)]
            expected = 1 - shares[0].sub(shares[1], fill_value=0).abs().sum() / 2
        elif a.isna().any() or b.isna().any():
            # A null stands below every number.
            low = a.min() - 1 if name != "time_hour" else a.min() - pd.Timedelta(hours=1)
            expected = 1 - stats.ks_2samp(a.fillna(low), b.fillna(low)).statistic
        else:
            a, b = (side.astype("int64") if name == "time_hour" else side for side in (a, b))
            expected = 1 - stats.ks_2samp(a, b).statistic
        assert value == pytest.approx(expected, abs=1e-9), name


@given(
    st.lists(st.floats(allow_nan=False), min_size=2, max_size=40),
    st.lists(st.floats(allow_nan=False), min_size=2, max_size=40),
)
def test_any_floats_agree_with_scipy(a, b):
    expected = 1 - stats.ks_2samp(a, b, method="asymp").statistic
    assert one(a, b).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([2**63 - 1, 2**63 - 2, 5], pa.int64()),
        pa.array([2**64 - 1, 7, None], pa.uint64()),
        pa.array([1.5, float("inf"), float("-inf"), None, float("nan")]),
        pa.array([decimal.Decimal("1.10"), None], pa.decimal128(12, 2)),
        pa.array([dt.date(9999, 12, 31), dt.date(1, 1, 1)]),
        pa.array([dt.datetime(2024, 2, 29, tzinfo=dt.UTC), None], pa.timestamp("ns", "Asia/Tokyo")),
        pa.array([dt.time(23, 59), None], pa.time64("us")),
        pa.array([dt.timedelta(days=-1), None], pa.duration("s")),
        pa.array([True, None, False]),
        pa.array(["é", "", None]).dictionary_encode(),
        pa.array([0.5, None], pa.float32()),
        pa.array([None, None], pa.float64()),
        pa.array(["only"]),
    ],
    ids=lambda column: str(column.type),
)
def test_a_column_of_any_type_is_wholly_like_itself(column):
    assert one(column, column).value == 1.0


def test_huge_integers_are_told_apart():
    # As floats they would all be equal.
    assert one([2**60, 2**60 + 1], [2**60 + 2, 2**60 + 3]).value == 0.0


def test_a_wrong_share_of_nulls_costs_its_difference():
    numbers = one([1.0, 1.0, None, None], [1.0, 1.0, 1.0, None])
    categories = one(["a", "a", None, None], ["a", "a", "a", None])
    assert numbers.value == categories.value == 0.75
    assert one([1, 2], pa.array([None, None], pa.int64())).value == 0.0
    assert numbers.details["reference_nulls"] == 0.5


def test_text_is_compared_by_length_and_identifiers_are_left_out():
    real = pa.table({"note": ["ab", "abcd"], "id": ["x1", "x2"], "key": [1, 2], "none": [None] * 2})
    synthetic = pa.table(
        {"note": ["zz", "zz"], "id": ["x3", "x4"], "key": [3, 4], "none": [None] * 2}
    )
    table = spec_of(real, note="text", id="identifier", primary_key=["key"])
    scores = {score.columns[0]: score for score in measure(SHAPES, real, synthetic, table=table)}
    assert scores["note"].value == 0.5
    assert {name: scores[name].details["why"] for name in ("id", "key", "none")} == {
        "id": "an identifier carries no statistics",
        "key": "the primary key carries no statistics",
        "none": "every value is null",
    }


def test_nested_columns_are_compared_leaf_by_leaf():
    kind = pa.struct([("city", pa.string()), ("tags", pa.list_(pa.int64()))])
    real = pa.array([{"city": "A", "tags": [1]}, None, {"city": "B", "tags": []}], kind)
    other = pa.array([{"city": "A", "tags": [1, 2]}, None, {"city": "A", "tags": None}], kind)
    leaf = ColumnSpec(
        type="struct",
        arrow="struct",
        fields={
            "city": ColumnSpec(type="category", arrow="string"),
            "tags": ColumnSpec(
                type="list", arrow="list", items=ColumnSpec(type="integer", arrow="int64")
            ),
        },
    )
    real, other = pa.table({"where": real}), pa.table({"where": other})
    found = values(measure(SHAPES, real, other, table=spec_of(real, where=leaf)))
    assert found == {("where.city",): pytest.approx(2 / 3), ("where.tags",): pytest.approx(2 / 3)}


@pytest.mark.parametrize(
    ("kind", "options", "texts", "later"),
    [
        ("date", {"format": "%d/%m/%Y"}, ["31/01/2024", "01/02/2024"], "01/03/2024"),
        ("datetime", {}, ["2024-01-31T10:00:00", "2024-02-01T09:00:00"], "2024-03-01"),
        (
            "datetime",
            {"format": "%Y-%m-%d %H:%M:%S.%f"},
            ["2024-01-31 10:00:00.5"],
            "2025-01-31 00:00:00.0",
        ),
        (
            "datetime",
            {"format": "%d.%m.%Y %H:%M:%S%.f"},
            ["31.01.2024 10:00:00"] * 2,
            "01.02.2024 10:00:00.25",
        ),
        (
            "datetime",
            {"format": "%Y-%m-%dT%H:%M:%S%.9fZ"},
            ["2024-01-31T10:00:00.000000001Z"],
            "2024-01-31T10:00:00.100000000Z",
        ),
        (
            "datetime",
            {"format": "%-d %^b %Y %-I:%M %P"},
            ["3 JAN 2024 9:05 am"],
            "13 FEB 2024 12:00 pm",
        ),
        ("time", {"format": "%H:%M"}, ["09:00", "10:30"], "23:00"),
        ("time", {}, ["09:00:00", "10:30:00"], "23:00"),
        ("integer", {}, ["9", "10"], "11"),
    ],
)
def test_text_that_holds_numbers_or_times_is_compared_as_such(kind, options, texts, later):
    real = pa.table({"x": texts})
    table = spec_of(real, x=ColumnSpec(type=kind, arrow="string", options=options))
    score = one(texts, [*texts, later], table=table)
    assert score.details["measure"] == "Kolmogorov-Smirnov"
    assert score.value == pytest.approx(1 - 1 / (len(texts) + 1))
    # As text, or where it can't be read, it is a category.
    real = pa.table({"x": [*texts, "soon"]})
    assert one(real["x"], real["x"], table=table).details["measure"] == "total variation"


def test_the_floor_is_as_many_real_rows_against_the_holdout():
    real, holdout = halves(shipped("weather", ["temp", "wind_dir"]), rows=4_000)
    synthetic = real.slice(0, 1_000)
    for score in measure(SHAPES, real, synthetic, holdout=holdout):
        assert score.details["synthetic_rows"] == 1_000
        assert score.details["reference_rows"] == 4_000
        # Two samples of one population, of 1,000 and 4,000: the 99.9 % point of the statistic.
        assert 1 - 1.95 * np.sqrt(1 / 1_000 + 1 / 4_000) < score.floor < 1
    for score in measure(SHAPES, real, real, holdout=holdout):
        assert score.value == score.floor


def test_no_rows_have_no_shape():
    assert one(pa.array([], pa.int64()), [1]).details["why"] == "there are no real rows"
    assert one([1], pa.array([], pa.int64())).value is None


def test_more_error_scores_lower():
    rng = np.random.default_rng(0)
    real = rng.normal(size=5_000)
    scores = [one(real, rng.normal(size=5_000) + shift).value for shift in (0, 0.1, 0.3, 1, 3)]
    assert scores == sorted(scores, reverse=True)
    assert one(["a", "b"], ["c", "d"]).value == 0.0
