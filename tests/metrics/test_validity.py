import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from metrics.samples import halves, measure, shipped, spec_of
from simulacra.core.errors import PluginError
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.metrics import validity
from simulacra.metrics.intervals import wilson
from simulacra.metrics.text_formats import fixed_format, matches
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


def test_without_a_holdout_the_floor_is_what_real_rows_score():
    real = pa.table({"u": [1, 1, 2, 3], "n": [1.0, 2.0, 3.0, 4.0]})
    table = spec_of(real, u=ColumnSpec(type="integer", arrow="int64", unique=True))
    once, number = measure(VALIDITY, real, real.slice(1, 2), table=table)
    assert (once.value, once.floor, once.details["floor"]) == (1.0, 0.75, "real rows")
    assert (number.value, number.floor) == (1.0, 1.0)
    assert once.interval == wilson(1.0, 2)


def test_further_keys_are_unique_as_well():
    real = pa.table({"a": [1, 1, 2], "b": ["x", "y", "x"], "c": [1, 2, 3]})
    table = spec_of(real).model_copy(update={"unique": [["a", "b"], ["c"]]})
    synthetic = pa.table({"a": [1, 1, 2], "b": ["x", "x", "y"], "c": [1, 1, 3]})
    found = invalid(real, synthetic, table=table)
    assert found["a", "b"] == (pytest.approx(2 / 3), {"duplicate": 1})
    assert found["c",] == (pytest.approx(2 / 3), {"duplicate": 1})


def texts(form):
    return pa.chunked_array([[form(i) for i in range(60)], [form(i) for i in range(60, 150)]])


@pytest.mark.parametrize(
    ("form", "found", "wrong"),
    [
        (lambda i: f"C-{i:06d}", "^C-[0-9]{6}$", ["C-12345", "D-123456", "C-12345x"]),
        (lambda i: f"{7**60 + i * 9**21:052x}"[-32:], "^[a-f0-9]{32}$", ["g" * 32, "A" * 32]),
        (lambda i: f"10.0.{i}.{i * 7 % 256}", "^10\\.0\\.[0-9]+\\.[0-9]+$", ["10.0.1", "10.0.a.1"]),
        (lambda i: f"a\t{i}\n$[x", "^a\t[0-9]+\n\\$\\[x$", ["a\t1\n", "a 1\n$[x"]),
        (
            lambda i: f"u{'abc' * (i % 3)}@b.org",
            "^u[\\p{L}\\p{N}]*@b\\.org$",
            ["u@b.com", "ub.org", "u v@b.org"],
        ),
        (
            lambda i: f"+49 ({30 + i}) {i * 91:05d}",
            "^\\+49 \\([0-9]+\\) [0-9]{5}$",
            ["49 (30) 12345"],
        ),
    ],
)
def test_the_one_format_of_texts_is_found(form, found, wrong):
    values = texts(form)
    assert fixed_format(values) == found
    assert matches(values, found).all()
    assert not matches(pa.array(wrong), found).any()
    assert matches(pa.array([None], pa.string()), found).all()


def test_texts_of_several_formats_have_none():
    assert fixed_format(texts(lambda i: "word " * (i % 9))) is None
    assert fixed_format(texts(lambda i: f"A-{i}" if i else "free")) is None
    assert fixed_format(texts(lambda i: f"Łódź{i}" if i % 2 else f"{i}x")) is None
    assert fixed_format(texts(lambda i: f"{i}").slice(0, 99)) is None
    assert fixed_format(pa.chunked_array([[""] * 150])) is None
    assert fixed_format(texts(lambda i: f"a\0{i}")) is None
    assert fixed_format(pa.chunked_array([[]], pa.string())) is None


def test_the_format_holds_for_values_that_the_sample_lacks(monkeypatch):
    monkeypatch.setattr("simulacra.metrics.text_formats._LOOKED_AT", 10)
    values = pa.chunked_array([[f"k{i:03d}" for i in range(200)] + ["k1x5"]])
    assert fixed_format(values) == "^k[a-z0-9]{3}$"
    assert fixed_format(pa.chunked_array([[*values.to_pylist(), "k-1"]])) is None


def test_strange_formats_are_counted_in_texts_and_identifiers_only():
    real = pa.table({name: [f"k{i:04d}" for i in range(200)] for name in ("id", "note", "kind")})
    synthetic = pa.table({name: ["k0001", "k00010", "k 001", None] for name in real.column_names})
    spec = spec_of(real, note="text", id="identifier")
    found = invalid(real, synthetic, table=spec)
    assert found["id",] == found["note",] == (0.25, {"null": 1, "format": 2})
    assert found["kind",] == (0.25, {"null": 1, "category": 2})
    scores = measure(VALIDITY, real, real, table=spec)
    assert [score.details.get("format") for score in scores] == ["^k[0-9]{4}$"] * 2 + [None]


def test_tails_of_real_aircraft_have_a_format_that_held_out_ones_have():
    real, holdout = halves(shipped("planes", ["tailnum"]))
    spec = spec_of(real, tailnum="identifier")
    (score,) = measure(VALIDITY, real, holdout, holdout=holdout, table=spec)
    assert score.details["format"] == "^N[A-Z0-9]+$"
    assert "format" not in score.details["invalid"]
