import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import measure, spec_of
from simulacra.core.errors import PluginError
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.metrics import validity
from simulacra.metrics.validity import Validity

VALIDITY = Validity()


class Lowercase:
    """A datatype that accepts text in lower case."""

    def accepts(self, values, options):
        assert options == {}
        return pa.compute.equal(values, pa.compute.utf8_lower(values))


@pytest.fixture(autouse=True)
def datatypes(monkeypatch):
    """Only ``identifier`` has a plug-in, so that each test sees its own check alone."""

    def load(_kind, name):
        if name == "identifier":
            return Lowercase()
        raise PluginError(f"there is no {name}")

    monkeypatch.setattr(validity, "load", load)


def invalid(real, synthetic, holdout=None, table=None):
    scores = measure(VALIDITY, real, synthetic, holdout=holdout, table=table)
    return {score.columns: (score.value, dict(score.details["invalid"])) for score in scores}


def test_each_kind_of_fault_is_found_and_counted():
    real = pa.table(
        {
            "n": [1, 5, None, 3],
            "day": [dt.date(2024, 1, day) for day in (1, 2, 3, 4)],
            "c": ["x", "y", "x", None],
            "full": [1.0, 2.0, 3.0, 4.0],
            "id": ["a", "b", "c", "d"],
            "key": [1, 2, 3, 4],
        }
    )
    synthetic = pa.table(
        {
            "n": [0, 5, None, 6],
            "day": [dt.date(2024, 1, day) for day in (1, 4, 5, 1)],
            "c": ["x", "new", None, "y"],
            "full": [1.0, None, np.nan, 4.5],
            "id": ["e", "E", "e", None],
            "key": [7, 7, 7, 8],
        }
    )
    identifier = ColumnSpec(type="identifier", arrow="string", unique=True)
    table = spec_of(real, id=identifier, primary_key=["key"])
    assert invalid(real, synthetic, table=table) == {
        ("n",): (0.5, {"range": 2}),
        ("day",): (0.75, {"range": 1}),
        ("c",): (0.75, {"category": 1}),
        ("full",): (0.25, {"null": 2, "range": 1}),
        ("id",): (0.25, {"null": 1, "type": 1, "duplicate": 1}),
        ("key",): (0.5, {"duplicate": 2}),
    }
    assert all(found == (1.0, {}) for found in invalid(real, real, table=table).values())


def test_a_key_of_several_columns_has_its_own_score():
    real = pa.table({"a": [1, 1, 2], "b": ["x", "y", "x"]})
    synthetic = pa.table({"a": [1, 1, 1, 2], "b": ["x", "x", "y", "x"]})
    table = spec_of(real, primary_key=["a", "b"])
    assert invalid(real, synthetic, table=table)["a", "b"] == (0.75, {"duplicate": 1})


def test_nulls_never_repeat_each_other():
    real = pa.table({"u": pa.array([1, 2, None, None])})
    table = spec_of(real, u=ColumnSpec(type="integer", arrow="int64", unique=True))
    assert invalid(real, real, table=table) == {("u",): (1.0, {})}
    keys = pa.table({"a": [1, 1, 1], "b": ["x", None, None]})
    spec = spec_of(keys, primary_key=["a", "b"])
    assert invalid(keys, keys, table=spec)["a", "b"] == (1.0, {})


def test_the_floor_is_the_validity_of_the_holdout():
    real, holdout = pa.table({"n": [1, 2, 3, 4]}), pa.table({"n": [0, 2, 3, 9]})
    (score,) = measure(VALIDITY, real, real, holdout=holdout)
    assert (score.value, score.floor) == (1.0, 0.5)
    assert "there is no integer" in score.details["type_unchecked"]


def test_a_column_without_real_values_makes_every_value_strange():
    real = pa.table({"n": pa.array([None, None], pa.int64())})
    assert invalid(real, pa.table({"n": [None, 1]})) == {("n",): (0.5, {"range": 1})}


def test_no_rows_have_no_validity():
    rows = pa.table({"n": [1], "c": ["x"]})
    for score in measure(VALIDITY, rows, rows.slice(0, 0)):
        assert (score.value, score.details["why"]) == (None, "there are no synthetic rows")
    assert {value for value, _ in invalid(rows.slice(0, 0), rows).values()} == {1.0}


def test_fields_of_structs_and_lists_are_looked_at():
    kind = pa.struct([("city", pa.string()), ("tags", pa.list_(pa.int64()))])
    real = pa.table({"s": pa.array([{"city": "A", "tags": [1]}], kind)})
    synthetic = pa.table({"s": pa.array([{"city": "B", "tags": None}, None], kind)})
    items = ColumnSpec(type="integer", arrow="int64")
    fields = {
        "city": ColumnSpec(type="category", arrow="string"),
        "tags": ColumnSpec(type="list", arrow="list", items=items),
    }
    table = TableSpec(columns={"s": ColumnSpec(type="struct", arrow="struct", fields=fields)})
    assert invalid(real, synthetic, table=table) == {
        ("s.city",): (0.0, {"null": 1, "category": 1}),
        ("s.tags",): (0.0, {"null": 2}),
    }
