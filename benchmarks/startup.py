"""How long a user waits before anything happens: import, help text, and a copy of a small table.

All are warm, but for the very first run after an installation, which compiles what it needs and
keeps that for later.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq
from _common import Row, Run, command, run, tpch, write_result

RUNS = 11
WARMING = 2
SMALL = 1_000
"""Rows of ``lineitem``, which has most kinds of columns."""


def main() -> None:
    """Measure and write ``results/startup.json``."""
    nothing, nothing_cpu = _times(sys.executable, "-c", "pass")
    importing, importing_cpu = _times(sys.executable, "-c", "import simulacra")
    helping, helping_cpu = _times(command(), "--help")
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
                round(importing - nothing, 3),
                "s",
                "< 0.3",
                f"{note}; {importing_cpu - nothing_cpu:.3f} s of CPU; less the {nothing:.3f} s "
                "that Python itself takes",
            ),
            Row(
                "`simulacra --help`",
                round(helping, 3),
                "s",
                "< 0.5",
                f"{note}; {helping_cpu:.3f} s of CPU; all in all",
            ),
            _copied("the very first run after installing, compiling", first),
            _copied("any later run", second),
        ],
    )


def _times(*words: object) -> tuple[float, float]:
    """Return the medians of the seconds by clock and of CPU."""
    runs = [run([str(word) for word in words]) for _ in range(WARMING + RUNS)][WARMING:]
    return median(made.seconds for made in runs), median(made.cpu_seconds for made in runs)


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
