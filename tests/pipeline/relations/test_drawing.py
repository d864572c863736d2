"""What is kept of the shape of databases: children per parent, trees, order, order of wishes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from simulacra.core.errors import LimitError, SpecError, UsageError
from simulacra.core.schema import Orphans
from simulacra.pipeline.relations.graph import Role
from simulacra.testing import relations
from simulacra.testing.shapes import SHAPES, database
from simulacra.testing.small_database import Maker, keys_of, to
from simulacra.testing.whole_databases import draw_database

FEWEST_PARENTS = 100


def made_from(real, model="forest", *, scale=None, rows=None, seed=None):
    """Learn a database and draw another one."""
    fitted = real.learn(model)
    return fitted, draw_database(fitted, fitted.plan(rows, scale), seed=seed)


def the_key(fitted, table, place=0):
    return fitted.spec.tables[table].foreign_keys[place]


def pairs(tables, table, columns):
    return list(zip(*[tables[table][name].to_pylist() for name in columns], strict=True))


# --- children per parent -------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_children_per_parent_stay_as_they_are(shape):
    real = database(shape)
    fitted, made = made_from(real)
    for name, table in fitted.tables.items():
        for relation in table.family.relations if table.family else ():
            key = relation.relation.key
            shared = any("tenant" in column for column in key.columns)
            few = real.tables[key.parent].num_rows < FEWEST_PARENTS
            # Where the parents of a row must agree, some of them can't have all they should, and
            # one that follows from another has what comes to it; of rows with the same key it is
            # chance which is taken for the parent.
            follows = any(not tie.parent_path for tie in relation.ties)
            if few or shared or follows or relation.orphans or shape == "repeated_keys":
                continue
            # Of rows of the same table there must be some on each level for those below.
            most = 0.06 if relation.role is Role.SELF else 0.03
            counts = [relations.children_of(t, name, key) for t in (real.tables, made)]
            assert relations.distance(*counts) <= most, f"{name}.{','.join(key.columns)}"


@pytest.mark.parametrize("scale", [0.5, 2.0, 5.0])
def test_children_per_parent_stay_at_any_scale(scale):
    m = Maker.of("scaled")
    m.add("owner", {"id": range(400), "size": m.numbers(400)}, key=["id"])
    owners = m.children(400, 4.0)
    columns = {"id": np.arange(len(owners)), "owner_id": owners, "paid": m.numbers(len(owners))}
    m.add("pet", columns, key=["id"], refers=[to("owner", {"owner_id": "id"})])
    real = m.made()
    fitted, made = made_from(real, scale=scale)
    counts = [
        relations.children_of(tables, "pet", the_key(fitted, "pet"))
        for tables in (real.tables, made)
    ]
    assert relations.distance(*counts) <= 0.03


def test_who_has_how_many_depends_on_what_he_is():
    m = Maker.of("dependent")
    kind = m.generator.integers(0, 3, 900)
    m.add("shop", {"id": range(900), "kind": [("S", "M", "L")[k] for k in kind]}, key=["id"])
    shops = np.repeat(np.arange(900), m.generator.poisson([1, 4, 9], (900, 3))[range(900), kind])
    columns = {"id": np.arange(len(shops)), "shop_id": shops}
    m.add("till", columns, key=["id"], refers=[to("shop", {"shop_id": "id"})])
    fitted, made = made_from(m.made())
    counts = relations.children_of(made, "till", the_key(fitted, "till"))
    kinds = np.array(made["shop"]["kind"].to_pylist())
    for letter, mean in (("S", 1), ("M", 4), ("L", 9)):
        found = counts[kinds == letter]
        # Five standard errors of a Poisson mean, in the source and here.
        assert abs(found.mean() - mean) < 5 * np.sqrt(2 * mean / len(found))


# --- trees ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "table", "place"),
    [
        ("tree", "category", 0),
        ("replies", "comment", 1),
        ("threads", "post", 1),
        ("names_in_folders", "folder", 0),
        ("friends", "user", 0),
    ],
)
def test_depth_of_trees_stays(shape, table, place):
    real = database(shape)
    fitted, made = made_from(real)
    key = the_key(fitted, table, place)
    depths = [relations.depths_of(tables, table, key) for tables in (real.tables, made)]
    # Two samples of so many rows differ by less in 999 of 1,000 cases.
    rows = len(depths[0])
    assert relations.distance(*depths) <= 1.95 * np.sqrt(2 / rows)
    assert depths[1].max() <= depths[0].max()
    assert depths[1].max() >= depths[0].max() - 3


def test_answers_stay_within_their_post():
    fitted, made = made_from(database("replies"))
    posts = np.array(made["comment"]["post_id"].to_pylist())
    answered = relations.parents_of(made, "comment", the_key(fitted, "comment", 1))
    rows = np.flatnonzero(answered >= 0)
    assert len(rows) > 300
    assert (posts[rows] == posts[answered[rows]]).all()


# --- parents that have to do with each other ------------------------------------------------------


def test_an_address_is_one_of_the_customers():
    real = database("diamond")
    fitted, made = made_from(real)
    owners = np.array(made["order"]["customer_id"].to_pylist())
    at = relations.parents_of(made, "order", the_key(fitted, "order", 1))
    assert (np.array(made["address"]["customer_id"].to_pylist())[at] == owners).all()


def test_pairs_fill_nearly_all_places_and_their_columns_stay():
    real = database("dense_pairs")
    _, made = made_from(real)
    assert made["attends"].num_rows == 570
    assert len(set(pairs(made, "attends", ["student", "course"]))) == 570


# --- order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_visits_of_a_guest_are_in_order_and_after_he_came(scale):
    real = database("in_order")
    fitted, made = made_from(real, scale=scale)
    guests = relations.parents_of(made, "visit", the_key(fitted, "visit"))
    days = np.array(made["visit"]["day"].to_pylist(), "datetime64[us]")
    joined = np.array(made["guest"]["joined"].to_pylist(), "datetime64[us]")[guests]
    assert (days >= joined).all()
    same = guests[1:] == guests[:-1]
    assert same.sum() > 300
    assert (days[1:][same] >= days[:-1][same]).all()


def test_lines_are_numbered_from_one_in_every_order():
    real = database("order_lines")
    _, made = made_from(real, scale=2.0)
    lines = {}
    for order, line in pairs(made, "line", ["order_id", "line"]):
        lines.setdefault(order, []).append(line)
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in lines.values())


# --- policies ------------------------------------------------------------------------------------


def test_orphans_are_drawn_where_they_are_kept():
    real = database("orphans_keep")
    fitted, made = made_from(real)
    key = the_key(fitted, "order")
    shares = [
        (relations.parents_of(tables, "order", key) == -2).mean() for tables in (real.tables, made)
    ]
    assert shares[0] > 0.05
    assert shares[1] == pytest.approx(shares[0], abs=1 / 500)
    strangers = set(made["order"]["customer_id"].to_pylist()) - {None}
    assert strangers - set(made["customer"]["id"].to_pylist())


@pytest.mark.parametrize("keep_orphans", [False, True])
def test_orphans_go_by_default_unless_all_are_kept(keep_orphans):
    m = Maker.of("dirty")
    m.add("a", {"id": range(50)}, key=["id"])
    columns = {"id": range(200), "a_id": np.arange(200) % 55, "x": m.numbers(200)}
    m.add("b", columns, key=["id"], refers=[to("a", {"a_id": "id"})])
    real = m.made(keep_orphans=keep_orphans)
    fitted, made = made_from(real)
    strays = (relations.parents_of(made, "b", the_key(fitted, "b")) == -2).sum()
    assert made["b"].num_rows == (200 if keep_orphans else 185)
    assert strays == (15 if keep_orphans else 0)


def test_lookups_stay_and_what_leads_to_them_is_as_frequent_as_before():
    real = database("lookups")
    _, made = made_from(real, scale=5.0)
    assert made["country"].equals(real.tables["country"])
    shares = [
        tables["person"]["born_in"].to_pylist().count(code) / tables["person"].num_rows
        for code in real.tables["country"]["code"].to_pylist()
        for tables in (real.tables, made)
    ]
    error = 5 * np.sqrt(0.25 * (1 / 400 + 1 / 2000))
    assert max(abs(a - b) for a, b in zip(shares[::2], shares[1::2], strict=True)) < error


# --- wishes that can't be met --------------------------------------------------------------------


def test_more_children_than_parents_that_have_one_each():
    fitted = database("one_to_one").learn()
    assert fitted.plan({"profile": 500})["user"] >= 500
    with pytest.raises(LimitError, match=r"profile\.user_id: 90 rows for 50 rows of user"):
        draw_database(fitted, fitted.plan({"profile": 90, "user": 50}))


def test_more_pairs_than_there_are():
    fitted = database("dense_pairs").learn()
    assert fitted.plan(None, 0.3) == {"student": 9, "course": 6, "attends": 54}
    plan = fitted.plan({"attends": 2_000})
    assert plan["student"] * plan["course"] >= 2_000
    with pytest.raises(LimitError, match=r"attends\.student: 31 rows for 5 rows of student"):
        draw_database(fitted, fitted.plan({"attends": 31, "student": 5, "course": 6}))


def test_rows_whose_parents_are_not_drawn():
    fitted = database("several_parents").learn()
    with pytest.raises(UsageError, match=r"delivery\.shop: 800 rows need a row of shop"):
        fitted.plan({"shop": 0, "delivery": 800})
    made = draw_database(fitted, fitted.plan({"courier": 0, "delivery": 800}))
    assert made["delivery"]["courier"].null_count == 800


def test_rows_of_kept_tables_cannot_be_chosen():
    fitted = database("lookups").learn()
    with pytest.raises(UsageError, match="country: 5 rows of a table that is kept as it is"):
        fitted.plan({"country": 5})
    fitted = database("empty_tables").learn()
    with pytest.raises(UsageError, match="ban: 5 rows of a table that had none to learn from"):
        fitted.plan({"ban": 5})


def test_a_kept_table_whose_parent_is_made_anew():
    real = database("lookups")
    with pytest.raises(SpecError, match=r"country\.continent: it is kept .* refers to continent"):
        type(real)(real.tables, real.declared, keep=("country",)).learn()


def test_orphans_that_cannot_become_null():
    m = Maker.of("null key")
    m.add("a", {"id": range(50)}, key=["id"])
    refers = [to("a", {"id": "id"}, orphans=Orphans.NULL)]
    m.add("b", {"id": range(40, 60), "x": m.numbers(20)}, key=["id"], refers=refers)
    with pytest.raises(SpecError, match=r"b\.id: keys that name no row of a can't become null"):
        m.made().learn()


def test_orphans_that_become_null_make_their_column_take_nulls():
    m = Maker.of("null column")
    m.add("a", {"id": range(50)}, key=["id"])
    columns = {"id": range(100), "a_id": np.arange(100) % 60}
    refers = [to("a", {"a_id": "id"}, orphans=Orphans.NULL)]
    m.add("b", columns, key=["id"], refers=refers)
    fitted, made = made_from(m.made())
    assert fitted.spec.tables["b"].columns["a_id"].nullable
    assert made["b"]["a_id"].null_count == pytest.approx(10, abs=1)


def test_keys_too_narrow_for_so_many_rows():
    m = Maker.of("narrow")
    columns = {"id": pa.array(range(100), pa.int8()), "x": m.numbers(100)}
    m.add("a", columns, key=["id"])
    m.add(
        "b",
        {"id": range(50), "a_id": keys_of(m.tables["a"], "id", m.linked(50, 100))},
        key=["id"],
        refers=[to("a", {"a_id": "id"})],
    )
    fitted = m.made().learn()
    with pytest.raises(LimitError, match="id: the identifiers' pattern has no room for 300 rows"):
        draw_database(fitted, fitted.plan(None, 3.0))
