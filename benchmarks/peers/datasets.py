"""The data that contenders learn, and the held-out halves that judge them.

    python -m peers.datasets NAME

prepares one in ``data/peers/NAME/``: ``learned.parquet`` (or a folder of tables), ``held_out`` of
the same kind, ``judged.parquet`` (a sample of the learned rows, for the judge), ``about.json`` and,
for databases, ``spec.yaml``. Types are those that every contender knows: whole and other numbers,
strings and times.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from _common import HERE, data, tpch
from numpy.typing import NDArray

import simulacra
from simulacra.core.schema import ForeignKey

PREPARED = HERE / "data" / "peers"
HELD_OUT = 50_000
JUDGED = 100_000
"""The most rows of a side that the judge is given."""
BATCH = 65_536
Tables = dict[str, pa.Table]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Something to learn.

    Attributes:
        name: In results and on the command line.
        kind: ``table``, ``database`` or ``sequence``.
        family: What it shares with those of another size.
        rows: How many rows are learned, in all tables.
        prepare: Writes the files into a folder; returns what ``about.json`` is to say besides.
        target: The column that classifiers are trained for.
        minutes: How long a contender may take.
    """

    name: str
    kind: str
    family: str
    rows: int
    prepare: Callable[[Path, int], Mapping[str, Any]]
    target: str | None = None
    minutes: float = 10
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return PREPARED / self.name


def prepared(dataset: Dataset) -> Path:
    """Return the folder of a data set, prepared when missing."""
    folder = dataset.folder
    if not (folder / "about.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        facts = dataset.prepare(folder, dataset.rows)
        about = {"rows": dataset.rows, "target": dataset.target, **dataset.facts, **facts}
        (folder / "about.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    return folder


def plain(table: pa.Table) -> pa.Table:
    """Return a table in types that every contender knows."""
    return table.cast(pa.schema([(item.name, _plain(item.type)) for item in table.schema]))


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return pa.timestamp("us")
    if pa.types.is_string_view(kind) or pa.types.is_large_string(kind):
        return pa.string()
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return kind


def of_file(where: Callable[[int], Path], *, without: tuple[str, ...] = ()) -> Callable[..., Any]:
    """Return what prepares a table from the rows of a Parquet file, whatever its size.

    So many of its rows, drawn at random and left in their order, are learned; as many others, at
    most ``HELD_OUT``, are held out.
    """

    def prepare(folder: Path, rows: int) -> Mapping[str, Any]:
        source = pq.ParquetFile(where(rows))
        count = source.metadata.num_rows
        held = min(rows, count - rows, HELD_OUT)
        if held <= 0:
            message = f"{where(rows)} has {count:,} rows: none is left to be held out"
            raise ValueError(message)
        rng = np.random.Generator(np.random.PCG64(0))
        part = np.zeros(count, dtype=np.int8)  # 0: neither, 1: learned, 2: held out
        part[rng.choice(count, rows, replace=False)] = 1
        part[rng.choice(np.flatnonzero(part == 0), held, replace=False)] = 2
        learned = np.flatnonzero(part == 1)
        judged = np.zeros(count, dtype=bool)
        judged[rng.choice(learned, min(rows, JUDGED), replace=False)] = True
        names = [name for name in source.schema_arrow.names if name not in without]
        _split(source, names, folder, part, judged)
        return {"columns": len(names), "held_out": held}

    return prepare


def _split(
    source: pq.ParquetFile,
    names: list[str],
    folder: Path,
    part: NDArray[np.int8],
    judged: NDArray[np.bool_],
) -> None:
    writers: dict[str, pq.ParquetWriter] = {}
    start = 0
    for batch in source.iter_batches(BATCH, columns=names):
        table = plain(pa.Table.from_batches([batch]).select(names))
        rows = slice(start, start + batch.num_rows)
        start += batch.num_rows
        for name, wanted in (
            ("learned", part[rows] == 1),
            ("held_out", part[rows] == 2),
            ("judged", judged[rows]),
        ):
            if name not in writers:
                writers[name] = pq.ParquetWriter(folder / f"{name}.parquet", table.schema)
            if wanted.any():
                writers[name].write_table(table.filter(pa.array(wanted)))
    for writer in writers.values():
        writer.close()


def lineitem(rows: int) -> Path:
    """Return TPC-H ``lineitem`` with more rows than asked for."""
    smallest = next(scale for scale in (0.1, 1.0, 7.0) if 6_000_000 * scale > rows * 1.0001)
    return tpch(smallest) / "lineitem.parquet"


def days_of_weather(folder: Path, rows: int) -> Mapping[str, Any]:
    """Write hourly weather as one sequence a day and airport; every other day is held out."""
    table = pq.read_table(data("nycflights/weather.parquet"))
    table = table.drop_columns(
        [name for name in ("year", "weather_id") if name in table.schema.names]
    )
    day = pc.strftime(table["time_hour"], "%Y-%m-%d")
    key = pc.binary_join_element_wise(table["origin"].cast(pa.string()), day, " ")
    table = plain(table.drop_columns(["origin", "month", "day", "hour"]).add_column(0, "day", key))
    table = table.sort_by([("day", "ascending"), ("time_hour", "ascending")])
    number = pc.index_in(table["day"], pc.unique(table["day"])).to_numpy()
    learned = table.filter(pa.array(number % 2 == 0))
    for name, some in (
        ("learned", learned),
        ("judged", learned),
        ("held_out", table.filter(pa.array(number % 2 == 1))),
    ):
        pq.write_table(some, folder / f"{name}.parquet")
    return {"rows": learned.num_rows, "columns": table.num_columns, "asked": rows}


def nycflights(folder: Path, rows: int) -> Mapping[str, Any]:
    """Write so many flights with all other tables; as many others are held out."""
    tables = {
        path.stem: plain(pq.read_table(path))
        for path in sorted(data("nycflights").glob("*.parquet"))
    }
    others = sum(table.num_rows for name, table in tables.items() if name != "flights")
    order = np.random.Generator(np.random.PCG64(0)).permutation(tables["flights"].num_rows)
    flights = rows - others
    keys = {
        "main": "flights",
        "primary": {"airlines": "carrier", "airports": "faa", "planes": "tailnum"},
        "foreign": [
            ("flights", "carrier", "airlines", "carrier"),
            ("flights", "origin", "airports", "faa"),
            ("flights", "tailnum", "planes", "tailnum"),
            ("weather", "origin", "airports", "faa"),
        ],
    }
    halves = (
        {**tables, "flights": tables["flights"].take(np.sort(some))}
        for some in (order[:flights], order[flights : 2 * flights])
    )
    return _database(folder, *halves, keys)


def tpch_halves(scale: float) -> Callable[[Path, int], Mapping[str, Any]]:
    """Return what writes the orders of every other customer, with all that is sold."""

    def prepare(folder: Path, _: int) -> Mapping[str, Any]:
        tables = {path.stem: plain(pq.read_table(path)) for path in tpch(scale).glob("*.parquet")}
        customers = tables["customer"]
        halves = []
        for odd in (0, 1):
            some = customers.filter(pa.array(customers["c_custkey"].to_numpy() % 2 == odd))
            orders = _of(tables["orders"], "o_custkey", some["c_custkey"])
            lines = _of(tables["lineitem"], "l_orderkey", orders["o_orderkey"])
            halves.append({**tables, "customer": some, "orders": orders, "lineitem": lines})
        keys = {
            "main": "customer",
            "primary": {
                "region": "r_regionkey",
                "nation": "n_nationkey",
                "supplier": "s_suppkey",
                "customer": "c_custkey",
                "part": "p_partkey",
                "orders": "o_orderkey",
            },
            "foreign": [
                ("nation", "n_regionkey", "region", "r_regionkey"),
                ("supplier", "s_nationkey", "nation", "n_nationkey"),
                ("customer", "c_nationkey", "nation", "n_nationkey"),
                ("partsupp", "ps_partkey", "part", "p_partkey"),
                ("partsupp", "ps_suppkey", "supplier", "s_suppkey"),
                ("orders", "o_custkey", "customer", "c_custkey"),
                ("lineitem", "l_orderkey", "orders", "o_orderkey"),
                ("lineitem", "l_partkey", "part", "p_partkey"),
                ("lineitem", "l_suppkey", "supplier", "s_suppkey"),
            ],
        }
        return _database(folder, *halves, keys)

    return prepare


def _of(table: pa.Table, column: str, keys: pa.ChunkedArray) -> pa.Table:
    return table.filter(pc.is_in(table[column], keys.combine_chunks()))


def _database(
    folder: Path, learned: Tables, held_out: Tables, keys: Mapping[str, Any]
) -> Mapping[str, Any]:
    for part, tables in (("learned", learned), ("held_out", held_out)):
        (folder / part).mkdir()
        for name, table in tables.items():
            pq.write_table(table, folder / part / f"{name}.parquet")
    metadata = simulacra.Metadata.detect(folder / "learned", infer_keys=False)
    for table, column in keys["primary"].items():
        metadata.update(table, column, type="identifier", unique=True, options={})
        metadata.update(table, primary_key=[column])
    for table in learned:
        found = [
            ForeignKey(columns=[column], parent=parent, parent_columns=[there])
            for child, column, parent, there in keys["foreign"]
            if child == table
        ]
        metadata.update(table, foreign_keys=found)
    metadata.save(folder / "spec.yaml")
    return {
        **keys,
        "rows": sum(table.num_rows for table in learned.values()),
        "columns": sum(table.num_columns for table in learned.values()),
        "tables": len(learned),
    }


def _flights(_: int) -> Path:
    return data("nycflights/flights.parquet")


def _flights_of(rows: int) -> Dataset:
    prepare = of_file(_flights, without=("flight_id",))
    return Dataset(f"flights-{rows // 1000}k", "table", "flights", rows, prepare)


def _lineitem_of(name: str, rows: int) -> Dataset:
    return Dataset(f"lineitem-{name}", "table", "lineitem", rows, of_file(lineitem))


DATASETS = {
    dataset.name: dataset
    for dataset in (
        Dataset(
            "adult",
            "table",
            "adult",
            16_280,
            of_file(lambda _: data("adult.parquet")),
            target="income_per_year",
            minutes=30,
        ),
        Dataset(
            "default",
            "table",
            "default",
            15_000,
            of_file(lambda _: data("default.parquet")),
            target="default-payment-next-month",
        ),
        *(_flights_of(rows) for rows in (10_000, 50_000, 250_000)),
        _lineitem_of("100k", 100_000),
        _lineitem_of("1m", 1_000_000),
        _lineitem_of("6m", 5_900_000),
        _lineitem_of("40m", 40_000_000),
        Dataset(
            "weather-days",
            "sequence",
            "weather-days",
            13_000,
            days_of_weather,
            facts={"sequence_key": "day", "sequence_index": "time_hour"},
        ),
        Dataset("nycflights-5k", "database", "nycflights", 35_911, nycflights, minutes=30),
        Dataset("nycflights-140k", "database", "nycflights", 170_911, nycflights),
        Dataset("tpch-0.01", "database", "tpch", 48_000, tpch_halves(0.01)),
        Dataset("tpch-0.1", "database", "tpch", 480_000, tpch_halves(0.1)),
    )
}

if __name__ == "__main__":
    prepared(DATASETS[sys.argv[1]])
