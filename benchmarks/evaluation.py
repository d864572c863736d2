"""Speed and memory of ``evaluate`` with its default metrics: a million rows of twenty columns.

    python benchmarks/evaluation.py [--rows 1000000]

Rows are those of TPC-H ``lineitem`` beside four columns of their orders. One part is learned and
copied, another is held out; then the command that users run compares all three, once for the
terminal and once with the report.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb
from _common import Row, command, large_folder, run, tpch, write_result

ROWS = 1_000_000
COLUMNS = """
SELECT l.*, o_orderstatus, o_totalprice, o_orderdate, o_orderpriority
FROM '{folder}/lineitem.parquet' AS l JOIN '{folder}/orders.parquet' ON l_orderkey = o_orderkey
ORDER BY l_orderkey, l_linenumber LIMIT {rows} OFFSET {start}
"""


def main() -> None:
    """Measure and write ``results/evaluation.json``."""
    parser = argparse.ArgumentParser(description="Speed and memory of evaluate.")
    parser.add_argument("--rows", type=int, default=ROWS, help="of each of the three tables")
    rows = parser.parse_args().rows
    with large_folder() as folder:
        real, held, copy = (folder / f"{part}.parquet" for part in ("real", "held", "copy"))
        _write(real, rows, 0)
        _write(held, rows, rows)
        run([command(), "synth", real, copy, "--quiet"])
        asked = [command(), "evaluate", real, copy, "--holdout", held, "--quiet"]
        alone = run(asked)
        report = folder / "report.html"
        reported = run([*asked, "--report", report])
        size = report.stat().st_size
    write_result(
        "evaluation",
        f"Evaluation: {rows:,} × 20, with as many rows held out",
        [
            Row(
                "evaluate, default metrics",
                round(alone.seconds, 1),
                "s",
                "≤ 120",
                f"{alone.cpu_seconds:.1f} s of CPU",
            ),
            Row("evaluate, peak memory", round(alone.peak_bytes / 1e9, 2), "GB"),
            Row(
                "evaluate with the report",
                round(reported.seconds, 1),
                "s",
                "",
                f"{reported.cpu_seconds:.1f} s of CPU, {reported.peak_bytes / 1e9:.2f} GB at most; "
                f"a page of {size / 1e6:.1f} MB",
            ),
        ],
    )


def _write(path: Path, rows: int, start: int) -> None:
    duckdb.execute("SET enable_progress_bar = false")
    query = COLUMNS.format(folder=tpch(1), rows=rows, start=start)
    duckdb.sql(query).write_parquet(str(path))


if __name__ == "__main__":
    main()
