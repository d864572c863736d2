"""Speed and memory on a large table: TPC-H ``lineitem``, learned from file and drawn to file.

    python benchmarks/lineitem.py [--scale 1] [--rows 1000000 10000000 40000000]

Runs the command that users run, each time in a process of its own: start-up is part of it, the
compilation that only the first run after an installation needs (``startup.py``) is not. Drawing
stands beside the time that ``tpchgen-cli``, which works the same rows out from a formula, takes to
write as many on as many cores.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq
from _common import HERE, Row, Run, command, run, tpch, write_result

ROWS = (1_000_000, 10_000_000, 40_000_000)
SCALE_ROWS = 6_001_215
"""Rows of ``lineitem`` at scale 1."""
GENERATIONS = 3


def main() -> None:
    """Measure and write ``results/lineitem.json``."""
    parser = argparse.ArgumentParser(description="Speed and memory on TPC-H lineitem.")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--rows", type=int, nargs=3, default=ROWS, help="ascending")
    asked = parser.parse_args()
    source = tpch(asked.scale) / "lineitem.parquet"
    few, many, most = asked.rows
    with tempfile.TemporaryDirectory(dir=HERE / "data") as name:
        folder = Path(name)
        _compile(folder)
        bundle = folder / "lineitem.sim"
        learning = run([command(), "fit", source, "-o", bundle, "--quiet"])
        drawing = {rows: _draw(bundle, folder / "drawn.parquet", rows) for rows in asked.rows}
        generating = median(_generate(folder, many) for _ in range(GENERATIONS))
        size = bundle.stat().st_size
    learned = f"{pq.read_metadata(source).num_rows:,} × {pq.read_metadata(source).num_columns}"
    write_result(
        "lineitem",
        f"Speed and memory: TPC-H lineitem, {learned}",
        [
            Row(
                "learning, from Parquet to saved bundle",
                round(learning.seconds, 1),
                "s",
                "≤ 40",
                f"bundle of {size / 1e6:.1f} MB",
            ),
            Row("learning, peak memory", _gigabytes(learning), "GB", "≤ 4"),
            Row(f"drawing {many:,} rows to Parquet", _seconds(drawing[many]), "s", "≤ 60"),
            Row("drawing, peak memory", _gigabytes(drawing[many]), "GB", "≤ 3"),
            Row(
                "drawing over tpchgen-cli, as many rows",
                round(drawing[many].seconds / generating, 1),
                "×",
                "≤ 8",
                f"which took {generating:.1f} s, median of {GENERATIONS}",
            ),
            *(
                Row(
                    f"{rows:,} rows",
                    _seconds(drawing[rows]),
                    "s",
                    "",
                    f"{_gigabytes(drawing[rows])} GB at most",
                )
                for rows in asked.rows
            ),
            Row(
                f"a further row after {many:,}, over one after {few:,}",
                round(_slope(drawing, many, most) / _slope(drawing, few, many), 2),
                "×",
                "1: linear",
                f"{1e6 * _slope(drawing, many, most):.2f} s a million rows",
            ),
            Row(
                f"peak memory at {most:,} rows over that at {many:,}",
                round(drawing[most].peak_bytes / drawing[many].peak_bytes, 2),
                "×",
                "1: flat",
            ),
        ],
    )


def _compile(folder: Path) -> None:
    """Learn and draw a little, so that nothing is left to compile."""
    few = tpch(0.01) / "lineitem.parquet"
    run([command(), "synth", few, folder / "few.parquet", "--quiet"])


def _draw(bundle: Path, drawn: Path, rows: int) -> Run:
    made = run([command(), "sample", bundle, drawn, "--rows", str(rows), "--quiet"])
    if (written := pq.read_metadata(drawn).num_rows) != rows:
        message = f"{written:,} rows written, not {rows:,}"
        raise RuntimeError(message)
    drawn.unlink()
    return made


def _generate(folder: Path, rows: int) -> float:
    """Return the seconds that ``tpchgen-cli`` takes to write so many rows to Parquet."""
    scale = f"{rows / SCALE_ROWS:.4f}"
    options = ["--scale-factor", scale, "--tables", "lineitem", "--quiet", "--output-dir"]
    made = run([command("tpchgen-cli"), "parquet", *options, folder])
    written = folder / "lineitem.parquet"
    generated: int = pq.read_metadata(written).num_rows
    written.unlink()
    return made.seconds * rows / generated


def _slope(drawing: dict[int, Run], few: int, many: int) -> float:
    return (drawing[many].seconds - drawing[few].seconds) / (many - few)


def _seconds(made: Run) -> float:
    return round(made.seconds, 1)


def _gigabytes(made: Run) -> float:
    return round(made.peak_bytes / 1e9, 2)


if __name__ == "__main__":
    main()
