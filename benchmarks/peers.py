"""Simulacra beside SDV's GaussianCopula, on the same rows in the same run.

    python benchmarks/peers.py [--python PYTHON]

Both learn 100,000 rows of TPC-H ``lineitem`` as pandas reads them, and draw as many; another
100,000 rows judge. ``peers/`` holds the script of each, and what the peer's environment needs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from _common import HERE, Row, tpch, write_result

import simulacra
from simulacra.core.scores import Score

PEERS = HERE / "peers"
ROWS = 100_000
RUNS = 3
LIMIT = 1_800
"""Seconds that a peer may take."""


def main() -> None:
    """Measure both and write ``results/peers.json``."""
    parser = argparse.ArgumentParser(description="Simulacra beside SDV.")
    default = PEERS / ".venv" / "bin" / "python"
    parser.add_argument("--python", type=Path, default=default, help="of the peer's environment")
    asked = parser.parse_args()
    if not asked.python.exists():
        parser.error(f"no {asked.python}; {PEERS / 'requirements.txt'} says how to make it")
    learned, held_out = _halves()
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "learned.parquet"
        pq.write_table(learned, source)
        theirs, their_rows = _run(asked.python, "run_sdv.py", source)
        ours, our_rows = zip(
            *(_run(Path(sys.executable), "run_simulacra.py", source) for _ in range(RUNS)),
            strict=True,
        )
    metadata = simulacra.Metadata.detect(learned)
    good, better = (
        _scores(learned, drawn, held_out, metadata) for drawn in (their_rows, our_rows[0])
    )
    mine = {part: median(run[part] for run in ours) for part in theirs}
    rows = [
        Row(
            "time to learn and draw, SDV's over ours",
            round(_both(theirs) / _both(mine), 1),
            "×",
            "≥ 20",
            f"ours: median of {RUNS}; by time of CPU {theirs['cpu'] / mine['cpu']:.1f} ×",
        ),
        _times("SDV", theirs),
        _times("Simulacra", mine),
    ]
    for metric, what, ideal in (
        ("column_shapes", "column shapes", "1"),
        ("pair_trends", "pair trends", "1"),
        ("detection", "C2ST AUC", "0.5"),
    ):
        floor = f"held-out judge; real rows {better[metric].floor:.4f}, ideal {ideal}"
        rows.append(Row(f"SDV: {what}", _figure(good[metric]), "", "", floor))
        target = f"better than {_figure(good[metric])}"
        rows.append(Row(f"Simulacra: {what}", _figure(better[metric]), "", target, floor))
    write_result("peers", f"Beside SDV 2.0.0, GaussianCopula: {ROWS:,} rows of lineitem", rows)


def _halves() -> tuple[pa.Table, pa.Table]:
    """Return rows to learn and rows to judge by, in types that both sides know."""
    table = pq.read_table(tpch(0.1) / "lineitem.parquet")
    table = table.cast(pa.schema([field.with_type(_plain(field.type)) for field in table.schema]))
    order = np.random.Generator(np.random.PCG64(0)).permutation(table.num_rows)
    return table.take(order[:ROWS]), table.take(order[ROWS : 2 * ROWS])


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_date(kind):
        return pa.timestamp("us")
    return pa.string() if pa.types.is_string_view(kind) else kind


def _run(python: Path, script: str, source: Path) -> tuple[dict[str, float], pa.Table]:
    """Run a script of ``peers/``; return its seconds and the rows it drew."""
    drawn = source.with_name("drawn.parquet")
    done = subprocess.run(
        [python, PEERS / script, source, drawn],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode:
        message = f"{script}: exit code {done.returncode}\n{done.stderr}"
        raise RuntimeError(message)
    seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seconds, pq.read_table(drawn)


def _scores(
    learned: pa.Table, drawn: pa.Table, held_out: pa.Table, metadata: simulacra.Metadata
) -> Mapping[str, Score]:
    metrics = ["column_shapes", "pair_trends", "detection"]
    report = simulacra.evaluate(
        learned, drawn, holdout=held_out, metadata=metadata, metrics=metrics
    )
    return next(iter(report.tables.values())).overall


def _both(seconds: Mapping[str, float]) -> float:
    return seconds["fit"] + seconds["sample"]


def _times(whose: str, seconds: Mapping[str, float]) -> Row:
    note = (
        f"learning {seconds['fit']:.2f}, drawing {seconds['sample']:.2f}; "
        f"{seconds['cpu']:.2f} s of CPU"
    )
    return Row(f"{whose}: learning and drawing", round(_both(seconds), 2), "s", "", note)


def _figure(score: Score) -> float:
    if score.value is None:
        message = f"{score.metric} has no value: {score.details.get('why')}"
        raise RuntimeError(message)
    return round(score.value, 4)


if __name__ == "__main__":
    main()
