"""Real databases that the tests of relations share, and ways to break them."""

import subprocess
import sysconfig
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from metrics.samples import shipped, spec_of
from simulacra.core.batches import TableSource, read_all
from simulacra.core.context import RunContext
from simulacra.core.limits import Limits
from simulacra.core.random import RngKey
from simulacra.core.schema import DatasetSpec, ForeignKey
from simulacra.pipeline.evaluate_relations import views_of
from simulacra.pipeline.measuring.key_only import without_keys
from simulacra.pipeline.measuring.plan import Plan
from simulacra.pipeline.plain import plain

WEATHER_KEY = ["origin", "year", "month", "day", "hour"]
FLIGHTS_KEYS = {
    "airlines": ["carrier"],
    "airports": ["faa"],
    "planes": ["tailnum"],
    "weather": WEATHER_KEY,
    "flights": ["flight_id"],
}
FLIGHTS_REFERENCES = {
    "flights": [
        ("carrier", "airlines", "carrier"),
        ("tailnum", "planes", "tailnum"),
        ("origin", "airports", "faa"),
        ("dest", "airports", "faa"),
        (WEATHER_KEY, "weather", WEATHER_KEY),
    ]
}
TPCH_KEYS = {
    "region": ["r_regionkey"],
    "nation": ["n_nationkey"],
    "supplier": ["s_suppkey"],
    "customer": ["c_custkey"],
    "part": ["p_partkey"],
    "partsupp": ["ps_partkey", "ps_suppkey"],
    "orders": ["o_orderkey"],
    "lineitem": ["l_orderkey", "l_linenumber"],
}
TPCH_REFERENCES = {
    "nation": [("n_regionkey", "region", "r_regionkey")],
    "supplier": [("s_nationkey", "nation", "n_nationkey")],
    "customer": [("c_nationkey", "nation", "n_nationkey")],
    "partsupp": [("ps_partkey", "part", "p_partkey"), ("ps_suppkey", "supplier", "s_suppkey")],
    "orders": [("o_custkey", "customer", "c_custkey")],
    "lineitem": [
        ("l_orderkey", "orders", "o_orderkey"),
        (["l_partkey", "l_suppkey"], "partsupp", ["ps_partkey", "ps_suppkey"]),
    ],
}


TPCH_TEXTS = {
    "orders": ["o_clerk", "o_comment", "o_shippriority"],
    "customer": ["c_name", "c_address", "c_phone", "c_comment"],
    "part": ["p_name", "p_brand", "p_type", "p_container", "p_comment"],
    "partsupp": ["ps_comment"],
    "supplier": ["s_name", "s_address", "s_phone", "s_comment"],
    "nation": ["n_comment"],
    "region": ["r_comment"],
    "lineitem": ["l_comment"],
}
"""Columns that most tests can do without."""


def listed(columns):
    return [columns] if isinstance(columns, str) else list(columns)


def dataset(tables, keys=None, references=None, kept=(), types=None):
    """Return a specification: keys and references by table, types by table and column."""
    specs = {}
    for name, table in tables.items():
        spec = spec_of(table, primary_key=(keys or {}).get(name, ()), **(types or {}).get(name, {}))
        spec.foreign_keys = [
            ForeignKey(columns=listed(a), parent=parent, parent_columns=listed(b), **more)
            for a, parent, b, *rest in (references or {}).get(name, ())
            for more in [rest[0] if rest else {}]
        ]
        spec.keep = name in kept
        specs[name] = spec
    return DatasetSpec(tables=specs)


def nycflights(rows=None, seed=0):
    tables = {name: shipped(name) for name in FLIGHTS_KEYS}
    if rows is not None:
        chosen = np.random.default_rng(seed).permutation(tables["flights"].num_rows)[:rows]
        tables["flights"] = tables["flights"].take(np.sort(chosen))
    return tables


def nycflights_spec(tables, **more):
    return dataset(tables, FLIGHTS_KEYS, FLIGHTS_REFERENCES, **more)


@cache
def tpch(scale="0.01"):
    tool = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    with TemporaryDirectory() as folder:
        command = [tool, "parquet", "-s", scale, "-o", folder]
        subprocess.run(command, check=True, capture_output=True)
        return {
            name: read_all(plain(TableSource(pq.read_table(Path(folder) / f"{name}.parquet"))))
            for name in TPCH_KEYS
        }


def lean(tables):
    return {name: table.drop_columns(TPCH_TEXTS[name]) for name, table in tables.items()}


def tpch_spec(tables, **more):
    references = {name: keys for name, keys in TPCH_REFERENCES.items() if name in tables}
    return dataset(tables, TPCH_KEYS, references, **more)


def orders_alone(tables):
    """Return order lines and orders, and no other key than that between them."""
    chosen = {
        "orders": tables["orders"].drop_columns(["o_custkey"]),
        "lineitem": tables["lineitem"].drop_columns(["l_partkey", "l_suppkey"]),
    }
    return chosen, dataset(chosen, TPCH_KEYS, {"lineitem": TPCH_REFERENCES["lineitem"][:1]})


def split_customers(tables, parts, seed=0):
    """Return so many samples of a TPC-H database: customers drawn apart, with all their rows."""
    customers = np.array(tables["customer"]["c_custkey"])
    part = np.random.default_rng(seed).integers(0, parts, customers.max() + 1)
    of_order = np.zeros(np.array(tables["orders"]["o_orderkey"]).max() + 1, np.int64)
    of_order[np.array(tables["orders"]["o_orderkey"])] = part[
        np.array(tables["orders"]["o_custkey"])
    ]
    owner = {
        "customer": part[customers],
        "orders": part[np.array(tables["orders"]["o_custkey"])],
        "lineitem": of_order[np.array(tables["lineitem"]["l_orderkey"])],
    }
    return [
        {
            name: table.filter(pa.array(owner[name] == number)) if name in owner else table
            for name, table in tables.items()
        }
        for number in range(parts)
    ]


def shuffled(tables, name, columns, seed=7):
    """Return the tables with the values of some columns of one dealt out anew, together."""
    order = np.random.default_rng(seed).permutation(tables[name].num_rows)
    table = tables[name]
    for column in listed(columns):
        place = table.column_names.index(column)
        table = table.set_column(place, column, table[column].take(order))
    return {**tables, name: table}


def without_rows(tables, name, share, seed=7):
    """Return the tables with some rows of one gone."""
    stays = np.random.default_rng(seed).random(tables[name].num_rows) >= share
    return {**tables, name: tables[name].filter(pa.array(stays))}


def sources_of(tables):
    return {name: TableSource(table) for name, table in tables.items()}


def views(spec, real, synthetic, holdout=None, *, rows=50_000, seed=1, threads=2, sources=None):
    """Return the specification as metrics see it, and the sides' views by name."""
    plan = Plan(
        without_keys(spec),
        rows,
        RngKey(seed).child("rows"),
        RunContext(Limits(threads=threads)),
    )
    sides = {"real": real, "synthetic": synthetic}
    if holdout is not None:
        sides["holdout"] = holdout
    make = sources or sources_of
    return plan.spec, views_of({side: make(tables) for side, tables in sides.items()}, plan)


def related(metric, spec, real, synthetic, holdout=None, *, rows=50_000, seed=1, threads=2):
    """Return a dataset metric's scores by metric and by what each is about."""
    seen, sides = views(spec, real, synthetic, holdout, rows=rows, seed=seed, threads=threads)
    scores = metric.compute(
        sides["real"],
        sides["synthetic"],
        holdout=sides.get("holdout"),
        spec=seen,
        options={"rows": rows, "threads": threads},
        rng=RngKey(seed).child("metric"),
    )
    return {(score.metric, score.details["what"]): score for score in scores}
