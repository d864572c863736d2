from __future__ import annotations

import sqlite3
import subprocess
import sysconfig
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulacra
from real_data import real_data
from simulacra.core.batches import TableSource
from simulacra.core.context import RunContext
from simulacra.core.declared import DeclaredTable
from simulacra.core.errors import SpecError, UsageError
from simulacra.core.schema import ColumnSpec, DatasetSpec, ForeignKey, Orphans, TableSpec
from simulacra.pipeline.subset import subset_dataset
from simulacra.pipeline.wanted_rows import Wanted


def key(columns, parent, parent_columns=("id",), **more):
    columns = [columns] if isinstance(columns, str) else list(columns)
    return ForeignKey(columns=columns, parent=parent, parent_columns=list(parent_columns), **more)


def spec_of(tables, keys, primary=None, keep=()):
    primary = primary or {}
    return DatasetSpec(
        tables={
            name: TableSpec(
                columns={
                    field.name: ColumnSpec(
                        type="identifier" if field.name == "id" else "text", arrow=str(field.type)
                    )
                    for field in table.schema
                },
                primary_key=list(primary.get(name, ["id"])),
                foreign_keys=keys.get(name, []),
                keep=name in keep,
            )
            for name, table in tables.items()
        }
    )


def metadata(*arguments, **options):
    return simulacra.Metadata(spec_of(*arguments, **options))


def tuples(table, columns):
    return list(zip(*[table.column(name).to_pylist() for name in columns], strict=True))


def dangling(tables, spec):
    """The keys of rows that name no row, as table, columns and values."""
    found = set()
    for name, table in spec.tables.items():
        for fk in table.foreign_keys:
            known = set(tuples(tables[fk.parent], fk.parent_columns))
            for value in tuples(tables[name], fk.columns):
                if None not in value and value not in known:
                    found.add((name, tuple(fk.columns), value))
    return found


def shop(customers=300, seed=0):
    """Customers, their orders with lines, products, and reviews that belong to no order."""
    rng = np.random.default_rng(seed)
    per_customer = rng.poisson(3, customers)
    owner = np.repeat(np.arange(customers), per_customer)
    lines = rng.integers(1, 6, len(owner))
    order = np.repeat(np.arange(len(owner)), lines)
    number = np.concatenate([np.arange(1, n + 1) for n in lines])
    tables = {
        "lines": {"order_id": order, "number": number, "product": rng.integers(0, 80, len(order))},
        "orders": {"id": np.arange(len(owner)), "customer": owner},
        "customers": {"id": np.arange(customers)},
        "products": {"id": np.arange(100)},
        "reviews": {"id": np.arange(500), "product": rng.integers(0, 80, 500)},
    }
    return {name: pa.table(columns) for name, columns in tables.items()}


SHOP_KEYS = {
    "lines": [key("order_id", "orders"), key("product", "products")],
    "orders": [key("customer", "customers")],
    "reviews": [key("product", "products")],
}
SHOP_PRIMARY = {"lines": ["order_id", "number"]}


def shop_metadata(**options):
    return metadata(shop(), SHOP_KEYS, SHOP_PRIMARY, **options)


# --- referential wholeness -----------------------------------------------------------------


@st.composite
def databases(draw):
    """Up to four tables of small numbers, with keys to any of them: cycles, selves, orphans."""
    count = draw(st.integers(1, 4))
    names = [f"t{i}" for i in range(count)]
    tables, keys = {}, {}
    for name in names:
        rows = draw(st.integers(0, 25))
        columns = {"id": list(range(rows)), "part": [row % 3 for row in range(rows)]}
        keys[name] = []
        for place, parent in enumerate(draw(st.lists(st.sampled_from(names), max_size=3))):
            pair = draw(st.booleans())
            value = st.none() | st.integers(0, 26)
            columns[f"f{place}"] = draw(st.lists(value, min_size=rows, max_size=rows))
            if pair:
                part = st.none() | st.integers(0, 2)
                columns[f"g{place}"] = draw(st.lists(part, min_size=rows, max_size=rows))
                keys[name].append(key([f"f{place}", f"g{place}"], parent, ["id", "part"]))
            else:
                keys[name].append(key(f"f{place}", parent))
        types = {column: pa.int32() for column in columns}
        tables[name] = pa.table(columns, schema=pa.schema(types.items()))
    kept = draw(st.sets(st.sampled_from(names), max_size=1))
    return tables, spec_of(tables, keys, keep=kept)


WANTED = st.one_of(
    st.tuples(st.none(), st.sampled_from([0.0, 0.1, 0.5, 1.0])),
    st.tuples(st.integers(0, 30), st.none()),
    st.tuples(st.dictionaries(st.just("t0"), st.integers(0, 30), min_size=1), st.none()),
)


@given(database=databases(), wanted=WANTED, seed=st.integers(0, 99))
def test_no_row_lacks_one_that_it_refers_to(database, wanted, seed):
    tables, spec = database
    rows, scale = wanted
    if isinstance(rows, dict) and spec.tables["t0"].keep:
        rows = 7
    found = simulacra.subset(
        tables, rows, scale=scale, metadata=simulacra.Metadata(spec), seed=seed
    )
    frames = found.frames()
    assert dangling(frames, spec) <= dangling(tables, spec)
    for name, frame in frames.items():
        assert frame.schema == tables[name].schema
        assert found.rows[name] == frame.num_rows
        # Rows as they are, in their order.
        assert frame.equals(tables[name].take(frame["id"]))
        assert frame["id"].to_pylist() == sorted(frame["id"].to_pylist())
        if spec.tables[name].keep or scale == 1.0:
            assert frame.equals(tables[name])
    again = simulacra.subset(
        tables, rows, scale=scale, metadata=simulacra.Metadata(spec), seed=seed
    )
    assert again.frames() == frames


@pytest.fixture(scope="module")
def tpch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tpch")
    tool = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    subprocess.run([tool, "parquet", "-s", "0.01", "-o", folder], check=True, capture_output=True)
    return folder


def test_a_folder_without_declared_keys_stays_whole(tpch, tmp_path):
    found = simulacra.subset(tpch, scale=0.05)
    spec = found.metadata.spec
    assert sum(len(table.foreign_keys) for table in spec.tables.values()) == 8
    written = found.write(tmp_path / "small")
    tables = {path.stem: pq.read_table(path) for path in (tmp_path / "small").glob("*.parquet")}
    assert {name: table.num_rows for name, table in tables.items()} == written
    assert not dangling(tables, spec)
    orders = pq.read_table(tpch / "orders.parquet")
    assert tables["orders"].num_rows == round(0.05 * orders.num_rows)
    lines = Counter(pq.read_table(tpch / "lineitem.parquet")["l_orderkey"].to_pylist())
    assert Counter(tables["lineitem"]["l_orderkey"].to_pylist()) == {
        order: lines[order] for order in tables["orders"]["o_orderkey"].to_pylist()
    }


# --- what is drawn -------------------------------------------------------------------------


def test_drawn_rows_are_as_many_as_wanted_and_all_below_come_along():
    tables = shop()
    found = simulacra.subset(tables, {"customers": 30}, metadata=shop_metadata()).frames()
    assert found["customers"].num_rows == 30
    drawn = set(found["customers"]["id"].to_pylist())
    orders = [row for row in tables["orders"].to_pylist() if row["customer"] in drawn]
    assert found["orders"].to_pylist() == orders
    numbers = {row["id"] for row in orders}
    lines = [row for row in tables["lines"].to_pylist() if row["order_id"] in numbers]
    assert found["lines"].to_pylist() == lines
    assert set(found["products"]["id"].to_pylist()) == {row["product"] for row in lines}
    # Reviews lie below products, which only come along: not asked for.
    assert found["reviews"].num_rows == 0


def test_rows_below_are_thinned_to_what_is_wanted():
    wanted = {"customers": 100, "orders": 50, "lines": 10_000}
    found = simulacra.subset(shop(), wanted, metadata=shop_metadata())
    assert (found.rows["customers"], found.rows["orders"]) == (100, 50)
    assert 50 <= found.rows["lines"] <= 250


def test_rows_of_a_table_are_drawn_uniformly_and_smaller_samples_are_in_larger():
    tables = shop(60)
    taken = np.zeros(60)
    for seed in range(400):
        options = {"metadata": shop_metadata(), "seed": seed}
        small = simulacra.subset(tables, {"customers": 12}, **options).frames()["customers"]
        taken[small["id"].to_numpy()] += 1
        if seed < 5:
            large = simulacra.subset(tables, {"customers": 20}, **options).frames()["customers"]
            assert set(small["id"].to_pylist()) < set(large["id"].to_pylist())
    # A chi-square of 59 degrees of freedom is beyond 110 once in 20,000 times; drawing without
    # replacement makes it smaller still.
    expected = 400 * 12 / 60
    assert ((taken - expected) ** 2 / expected).sum() < 110


def test_rows_without_a_table_are_about_the_largest_by_whole_families():
    tables = shop(3_000)
    found = simulacra.subset(tables, 2_000, metadata=shop_metadata())
    share = 2_000 / tables["lines"].num_rows
    assert found.rows["orders"] == round(share * tables["orders"].num_rows)
    # Lines of so many orders: a mean of 3 with a standard deviation of √2 each.
    error = abs(found.rows["lines"] - 2_000)
    assert error < 4 * np.sqrt(2 * found.rows["orders"])
    # What orders don't reach has rows as well, as large a share.
    assert found.rows["reviews"] == round(share * 500)
    # Customers without orders are drawn beside those that orders refer to.
    with_orders = set(found.frames()["orders"]["customer"].to_pylist())
    all_with = set(tables["orders"]["customer"].to_pylist())
    assert found.rows["customers"] == len(with_orders) + round(share * (3_000 - len(all_with)))


def test_chinook_comes_into_another_database_by_whole_invoices(tmp_path):
    source = real_data("chinook.sqlite")
    with closing(sqlite3.connect(source)) as real:
        lines_of = dict(real.execute("SELECT InvoiceId, count(*) FROM InvoiceLine GROUP BY 1"))
    found = simulacra.subset(source, scale=0.2)
    assert found.rows["Invoice"] == round(0.2 * len(lines_of))
    written = found.write(tmp_path / "small.sqlite")
    with closing(sqlite3.connect(tmp_path / "small.sqlite")) as small:
        assert not small.execute("PRAGMA foreign_key_check").fetchall()
        keys = small.execute("SELECT count(*) FROM pragma_foreign_key_list('Track')").fetchone()
        assert keys == (3,)
        lines = small.execute("SELECT InvoiceId, count(*) FROM InvoiceLine GROUP BY 1").fetchall()
        assert dict(lines).items() <= lines_of.items()
        for name, rows in written.items():
            assert small.execute(f'SELECT count(*) FROM "{name}"').fetchone() == (rows,)


def test_single_rows_are_drawn_where_families_would_be_few():
    found = simulacra.subset(shop(3_000), 20, metadata=shop_metadata())
    assert found.rows["lines"] == 20


def test_rows_below_nothing_are_drawn_too():
    orders = pa.table(
        {"id": range(1_000), "customer": [None if i % 2 else i // 20 for i in range(1_000)]}
    )
    lines = pa.table(
        {"id": range(5_000), "order": [None if i % 5 == 0 else i // 5 for i in range(5_000)]}
    )
    tables = {"customers": pa.table({"id": range(50)}), "orders": orders, "lines": lines}
    keys = {"orders": [key("customer", "customers")], "lines": [key("order", "orders")]}
    spec = metadata(tables, keys, {"orders": ["id", "customer"], "lines": ["id", "order"]})
    found = simulacra.subset(tables, scale=0.2, metadata=spec).frames()
    # Half of the orders are no customer's, every fifth line is no order's.
    assert found["customers"].num_rows >= 10
    assert found["orders"]["customer"].null_count == 100
    assert found["lines"]["order"].null_count == 200


def test_trees_come_down_with_what_they_hang_on():
    # Two forums; replies name only the post they answer.
    posts = pa.table({"id": range(7), "forum": [0, 1, None, None, None, None, None],
                      "answers": [None, None, 0, 2, 1, 5, 6]})  # fmt: skip
    tables = {"forums": pa.table({"id": [0, 1]}), "posts": posts}
    keys = {"posts": [key("forum", "forums"), key("answers", "posts")]}
    spec = metadata(tables, keys)
    for seed in range(4):
        found = simulacra.subset(tables, {"forums": 1}, metadata=spec, seed=seed).frames()
        posts_of = [0, 2, 3] if found["forums"]["id"].to_pylist() == [0] else [1, 4]
        assert found["posts"]["id"].to_pylist() == posts_of
    # Drawn themselves, they bring those above them, none below.
    found = simulacra.subset(tables, {"posts": 1}, metadata=spec, seed=2).frames()
    assert not dangling(found, spec.spec)


def test_kept_tables_come_whole_and_draw_nothing_in():
    found = simulacra.subset(shop(), {"customers": 3}, metadata=shop_metadata(), keep=["products"])
    assert (found.rows["customers"], found.rows["products"], found.rows["reviews"]) == (3, 100, 0)
    assert found.metadata.tables["products"].keep


def test_keys_of_some_rows_only_are_followed_where_they_mean_it():
    notes = pa.table({"id": range(6), "about": ["post", "user"] * 3, "ref": [0, 0, 1, 1, 9, 2]})
    tables = {
        "posts": pa.table({"id": [0, 1]}), "users": pa.table({"id": [0, 1, 2]}), "notes": notes,
    }  # fmt: skip
    keys = {
        "notes": [
            key("ref", "posts", when={"about": "post"}),
            key("ref", "users", when={"about": "user"}),
        ]
    }
    found = simulacra.subset(tables, {"users": 2}, metadata=metadata(tables, keys)).frames()
    users = found["users"]["id"].to_pylist()
    assert [(r["about"], r["ref"]) for r in found["notes"].to_pylist()] == [
        ("user", user) for user in users
    ]
    assert found["posts"].num_rows == 0


# --- orphans -------------------------------------------------------------------------------


def dirty():
    orders = pa.table(
        {"id": [1, 2, 3, 4], "customer": [7, 99, None, 8], "shop": pa.array([1, 1, 5, 1])}
    )
    lines = pa.table({"id": [1, 2, 3], "order": [1, 3, 77], "of": [1, 5, None]})
    return {
        "customers": pa.table({"id": [7, 8]}),
        "orders": orders,
        "lines": lines,
        "shops": pa.table({"id": [1]}),
    }


def test_orphans_stay_and_the_specification_says_so(caplog):
    caplog.set_level("INFO", "simulacra")
    keys = {"orders": [key("customer", "customers")]}
    found = simulacra.subset(dirty(), {"orders": 4}, metadata=metadata(dirty(), keys))
    assert found.frames()["orders"].equals(dirty()["orders"])
    assert found.metadata.tables["orders"].foreign_keys[0].orphans is Orphans.KEEP
    assert "1 of 4 rows name no row of customers; they are kept" in caplog.text


def test_orphans_become_null_or_are_left_out_if_told_so():
    keys = {
        "orders": [key("customer", "customers"), key("shop", "shops", orphans=Orphans.DROP)],
        "lines": [key(["order", "of"], "orders", ["id", "shop"])],
    }
    spec = metadata(dirty(), keys)
    found = simulacra.subset(dirty(), scale=1.0, metadata=spec, keep_orphans=False)
    frames = found.frames()
    # 99 becomes null; order 3 is of no shop; the line of order 3 then names none either, and a key
    # that was null in part stays as it is.
    assert frames["orders"]["customer"].to_pylist() == [7, None, 8]
    assert frames["lines"].to_pylist() == [
        {"id": 1, "order": 1, "of": 1},
        {"id": 2, "order": None, "of": None},
        {"id": 3, "order": 77, "of": None},
    ]
    assert not dangling({**frames, "lines": frames["lines"].slice(0, 2)}, found.metadata.spec)


# --- sources and errors --------------------------------------------------------------------


def test_declared_keys_are_taken_without_reading_for_others():
    tables = {
        "parents": pa.table({"id": [1, 2], "nested": [[{"a": 1}], []]}),
        "children": pa.table(
            {"id": [1, 2, 3], "parent": [2, 1, 2], "when": pa.array([1, 2, 3], pa.date32())}
        ),
    }
    sources = {name: TableSource(table) for name, table in tables.items()}
    declared = {
        "parents": DeclaredTable(primary_key=("id",), not_null=frozenset({"id"}), origin={"a": 1}),
        "children": DeclaredTable(foreign_keys=(key("parent", "parents"), key("id", "gone"))),
    }
    found = subset_dataset(
        sources, None, declared=declared, wanted=Wanted({"children": 1}, None), seed=0,
        ctx=RunContext(),
    )  # fmt: skip
    spec = found.spec
    assert spec.tables["parents"].primary_key == ["id"]
    assert spec.tables["parents"].origin == {"a": 1}
    assert [fk.parent for fk in spec.tables["children"].foreign_keys] == ["parents"]
    assert spec.tables["children"].arrow_schema() == tables["children"].schema
    assert spec.tables["parents"].arrow_schema() == tables["parents"].schema
    assert {name: table.rows() for name, table in found.tables.items()} == {
        "parents": 1, "children": 1,
    }  # fmt: skip


def test_newer_layouts_come_back_as_they_were():
    parents = pa.table({"id": pa.array(["a", "b", "c" * 20], pa.string_view())})
    children = pa.table({"of": pa.array(["c" * 20, "a", None]).dictionary_encode()})
    tables = {"parents": parents, "children": children}
    spec = spec_of(tables, {"children": [key("of", "parents")]}, {"children": []})
    spec.tables["parents"].columns["id"].arrow = "large_string"
    found = simulacra.subset(tables, {"children": 3}, metadata=simulacra.Metadata(spec)).frames()
    assert found["parents"].schema == parents.schema
    assert found["parents"]["id"].to_pylist() == ["a", "c" * 20]


def test_one_table_alone_is_a_plain_sample():
    rows = pa.table({"x": range(100)})
    found = simulacra.subset(rows, 10, infer_keys=False).frames()
    assert found.num_rows == 10
    assert simulacra.subset(rows, 1_000, infer_keys=False).frames() == rows


@pytest.mark.parametrize(
    ("rows", "options", "error", "text"),
    [
        (None, {}, UsageError, "nothing says how many rows"),
        (5, {"scale": 0.5}, UsageError, "rows and scale are given"),
        (None, {"scale": 1.5}, UsageError, "a scale of 1.5"),
        ({"orders": -1}, {}, UsageError, "-1 rows"),
        ({"oders": 1}, {}, UsageError, "oders: there is no such table. There are lines, orders"),
        (5, {"keep": ["oders"]}, UsageError, "oders: there is no such table"),
        ({"orders": 1}, {"keep": ["orders"]}, UsageError, "orders: it is kept whole"),
    ],
)
def test_what_makes_no_sense_is_refused(rows, options, error, text):
    with pytest.raises(error, match=text):
        simulacra.subset(shop(), rows, metadata=shop_metadata(), **options)


def test_keys_of_other_types_than_the_parents_are_refused():
    tables = {"a": pa.table({"id": [1]}), "b": pa.table({"id": [1], "a": ["1"]})}
    spec = metadata(tables, {"b": [key("a", "a")]})
    with pytest.raises(SpecError, match=r"text \(string\) can't refer to whole numbers"):
        simulacra.subset(tables, 1, metadata=spec)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**9))
def test_another_seed_draws_other_rows(seed):
    options = {"metadata": shop_metadata()}
    one = simulacra.subset(shop(), {"customers": 100}, seed=seed, **options).frames()
    other = simulacra.subset(shop(), {"customers": 100}, seed=seed + 1, **options).frames()
    assert one["customers"] != other["customers"]
