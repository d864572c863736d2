"""What every benchmark needs: the machine, clocks, peak memory, data, and one form of result."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
DATA_VARIABLE = "SIMULACRA_BENCHMARK_DATA"
GENERATED = HERE / "data"
"""Where large files go: a disk, which the folder for temporary ones may not be."""


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        what: What was measured, in words a reader understands.
        figure: The value; a text where a number alone can't say it.
        unit: Its unit, empty for a ratio.
        target: What was to be reached, as ``≤ 0.3``; empty if nothing was promised.
        note: Whatever else is needed to read the figure, such as the floor.
    """

    what: str
    figure: float | str
    unit: str = ""
    target: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command.

    Attributes:
        seconds: Wall-clock time from start to exit.
        cpu_seconds: Time its threads were at work, which what else the machine does hardly alters.
        peak_bytes: The most memory it had resident.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def machine() -> dict[str, Any]:
    """Return what a reader must know of this machine to judge a time."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
        "os": f"{platform.system()} {platform.release()}",
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def write_result(name: str, title: str, rows: Sequence[Row]) -> Path:
    """Write ``results/NAME.json`` and print the rows; returns the path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    result = {
        "name": name,
        "title": title,
        "machine": machine(),
        "date": datetime.now(UTC).date().isoformat(),
        "rows": [asdict(row) for row in rows],
    }
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for row in rows:
        print(f"{row.what}: {row.figure} {row.unit} (target: {row.target or 'none'}) {row.note}")
    return path


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end, silently, and say how long it took and how much memory.

    Memory is that of the command alone, not of processes it starts. Linux counts the caller's
    own peak into that of a new process: call this from a process that holds no data.

    Args:
        command: The program and its arguments.
        env: Variables of the environment, besides those that there are.

    Raises:
        RuntimeError: The command failed; what it printed follows.
    """
    begun = time.perf_counter()
    with subprocess.Popen(
        [str(part) for part in command],
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        printed = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{command}: exit code {process.returncode}\n{printed.decode(errors='replace')}"
        raise RuntimeError(message)
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def median(measure: Callable[[], float], *, runs: int = 5, warm: int = 1) -> float:
    """Return the median of ``runs`` measurements, after ``warm`` that don't count."""
    for _ in range(warm):
        measure()
    return statistics.median(measure() for _ in range(runs))


def command(name: str = "simulacra") -> Path:
    """Return the path of a console script in this environment."""
    return Path(sys.executable).with_name(name)


def data(name: str) -> Path:
    """Return a real data file or folder; see README.md for where they come from.

    Raises:
        FileNotFoundError: It is not there.
    """
    path = Path(os.environ.get(DATA_VARIABLE, GENERATED)) / name
    if not path.exists():
        message = f"{path} is missing; set {DATA_VARIABLE} (benchmarks/README.md says what to put)"
        raise FileNotFoundError(message)
    return path


@contextmanager
def large_folder() -> Iterator[Path]:
    """Give a folder for large files, removed at the end."""
    GENERATED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=GENERATED) as name:
        yield Path(name)


def tpch(scale: float) -> Path:
    """Return a folder with the TPC-H tables as Parquet, generated when missing."""
    folder = GENERATED / f"tpch-{scale:g}"
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        run([command("tpchgen-cli"), "parquet", "-s", f"{scale:g}", "-o", unfinished])
        unfinished.rename(folder)
    return folder
