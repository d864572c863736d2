"""Speed and memory on whole databases: TPC-H as a folder of Parquet files, to another such folder.

    python benchmarks/databases.py [--scales 1 5]

Runs the two commands that users run, each in a process of its own: ``synth`` finds types and keys,
learns and draws; ``evaluate`` checks every key and the children of every parent.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
from _common import Row, Run, command, large_folder, run, tpch, write_result

SCALES = (1.0, 5.0)
TARGETS = {1.0: ("≤ 300", "≤ 6"), 5.0: ("≤ 1200", "≤ 8")}
CHECKS = ("key_validity", "cardinality")


def main() -> None:
    """Measure and write ``results/databases.json``."""
    parser = argparse.ArgumentParser(description="Speed and memory on TPC-H databases.")
    parser.add_argument("--scales", type=float, nargs="+", default=SCALES)
    asked = parser.parse_args()
    rows: list[Row] = []
    with large_folder() as folder:
        _copy(0.01, folder)  # so that nothing is left to compile
        for scale in asked.scales:
            rows += _measure(scale, folder)
    write_result("databases", "Whole databases: TPC-H, eight tables, Parquet to Parquet", rows)


def _measure(scale: float, folder: Path) -> list[Row]:
    copying, checking, scores = _copy(scale, folder)
    count = sum(pq.read_metadata(path).num_rows for path in tpch(scale).glob("*.parquet"))
    seconds, memory = TARGETS.get(scale, ("", ""))
    what = f"scale {scale:g}, {count / 1e6:.1f} M rows"
    peak = max(copying.peak_bytes, checking.peak_bytes)
    return [
        Row(
            f"{what}: detect, learn, draw, check",
            round(copying.seconds + checking.seconds, 1),
            "s",
            seconds,
            f"{copying.seconds:.1f} to write the copy, {checking.seconds:.1f} to check it; "
            f"{copying.cpu_seconds + checking.cpu_seconds:.1f} s of CPU",
        ),
        Row(
            f"{what}: peak memory",
            round(peak / 1e9, 2),
            "GB",
            memory,
            f"{copying.peak_bytes / 1e9:.2f} writing the copy, {checking.peak_bytes / 1e9:.2f} "
            "checking it",
        ),
        Row(f"{what}: valid keys", scores["key_validity"], "", "1"),
        Row(f"{what}: children per parent, mean KS", round(scores["cardinality"], 5), "", "≤ 0.03"),
    ]


def _copy(scale: float, folder: Path) -> tuple[Run, Run, dict[str, float]]:
    """Copy a database and check the copy; return both runs and the scores."""
    source, made, report = tpch(scale), folder / "made", folder / "report.json"
    copying = run([command(), "synth", source, made, "--quiet"])
    chosen = [part for check in CHECKS for part in ("--metric", check)]
    checking = run([command(), "evaluate", source, made, *chosen, "--json", report, "--quiet"])
    overall = json.loads(report.read_text(encoding="utf-8"))["relations"]["overall"]
    shutil.rmtree(made)
    return copying, checking, {check: overall[check]["value"] for check in CHECKS}


if __name__ == "__main__":
    main()
