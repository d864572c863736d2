"""How long a user waits before anything happens: import, help text, and a copy of a small table.

All are warm, but for the very first run after an installation, which compiles what it needs and
keeps that for later.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq
from _common import Row, Run, command, median, run, tpch, write_result

RUNS = 11
SMALL = 1_000
"""Rows of ``lineitem``, which has most kinds of columns."""


def main() -> None:
    """Measure and write ``results/startup.json``."""
    nothing = _seconds(sys.executable, "-c", "pass")
    importing = _seconds(sys.executable, "-c", "import simulacra") - nothing
    helping = _seconds(command(), "--help")
    with tempfile.TemporaryDirectory() as name:
        small = Path(name) / "small.parquet"
        pq.write_table(pq.read_table(tpch(0.01) / "lineitem.parquet").slice(0, SMALL), small)
        first, second = (_copy(small, compiled=Path(name) / "compiled") for _ in range(2))
    note = f"median of {RUNS}, warm"
    write_result(
        "startup",
        "Start-up",
        [
            Row(
                "`import simulacra`",
                round(importing, 3),
                "s",
                "< 0.3",
                f"{note}; less the {nothing:.3f} s that Python itself takes",
            ),
            Row("`simulacra --help`", round(helping, 3), "s", "< 0.5", f"{note}; all in all"),
            _copied("the very first run after installing, compiling", first),
            _copied("any later run", second),
        ],
    )


def _seconds(*words: object) -> float:
    def once() -> float:
        begun = time.perf_counter()
        run([str(word) for word in words])
        return time.perf_counter() - begun

    return median(once, runs=RUNS, warm=2)


def _copy(small: Path, *, compiled: Path) -> Run:
    """Copy a small table, keeping what is compiled in a folder of its own."""
    target = small.with_name("copy.parquet")
    kept = {"NUMBA_CACHE_DIR": str(compiled)}
    return run([command(), "synth", small, target, "--overwrite", "--quiet"], env=kept)


def _copied(what: str, made: Run) -> Row:
    note = f"`simulacra synth`, {SMALL:,} rows of lineitem; {made.cpu_seconds:.1f} s of CPU"
    return Row(what, round(made.seconds, 1), "s", "", note)


if __name__ == "__main__":
    main()
