import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import halves, measure, shipped, spec_of
from simulacra.core.schema import ColumnSpec
from simulacra.metrics.missing_values import MissingValues

METRIC = MissingValues()


def test_shares_of_nulls_of_real_data_agree_with_pandas():
    real, other = halves(shipped("weather"), rows=5_000)
    for score in measure(METRIC, real, other.slice(0, 2_000), table=spec_of(real)):
        (name,) = score.columns
        shares = [t[name].to_pandas().isna().mean() for t in (real, other.slice(0, 2_000))]
        assert score.value == pytest.approx(1 - abs(shares[0] - shares[1]), abs=1e-12), name
        assert score.details["reference_nulls"] == pytest.approx(shares[0])
        low, high = score.interval
        assert low < score.value <= high
        # Two shares apart by four standard errors, or both none.
        error = np.sqrt(shares[0] * (1 - shares[0]) * (1 / 2_000))
        assert 1 - 4 * error <= score.floor <= 1


def test_nan_is_null_and_a_struct_that_is_null_has_null_fields():
    nested = pa.array([{"a": 1.0}, None, {"a": None}, {"a": float("nan")}])
    real = pa.table({"x": nested, "y": [1.0, float("nan"), None, 2.0]})
    other = pa.table({"x": pa.array([{"a": 1.0}] * 4, nested.type), "y": [1.0] * 4})
    leaf = ColumnSpec(
        type="struct", arrow="struct", fields={"a": ColumnSpec(type="float", arrow="double")}
    )
    scores = measure(METRIC, real, other, table=spec_of(real, x=leaf))
    assert {s.columns[0]: s.value for s in scores} == {"x.a": 0.25, "y": 0.5}


def test_the_floor_is_the_share_of_as_many_real_rows():
    real = pa.table({"x": pa.array([1, None] * 50)})
    holdout = pa.table({"x": pa.array([1, None, 1, 1] * 25)})
    (score,) = measure(METRIC, real, pa.table({"x": [1] * 100}), holdout=holdout)
    assert (score.value, score.floor) == (0.75, 0.75)


def test_without_rows_there_is_no_share():
    empty = pa.table({"x": pa.array([], pa.int64())})
    (score,) = measure(METRIC, empty, pa.table({"x": [1]}))
    assert score.value is None
    assert score.details["why"] == "there are no real rows"
