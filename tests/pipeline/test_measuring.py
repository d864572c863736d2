"""What is counted and joined of a dataset, against pandas and by construction."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from metrics.databases import (
    dataset,
    nycflights,
    nycflights_spec,
    sources_of,
    tpch,
    tpch_spec,
    views,
)
from simulacra.core.batches import GeneratorSource
from simulacra.core.errors import SpecError
from simulacra.core.references import Reference, paths_of, references_of
from simulacra.core.schema import ColumnSpec, DatasetSpec, TableSpec
from simulacra.pipeline.measuring import children, counts
from simulacra.pipeline.measuring.key_only import without_keys

# --- joins ------------------------------------------------------------------------------------


def chain(rows=5_000, seed=0):
    """Return three tables in which what stands in a row tells its ancestors' keys."""
    rng = np.random.default_rng(seed)
    top, middle = rng.permutation(1_000)[:200], rng.permutation(10_000)[:900]
    to_top, to_middle = rng.choice(top, 900), rng.choice(middle, rows)
    gone = rng.random(rows) < 0.1
    return {
        "top": pa.table({"id": top, "tens": 10 * top}),
        "middle": pa.table(
            {"id": [f"m{i}" for i in middle], "of": to_top, "hundreds": 100 * middle}
        ),
        "low": pa.table(
            {
                "of": pa.array([f"m{i}" for i in to_middle], mask=gone),
                "twice": 2 * to_middle,
                "here": ~gone,
            }
        ),
    }


CHAIN_KEYS = {"top": ["id"], "middle": ["id"]}
CHAIN_REFERENCES = {"middle": [("of", "top", "id")], "low": [("of", "middle", "id")]}


def test_sampled_rows_are_joined_with_their_own_ancestors():
    tables = chain()
    spec = dataset(tables, CHAIN_KEYS, CHAIN_REFERENCES)
    seen, sides = views(spec, tables, tables, rows=700)
    one, two = (next(p for p in paths_of(seen, n) if p[0].table == "low") for n in (1, 2))
    view = sides["real"]
    near, far = view.joined(one), view.joined(two)
    assert near.rows.equals(far.rows)
    assert near.rows.column_names == ["twice", "here"]
    assert (near.others.column_names, far.others.column_names) == (["hundreds"], ["tens"])
    rows = near.rows.to_pandas()
    assert len(rows) == 700
    assert np.array_equal(near.others["hundreds"].is_valid(), rows["here"])
    hundreds = near.others["hundreds"].to_pandas()
    assert (hundreds == 50 * rows["twice"])[rows["here"]].all()
    middle = tables["middle"].to_pandas()
    above = dict(zip(middle["hundreds"], middle["of"], strict=True))
    tens = far.others["tens"].to_pandas()[rows["here"]]
    assert list(tens) == [10 * above[h] for h in hundreds[rows["here"]]]
    assert near.places.tolist() == [
        -1 if pd.isna(h) else p for h, p in zip(hundreds, near.places, strict=True)
    ]


def test_samples_are_uniform_and_neither_batches_nor_threads_matter():
    tables = chain(20_000)
    spec = dataset(tables, CHAIN_KEYS, CHAIN_REFERENCES)

    def joined(rows_a_batch, threads):
        def sources(side):
            return {
                name: GeneratorSource(lambda t=table: t.to_batches(max_chunksize=rows_a_batch))
                for name, table in side.items()
            }

        seen, sides = views(spec, tables, tables, rows=900, threads=threads, sources=sources)
        path = paths_of(seen, 2)[0]
        return sides["real"].joined(path), [
            sides["real"].aggregated(ref) for ref in references_of(seen)
        ]

    (one, ones), (other, others) = joined(333, 1), joined(20_000, 2)
    assert one.rows.equals(other.rows)
    assert one.others.equals(other.others)
    for a, b in zip(ones, others, strict=True):
        assert a.rows.equals(b.rows)
        assert a.others.equals(b.others)
    everyone = tables["low"]["twice"].to_numpy()
    # 900 of 20,000: the mean is within 4 standard errors.
    error = everyone.std() / 30
    assert abs(one.rows["twice"].to_numpy().mean() - everyone.mean()) < 4 * error


def test_every_ancestor_table_is_read_once_a_hop():
    tables = tpch()
    spec = tpch_spec(tables)
    read = []

    class Counted:
        def __init__(self, name, source):
            self.name, self.source, self.schema = name, source, source.schema

        def rows(self):
            return self.source.rows()

        def batches(self, columns=None, *, batch_rows=65_536):
            if batch_rows != 10_000:  # a look at the first rows
                read.append(self.name)
            return self.source.batches(columns, batch_rows=batch_rows)

    def sources(side):
        return {name: Counted(name, source) for name, source in sources_of(side).items()}

    seen, sides = views(spec, tables, tables, rows=200, sources=sources)
    every = [path for hops in (1, 2, 3) for path in paths_of(seen, hops)]
    sides["real"].collect(every)
    # each table that refers is sampled, then each hop reads a table that is led to
    assert read.count("lineitem") == 1
    assert read.count("orders") == 2
    assert read.count("customer") == 3
    before = len(read)
    for path in every:
        sides["real"].joined(path)
    assert len(read) == before


# --- counts -----------------------------------------------------------------------------------


def messy(rows=3_000):
    rng = np.random.default_rng(1)
    keys = pd.DataFrame({"a": rng.integers(0, 40, 900), "b": rng.integers(0, 40, 900).astype(str)})
    kids = pd.DataFrame(
        {"x": rng.integers(0, 50, rows), "y": rng.integers(0, 40, rows).astype(str)}
    )
    return {
        "keys": pa.table(
            {
                "a": pa.array(keys["a"], mask=rng.random(900) < 0.05),
                "b": pa.array(keys["b"].tolist(), mask=rng.random(900) < 0.05),
            }
        ),
        "kids": pa.table(
            {
                "x": pa.array(kids["x"], mask=rng.random(rows) < 0.1),
                "y": pa.array(kids["y"].tolist(), mask=rng.random(rows) < 0.1),
            }
        ),
    }


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_counts_agree_with_pandas_in_any_number_of_passes(parts, monkeypatch):
    tables = messy()
    spec = dataset(tables, {}, {"kids": [(["x", "y"], "keys", ["a", "b"])]})
    monkeypatch.setattr(counts.Counter, "_parts", lambda *_: parts)
    seen, sides = views(spec, tables, tables)
    (reference,) = references_of(seen)
    keys, kids = (tables[name].to_pandas() for name in ("keys", "kids"))
    whole = keys.dropna()
    found = sides["real"].key("keys", ("a", "b"))
    assert (found.rows, found.nulls) == (900, 900 - len(whole))
    assert found.repeats == whole.duplicated().sum() > 100
    found = sides["real"].reference(reference)
    full = kids.dropna().rename(columns={"x": "a", "y": "b"})
    merged = full.merge(whole.drop_duplicates(), on=["a", "b"], how="left", indicator=True)
    assert (found.rows, found.nulls) == (3_000, 3_000 - len(full))
    assert found.orphans == (merged["_merge"] == "left_only").sum() > 0
    per_parent = whole.drop_duplicates().merge(
        full.groupby(["a", "b"]).size().rename("n").reset_index(), on=["a", "b"], how="left"
    )
    values, parents = np.unique(per_parent["n"].fillna(0), return_counts=True)
    assert found.children.tolist() == values.tolist()
    assert found.parents.tolist() == parents.tolist()


def test_a_small_memory_budget_takes_more_passes():
    tables = tpch()
    _, sides = views(tpch_spec(tables), tables, tables)
    counter = sides["real"]._counter(["lineitem"])
    key = ("lineitem", ("l_orderkey", "l_linenumber"))
    assert counter._parts([key]) == 1
    few = 60_175 * counts._BYTES_PER_KEY / counts._MEMORY_SHARE
    object.__setattr__(counter.ctx.limits, "memory", int(few / 2.5))
    assert counter._parts([key]) == 3


def test_keys_of_unlike_kinds_are_refused_by_name():
    tables = {"a": pa.table({"id": [1, 2]}), "b": pa.table({"of": ["1", "2"]})}
    spec = dataset(tables, {"a": ["id"]}, {"b": [("of", "a", "id")]})
    seen, sides = views(spec, tables, tables)
    with pytest.raises(SpecError, match=r"b\.of: text.*can't refer to whole numbers"):
        sides["real"].reference(references_of(seen)[0])


# --- aggregates -------------------------------------------------------------------------------


def visits(rows=4_000):
    rng = np.random.default_rng(2)
    day = [dt.date(2020, 1, 1) + dt.timedelta(days=int(d)) for d in rng.integers(0, 900, rows)]
    return {
        "people": pa.table({"id": np.arange(500), "age": rng.normal(40, 9, 500)}),
        "visits": pa.table(
            {
                "who": rng.integers(0, 400, rows),
                "paid": pa.array(rng.normal(9, 2, rows).round(2), mask=rng.random(rows) < 0.2),
                "day": pa.array(day),
                "shop": pa.array(
                    rng.choice(["a", "b", "c", "d"], rows), mask=rng.random(rows) < 0.1
                ),
                "said": pa.array(["x" * int(n) for n in rng.integers(0, 30, rows)]),
            }
        ),
    }


@pytest.mark.parametrize("at_once", [50, 1 << 20])
def test_aggregates_agree_with_pandas(at_once, monkeypatch):
    monkeypatch.setattr(children, "_PAIRS_AT_ONCE", at_once)
    monkeypatch.setattr(children, "_BATCH_ROWS", 500)
    tables = visits()
    types = {"visits": {"said": ColumnSpec(type="text", arrow="string")}}
    spec = dataset(tables, {"people": ["id"]}, {"visits": [("who", "people", "id")]}, types=types)
    seen, sides = views(spec, tables, tables)
    joined = sides["real"].aggregated(references_of(seen)[0])
    assert joined.rows.equals(tables["people"].select(["age"]))
    frame = tables["visits"].to_pandas()
    frame["day"] = (pd.to_datetime(frame["day"]) - pd.Timestamp(0)).dt.days
    groups = frame.groupby("who")
    size = groups.size()
    expected = {
        "count": size.reindex(range(500), fill_value=0),
        "mean paid": groups["paid"].mean(),
        "share of null paid": 1 - groups["paid"].count() / size,
        "mean day": groups["day"].mean(),
        "least day": groups["day"].min(),
        "greatest day": groups["day"].max(),
        "different shop": groups["shop"].nunique().reindex(range(500), fill_value=0),
        "share of null shop": 1 - groups["shop"].count() / size,
        "mean length of said": frame["said"].str.len().groupby(frame["who"]).mean(),
    }
    found = joined.others.to_pandas()
    for name, values in expected.items():
        wanted = values.reindex(range(500)).to_numpy(dtype=float)
        np.testing.assert_allclose(found[name], wanted, rtol=1e-12, atol=1e-12, err_msg=name)
    assert found["mean paid"].isna().sum() >= 100


def test_where_children_are_many_fewer_parents_are_taken(monkeypatch):
    from simulacra.pipeline.measuring import view

    monkeypatch.setattr(view, "_CHILDREN", 800)
    monkeypatch.setattr(view, "_FEWEST_PARENTS", 10)
    tables = visits()
    spec = dataset(tables, {"people": ["id"]}, {"visits": [("who", "people", "id")]})
    seen, sides = views(spec, tables, tables)
    joined = sides["real"].aggregated(references_of(seen)[0])
    assert joined.rows.num_rows == joined.others.num_rows == 100


# --- columns that only hold keys --------------------------------------------------------------


def types_of(spec):
    return {
        f"{name}.{column}": about.type
        for name, table in without_keys(spec).tables.items()
        for column, about in table.columns.items()
    }


def test_columns_that_only_refer_have_no_statistics():
    tables = {name: table.slice(0, 5) for name, table in tpch().items()}
    found = types_of(tpch_spec(tables))
    keys = {column for column, kind in found.items() if kind == "key"}
    assert keys == {
        "nation.n_regionkey",
        "supplier.s_nationkey",
        "customer.c_nationkey",
        "partsupp.ps_partkey",
        "partsupp.ps_suppkey",
        "orders.o_custkey",
        "lineitem.l_orderkey",
        "lineitem.l_partkey",
        "lineitem.l_suppkey",
    }
    assert found["lineitem.l_linenumber"] == "integer"


def test_keys_of_kept_tables_are_categories():
    tables = {name: table.slice(0, 5) for name, table in tpch().items()}
    found = types_of(tpch_spec(tables, kept=("nation", "region")))
    assert found["customer.c_nationkey"] == "category"
    assert found["orders.o_custkey"] == "key"
    assert found["nation.n_name"] == "category"


def test_keys_that_mean_something_stay_what_they_are():
    tables = {name: table.slice(0, 5) for name, table in nycflights().items()}
    spec = nycflights_spec(tables)
    found = types_of(spec)
    assert found["flights.carrier"] == found["flights.dest"] == "key"
    assert found["flights.hour"] == "integer"
    # airports are not kept, and their key is one column: so is what refers to them by weather
    assert found["flights.origin"] == "key"
    spared = without_keys(spec, spared=[("flights", "carrier")])
    assert spared.tables["flights"].columns["carrier"].type == "category"


def test_cycles_of_references_end():
    number = ColumnSpec(type="integer", arrow="int64")
    key = {"columns": ["of"], "parent_columns": ["of"]}
    spec = DatasetSpec(
        tables={
            "a": TableSpec(columns={"of": number}, foreign_keys=[{**key, "parent": "b"}]),
            "b": TableSpec(columns={"of": number}, foreign_keys=[{**key, "parent": "a"}]),
        }
    )
    assert types_of(spec) == {"a.of": "integer", "b.of": "integer"}
    spec.tables["a"].columns["of"].type = "identifier"
    assert types_of(spec) == {"a.of": "key", "b.of": "key"}


def test_paths_are_all_ways_of_so_many_references():
    tables = {name: table.slice(0, 5) for name, table in tpch().items()}
    spec = tpch_spec(tables)
    assert [len(paths_of(spec, hops)) for hops in (1, 2, 3, 4)] == [8, 7, 4, 2]
    assert Reference("a", ("x", "y"), "b", ("i", "j")).label == "a(x, y) → b"
