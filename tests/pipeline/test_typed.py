import datetime as dt

import pyarrow as pa
import pytest

from simulacra.connectors.locate import open_source, open_target
from simulacra.core.batches import TableSource, read_all
from simulacra.core.context import RunContext
from simulacra.core.errors import InputError
from simulacra.core.schema import ColumnSpec, TableSpec
from simulacra.pipeline.typed import typed

CTX = RunContext()
MOMENT = dt.datetime(2024, 2, 29, 23, 59, 59, 123_456)
COLUMNS = {
    "whole": pa.array([1, -2, None], pa.int16()),
    "big": pa.array([2**62, 0, None], pa.int64()),
    "single": pa.array([0.1, 1.0, None], pa.float32()),
    "half": pa.array([0.5, 1.0, None], pa.float16()),
    "price": pa.array([1, 250, None], pa.int64()).cast(pa.decimal128(21, 0)).cast("string")
    .cast(pa.decimal128(15, 2)),
    "round": pa.array(["5", "7", None]).cast(pa.decimal128(15, 0)),
    "flag": pa.array([True, False, None]),
    "digits": pa.array(["12", "30", None]),
    "kind": pa.array(["a", "b", None]).dictionary_encode(),
    "day": pa.array([MOMENT.date(), dt.date(1, 1, 1), None]),
    "clock": pa.array([MOMENT.time(), dt.time(), None], pa.time64("us")),
    "seconds": pa.array([dt.time(1, 2, 3), dt.time(), None], pa.time32("s")),
    "moment": pa.array([MOMENT, MOMENT, None], pa.timestamp("us")),
    "instant": pa.array([MOMENT, MOMENT, None], pa.timestamp("ns", "Europe/Berlin")),
    "span": pa.array([90, -1, None], pa.duration("s")),
    "nothing yet": pa.nulls(3, pa.int32()),
}  # fmt: skip
TABLE = pa.table(COLUMNS)


def described(schema):
    columns = {f.name: ColumnSpec(type="any", arrow=str(f.type)) for f in schema}
    return TableSpec(columns=columns)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_text_files_come_back_with_the_types_of_the_specification(ending, tmp_path):
    uri = f"{tmp_path}/t.{ending}"
    with open_target(uri, tables={"t": TABLE.schema}, ctx=CTX) as writers, writers["t"] as writer:
        for batch in TABLE.to_batches():
            writer.write(batch)
    (source,) = open_source(uri, ctx=CTX).values()
    assert source.schema.types != TABLE.schema.types
    made = typed(source, described(TABLE.schema), "t")
    assert made.rows() == source.rows()
    assert read_all(made).replace_schema_metadata(None).equals(TABLE)
    (batch,) = made.batches(["day", "whole"])
    assert batch.schema.names == ["day", "whole"]
    assert batch.schema.field("whole").type == pa.int16()


def test_nested_values_are_typed_too(tmp_path):
    kind = pa.list_(pa.struct([("n", pa.int32())]))
    rows = pa.table({"x": pa.array([[{"n": 1}], [], None], kind)})
    (batch,) = rows.to_batches()
    uri = f"{tmp_path}/t.jsonl"
    with open_target(uri, tables={"t": rows.schema}, ctx=CTX) as writers, writers["t"] as writer:
        writer.write(batch)
    (source,) = open_source(uri, ctx=CTX).values()
    item = ColumnSpec(
        type="struct", arrow="struct", fields={"n": ColumnSpec(type="integer", arrow="int32")}
    )
    table = TableSpec(columns={"x": ColumnSpec(type="list", arrow="list", items=item)})
    assert read_all(typed(source, table, "t")).equals(rows)


def test_a_source_of_the_right_types_is_left_alone():
    source = TableSource(TABLE)
    assert typed(source, described(TABLE.schema), "t") is source
    assert typed(source, None, "t") is source


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (pa.array([0, 1, 7]), ColumnSpec(type="any", arrow="bool")),
        (pa.array([MOMENT]), ColumnSpec(type="any", arrow="date32[day]")),
        (pa.array([MOMENT]), ColumnSpec(type="any", arrow="int64")),
        (
            pa.array([b"x"]),
            ColumnSpec(type="list", arrow="list", items=ColumnSpec(type="any", arrow="int8")),
        ),
    ],
)
def test_what_would_lose_something_stays_as_it_is(values, wanted):
    source = TableSource(pa.table({"x": values}))
    assert typed(source, TableSpec(columns={"x": wanted}), "t") is source


@pytest.mark.parametrize(
    ("values", "wanted"),
    [(["1", "x"], "int32"), ([1.5], "int64"), (["2024-13-01"], "date32[day]"), ([300], "int8")],
)
def test_a_value_of_another_type_is_named(values, wanted):
    source = TableSource(pa.table({"x": values}))
    table = TableSpec(columns={"x": ColumnSpec(type="any", arrow=wanted)})
    with pytest.raises(InputError, match=r"^t\.x: a value of") as caught:
        read_all(typed(source, table, "t"))
    assert "specification" in str(caught.value)
