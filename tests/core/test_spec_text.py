import yaml

from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, RuleSpec, TableSpec
from simulacra.core.spec_text import shareable, yaml_text

ORIGIN = {
    "dialect": "postgresql",
    "schema": "clinic",
    "table": "visits",
    "columns": {
        "id": {"type": "bigint", "generic": {"kind": "integer", "bits": 64}, "comment": None},
        "comment": {"type": "text", "generic": {"kind": "text"}, "comment": "typed by Eve Meyer"},
    },
    "indexes": [{"name": "i", "columns": ["comment"], "lengths": {"comment": 3}}],
    "comment": "ask eve.meyer@example.org",
}


def leaf(kind, arrow, **more):
    return ColumnSpec(type=kind, arrow=arrow, **more)


def spec():
    visits = TableSpec(
        columns={
            "id": leaf("identifier", "int64", nullable=False, unique=True),
            "comment": leaf("text", "string"),
            "patient": leaf("category", "int64"),
            "ward": leaf(
                "category",
                "string",
                options={"ordered": True, "categories": ["Meyer", "Schulz"], "min_count": 3},
            ),
            "seen": leaf("date", "string", options={"format": "%d.%m.%Y"}),
            "wishes": ColumnSpec(
                type="list",
                arrow="list",
                items=leaf("category", "string", options={"categories": ["Meyer's"]}),
            ),
            "address": ColumnSpec(
                type="struct",
                arrow="struct",
                fields={"city": leaf("category", "string", options={"categories": ["Meyerhof"]})},
            ),
        },
        primary_key=["id"],
        unique=[["patient", "seen"]],
        foreign_keys=[
            ForeignKey(
                columns=["patient"],
                parent="patients",
                parent_columns=["id"],
                evidence="every value of 71,234 rows is in patients.id",
            ),
            ForeignKey(columns=["ward"], parent="wards", parent_columns=["name"]),
        ],
        rules=[RuleSpec(rule="difference", options={"column": "id", "minus": "patient"})],
        rows=71_234,
        origin=ORIGIN,
    )
    patients = TableSpec(
        columns={"id": leaf("identifier", "int64")}, primary_key=["id"], rows=312, keep=True
    )
    wards = TableSpec(columns={"name": leaf("identifier", "string")}, primary_key=["name"])
    return DatasetSpec(tables={"visits": visits, "patients": patients, "wards": wards})


def test_what_lies_beside_synthetic_tables_tells_of_no_one():
    text = yaml_text(shareable(spec(), ["visits", "patients"]))
    for told in ("Meyer", "meyer", "Schulz", "71", "312", "evidence", "difference", "wards"):
        assert told not in text


def test_what_the_way_back_to_a_database_needs_stays():
    whole = spec()
    shared = DatasetSpec.model_validate(
        yaml.safe_load(yaml_text(shareable(whole, ["visits", "patients"])))
    )
    assert list(shared.tables) == ["visits", "patients"]
    before, after = whole.tables["visits"], shared.tables["visits"]
    assert after.arrow_schema() == before.arrow_schema()
    assert (after.primary_key, after.unique) == (before.primary_key, before.unique)
    (key,) = after.foreign_keys
    assert (key.columns, key.parent, key.parent_columns) == (["patient"], "patients", ["id"])
    assert after.columns["ward"].options == {"ordered": True}
    assert after.columns["seen"].options == {"format": "%d.%m.%Y"}
    assert shared.tables["patients"].keep
    assert after.origin["columns"]["comment"] == {"type": "text", "generic": {"kind": "text"}}
    assert after.origin["columns"]["id"]["generic"] == {"kind": "integer", "bits": 64}
    assert after.origin["indexes"] == ORIGIN["indexes"]
    assert "comment" not in after.origin


def test_the_specification_itself_stays_as_it_is():
    whole = spec()
    shareable(whole, ["visits"])
    assert whole == spec()
