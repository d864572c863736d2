"""The checks of whole databases: models pass them, and each fault is seen."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings

from simulacra.testing import checks_for, database_checks, database_tests, relations
from simulacra.testing.random_databases import databases
from simulacra.testing.shapes import SHAPES, database

test_forest = database_tests("forest", shapes=["deep", "replies", "junction", "polymorphic"])
test_copula = database_tests("copula", shapes=["deep", "tenants", "circle", "owner_and_date"])


def test_there_is_a_check_for_every_shape():
    names = [check.name for check in database_checks("independent")]
    assert names == [f"keeps_databases_of_{shape}" for shape in SHAPES]
    assert not {check.name for check in checks_for("models", "independent")} & set(names)


@pytest.fixture(scope="module")
def order_lines():
    real = database("order_lines")
    return real, real.spec


def changed(tables, table, column, change):
    values = tables[table][column].to_pylist()
    made = tables[table]
    place = made.schema.get_field_index(column)
    array = pa.array(change(values), made.schema.field(place).type)
    return {**tables, table: made.set_column(place, made.schema.field(place), array)}


FAULTS = [
    ("line", "order_id", lambda v: [7, *v[1:]], "line.order_id: 1 rows name no row of order"),
    ("line", "line", lambda v: [v[1], *v[1:]], "line.order_id,line: 1 of"),
    ("order", "id", lambda v: [v[1], *v[1:]], "order.id: 1 of 250 repeat"),
    ("complaint", "line", lambda v: [99] * len(v), "complaint.order_id,line: 269 rows name no row"),
    ("order", "paid", lambda v: [None, *v[1:]], "order.paid: 1 nulls"),
]


@pytest.mark.parametrize(("table", "column", "change", "told"), FAULTS)
def test_faults_are_seen(order_lines, table, column, change, told):
    real, spec = order_lines
    rows = {name: rows.num_rows for name, rows in real.tables.items()}
    assert relations.problems(spec, real.tables, real=real.tables, rows=rows) == []
    bad = changed(real.tables, table, column, change)
    found = relations.problems(spec, bad, real=real.tables, rows=rows)
    assert any(problem.startswith(told) for problem in found), found


def test_wrong_numbers_of_rows_missing_tables_and_changed_lookups_are_seen():
    real = database("lookups")
    spec = real.spec
    rows = {name: rows.num_rows for name, rows in real.tables.items()}
    fewer = {**real.tables, "person": real.tables["person"].slice(1)}
    found = relations.problems(spec, fewer, real=real.tables, rows=rows)
    assert found == ["person: 399 rows where 400 were planned"]
    less = {name: table for name, table in real.tables.items() if name != "person"}
    found = relations.problems(spec, less, real=real.tables, rows=rows)
    assert found == ["person: there is no such table"]
    moved = changed(real.tables, "country", "people", lambda v: [0.5, *v[1:]])
    kept = real.learn().spec
    assert kept.tables["country"].keep
    found = relations.problems(kept, moved, real=real.tables, rows=rows)
    assert found == ["country: it is to be kept, but isn't equal"]


def test_what_is_told_of_keys():
    real = database("circle")
    spec = real.spec
    (key,) = spec.tables["employee"].foreign_keys
    children = relations.children_of(real.tables, "employee", key)
    ids = real.tables["employee"]["department_id"].to_pylist()
    names = real.tables["department"]["id"].to_pylist()
    assert children.tolist() == [ids.count(name) for name in names]
    assert relations.null_share(real.tables, "employee", key) == ids.count(None) / len(ids)
    tree = database("tree")
    (own,) = tree.spec.tables["category"].foreign_keys
    depths = relations.depths_of(tree.tables, "category", own)
    parents = relations.parents_of(tree.tables, "category", own)
    assert (depths[parents < 0] == 0).all()
    below = np.flatnonzero(parents >= 0)
    assert (depths[below] == depths[parents[below]] + 1).all()
    loop = changed(tree.tables, "category", "parent_id", lambda v: [v[-1], *v[1:]])
    ids = loop["category"]["id"].to_pylist()
    first = changed(loop, "category", "parent_id", lambda v: [ids[399], *v[1:-1], ids[0]])
    with pytest.raises(ValueError, match=r"category\.parent_id: rows go round"):
        relations.depths_of(first, "category", own)


@given(databases())
@settings(max_examples=60)
def test_random_databases_are_whole_themselves(real):
    spec = real.spec
    rows = {name: table.num_rows for name, table in real.tables.items()}
    strays = {
        f"{name}.{','.join(key.columns)}"
        for name, table in spec.tables.items()
        for key in table.foreign_keys
        if key.orphans is not None
    }
    found = relations.problems(spec, real.tables, real=real.tables, rows=rows)
    assert all(problem.split(": ")[0] in strays for problem in found), found
