"""How much of the machine a run may use."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from simulacra.core.errors import UsageError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_BINARY_UNITS = {"ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}


def parse_bytes(text: str) -> int:
    """Return the bytes that ``text`` names, as ``500MB``, ``4 GiB`` or ``1e9``.

    Raises:
        UsageError: It names no positive amount.
    """
    match = re.fullmatch(r"\s*([0-9.]+(?:e[0-9]+)?)\s*([kmgt]i?)?b?\s*", text.lower())
    unit = (match and match.group(2)) or ""
    try:
        amount = int(float(match.group(1)) * (_UNITS | _BINARY_UNITS)[unit]) if match else 0
    except ValueError:
        amount = 0
    if amount <= 0:
        raise UsageError(f"{text!r} is not an amount of memory", mend="Write it as 4GB or 500MiB")
    return amount


def machine_memory() -> int:
    """Return the bytes of memory this process can hope for (the machine's, or its cgroup's)."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit_file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        path = Path(limit_file)
        if path.is_file() and (text := path.read_text().strip()).isdigit():
            total = min(total, int(text))
    return total


def usable_cores() -> int:
    """Return the number of processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use.

    Attributes:
        memory: Bytes; half of the machine's unless told.
        threads: Worker threads; one a processor unless told.
    """

    memory: int = field(default_factory=lambda: machine_memory() // 2)
    threads: int = field(default_factory=usable_cores)

    def __post_init__(self) -> None:
        """Refuse amounts that can't work."""
        if self.threads < 1:
            raise UsageError(f"{self.threads} threads", mend="Give at least 1")
        if self.memory < 64 * 2**20:
            raise UsageError(
                f"a memory budget of {self.memory / 2**20:.0f} MiB is too small",
                mend="Give at least 64 MiB",
            )

    def rows_within(self, bytes_per_row: float, *, share: float = 0.25) -> int:
        """Return how many rows of ``bytes_per_row`` bytes fit ``share`` of the memory."""
        return max(1, int(self.memory * share / max(bytes_per_row, 1.0)))
