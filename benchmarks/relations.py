"""How well relations between tables are kept, judged by a second real sample.

    python benchmarks/relations.py [nycflights] [tpch]

Each database is halved: half of the flights with all other tables; half of the customers with their
orders and lines, and all parts and suppliers. One half is learned, the other gives every score its
floor.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from importlib.resources import as_file, files

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from _common import Row, data, tpch, write_result

import simulacra
from simulacra.core.context import RunContext
from simulacra.core.scores import Score

Tables = dict[str, pa.Table]

TITLES = {
    "cardinality": ("children per parent, KS", "≤ 0.03"),
    "key_validity": ("valid keys", "1"),
    "hop_trends_1": ("pair trends with the parent", ""),
    "hop_trends_2": ("pair trends over two keys", ""),
    "hop_trends_3": ("pair trends over three keys", ""),
    "hop_trends_parents": ("pair trends of two parents of one row", ""),
    "joined_detection": ("C2ST of rows joined with their parent", ""),
    "aggregate_detection": ("C2ST of parents with their children's totals", ""),
}


def main() -> None:
    """Measure and write ``results/relations.json``."""
    parser = argparse.ArgumentParser(description="Fidelity of relations.")
    parser.add_argument("names", nargs="*", default=list(CASES))
    rows: list[Row] = []
    for name in parser.parse_args().names:
        learned, judge, metadata = CASES[name]()
        rows += _measure(name, learned, judge, metadata)
    write_result("relations", "Relations: keys, children per parent, joined tables", rows)


def _measure(
    name: str, learned: Tables, judge: Tables, metadata: simulacra.Metadata | None
) -> list[Row]:
    ctx = RunContext()
    begun = time.perf_counter()
    synthesizer = simulacra.Synthesizer(seed=0, ctx=ctx).fit(learned, metadata)
    made = synthesizer.sample()
    seconds = time.perf_counter() - begun
    report = simulacra.evaluate(
        learned, made, holdout=judge, metadata=synthesizer.metadata, ctx=ctx
    )
    count = sum(table.num_rows for table in learned.values())
    rows = [Row(f"{name}: learning and drawing {count:,} rows", round(seconds, 1), "s")]
    relations = report.relations
    if relations is None:
        raise RuntimeError(f"{name}: no keys")
    for metric, score in relations.overall.items():
        what, target = TITLES.get(metric, (metric, ""))
        rows.append(_row(f"{name}: {what}", score, target))
    for table, found in report.tables.items():
        score = found.overall.get("detection")
        if score is not None and found.rows["real"] > FEW:
            rows.append(_row(f"{name}: C2ST of {table} alone", score, ""))
    return rows


FEW = 1_000


def _row(what: str, score: Score, target: str) -> Row:
    figure = "none" if score.value is None else round(score.value, 4)
    floor = "" if score.floor is None else f"floor {score.floor:.4f}"
    return Row(what, figure, "", target, floor)


def nycflights() -> tuple[Tables, Tables, simulacra.Metadata | None]:
    """Return two halves of the flights of 2013, each with all other tables."""
    folder = data("nycflights")
    tables = {path.stem: pq.read_table(path) for path in sorted(folder.glob("*.parquet"))}
    with as_file(files("simulacra") / "demo" / "nycflights" / "spec.yaml") as path:
        metadata = simulacra.Metadata.load(path)
    detected = simulacra.Metadata.detect(folder, infer_keys=False)
    for name, table in metadata.tables.items():
        detected.update(name, primary_key=table.primary_key, keep=table.keep)
        for column in table.primary_key if len(table.primary_key) == 1 else ():
            detected.update(name, column, type="identifier", unique=True, options={})
    for name, table in metadata.tables.items():
        detected.update(name, foreign_keys=table.foreign_keys)
    order = np.random.Generator(np.random.PCG64(0)).permutation(tables["flights"].num_rows)
    half = len(order) // 2
    first, second = (
        {**tables, "flights": tables["flights"].take(np.sort(rows))}
        for rows in (order[:half], order[half : 2 * half])
    )
    return first, second, detected


def tpch_halves() -> tuple[Tables, Tables, simulacra.Metadata | None]:
    """Return the even and the odd customers of TPC-H with their orders, and all that is sold."""
    tables = {path.stem: _plain(pq.read_table(path)) for path in tpch(0.1).glob("*.parquet")}
    halves = []
    for odd in (0, 1):
        customers = tables["customer"]
        keys = customers["c_custkey"].to_numpy()
        customers = customers.filter(pa.array(keys % 2 == odd))
        orders = _of(tables["orders"], "o_custkey", customers["c_custkey"])
        lines = _of(tables["lineitem"], "l_orderkey", orders["o_orderkey"])
        halves.append({**tables, "customer": customers, "orders": orders, "lineitem": lines})
    return halves[0], halves[1], None


def _of(table: pa.Table, column: str, keys: pa.ChunkedArray) -> pa.Table:
    return table.filter(pc.is_in(table[column], keys.combine_chunks()))


def _plain(table: pa.Table) -> pa.Table:
    """Return a table without string views, which Arrow can't filter."""
    kinds = [pa.string() if pa.types.is_string_view(kind) else kind for kind in table.schema.types]
    return table.cast(pa.schema(list(zip(table.column_names, kinds, strict=True))))


CASES: Mapping[str, Callable[[], tuple[Tables, Tables, simulacra.Metadata | None]]] = {
    "nycflights": nycflights,
    "tpch": tpch_halves,
}

if __name__ == "__main__":
    main()
