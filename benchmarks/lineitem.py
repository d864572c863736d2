"""Speed and memory on a large table: TPC-H ``lineitem``, learned from file and drawn to file.

    python benchmarks/lineitem.py [--scale 1] [--rows 1000000 10000000 40000000]

Runs the command that users run, each time in a process of its own: start-up is part of it, the
compilation that only the first run after an installation needs (``startup.py``) is not. Drawing
stands beside the time that ``tpchgen-cli``, which works the same rows out from a formula, takes to
write as many on as many cores.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq
from _common import Row, Run, command, large_folder, run, tpch, write_result

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
    with large_folder() as folder:
        _compile(folder)
        bundle = folder / "lineitem.sim"
        learning = run([command(), "fit", source, "-o", bundle, "--quiet"])
        drawing = {rows: _draw(bundle, folder / "drawn.parquet", rows) for rows in asked.rows}
        generating = [_generate(folder, many) for _ in range(GENERATIONS)]
        size = bundle.stat().st_size
    generated, generated_cpu = (median(times) for times in zip(*generating, strict=True))
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
                f"{learning.cpu_seconds:.1f} s of CPU; a bundle of {size / 1e6:.1f} MB",
            ),
            Row("learning, peak memory", _gigabytes(learning), "GB", "≤ 4"),
            Row(
                f"drawing {many:,} rows to Parquet",
                _seconds(drawing[many]),
                "s",
                "≤ 60",
                f"{drawing[many].cpu_seconds:.1f} s of CPU",
            ),
            Row("drawing, peak memory", _gigabytes(drawing[many]), "GB", "≤ 3"),
            Row(
                "drawing over tpchgen-cli, as many rows",
                round(drawing[many].seconds / generated, 1),
                "×",
                "≤ 8",
                f"which took {generated:.1f} s, median of {GENERATIONS}; by time of CPU "
                f"{drawing[many].cpu_seconds / generated_cpu:.1f} ×",
            ),
            *(
                Row(
                    f"{rows:,} rows",
                    _seconds(drawing[rows]),
                    "s",
                    "",
                    f"{drawing[rows].cpu_seconds:.1f} s of CPU; {_gigabytes(drawing[rows])} GB",
                )
                for rows in asked.rows
            ),
            Row(
                f"a further row after {many:,}, over one after {few:,}",
                round(_slope(drawing, many, most) / _slope(drawing, few, many), 2),
                "×",
                "1: linear",
                f"{1e6 * _slope(drawing, many, most):.2f} s of CPU a million rows",
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


def _generate(folder: Path, rows: int) -> tuple[float, float]:
    """Return the seconds, by clock and of CPU, that ``tpchgen-cli`` takes to write so many rows."""
    scale = f"{rows / SCALE_ROWS:.4f}"
    options = ["--scale-factor", scale, "--tables", "lineitem", "--quiet", "--output-dir"]
    made = run([command("tpchgen-cli"), "parquet", *options, folder])
    written = folder / "lineitem.parquet"
    generated: int = pq.read_metadata(written).num_rows
    written.unlink()
    return made.seconds * rows / generated, made.cpu_seconds * rows / generated


def _slope(drawing: dict[int, Run], few: int, many: int) -> float:
    """Return the CPU seconds a further row costs: a busy machine would bend the clock's."""
    return (drawing[many].cpu_seconds - drawing[few].cpu_seconds) / (many - few)


def _seconds(made: Run) -> float:
    return round(made.seconds, 1)


def _gigabytes(made: Run) -> float:
    return round(made.peak_bytes / 1e9, 2)


if __name__ == "__main__":
    main()
