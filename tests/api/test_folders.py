"""A folder of several tables keeps what the tables are, whatever the format of its files."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
import yaml

from simulacra.api import Metadata, Synthesizer, evaluate
from simulacra.connectors.locate import open_source
from simulacra.core.batches import read_all
from simulacra.core.context import RunContext
from simulacra.core.schema import ForeignKey

KEY = ForeignKey(columns=["customer"], parent="customers", parent_columns=["id"])


@pytest.fixture(scope="module")
def shop():
    rng = np.random.default_rng(0)
    customers = pa.table(
        {
            "id": pa.array(range(1, 201), pa.int32()),
            "joined": pa.array([dt.date(2020, 1, 1 + n % 28) for n in range(200)]),
            "name": [f"Smith-{n}" for n in rng.integers(0, 10**6, 200)],
        }
    )
    orders = pa.table(
        {
            "id": pa.array(range(1, 601), pa.int64()),
            "customer": pa.array(rng.integers(1, 201, 600), pa.int32()),
            "price": pa.array([f"{n:.2f}" for n in rng.gamma(2, 20, 600)]).cast(
                pa.decimal128(15, 2)
            ),
            "paid": pa.array(rng.random(600) < 0.8),
        }
    )
    return {"customers": customers, "orders": orders}


@pytest.fixture(scope="module")
def learned(shop):
    metadata = Metadata.detect(shop, infer_keys=False)
    metadata.update("orders", foreign_keys=[KEY])
    return Synthesizer("independent", seed=1).fit(shop, metadata)


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "parquet"])
def test_a_folder_is_learned_from_as_what_it_was_made_of(learned, shop, file_format, tmp_path):
    learned.write(tmp_path / "copy", file_format=file_format)
    text = (tmp_path / "copy" / "spec.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["tables"].keys() == shop.keys()
    assert "Smith" not in text
    again = Synthesizer("independent").fit(str(tmp_path / "copy"))
    assert again.metadata.tables["orders"].foreign_keys == [KEY]
    made = again.sample(scale=0.5)
    for name, table in shop.items():
        assert made[name].schema.remove_metadata() == table.schema
    assert set(made["orders"]["customer"].to_pylist()) <= set(made["customers"]["id"].to_pylist())
    report = evaluate(shop, str(tmp_path / "copy"), metadata=learned.metadata, metrics=["validity"])
    assert report.summary()


def test_what_is_beside_tables_is_no_table(learned, tmp_path):
    learned.write(tmp_path / "copy", file_format="csv")
    sources = open_source(str(tmp_path / "copy"), ignore=["spec.yaml"], ctx=RunContext())
    assert {name: read_all(source).num_rows for name, source in sources.items()} == {
        "customers": 200,
        "orders": 600,
    }
