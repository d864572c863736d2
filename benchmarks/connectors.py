"""Rows a second that the file connectors write and read: TPC-H lineitem, 600 k × 16."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from _common import Row, tpch, write_result

from simulacra.connectors.locate import open_source, open_target
from simulacra.core.batches import read_all
from simulacra.core.context import RunContext

RUNS = 3
FORMATS = {"parquet": 600_000, "arrow": 600_000, "csv": 600_000, "csv.gz": 600_000,
           "jsonl": 600_000, "xlsx": 10_000}  # fmt: skip


def timed(work: Callable[[], object]) -> float:
    """Return the median seconds of a few runs, after one that doesn't count."""
    seconds = []
    for _ in range(RUNS + 1):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[1:])


def main() -> None:
    """Measure every format."""
    ctx = RunContext()
    (source,) = open_source(str(tpch(0.1) / "lineitem.parquet"), ctx=ctx).values()
    lineitem = read_all(source)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for ending, wanted in FORMATS.items():
            table = lineitem.slice(0, wanted)
            path = str(Path(folder) / f"lineitem.{ending}")

            def write(path: str = path, table: pa.Table = table) -> None:
                tables = {"lineitem": table.schema}
                target = open_target(path, tables=tables, overwrite=True, ctx=ctx)
                with target as writers, writers["lineitem"] as writer:
                    for batch in table.to_batches(max_chunksize=65_536):
                        writer.write(batch)

            def count(path: str = path) -> int:
                (again,) = open_source(path, ctx=ctx).values()
                return sum(batch.num_rows for batch in again.batches())

            def opened(path: str = path) -> None:
                open_source(path, ctx=ctx)

            written, read, surveyed = timed(write), timed(count), timed(opened)
            size = Path(path).stat().st_size / 1e6
            note = f"{table.num_rows:,} rows, {size:.1f} MB"
            rows += [
                Row(
                    f"{ending}: write", round(table.num_rows / written / 1e3), "k rows/s", "", note
                ),
                Row(f"{ending}: open and read", round(table.num_rows / read / 1e3), "k rows/s"),
                Row(f"{ending}: open alone", round(surveyed, 3), "s", "", "types over all rows"),
            ]
    write_result("connectors", "Files, rows a second (lineitem)", rows)


if __name__ == "__main__":
    main()
