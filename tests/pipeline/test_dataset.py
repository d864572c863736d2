from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.errors import BundleError, InputError, SpecError, UsageError
from simulacra.core.limits import Limits
from simulacra.core.protocols import BLOCK_ROWS
from simulacra.core.schema import ColumnSpec, DatasetSpec, TableSpec
from simulacra.pipeline import fitted_table
from simulacra.pipeline.dataset import fit_dataset, load_dataset
from simulacra.pipeline.options import FitOptions


def learn(table, *, model="independent", spec=None, seed=0, ctx=None, **options):
    return fit_dataset(
        {"t": TableSource(table)},
        spec,
        FitOptions(model, **options),
        seed=seed,
        about={"model": model},
        ctx=ctx or RunContext(),
    )


def draw(dataset, rows, *, seed=None, ctx=None):
    batches = dataset.draw("t", dataset.plan(rows), seed=seed, ctx=ctx or RunContext())
    return pa.Table.from_batches(batches, dataset.tables["t"].schema)


@pytest.fixture(scope="module")
def mixed():
    rng = np.random.default_rng(0)
    rows = 4_000
    kind = rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1])
    amount = np.round(rng.gamma(2, 50, rows) * np.where(kind == "c", 10, 1), 2)
    return pa.table(
        {
            "id": pa.array(np.arange(rows) + 1, pa.int32()),
            "kind": pa.array(kind),
            "amount": pa.array(amount, mask=rng.random(rows) < 0.2),
            "seen": pa.array(np.datetime64("2024-01-01", "us") + rng.integers(0, 10**13, rows)),
            "flag": pa.array(rng.random(rows) < 0.5),
        }
    )


@pytest.mark.parametrize("model", ["independent", "copula", "forest"])
def test_the_same_seed_gives_the_same_rows_at_any_number_of_threads(mixed, model, monkeypatch):
    monkeypatch.setattr(fitted_table, "BLOCK_ROWS", 2_000)
    made = [
        draw(learn(mixed, model=model, ctx=ctx), 8_010, ctx=ctx)
        for ctx in (RunContext(limits=Limits(threads=n)) for n in (1, 3))
    ]
    assert made[0].equals(made[1])
    assert not made[0].equals(draw(learn(mixed, model=model, seed=1), 8_010))


@pytest.mark.parametrize("model", ["independent", "copula", "forest"])
def test_a_bundle_gives_the_same_rows(mixed, model, tmp_path):
    dataset = learn(mixed, model=model)
    dataset.save(tmp_path / "m.sim")
    again = load_dataset(tmp_path / "m.sim")
    assert draw(again, 1_000).equals(draw(dataset, 1_000))
    assert again.spec == dataset.spec
    again.save(tmp_path / "again.sim")
    assert (tmp_path / "again.sim").read_bytes() == (tmp_path / "m.sim").read_bytes()


def test_fewer_rows_are_the_first_of_more(mixed):
    dataset = learn(mixed)
    assert draw(dataset, 70_000).slice(0, BLOCK_ROWS).equals(draw(dataset, BLOCK_ROWS))


def test_keys_are_unique_and_nulls_keep_their_share(mixed):
    made = draw(learn(mixed, model="forest"), 20_000)
    assert len(set(made["id"].to_pylist())) == 20_000
    share = mixed["amount"].null_count / mixed.num_rows
    # Five standard deviations of the share in the source and in the copy.
    bound = 5 * np.sqrt(share * (1 - share) * (1 / 4_000 + 1 / 20_000))
    assert abs(made["amount"].null_count / 20_000 - share) < bound


NESTED = pa.schema(
    [
        ("key", pa.int64()),
        ("person", pa.struct([("age", pa.int16()), ("tags", pa.list_(pa.string()))])),
        ("scores", pa.large_list(pa.float32())),
        ("pairs", pa.map_(pa.string(), pa.int32())),
        ("orders", pa.list_(pa.struct([("sku", pa.string()), ("parts", pa.list_(pa.int8()))]))),
    ]
)


def nested_rows(rows):
    rng = np.random.default_rng(3)
    for number in range(rows):
        size = int(rng.integers(0, 4))
        yield {
            "key": number,
            "person": None
            if number % 5 == 0
            else {"age": int(rng.integers(18, 80)), "tags": ["x", "y"][: size % 3]},
            "scores": None if number % 7 == 0 else list(rng.random(size)),
            "pairs": {"k": size},
            "orders": [{"sku": f"s{size}", "parts": [size] * size} for _ in range(size)],
        }


@pytest.mark.parametrize("model", ["independent", "forest"])
def test_nested_columns_come_back_nested(model, tmp_path):
    table = pa.Table.from_pylist(list(nested_rows(600)), schema=NESTED)
    dataset = learn(table, model=model)
    dataset.save(tmp_path / "m.sim")
    made = draw(load_dataset(tmp_path / "m.sim"), 2_000)
    assert made.schema == table.schema
    rows = made.to_pylist()
    assert 0.1 < np.mean([row["person"] is None for row in rows]) < 0.3
    assert {len(row["orders"]) for row in rows} == {0, 1, 2, 3}
    assert {order["sku"] for row in rows for order in row["orders"]} == {"s1", "s2", "s3"}
    assert dataset.spec.tables["t"].columns["orders"].items.fields["sku"].type == "category"


def test_items_depend_on_the_row_they_belong_to():
    table = pa.Table.from_pylist(list(nested_rows(3_000)), schema=NESTED)
    made = draw(learn(table, model="forest"), 3_000).to_pylist()
    agree = [order["sku"] == f"s{len(row['orders'])}" for row in made for order in row["orders"]]
    assert np.mean(agree) > 0.9


TYPES = {
    "int8": pa.array([1, 2, None] * 50, pa.int8()),
    "uint64": pa.array([2**64 - 1, 0, 2**63] * 50, pa.uint64()),
    "float32": pa.array([1.5, float("nan"), float("inf")] * 50, pa.float32()),
    "decimal": pa.array(range(150), pa.int64()).cast(pa.decimal128(38, 3)),
    "year9999": pa.array([dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1), None] * 50),
    "zoned": pa.array(range(150), pa.timestamp("ns", tz="Europe/Berlin")),
    "date": pa.array([dt.date(2020, 1, 1), dt.date(2024, 2, 29), None] * 50),
    "time": pa.array([dt.time(1, 2, 3), dt.time(23, 59), None] * 50),
    "duration": pa.array([1, 2, 3] * 50, pa.duration("ms")),
    "dictionary": pa.array(["a", "b", None] * 50).dictionary_encode(),
    "null": pa.nulls(150),
    "empty text": pa.nulls(150, pa.string()),
    "constant": pa.array(["x"] * 150),
    "binary": pa.array([b"\x00", b"\xff\x01", None] * 50),
    '日本 "quoted"': pa.array(["ä", "🎉", ""] * 50, pa.large_string()),
    "view": pa.array(["q", "r", None] * 50, pa.string_view()),
    "bool": pa.array([True, None, False] * 50),
}


@pytest.mark.parametrize("model", ["independent", "copula", "forest"])
@pytest.mark.parametrize("rows", [150, 1, 2])
def test_every_type_comes_back_as_it_was(model, rows, tmp_path):
    table = pa.table(TYPES).slice(0, rows)
    dataset = learn(table, model=model)
    dataset.save(tmp_path / "m.sim")
    made = draw(load_dataset(tmp_path / "m.sim"), 300)
    assert made.schema == table.schema
    assert made.num_rows == 300
    made.validate(full=True)
    for name in table.column_names:
        if table[name].null_count == 0:
            assert made[name].null_count == 0, name
    assert draw(dataset, 0).num_rows == 0


def test_all_rows_shape_marginals_though_few_teach_structure():
    values = pa.array(np.repeat([f"v{i}" for i in range(400)], 50))
    made = draw(learn(pa.table({"v": values}), model="forest", structure_rows=200), 40_000)
    # 200 of the 400 values can't be in the sample; all must be drawn.
    assert len(set(made["v"].to_pylist())) == 400


def test_no_row_to_learn_from():
    with pytest.raises(InputError, match="t: there is no row"):
        learn(pa.table({"a": pa.array([], pa.int64())}))


def test_a_specification_that_does_not_fit_names_every_column():
    spec = DatasetSpec(
        tables={
            "t": TableSpec(
                columns={
                    "a": ColumnSpec(type="integer", arrow="int32"),
                    "b": ColumnSpec(type="integer", arrow="int64"),
                }
            )
        }
    )
    with pytest.raises(SpecError, match=r"t\.a: the data has int64.*t\.b.*t\.c"):
        learn(pa.table({"a": [1, 2], "c": [1, 2]}), spec=spec)


def test_options_of_the_model_are_checked_at_the_door():
    with pytest.raises(UsageError, match=r"model forest: option 'nope'.*options are"):
        learn(pa.table({"a": [1]}), model="forest", model_options={"nope": 1})


@pytest.mark.parametrize(
    ("rows", "scale", "expected"), [(None, None, 10), (3, None, 3), (None, 2.5, 25), (0, None, 0)]
)
def test_rows_wanted(rows, scale, expected):
    dataset = learn(pa.table({"a": list(range(10))}))
    assert dataset.plan(rows, scale) == {"t": expected}


@pytest.mark.parametrize(
    ("rows", "scale"), [(1, 1.0), (-1, None), (None, -1.0), (None, float("nan"))]
)
def test_rows_that_make_no_sense(rows, scale):
    dataset = learn(pa.table({"a": list(range(10))}))
    with pytest.raises(UsageError):
        dataset.plan(rows, scale)


def test_a_bundle_whose_contents_were_swapped_is_refused(tmp_path):
    from simulacra.core.artifacts import write_bundle

    with write_bundle(tmp_path / "m.sim") as out:
        out.json("spec", {"version": 1, "tables": {}})
        out.json("dataset", {"seed": 0, "tables": ["t"]})
    with pytest.raises(BundleError, match="make no sense"):
        load_dataset(tmp_path / "m.sim")
