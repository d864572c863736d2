"""What is detected, kept, edited and checked."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from simulacra import Metadata
from simulacra.core.errors import InputError, SpecError

ROWS = 400
RNG = np.random.default_rng(0)
START = dt.datetime(2015, 1, 1)


def numbers(least, most):
    return RNG.integers(least, most, ROWS).tolist()


def moments(layout):
    return [
        (START + dt.timedelta(days=d, seconds=s)).strftime(layout)
        for d, s in zip(numbers(0, 3_000), numbers(0, 86_400), strict=True)
    ]


def words(*choices, count=1):
    return [" ".join(RNG.choice(choices, count)) for _ in range(ROWS)]


def uuids():
    return [str(uuid.UUID(bytes=RNG.bytes(16), version=4)) for _ in range(ROWS)]


COLUMNS = {
    "integer": (numbers(0, 10**6), "integer"),
    "few whole numbers": (numbers(0, 5), "integer"),
    "uint64": (pa.array(numbers(0, 99), pa.uint64()), "integer"),
    "float": (RNG.normal(size=ROWS), "float"),
    "decimal": ([Decimal(n) / 100 for n in numbers(0, 9_999)], "decimal"),
    "boolean": (pa.array([n < 40 for n in numbers(0, 99)]), "boolean"),
    "boolean or null": ([None, True, False, True] * (ROWS // 4), "boolean"),
    "category": (words("red", "green", "blue"), "category"),
    "yes or no": (words("yes", "no"), "category"),
    "postcodes, few": ([f"{n:05}" for n in numbers(0, 60)], "category"),
    "dictionary": (pa.array(words("x", "y")).dictionary_encode(), "category"),
    "date32": (pa.array(numbers(0, 9_999), pa.int32()).cast(pa.date32()), "date"),
    "timestamp": (pa.array(numbers(0, 10**9)).cast(pa.timestamp("s", "UTC")), "datetime"),
    "time64": (pa.array(numbers(0, 86_399_000_000)).cast(pa.time64("us")), "time"),
    "duration": (pa.array(numbers(0, 10**6)).cast(pa.duration("ms")), "duration"),
    "dates with nulls": ([None, *moments("%Y-%m-%d")[1:]], "date"),
    "order_id": (RNG.permutation(ROWS) + 5_000, "identifier"),
    "counted": (range(1, ROWS + 1), "identifier"),
    "padded": ([f"{n:06}" for n in range(ROWS)], "identifier"),
    "prefixed": ([f"CUST-{n:05}" for n in range(ROWS)], "identifier"),
    "uuid": (uuids(), "identifier"),
    "UUID": ([text.upper() for text in uuids()], "identifier"),
    "hexadecimal": ([RNG.bytes(12).hex() for _ in range(ROWS)], "identifier"),
    "sentence": (words("the", "cat", "sat", "on", "a", "mat", "dog", count=9), "text"),
    "names": ([f"Ann L{RNG.bytes(4).hex()}" for _ in range(ROWS)], "text"),
    "constant": (["x"] * ROWS, "constant"),
    "constant or null": (["x", None] * (ROWS // 2), "constant"),
    "zero": ([0] * ROWS, "constant"),
    "null": (pa.nulls(ROWS), "empty"),
    "null text": (pa.nulls(ROWS, pa.string()), "empty"),
    "bytes": ([RNG.bytes(4) for _ in range(ROWS)], "binary"),
    "struct": ([{"a": n, "b": "x"} for n in numbers(0, 9)], "struct"),
    "list": ([[n] * (n % 3) for n in numbers(0, 9)], "list"),
}
LAYOUTS = {
    **dict.fromkeys(
        ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d", "%d-%b-%Y", "%B %d, %Y"),
        "date",
    ),
    **dict.fromkeys(
        (
            "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+02:00",
            "%m/%d/%Y %I:%M %p", "%Y%m%d%H%M%S", "%a, %d %b %Y %H:%M:%S",
        ),
        "datetime",
    ),
    **dict.fromkeys(("%H:%M:%S", "%H:%M"), "time"),
}  # fmt: skip
TABLE = pa.table(
    {
        name: values if isinstance(values, pa.Array) else pa.array(list(values))
        for name, (values, _) in {
            **COLUMNS,
            **{layout: (moments(layout), kind) for layout, kind in LAYOUTS.items()},
        }.items()
    }
)


@pytest.fixture(scope="module")
def detected():
    return Metadata.detect(TABLE).tables["table"]


@pytest.mark.parametrize("name", COLUMNS)
def test_types_are_detected(detected, name):
    column = detected.columns[name]
    assert column.type == COLUMNS[name][1]
    assert column.nullable == (TABLE[name].null_count > 0)
    assert column.arrow_type() == TABLE.schema.field(name).type or column.type in {"struct", "list"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_texts_of_dates_and_times_are_detected_with_their_format(detected, layout):
    column = detected.columns[layout]
    assert (column.type, column.options) == (LAYOUTS[layout], {"format": layout})


def test_nested_columns_have_specs_within(detected):
    assert {k: v.type for k, v in detected.columns["struct"].fields.items()} == {
        "a": "integer",
        "b": "constant",
    }
    assert detected.columns["list"].items.type == "integer"


def test_columns_keep_their_order_and_rows_are_counted(detected):
    assert list(detected.columns) == TABLE.column_names
    assert detected.rows == ROWS
    assert len(detected.primary_key) == 1


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ({"x": numbers(0, 9), "id": range(ROWS)}, ["id"]),
        ({"code": [f"K{n:03}" for n in range(ROWS)], "x": numbers(0, 9)}, ["code"]),
        ({"a": np.repeat(range(20), 20), "b": np.tile(range(20), 20)}, ["a", "b"]),
        ({"x": numbers(0, 9), "y": numbers(0, 99)}, []),
        ({"measure": RNG.normal(size=ROWS)}, []),
        ({"id": [None, *range(1, ROWS)]}, []),
    ],
)
def test_primary_keys_are_found(columns, key):
    table = pa.table({name: list(values) for name, values in columns.items()})
    assert Metadata.detect(table).tables["table"].primary_key == key


# --- files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["spec.yaml", "spec.yml", "spec.json"])
def test_a_saved_specification_is_the_same(tmp_path, name):
    metadata = Metadata.detect({"a": TABLE, "ä b": TABLE.select(["order_id", "struct", "list"])})
    metadata.save(tmp_path / name)
    text = (tmp_path / name).read_text(encoding="utf-8")
    assert (json.loads(text) if name.endswith("json") else yaml.safe_load(text))["version"] == 1
    assert Metadata.load(tmp_path / name).spec == metadata.spec
    assert "ä b" in text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda spec: spec.update(more=1), "more"),
        (lambda spec: spec["tables"]["table"].update(more=1), "tables.table.more"),
        (lambda spec: spec["tables"]["table"]["columns"]["x"].update(more=1), "columns.x.more"),
        (lambda spec: spec.update(version=2), "version"),
        (lambda spec: spec["tables"]["table"]["columns"]["x"].pop("type"), "columns.x.type"),
    ],
)
def test_a_field_nobody_knows_is_named(tmp_path, change, named):
    spec = Metadata.detect(pa.table({"x": [1, 2, 3]})).to_dict()
    change(spec)
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(spec))
    with pytest.raises(SpecError, match=named) as caught:
        Metadata.load(path)
    assert caught.value.where == str(path)


def test_the_json_schema_knows_every_field():
    schema = Metadata.json_schema()
    assert set(schema["$defs"]["ColumnSpec"]["properties"]) == {
        "type", "arrow", "nullable", "unique", "options", "fields", "items",
    }  # fmt: skip
    assert schema["additionalProperties"] is False


# --- changes --------------------------------------------------------------------------------


def test_fields_are_changed_in_place():
    metadata = Metadata.detect(pa.table({"x": numbers(0, 9), "k": words("a", "b")}))
    same = metadata.update("table", "x", type="category").update("table", primary_key=["k"])
    assert same is metadata
    assert metadata.tables["table"].columns["x"].type == "category"
    assert metadata.tables["table"].columns["x"].arrow == "int64"
    assert metadata.tables["table"].primary_key == ["k"]


@pytest.mark.parametrize(
    ("where", "changes", "named"),
    [
        (("nope",), {"primary_key": []}, "nope.*table"),
        (("table", "nope"), {"type": "text"}, r"table\.nope.*x, k"),
        (("table", "x"), {"typ": "text"}, r"table\.x.*typ"),
        (("table", "x"), {"arrow": "int9"}, r"table\.x.*int9"),
        (("table", "x"), {"nullable": "maybe"}, r"table\.x.*nullable"),
        (("table",), {"primary_key": ["nope"]}, "nope"),
        (("table",), {"nope": 1}, "nope"),
    ],
)
def test_changes_that_make_no_sense_change_nothing(where, changes, named):
    metadata = Metadata.detect(pa.table({"x": numbers(0, 9), "k": words("a", "b")}))
    before = metadata.spec
    with pytest.raises(SpecError, match=named):
        metadata.update(*where, **changes)
    assert metadata.spec == before


# --- checks ---------------------------------------------------------------------------------


def people(**changes):
    columns = {"id": list(range(ROWS)), "age": numbers(18, 80), "day": moments("%Y-%m-%d")}
    return pa.table({**columns, **changes})


def test_data_that_fits_has_no_mismatch():
    assert Metadata.detect(people()).validate(people()) == []


@pytest.mark.parametrize(
    ("changed", "mismatch"),
    [
        ({"more": [1] * ROWS}, "table.more: the column is not in the specification"),
        ({"age": ["x"] * ROWS}, "table.age: the data has string, the specification int64"),
        ({"id": [7] * ROWS}, "table.id: 399 values repeat in a unique column"),
        ({"age": [None, None, *range(2, ROWS)]}, "table.age: 2 nulls in a column without nulls"),
        ({"day": ["soon", *moments("%Y-%m-%d")[1:]]}, "table.day: 1 values are no date"),
    ],
)
def test_every_mismatch_is_named(changed, mismatch):
    found = Metadata.detect(people()).validate(people(**changed))
    assert list(map(str, found)) == [mismatch]


def test_missing_columns_and_tables_are_named():
    metadata = Metadata.detect({"a": people(), "b": people()})
    found = metadata.validate({"a": people().drop_columns(["age"]), "c": people()})
    assert sorted(mismatch.where for mismatch in found) == ["a.age", "b", "c"]


def test_metadata_of_a_file_fits_it(tmp_path):
    pq.write_table(TABLE.drop_columns(["null"]), tmp_path / "t.parquet")
    metadata = Metadata.detect(tmp_path / "t.parquet")
    assert list(metadata.tables) == ["t"]
    assert metadata.validate(tmp_path / "t.parquet") == []


# --- SDV ------------------------------------------------------------------------------------


@pytest.fixture
def sdv_file(tmp_path):
    def write(value):
        path = tmp_path / "metadata.json"
        path.write_text(json.dumps(value))
        return path

    return write


def test_sdv_metadata_of_one_table_is_taken_over(sdv_file):
    path = sdv_file(
        {
            "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
            "primary_key": "ref",
            "columns": {
                "ref": {"sdtype": "id", "regex_format": "[0-9]{4}"},
                "grade": {"sdtype": "categorical", "order": [1, 2, 3]},
                "day": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
                "age": {"sdtype": "numerical"},
            },
        }
    )
    data = pa.table(
        {
            "ref": (RNG.permutation(ROWS) + 1_000).astype(str).tolist(),
            "grade": numbers(1, 4),
            "day": moments("%Y-%m-%d"),
            "age": numbers(18, 80),
        }
    )
    table = Metadata.from_sdv(path, data).tables["table"]
    assert table.primary_key == ["ref"]
    assert {name: column.type for name, column in table.columns.items()} == {
        "ref": "identifier",
        "grade": "category",
        "day": "date",
        "age": "integer",
    }
    assert table.columns["grade"].options == {"ordered": True, "categories": [1, 2, 3]}


def test_sdv_relationships_become_foreign_keys(sdv_file):
    columns = {"id": {"sdtype": "id"}, "parent_id": {"sdtype": "id"}}
    path = sdv_file(
        {
            "METADATA_SPEC_VERSION": "V1",
            "tables": {
                "parents": {"primary_key": "id", "columns": {"id": {"sdtype": "id"}}},
                "children": {"primary_key": "id", "columns": columns},
            },
            "relationships": [
                {
                    "parent_table_name": "parents",
                    "parent_primary_key": "id",
                    "child_table_name": "children",
                    "child_foreign_key": "parent_id",
                }
            ],
        }
    )
    children = pa.table({"id": range(ROWS), "parent_id": numbers(0, ROWS)})
    data = {"parents": pa.table({"id": range(ROWS)}), "children": children}
    metadata = Metadata.from_sdv(path, data)
    (key,) = metadata.tables["children"].foreign_keys
    assert (key.columns, key.parent, key.parent_columns) == (["parent_id"], "parents", ["id"])
    assert '"parents" ||--o{ "children" : "parent_id"' in metadata.diagram()


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({}, "METADATA_SPEC_VERSION"),
        ([], "no SDV metadata"),
        ({"METADATA_SPEC_VERSION": "V9"}, "SINGLE_TABLE_V1"),
        ({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1"}, "columns"),
        ({"METADATA_SPEC_VERSION": "V1", "columns": {"x": {}}}, "sdtype"),
        ({"METADATA_SPEC_VERSION": "V1", "columns": {"no": {"sdtype": "id"}}}, "no such column"),
        ({"METADATA_SPEC_VERSION": "V1", "tables": {"a": {}, "b": {}}}, "doesn't fit"),
    ],
)
def test_other_files_are_no_sdv_metadata(sdv_file, value, named):
    path = sdv_file(value)
    with pytest.raises(SpecError, match=named) as caught:
        Metadata.from_sdv(path, pa.table({"x": [1, 2, 3]}))
    assert str(path) in str(caught.value)


def test_files_that_can_not_be_read(tmp_path):
    with pytest.raises(InputError, match=r"no\.yaml.*No such file"):
        Metadata.load(tmp_path / "no.yaml")
    with pytest.raises(InputError, match=r"no\.json"):
        Metadata.from_sdv(tmp_path / "no.json", pa.table({"x": [1]}))
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(SpecError, match=r"bad\.json"):
        Metadata.load(tmp_path / "bad.json")


def test_the_diagram_shows_keys_and_keeps_names():
    metadata = Metadata.detect({"a b": pa.table({"id": range(50), 'x "y"': numbers(0, 9)[:50]})})
    lines = metadata.diagram().splitlines()
    assert lines[0] == "erDiagram"
    assert lines[1].strip() == '"a b" {'
    assert lines[2].strip() == "identifier id PK"
    assert lines[3].strip() == 'integer x__y_ "x #quot;y#quot;"'
    assert repr(metadata) == "Metadata(a b (2))"
