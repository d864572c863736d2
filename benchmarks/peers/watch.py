"""Run a command within limits of time and memory, and say what it took."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

EVERY = 0.2
"""Seconds between two looks at the memory."""
GRACE = 1.5
"""How much longer a run may take that was left less CPU time than it may take by the clock."""
LINES = 8
"""How many of its last words are kept."""


class Outcome(StrEnum):
    """How a run ended."""

    OK = "ok"
    CRASH = "crash"
    TIMEOUT = "time-out"
    MEMORY = "out of memory"


@dataclass(frozen=True, slots=True)
class Watched:
    """One run.

    Attributes:
        outcome: How it ended.
        message: Its last words; for a limit, which.
        seconds: Wall-clock time.
        cpu_seconds: Of all its processes that it waited for.
        peak_bytes: The most that all its processes had resident at once, looked at several times a
            second, or the most that one of them had by the operating system's account.
    """

    outcome: Outcome
    message: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int


def watch(
    command: Sequence[str | Path],
    *,
    seconds: float,
    memory: int,
    environment: dict[str, str],
    folder: Path,
) -> Watched:
    """Run a command, and stop it when it takes too long or too much.

    Args:
        command: The program and its arguments.
        seconds: How long it may take, by the clock; ``GRACE`` times as long if other work has left
            it less CPU time than that.
        memory: The most bytes that its processes may have resident together.
        environment: Variables besides those that there are.
        folder: Where it runs: some leave caches there.
    """
    unit = 1 if sys.platform == "darwin" else 1024
    with tempfile.TemporaryFile() as printed:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        peak, limit, at_work = 0, None, 0.0
        while True:
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            resident, at_work = _now(process.pid, at_work)
            peak = max(peak, resident)
            if limit is None:
                took = time.perf_counter() - begun
                limit = _passed(took, at_work, seconds) or _outgrown(peak, memory)
                if limit is not None:
                    os.killpg(process.pid, signal.SIGKILL)
            time.sleep(EVERY)
        took = time.perf_counter() - begun
        code = process.returncode = os.waitstatus_to_exitcode(status)
        printed.seek(0)
        said = printed.read().decode(errors="replace").strip().splitlines()[-LINES:]
    peak = max(peak, usage.ru_maxrss * unit)
    cpu = max(usage.ru_utime + usage.ru_stime, at_work)
    if limit is not None:
        return Watched(*limit, took, cpu, peak)
    if code:
        message = "\n".join([*said, f"exit code {code}"])
        return Watched(Outcome.CRASH, message, took, cpu, peak)
    return Watched(Outcome.OK, "", took, cpu, peak)


def _passed(took: float, at_work: float, seconds: float) -> tuple[Outcome, str] | None:
    if took > GRACE * seconds or (took > seconds and at_work > seconds):
        said = f"stopped after {took / 60:.1f} minutes, with {at_work / 60:.1f} minutes of CPU"
        return Outcome.TIMEOUT, said
    return None


def _outgrown(peak: int, memory: int) -> tuple[Outcome, str] | None:
    if peak > memory:
        return Outcome.MEMORY, f"stopped at {peak / 1e9:.1f} GB"
    return None


def _now(pid: int, before: float) -> tuple[int, float]:
    """Return what a process and those it started have resident, and their CPU seconds so far."""
    resident, at_work = 0, 0.0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with one.oneshot():
                resident += one.memory_info().rss
                times = one.cpu_times()
                at_work += times.user + times.system
    except psutil.Error:  # one of them has just ended
        return resident, max(before, at_work)
    return resident, max(before, at_work)
